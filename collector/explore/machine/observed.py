"""Memory that writes down what a thread reads and writes between two of its steps.

The machine itself uses the cells as they are; what a program does with them without a step goes through `Observed`.
"""

from __future__ import annotations

from collections.abc import MutableSequence
from typing import TYPE_CHECKING, Any

from collector.explore.machine.memory import Memory


if TYPE_CHECKING:
    from collector.explore.machine.execution import Execution


EVERY = -1
"""Stands for all cells."""


class Log:
    """Plain accesses of one thread."""

    __slots__ = ("looks", "pokes", "reads", "whole", "writes")

    def __init__(self) -> None:
        self.reads: dict[int, int] = {}
        """What was found in each cell that was read before it was written, in this order."""
        self.writes: set[int] = set()
        self.looks: set[int] = set()
        """Cells that were read or written where no race detector looks: as `machine.mem`, or several at once."""
        self.pokes: set[int] = set()
        """Those of them that were written."""
        self.whole = False
        """Something was done that is no access to one cell."""

    def add(self, later: Log) -> None:
        """What `later` has come after that."""
        self.reads = later.reads | self.reads
        self.writes |= later.writes
        self.looks |= later.looks
        self.pokes |= later.pokes
        self.whole = self.whole or later.whole


class Observed(MutableSequence[int]):
    """The cells; while a log is kept, every access is put down."""

    def __init__(self, words: list[int]) -> None:
        self.words = words
        self.execution: Execution | None = None
        """The one that is watched."""
        self.logs: dict[int, Log] = {}
        """By thread."""

    def begin(self, execution: Execution) -> None:
        """New logs.  Nothing is put down when the schedule is over."""
        self.execution = execution
        self.logs = {}

    def end(self) -> dict[int, Log]:
        """The logs are whole."""
        self.execution = None
        return self.logs

    def _log(self) -> Log | None:
        execution = self.execution
        if execution is None or execution.unwinding or not execution.running:
            return None
        return self.logs.setdefault(execution.current, Log())

    def _whole(self, *, writes: bool = False) -> list[int]:
        """The cells, for what concerns several of them, or how many there are."""
        log = self._log()
        if log:
            log.whole = True
            log.looks.add(EVERY)
            if writes:
                log.pokes.add(EVERY)
        return self.words

    def __getitem__(self, a: Any) -> Any:  # noqa: ANN401  an index or a slice
        if self.execution is None:
            return self.words[a]
        if type(a) is not int or a < 0:
            return self._whole()[a]
        try:
            v, log = self.words[a], self._log()
        except IndexError:
            self._whole()
            raise
        if log and a not in log.writes:
            log.reads.setdefault(a, v)
        return v

    def __setitem__(self, a: Any, v: Any) -> None:  # noqa: ANN401
        if self.execution is None:
            self.words[a] = v
            return
        if type(a) is not int or a < 0:
            self._whole(writes=True)[a] = v
            return
        try:
            self.words[a] = v
        except IndexError:
            self._whole()
            raise
        log = self._log()
        if log:
            log.writes.add(a)

    def __delitem__(self, a: Any) -> None:  # noqa: ANN401
        del self._whole(writes=True)[a]

    def __len__(self) -> int:
        return len(self._whole())

    def __eq__(self, other: object) -> bool:
        return self._whole() == (other.words if isinstance(other, Observed) else other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return repr(self._whole())

    def insert(self, at: int, v: int) -> None:
        self._whole(writes=True).insert(at, v)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  whatever else a list can do
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self._whole(writes=True), name)


class Shown(Observed):
    """The same cells as `machine.mem`; that they are looked at there is put down, too."""

    def __init__(self, plain: Observed) -> None:
        super().__init__(plain.words)
        self.plain = plain

    def _look(self, a: object, *, writes: bool = False) -> None:
        log = self.plain._log()  # noqa: SLF001  a part of it
        # What concerns several, or one that is not there (there may come to be one), is put down by `plain`.
        if log and type(a) is int and 0 <= a < len(self.words):
            log.looks.add(a)
            if writes:
                log.pokes.add(a)

    def _whole(self, *, writes: bool = False) -> list[int]:
        return self.plain._whole(writes=writes)  # noqa: SLF001

    def __getitem__(self, a: Any) -> Any:  # noqa: ANN401  an index or a slice
        self._look(a)
        return self.plain[a]

    def __setitem__(self, a: Any, v: Any) -> None:  # noqa: ANN401
        self._look(a, writes=True)
        self.plain[a] = v


class ObservedMemory(Memory):
    """A memory that programs are watched at."""

    def __init__(self) -> None:
        super().__init__()
        self.plain: Observed = Observed(self.words)
        self.shown = Shown(self.plain)
