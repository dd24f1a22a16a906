"""The stepped machine: implements `workbuf.machine` so that a strategy controls the order of the threads' steps.

Theory of operation.  The flat memory is a list of ints.  A thread runs until it is about to access shared state.  There
its port announces the step and asks `pick(i)` which thread goes next (`machine.operations`).  The picked thread performs the
step that it had announced and runs on to its next one.  So a *schedule* is the list of picks, the `trail`: the same
program with the same trail takes the same steps on every run, interpreter and carrier.

Between two steps no other thread runs.  Starting and ending a thread touch no shared state, so their order does not
matter: a thread is started as soon as it is spawned, up to its first step, and its end is no scheduling choice.

Its parts: `Memory`, the cells and their names; `Threads`, the state of each thread; `Execution`, one schedule from
beginning to end.  This file owns what a program sets up: bodies and names of threads, views, items left out.

Relied on.  Plain accesses are no steps (unless `plain_points`), so they do not end another thread's pause, and their order
is not explored.  That loses nothing where something else orders them; where nothing does, the race detector reports it.

Not modelled.  Weak memory.  A timed sleep never times out while anybody else can run.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn, TypeVar

from collector.explore.machine import ops
from collector.explore.machine.carrier import Greenlets
from collector.explore.machine.execution import LIMIT, Execution
from collector.explore.machine.memory import Memory, Pointer
from collector.explore.machine.operations import make_port
from collector.explore.machine.site import by_a_thread, of_explorer
from collector.explore.machine.skippable import Left, Skippable
from collector.explore.machine.taps import fit
from collector.explore.machine.threadnames import ThreadNames
from collector.explore.machine.threads import Threads
from collector.explore.machine.unwatched import Unwatched
from workbuf.machine import MASK64


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import FrameType

    from collector.explore.machine.carrier import Carrier
    from collector.explore.machine.execution import Draw, Pick
    from collector.explore.machine.fault import Fault
    from collector.explore.machine.ports import SteppedPort
    from collector.explore.machine.taps import Tap
    from collector.explore.machine.watch import Watch
    from workbuf.machine import Port


T = TypeVar("T")
Stands = tuple[object, Sequence[object], Sequence[object] | None]
"""An operation's name, its arguments and, of a return, what it answers, at most one value."""

MOST = 1_000
"""Threads after which no thread may spawn another one; each makes the others slower."""
DEEPEST = 100
"""Generations of threads; each one's stack begins as deep as the one that it was spawned from."""


