"""The ports of the stepped machine: one thread's handle, and what a program changes in it.

Its operations are made in `machine.operations`.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from collector.explore.machine.site import of_explorer
from workbuf.events import null
from workbuf.machine import MASK64, Aborted, Bound, Words


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore.machine.execution import Execution
    from workbuf.machine import Listener


SEED_STEP = 0x9E3779B97F4A7C15
"""Distance of two threads' seeds."""
put = object.__setattr__
"""Sets an attribute of a port, which is no change by a program."""
attributes: Callable[[SteppedPort], dict[str, object]] = vars(Bound)["__dict__"].__get__
"""Those that a port has."""


class SteppedPort(Bound):
    """One thread's handle.  The operations are set by `make_port`."""

    words: Words
    wake: Callable[[int], None]
    lock: Callable[[int], None]
    trylock: Callable[[int], bool]
    unlock: Callable[[int], None]
    choose: Callable[[int], int]
    point: Callable[[int, int], None]
    """Announce a step of a kind on a cell, and wait for its turn."""
    wrote: Callable[[int], None]
    """Tell the threads that have read a cell."""

    sleep: Callable[..., bool]
    spawn: Callable[..., None]
    own: dict[str, object]
    """Its other attributes, as they are before a program changes any."""
    changes: int
    """How often a program has changed it; -1: it is being made."""
    ended: Ended
    """Its `words` when no thread runs."""

    def __init__(self, index: int, execution: Execution) -> None:
        # What a program hangs on a port, and puts in place of what was there, is noted as it happens: to ask an object for
        # all that it has makes each of its operations slower (CPython 3.11).
        put(self, "own", {})
        put(self, "changes", -1)
        self.execution = execution
        self.index = index
        self.seed = (index + 1) * SEED_STEP & MASK64
        self.event: Listener = null
        self.name = ""
        self.ended = Ended(self)

    @property
    def __dict__(self) -> dict[str, object]:  # type: ignore[override]
        """A program that asks for all of them may change any."""
        if not of_explorer(sys._getframe(1)):  # noqa: SLF001  the caller
            put(self, "changes", self.changes + 1)
        return attributes(self)

    def __setattr__(self, name: str, v: object) -> None:
        put(self, name, v)
        if self.changes < 0:
            self.own[name] = v
        else:
            put(self, "changes", self.changes + 1)

    def __delattr__(self, name: str) -> None:
        object.__delattr__(self, name)
        put(self, "changes", self.changes + 1)

    def made(self) -> None:
        """From now on, whoever changes it is a program."""
        put(self, "changes", 0)

    def begin(self, name: str) -> None:
        """A thread of that name begins: forget what the last one has hung on the port, or put in place of what was there."""
        if self.changes:
            own, its = self.own, attributes(self)
            its.clear()
            its.update(own, own=own, changes=0)
        if self.name != name:
            self.own["name"] = name
            put(self, "name", name)

    @property
    def left(self) -> str:
        """The name of what a program has left there for its next run: past `__setattr__`, or in `own`."""
        its, own = attributes(self), self.own
        names = (its.keys() | own.keys()) - {"own", "changes"} if not self.changes else ()
        return next((name for name in sorted(names) if its.get(name, self) is not own.get(name, self)), "")

    def check(self) -> None:
        """Raise Aborted if the run was aborted.  Not a step."""
        if self.execution.aborted:
            raise Aborted

    def now(self) -> int:
        """Steps since the run began."""
        if not self.execution.running:
            self.execution.foreign(self.index)
        self.execution.clock += 1
        return len(self.execution.trail)


class Ended:
    """`port.words` when its thread has ended."""

    def __init__(self, port: SteppedPort) -> None:
        self.port = port

    def __getitem__(self, _a: int) -> int:
        self.port.execution.foreign(self.port.index)

    def __setitem__(self, _a: int, _v: int) -> None:
        self.port.execution.foreign(self.port.index)
