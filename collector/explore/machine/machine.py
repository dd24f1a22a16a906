"""The stepped machine: the seam of `workbuf.machine` on plain ints, one step at a time, in an order that somebody picks.

Theory of operation.  The flat memory is a list of ints.  A thread runs until it is about to touch what others see; there
its port notes what it is about to do and asks `pick(i)` who goes next (`machine.ports`).  Whoever is picked
performs the step it had announced and runs on to its next one.  So a *schedule* is the list of picks, the `trail`, and
the same program with the same trail takes the same steps on every run, interpreter and vehicle.

Between two steps a thread is alone.  Beginning and ending touch nothing that others see, so every order of them comes to
the same: a thread is begun as soon as it is spawned, up to its first step, and its end is no choice.

A thread is *runnable* unless its next step waits: `lock` for the mutex, `sleep` for the note, and any step after a
`pause` until another thread has written something that this one has read since its last pause.  If nobody is runnable,
all who wait in a pause are let go together, and the timed sleeps time out with them; if there are none, it is a
deadlock.  What decides is
`Rules`, what runs a schedule is `Loop`; this file owns the memory, the names, and what else a program sets up.

Relied on.  Plain accesses are no steps (unless `plain_points`), so they neither wake a pause nor can be told apart in
their order: programs whose plain accesses are ordered by something else lose nothing by it, and the race detector finds
the others.

Not modelled.  Weak memory.  A timed sleep never times out while anybody else can run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from collector.explore.machine import ops
from collector.explore.machine.carrier import Greenlets
from collector.explore.machine.execution import Loop
from collector.explore.machine.ports import make_port
from collector.explore.machine.skippable import Left, Skippable
from collector.explore.machine.threads import FRESH
from collector.explore.state.fair import Fair
from collector.explore.state.spin import LOOK, Spin
from workbuf.names import Label, Name


if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from collector.explore.machine.carrier import Carrier
    from collector.explore.machine.ports import SteppedPort
    from collector.explore.trace.step import Pointer
    from workbuf.machine import Port

    Pick = Callable[[int], int]
    Draw = Callable[[int, int], int]
    Tap = Callable[["SteppedMachine", SteppedPort], None]
    """Changes a port's operations when it is made."""


T = TypeVar("T")


class SteppedMachine(Loop):
    """A machine that takes one step at a time.  Serves any number of schedules, one after another."""

    def __init__(self, vehicle: Callable[[], Carrier] = Greenlets, taps: Sequence[Tap] = ()) -> None:
        super().__init__(vehicle())
        self.taps = taps
        self.labels: list[Label] = []
        self.statistics: set[int] = set()
        self.muted: frozenset[int] = frozenset()
        """Threads whose bodies are left out, to see whether it fails without them."""
        self.left = Left(self.trail)
        self.more_state: list[Callable[[], object]] = []
        self.uncounted: set[str] = set()
        """Attributes of protocol objects that decide nothing: a state that repeats but for them is the same state."""
        self.views: dict[str, Callable[[], object]] = {}
        self.formatter: Callable[[int, int], Pointer | str | None] | None = None
        """For traces: what value v of cell a points to, or how to print it; None: it is a number."""
        self.fair = Fair(self)
        self.spin = Spin(self)

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
        self.undecided = ""
        self.clock = 0
        self.check = None
        self.fair.begin()
        self.limit = min(LOOK, self.steps_allowed)
        self.rewind()

    def alloc(self, n: int, name: str, fields: Sequence[str] = (), *, align: int = 1, statistics: bool = False) -> int:
        """`n` fresh zeroed cells; see `workbuf.machine.Machine.alloc`."""
        a = self.extend(n, align)
        self.labels.append(Label(a, n, name, fields))
        if statistics:
            self.statistics.update(range(a, a + n))
        return a

    def label(self, a: int, n: int, name: str, fields: Sequence[str] = ()) -> None:
        """Name `n` cells from `a`, over whatever they were called."""
        self.labels.append(Label(a, n, name, fields))

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
        self.labels.append(Label(a, 1, name or f"word{a}", ()))
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
            self.add_thread()
            self.ports.append(make_port(self, i))
            self.carry(i)
        self.ports[i].name = self.names[i]
        self.flags[i] = FRESH
        self.live += 1

    def kill(self, target: str) -> None:
        """A thread of one step, which ends the thread named `target` wherever that is: what it holds stays held.

        The strategy picks when, as for any step; a `target` that has ended by itself is left alone.
        """
        t = self.names.index(target)
        self.spawn(lambda port: self._kill(port.index, t), f"kill {target}")

    def optional(self, items: Sequence[T]) -> Skippable[T]:
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
        """For traces: show what `say()` returns after each step that has changed it, a `View` or anything with a text."""
        self.views[what] = say

    def named(self, a: int) -> Name:
        """What cell `a` is called, by the newest label that covers it."""
        for label in reversed(self.labels):
            if label.start <= a < label.start + label.n:
                return label.of(a)
        return Name(f"cell {a}")

    def name(self, a: int) -> str:
        """The same as text."""
        return str(self.named(a))

    def close(self) -> None:
        """Give the threads' carriers back; the machine runs nothing any more."""
        self.carrier.close()

    def waiting(self) -> str:
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


def _nothing(_port: Port) -> None:
    """The body of a muted thread."""