class SteppedMachine:
    """A machine that takes one step at a time.  Serves any number of schedules, one after another.

    A schedule that is as long as `steps` is the business of `watch`.
    """

    def __init__(
        self,
        carrier: Callable[[], Carrier] = Greenlets,
        taps: Sequence[Tap] = (),
        *,
        steps: int = LIMIT,
        watch: Callable[[SteppedMachine], Watch] | None = None,
        memory: Memory | None = None,
    ) -> None:
        self.memory = memory or Memory()
        self.threads = Threads(self.memory.words)
        self.execution = Execution(self.threads, carrier(), self.waiting, steps)
        self.taps = taps
        for tap in taps:
            tap.machine = self
        self.ports: list[SteppedPort] = []
        self.names = ThreadNames(self.execution)
        """Of the threads."""
        self.generations: dict[int, int] = {}
        """Of a thread that another one spawned: how many spawned one another, from one of the set-up's to it."""
        self.muted: frozenset[int] = frozenset()
        """Threads whose bodies are left out, to see whether it fails without them."""
        self.left = Left(self.execution.trail)
        self.more_state: list[Callable[[], object]] = []
        self.clocks: list[Callable[[], Iterable[object]]] = []
        """What stand-ins of the standard library keep, clocks once a thread has asked one: a part of the state."""
        self.asked = 0
        """Stand-ins of clocks that have been asked, in any schedule."""
        self.askers: set[int] = set()
        """Threads that have asked a stand-in which thread they are, in any schedule: each finds an object by that."""
        self.met: list[object] = []
        """Those objects, as they were asked for in the turn under way."""
        self.uncounted: set[str] = set()
        """Attributes and variables that decide nothing: a state that repeats but for them is the same state."""
        self.views: dict[str, Callable[[], object]] = {}
        self.formatter: Callable[[int, int], Pointer | str | None] | None = None
        """For traces: what value v of cell a points to, or how to print it; None: it is a number."""
        self.operations: dict[int, Callable[[int], Stands]] = {}
        """For traces: the operation whose call or return a step on that cell by thread t stands for."""
        self.told = ""
        """What it has told a thread that asked it and not its memory, and where (`AskedMachine`)."""
        self.check: object = None
        """The program's check: what it reaches is part of the state."""
        self.warnings: set[str] = set()
        # What strategies read at every step, and oracles in a body (`mem`).  The lists stay the same objects.
        self.mem, self.statistics = self.memory.shown, self.memory.statistics
        self.trail, self.invariants = self.execution.trail, self.execution.invariants
        self.runnable, self.kinds, self.addrs, self.expects, self.flags, self.stale, self.seen = (
            self.threads.runnable, self.threads.kinds, self.threads.addrs, self.threads.expects, self.threads.flags,
            self.threads.stale, self.threads.seen,
        )  # fmt: skip
        # Allocation and names are the memory's.
        self.alloc, self.extend = self.memory.alloc, self.memory.extend
        self.named, self.label = self.memory.names.named, self.memory.names.label
        self.abort, self.fail = self.execution.abort, self.execution.fail
        self.has_ended = self.threads.ended
        self.execution.watch = watch(self) if watch else Unwatched(self.execution)
        self.own = frozenset((*vars(self), "own"))
        """Attributes that no program has hung on it."""

    def begin(self) -> None:
        """Forget the last schedule: no memory, no threads, nothing that a program has hung on the machine."""
        if len(vars(self)) > len(self.own):
            for hung in vars(self).keys() - self.own:
                delattr(self, hung)
        self.memory.begin()
        self.threads.begin()
        self.execution.begin()
        self.left.begin()
        self.names.begin()
        self.generations.clear()
        self.more_state.clear()
        self.clocks.clear()
        self.uncounted.clear()
        self.met.clear()
        self.views.clear()
        self.formatter = None
        self.operations.clear()
        self.check = None

    def run(self, pick: Pick, draw: Draw, observers: Sequence[Callable[[int], None]] = ()) -> Fault | None:
        """Run the threads to their end, or to a fault, which is returned; see `Execution.run`."""
        for tap in self.taps:
            tap.begin()
        return self.execution.run(pick, draw, observers)

    def word(self, init: int, name: str = "") -> int:
        """One fresh cell holding `init`."""
        if not isinstance(init, int):
            self.execution.refuse(f"word: a word is an integer, not {init!r}")
        return self.memory.word(init, name)

    def _late(self, what: str, instead: str) -> NoReturn:
        """Refuse what is for the set-up alone."""
        if self.execution.running:
            self.execution.refuse(f"machine.{what} while threads run: {instead}")
        self.execution.refuse(f"machine.{what} when all threads have ended: a check looks with machine.peek")

    def peek(self, a: int) -> int:
        if self.execution.running:
            self._not_by_a_thread("peek", sys._getframe(1))  # noqa: SLF001
        try:
            if a > 0:
                return self.memory.words[a]
        except IndexError:
            pass
        return self._no_cell(a)

    def poke(self, a: int, v: int) -> None:
        if not self.execution.setting_up:
            self._late_poke()
        try:
            if v >> 64:
                v &= MASK64
            if a > 0:
                self.memory.words[a] = v
                return
        except IndexError:
            pass
        except TypeError:
            self.execution.refuse(f"poke: a word is an integer, not {v!r}")
        self._no_cell(a)

    def _not_by_a_thread(self, what: str, caller: FrameType) -> None:
        """Refuse what a body does directly."""
        if by_a_thread(caller):
            self.execution.refuse(f"machine.{what} by a running thread: a thread reads and writes through its port")

    def _late_poke(self) -> None:
        """Refuse a program's poke when threads have begun to run."""
        caller = sys._getframe(2)  # noqa: SLF001  of poke
        if self.execution.running:
            self._not_by_a_thread("poke", caller)
        # The stand-ins of the standard library's modules keep their objects in the memory, also for a check.
        if not of_explorer(caller):
            self.execution.refuse("machine.poke when threads have run: checks and invariants look with machine.peek")

    def _no_cell(self, a: int) -> NoReturn:
        self.execution.refuse(f"there is no cell {a}: the memory has cells 1 to {len(self.memory.words) - 1}")

    def spawn(self, body: Callable[[Port], object], name: str = "") -> None:
        """A thread that will run `body(port)`; the first one is number 0."""
        if not self.execution.setting_up:
            self._late("spawn", "a thread spawns with port.spawn")
        self._add(body, name)

    def _spawn(self, body: Callable[[Port], object], name: str, parent: int) -> None:
        """Thread `parent` spawns one."""
        i, generation = len(self.names), self.generations.get(parent, 0) + 1
        if generation > DEEPEST or i >= MOST:
            self.execution.refuse(
                f"endless spawning: a thread spawns none if there are {MOST}, or {DEEPEST} each spawned by the one before"
            )
        self._add(body, name)
        self.generations[i] = generation
        for tap in self.taps:
            tap.spawned(parent, i)

    def _add(self, body: Callable[[Port], object], name: str) -> None:
        """One more thread."""
        if not callable(body):
            self.execution.refuse(f"a body is a function of a port, not {body!r}")
        i = len(self.names)
        if i == len(self.ports):
            self._make_room(i)
        name = name or f"t{i}"
        self.ports[i].begin(name)
        self.names.add(name)
        self.execution.add(_nothing if i in self.muted else body)

    def _make_room(self, i: int) -> None:
        """For thread `i`, in this schedule and all that follow."""
        self.threads.add()
        port = make_port(i, self.memory, self.execution, self._spawn)
        self.ports.append(port)
        self.execution.carry(port)
        fit(self.taps, port)
        port.made()

    def kill(self, target: str) -> None:
        """A thread of one step, which ends the thread named `target` wherever that is: what it holds stays held.

        The strategy picks when, as for any step; a `target` that has ended by itself is left alone.
        """
        if target not in self.names:
            self.execution.refuse(
                f"kill: there is no thread {target!r} yet; there are {', '.join(self.names) or 'none'}"
            )
        if self.names.count(target) > 1:
            self.execution.refuse(f"kill: there are {self.names.count(target)} threads {target!r}")
        victim = self.names.index(target)

        def body(port: Port) -> None:
            self.ports[port.index].point(ops.KILL, victim)
            self.execution.kill(victim)

        self.spawn(body, f"kill {target}")

    def leave_out(self, threads: Iterable[int], items: Iterable[int]) -> None:
        """From the next schedule on, leave out the bodies of `threads`, and these optional `items`."""
        self.muted = frozenset(threads)
        self.left.out = frozenset(items)

    def optional(self, items: Sequence[T]) -> Skippable[T]:
        """`items` for one thread to iterate over, less those that shrinking finds it fails without."""
        if not isinstance(items, Sequence):
            self.execution.refuse(f"optional takes a sequence, such as a list or a range, not {type(items).__name__}")
        return self.left.items(items)

    def invariant(self, holds: Callable[[], object]) -> None:
        """`holds()` is called before every step and at the end; it asserts."""
        if not self.execution.setting_up:
            self._late("invariant", "the program says what holds before it returns")
        self._callable("invariant", holds)
        self.invariants.append(holds)

    def state(self, say: Callable[[], object]) -> None:
        """For searches that recognise states: `say()`, hashable, is part of the state, beside the memory.

        To be called with whatever the program keeps in Python objects and what happens later depends on.
        """
        self._callable("state", say)
        self.more_state.append(say)

    def view(self, what: str, say: Callable[[], object]) -> None:
        """For traces: show what `say()` returns after each step that has changed it, a `View` or anything with a text."""
        self._callable("view", say)
        self.views[what] = say

    def _callable(self, what: str, function: object) -> None:
        if not callable(function):
            self.execution.refuse(f"machine.{what} takes a function without parameters, not {function!r}")

    def name(self, a: int) -> str:
        """What cell `a` is called."""
        return str(self.named(a))

    def frame(self, t: int) -> FrameType | None:
        """The innermost Python frame of thread `t`; None if it is the one that is running."""
        return self.execution.carrier.frame(t)

    def close(self) -> None:
        """Give the threads' carriers back; the machine runs nothing any more."""
        self.execution.carrier.close()

    @property
    def fault(self) -> Fault | None:
        """What has gone wrong in this schedule."""
        return self.execution.fault

    @property
    def complete(self) -> bool:
        """All threads have run to their ends."""
        return self.execution.complete

    @property
    def releases(self) -> int:
        """Times that nobody could run and all who paused were let go."""
        return self.execution.releases

    def waiting(self) -> str:
        """Who waits for what."""
        return "; ".join(f"{name} {self.reason(i)}" for i, name in enumerate(self.names) if not self.has_ended(i))

    def reason(self, t: int) -> str:
        """What thread `t` waits for, which comes to a lock or a note."""
        kind, a = self.kinds[t], self.addrs[t]
        if kind == ops.SLEEP:
            return f"sleeps on {self.name(a)}"
        word = self.memory.words[a]
        holder = word - 1
        if holder >= len(self.names):
            return f"waits for {self.name(a)}, which holds {word} and so belongs to no thread"
        ending = "was killed" if holder in self.execution.killed else "has ended" if self.has_ended(holder) else ""
        return f"waits for {self.name(a)}, held by {self.names[holder]}{ending and f', which {ending}'}"


def _nothing(_port: Port) -> None:
    """The body of a muted thread."""
