"""The stepped machine: the seam of `workbuf.machine` on plain ints, one step at a time, in an order that somebody picks.

Theory of operation.  The flat memory is a list of ints.  A thread runs until it is about to touch what others see; there
its port notes what it is about to do and asks `pick(i)` who goes next (`collector.explore.ports`).  Whoever is picked
performs the step it had announced and runs on to its next one.  So a *schedule* is the list of picks, the `trail`, and
the same program with the same trail takes the same steps on every run, interpreter and vehicle.

Between two steps a thread is alone.  Beginning and ending touch nothing that others see, so every order of them comes to
the same: a thread is begun as soon as it is spawned, up to its first step, and its end is no choice.

A thread is *runnable* unless its next step waits: `lock` for the mutex, `sleep` for the note, and any step after a
`pause` until another thread has written something that this one has read since its last pause.  If nobody is runnable,
all who wait in a pause are let go together, and the timed sleeps time out with them; if there are none, it is a
deadlock.  What decides is `Rules`; this file owns the memory, the names and the run.

Relied on.  Plain accesses are no steps (unless `plain_points`), so they neither wake a pause nor can be told apart in
their order: programs whose plain accesses are ordered by something else lose nothing by it, and the race detector finds
the others.

Not modelled.  Weak memory.  A timed sleep never times out while anybody else can run.
"""

from __future__ import annotations

import re
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from collector.explore import ops
from collector.explore.fair import SATURATED, Fair, Lasso
from collector.explore.optional import Left, Optional
from collector.explore.ports import make_port
from collector.explore.rules import FRESH, LIMIT, Rules
from collector.explore.spin import LOOK, Spin
from collector.explore.vehicle import ABORT, CLOSE, MAIN, Greenlets
from workbuf.machine import Aborted
from workbuf.throw import Throw


if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from collector.explore.ports import SteppedPort
    from collector.explore.vehicle import Vehicle
    from workbuf.machine import Port

    Pick = Callable[[int], int]
    Draw = Callable[[int, int], int]
    Fitting = Callable[["SteppedMachine", SteppedPort], None]
    """Changes a port's operations when it is made."""


T = TypeVar("T")

ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+(?=>)")
"""Where an object of Python's lies, as its repr tells it: different on every run."""


@dataclass(frozen=True)
class Fault:
    """What went wrong in one schedule, in words that are the same on every run."""

    kind: str
    """throw, assertion, exception, check, invariant, deadlock, livelock, endless, race."""
    message: str
    where: str = ""
    """Source line that raised, `file:line`; two faults are the same if kind and `where` are, or kind and message."""
    thread: int = MAIN
    details: str = ""
    """Further lines for a report."""
    lasso: Lasso | None = None
    """For a livelock: the part of the trail that repeats."""

    def same(self, other: Fault | None) -> bool:
        """Is `other` this fault again, on another schedule?"""
        return (
            other is not None
            and self.kind == other.kind
            and (self.where == other.where if self.where else self.message == other.message)
        )


