"""What all stand-ins of a schedule share: the machine, which thread is running, its clock."""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from itertools import chain
from threading import get_ident
from typing import TYPE_CHECKING, Any

from collector.explore.machine.site import ROOTS, of_explorer
from workbuf.machine import MASK64


if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from collector.explore.machine.machine import SteppedMachine
    from collector.explore.machine.ports import SteppedPort


MAIN = MASK64
"""Who holds a lock that the program has taken while it sets up or checks."""


class Place:
    """A machine, schedule after schedule."""

    def __init__(self, machine: SteppedMachine) -> None:
        self.machine = machine
        self.schedule = 0
        """Number of the schedule that the rest is of."""
        self.clocks: defaultdict[int, float] = defaultdict(float)
        """Seconds that each thread has waited in vain or slept: each has a clock of its own, which nothing else moves."""
        self.waiting: dict[int, int] = {}
        """Per thread that waits for a lock, for a limited time: how often nobody could run before."""
        self.asked = False
        """Somebody has looked at one, in this schedule or an earlier one."""
        self.names: Counter[str] = Counter()
        self.objects: dict[int, Any] = {}
        """By the machine's thread, what says which thread is running."""
        self.daemons: set[int] = set()
        """Those of the machine's threads that nobody waits for."""
        self.ends_daemons = False
        """There is a thread that does."""

    def begins(self) -> bool:
        """Is this another schedule than before, which is forgotten then?"""
        number = self.machine.execution.number
        if self.schedule == number:
            return False
        self.schedule = number
        self.clocks.clear()
        self.waiting.clear()
        self.machine.clocks += (self.let_go, self.running)
        self.names.clear()
        self.objects.clear()
        self.daemons.clear()
        self.ends_daemons = False
        if self.asked:
            self.machine.clocks.append(self.times)
        return True

    def now(self) -> float:
        """The time of the running thread; from now on all threads' times are a part of the state."""
        if not self.asked:
            self.asked = True
            self.machine.asked += 1
            self.machine.clocks.append(self.times)
        port = self.port()
        return self.clocks[-1 if port is None else port.index]

    def times(self) -> Iterator[float]:
        """Threads, and what their clocks say."""
        return chain.from_iterable(sorted(self.clocks.items()))

    def let_go(self) -> Iterator[int]:
        """Threads that wait for a limited time, and whether nobody could run meanwhile: that is a part of the state."""
        releases = self.machine.releases
        return chain.from_iterable((t, before != releases) for t, before in sorted(self.waiting.items()))

    def running(self) -> Iterator[object]:
        """What says which thread is running, of those that have not ended: they find it by no variable."""
        return (v for t, v in sorted(self.objects.items()) if t < 0 or not self.machine.has_ended(t))

    def port(self) -> SteppedPort | None:
        """Of the thread that is running; None while the program sets up or checks, or an invariant or a view looks."""
        machine = self.machine
        execution = machine.execution
        if not execution.running or execution.capturing:
            return None
        if (machine.invariants or machine.views or machine.more_state) and looks(sys._getframe(1)):  # noqa: SLF001
            return None
        if get_ident() != execution.carrier.ident(execution.current) and not execution.unwinding:
            execution.refuse(
                "a thread that is none of the machine's uses a stand-in of threading: start a threading.Thread"
            )
        return machine.ports[execution.current]

    def passes(self, seconds: float) -> None:
        """The running thread has waited in vain, or slept, for so long."""
        port = self.port()
        self.clocks[-1 if port is None else port.index] += max(seconds, 0)

    def cell(self, name: str, n: int = 1) -> int:
        """`n` fresh words; in a running thread that is a step."""
        port = self.port()
        if port is None:
            return self.machine.alloc(n, self.unique(name))
        a = port.sysalloc(n)
        # Nobody has it of somebody else: whoever comes first to ask for it takes it.
        self.machine.memory.taken[-1] = a, a
        port.label(a, n, f"{name} of {port.name}")
        return a

    def unique(self, name: str) -> str:
        """The name, with a number if it has been given out."""
        self.names[name] += 1
        return name if self.names[name] == 1 else f"{name}{self.names[name]}"

    def me(self) -> int:
        """What a lock's word says if the running thread holds it."""
        port = self.port()
        return MAIN if port is None else port.index + 1

    def in_daemon(self) -> bool:
        """Is a daemon running?"""
        port = self.port()
        return port is not None and port.index in self.daemons

    def wouldwait(self, what: str) -> None:
        """Refuse to wait where no thread runs."""
        self.machine.execution.refuse(f"{what} where no thread runs would wait for ever: do it in a thread")


def looks(frame: FrameType | None) -> bool:
    """Is it an invariant, a view or a state that has called `frame`, and no thread?"""
    while frame is not None and (frame.f_globals.get("__package__") == __package__ or not of_explorer(frame)):
        frame = frame.f_back
    return frame is None or frame.f_code not in ROOTS