class SteppedMachine(Rules):
    """A machine that takes one step at a time.  Serves any number of schedules, one after another."""

    def __init__(self, vehicle: Callable[[], Vehicle] = Greenlets, fittings: Sequence[Fitting] = ()) -> None:
        super().__init__(vehicle())
        self.fittings = fittings
        self.ports: list[SteppedPort] = []
        self.labels: list[tuple[int, int, str, Sequence[str]]] = []
        self.statistics: set[int] = set()
        self.invariants: list[Callable[[], object]] = []
        self.starts: list[Callable[[], object]] = []
        """Called when the threads of a schedule begin to run."""
        self.bodies: list[Callable[[Port], object]] = []
        self.names: list[str] = []
        self.fault: Fault | None = None
        self.broken: BaseException | None = None
        """What ended a thread and is no fault of the program."""
        self.killed: set[int] = set()
        self.muted: frozenset[int] = frozenset()
        """Threads whose bodies are left out, to see whether it fails without them."""
        self.left = Left(self.trail)
        self.more_state: list[Callable[[], object]] = []
        self.uncounted: set[str] = set()
        """Attributes of protocol objects that decide nothing: a state that repeats but for them is the same state."""
        self.views: dict[str, Callable[[], object]] = {}
        self.formatter: Callable[[int, int], str | None] | None = None
        """For traces: how to print value v of cell a, or None."""
        self.aborted = False
        """Threads raise Aborted where they check."""
        self.given_up = False
        self.fair = Fair(self)
        self.spin = Spin(self)
        self.warnings: set[str] = set()
        self.steps_allowed = LIMIT

    # Before the threads run.

    def begin(self) -> None:
        """Forget the last schedule: no memory, no threads."""
        del self.mem[1:]
        self.left.begin()
        self.labels.clear()
        self.statistics.clear()
        self.invariants.clear()
        self.bodies.clear()
        self.names.clear()
        self.killed.clear()
        self.more_state.clear()
        self.uncounted.clear()
        self.views.clear()
        self.formatter = None
        self.fault = None
        self.broken = None
        self.aborted = self.given_up = False
        self.fair.begin()
        self.limit = min(LOOK, self.steps_allowed)
        self.rewind()

    def alloc(self, n: int, name: str, fields: Sequence[str] = (), *, align: int = 1, statistics: bool = False) -> int:
        """`n` fresh zeroed cells; see `workbuf.machine.Machine.alloc`."""
        a = self.extend(n, align)
        self.labels.append((a, n, name, fields))
        if statistics:
            self.statistics.update(range(a, a + n))
        return a

    def label(self, a: int, n: int, name: str, fields: Sequence[str] = ()) -> None:
        """Name `n` cells from `a`, over whatever they were called."""
        self.labels.append((a, n, name, fields))

    def extend(self, n: int, align: int) -> int:
        """`n` zeroed cells at the end of the memory, the first at a multiple of `align`; they have no name yet."""
        mem = self.mem
        a = -(-len(mem) // align) * align
        mem.extend([0] * (a + n - len(mem)))
        return a

    def word(self, init: int, name: str = "") -> int:
        """One fresh cell holding `init`."""
        a = len(self.mem)
        self.mem.append(init)
        self.labels.append((a, 1, name or f"word{a}", ()))
        return a

    def peek(self, a: int) -> int:
        return self.mem[a]

    def poke(self, a: int, v: int) -> None:
        self.mem[a] = v

    def spawn(self, body: Callable[[Port], object], name: str = "") -> None:
        """A thread that will run `body(port)`; the first one is number 0."""
        i = len(self.bodies)
        self.bodies.append(_nothing if i in self.muted else body)
        self.names.append(name or f"t{i}")
        if i == len(self.ports):
            self._grow()
        self.ports[i].name = self.names[i]
        self.flags[i] = FRESH
        self.live += 1

    def kill(self, target: str) -> None:
        """A thread of one step, which ends the thread named `target` wherever that is: what it holds stays held.

        The strategy picks when, as for any step; a `target` that has ended by itself is left alone.
        """
        t = self.names.index(target)
        self.spawn(lambda port: self._kill(port.index, t), f"kill {target}")

    def optional(self, items: Sequence[T]) -> Optional[T]:
        """`items` for one thread to iterate over, less those that shrinking finds it fails without."""
        return self.left.items(items)

    def invariant(self, holds: Callable[[], object]) -> None:
        """`holds()` is called before every step and at the end; it asserts."""
        self.invariants.append(holds)

    def state(self, say: Callable[[], object]) -> None:
        """For searches that recognise states: `say()`, hashable, is part of the state, beside the memory.

        To be called with whatever the program keeps in Python objects and what happens later depends on.
        """
        self.more_state.append(say)

    def view(self, what: str, say: Callable[[], object]) -> None:
        """For traces: print `what: say()` after each step that has changed it."""
        self.views[what] = say

    def abort(self) -> None:
        """Give the schedule up at the next step; every thread raises Aborted."""
        self.aborted = self.given_up = True
        self.pick = self._abandon

    def name(self, a: int) -> str:
        """The name of cell `a`: the newest label that covers it."""
        for first, n, name, fields in reversed(self.labels):
            if first <= a < first + n:
                return self._labelled(a - first, n, name, fields)
        return f"cell {a}"

    @staticmethod
    def _labelled(at: int, n: int, name: str, fields: Sequence[str]) -> str:
        if at < len(fields):
            return f"{name}.{fields[at]}"
        return name if n == 1 else f"{name}[{at}]"

    # While they run.

    def close(self) -> None:
        """Give the threads' carriers back; the machine runs nothing any more."""
        self.vehicle.close()

    def run(self, pick: Pick, draw: Draw, observers: Sequence[Callable[[int], None]] = ()) -> Fault | None:
        """Run the threads to their end, or to a fault, which is returned.

        `pick(i)` names the runnable thread that goes next; `i` has just come to its next step and may itself be waiting,
        MAIN if nobody has.  It may also be MAIN: the schedule is given up.  `draw(i, n)` is what `choose(n)` returns in
        thread `i`.  Each observer is told who was picked, before the step is taken.
        """
        self.strategy = self.spin.strategy = pick
        self.draw, self.observers = draw, observers
        self.pick = self._watched if self.invariants or observers else pick
        for start in self.starts:
            start()
        try:
            self._loop()
        finally:
            self._unwind()
        if self.broken:
            raise self.broken
        if self.trail and self.trail[-1] == MAIN:
            self.trail.pop()
        return self.fault

    def _loop(self) -> None:
        goto, runnable, append = self.vehicle.goto, self.runnable, self.trail.append
        self.starter = MAIN
        for i in range(len(self.bodies)):
            goto[i](MAIN)
            if self.fault or self.broken:
                return
        while self.live:
            if not runnable and not self._go_on():
                return
            t = self.pick(MAIN)
            append(t)
            if t == MAIN:
                return
            goto[t](MAIN)
            if self.fault or self.broken or self.trail[-1] == MAIN:
                return
        self._check_invariants()

    def _go_on(self) -> bool:
        """Nobody can run: let go those who only pause, unless that has led nowhere before."""
        if self.fair.released():
            self._livelock()
        elif not self.release():
            self.fault = Fault("deadlock", self._waiting())
        return self.fault is None

    def _grow(self) -> None:
        i = self.add_thread()
        self.ports.append(make_port(self, i))
        goto, bodies, ports = self.vehicle.goto, self.bodies, self.ports

        def life() -> None:
            while True:
                try:
                    bodies[i](ports[i])
                except Aborted:
                    pass
                except Exception as error:  # noqa: BLE001  whatever the thread dies of is this schedule's fault
                    self._raised(error, i)
                except BaseException as error:  # noqa: BLE001  an interrupt, say: it belongs to whoever called run
                    self.broken = error
                # Its body has ended; the next time control comes here, another schedule begins the next one.
                if goto[self.end(i)](i) == CLOSE:
                    return

        self.vehicle.add(life)

    def _unwind(self) -> None:
        """Bring every thread that is still inside its body back out of it."""
        self.aborted = self.unwinding = True
        self.pick = self.give_up
        for i in range(len(self.bodies)):
            if i in self.killed or self.kinds[i] != ops.ENDED:
                self.vehicle.goto[i](ABORT)

    def _kill(self, i: int, target: int) -> None:
        self.ports[i].point(ops.KILL, target)
        if self.kinds[target] != ops.ENDED:
            self.killed.add(target)
            self.end(target)

    def _abandon(self, _i: int) -> int:
        return MAIN

    def _watched(self, i: int) -> int:
        """The strategy's pick, with the invariants before it and the observers behind it."""
        if not self._check_invariants():
            return MAIN
        t = self.strategy(i)
        if t != MAIN:
            for observe in self.observers:
                observe(t)
        return t

    def overrun(self) -> None:
        """The schedule has grown long: look for a spin; in the end go on in turn, and then give it up."""
        at = len(self.trail)
        if at < self.steps_allowed:
            self.limit = min(at + LOOK, self.steps_allowed)
            if self.spin.suspected():
                self.set_strategy(self._spinning)
        elif at < self.last_step:
            self.limit = self.last_step
            self.set_strategy(self._in_turn)
        else:
            self.fault = Fault("endless", f"no end after {at} steps, and no state that comes again")
            self.pick = self._abandon

    @property
    def last_step(self) -> int:
        """Steps after which a schedule is given up."""
        return self.steps_allowed + max(self.steps_allowed, LOOK)

    def set_strategy(self, pick: Pick) -> None:
        """Have somebody else pick from now on."""
        if self.pick == self._watched:
            self.strategy = pick
        else:
            self.pick = pick

    def _spinning(self, i: int) -> int:
        """The strategy's pick, while a thread is suspected to spin."""
        if self.spin.over(i):
            self.set_strategy(self.spin.strategy)
        return self.spin.strategy(i)

    def _in_turn(self, i: int) -> int:
        t = self.fair.pick(i)
        if t == MAIN:
            self._livelock()
        return t

    def _livelock(self) -> None:
        """The state has been there before: say between which steps, and who goes round in the circle."""
        lasso = self.fair.lasso or Lasso(0, len(self.trail), 0, counting=True)
        circle = sorted({t for t in self.trail[lasso.begin : lasso.end] if t >= 0})
        names = " and ".join(self.names[t] for t in circle)
        goes = "goes" if len(circle) == 1 else "go"
        but = f", but for what counts, {SATURATED} times in a row" if lasso.counting else ""
        self.fault = Fault("livelock", f"{names} {goes} round in a circle: the state comes again{but}", lasso=lasso)

    # Faults.

    def _raised(self, error: Exception, i: int, kind: str = "") -> None:
        if self.fault is None and not self.unwinding:
            self.fault = fault_of(error, i, kind)

    def _check_invariants(self) -> bool:
        try:
            for holds in self.invariants:
                holds()
        except AssertionError as error:
            self._raised(error, self.trail[-1] if self.trail else MAIN, "invariant")
            return False
        return True

    def _waiting(self) -> str:
        """Who waits for what."""
        return "; ".join(
            f"{self.names[i]} {self._reason(self.kinds[i], self.addrs[i])}"
            for i in range(len(self.bodies))
            if self.kinds[i] != ops.ENDED
        )

    def _reason(self, kind: int, a: int) -> str:
        if kind == ops.SLEEP:
            return f"sleeps on {self.name(a)}"
        holder = self.mem[a] - 1
        dead = ", which was killed" if holder in self.killed else ", which has ended" if self.has_ended(holder) else ""
        return f"waits for {self.name(a)}, held by {self.names[holder]}{dead}"

    @property
    def complete(self) -> bool:
        """All threads have run to their ends."""
        return self.live == 0 and not self.given_up

    def has_ended(self, i: int) -> bool:
        """Has thread `i` run to its end, or been killed?"""
        return self.kinds[i] == ops.ENDED


def _nothing(_port: Port) -> None:
    """The body of a muted thread."""


def fault_of(error: Exception, thread: int = MAIN, kind: str = "") -> Fault:
    """The fault that `error` is; `kind` if that is known better."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else ""
    text = ADDRESS.sub("", str(error))  # a failed assertion may show a function, as pytest rewrites it
    line = text.partition("\n")[0]
    if isinstance(error, Throw):
        return Fault(kind or "throw", error.text, where, thread, text)
    if isinstance(error, AssertionError):
        return Fault(kind or "assertion", line or "assertion failed", where, thread, text)
    return Fault(kind or "exception", f"{type(error).__name__}: {line}", where, thread, text)
