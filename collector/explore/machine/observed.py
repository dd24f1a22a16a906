"""Memory that writes down what a thread reads and writes between two of its steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from collector.explore.machine.memory import Memory


if TYPE_CHECKING:
    from collections.abc import Iterator

    from collector.explore.machine.execution import Execution


class Words(list[int]):
    """The cells, as fast as they come."""


class Observed(Words):
    """The same, with a log while one is kept."""

    def __init__(self, statistics: set[int]) -> None:
        super().__init__([0])
        self.statistics = statistics
        self.execution: Execution | None = None
        self.reads: dict[int, int] = {}
        """What was found in each cell that was read before it was written, in this order."""
        self.writes: dict[int, list[int]] = {}
        """What was written to each cell."""
        self.logging = False
        self.missed = False
        """Something was read that is not in the log."""

    def begin(self, execution: Execution) -> None:
        """A new log; nothing is put down once the `execution` is over."""
        self.execution = execution
        self.reads, self.writes = {}, {}
        self.logging, self.missed = True, False

    def end(self) -> None:
        """The log is whole."""
        self.logging = False

    def _logs(self) -> bool:
        return self.logging and self.execution is not None and self.execution.running

    def __getitem__(self, a: Any) -> Any:  # noqa: ANN401  an index or a slice
        v = super().__getitem__(a)
        if self._logs():
            if not isinstance(a, int) or a < 0:
                self.missed = True
            elif a not in self.writes and a not in self.statistics:
                self.reads.setdefault(a, v)
        return v

    def __setitem__(self, a: Any, v: Any) -> None:  # noqa: ANN401
        super().__setitem__(a, v)
        if self._logs():
            if not isinstance(a, int) or a < 0:
                self.missed = True
            elif a not in self.statistics:
                self.writes.setdefault(a, []).append(v)

    def __iter__(self) -> Iterator[int]:
        self.missed = self.missed or self._logs()
        return super().__iter__()

    def rest(self) -> None:
        """Nobody asks for logs any more."""
        self.logging = False
        self.__class__ = Words  # type: ignore[assignment]


class View:
    """The cells for the machine's own looks, which are in no log."""

    def __init__(self, words: Observed) -> None:
        self.words = words

    def __getitem__(self, a: int) -> int:
        return list.__getitem__(self.words, a)


class ObservedMemory(Memory):
    """A memory of such cells."""

    def __init__(self) -> None:
        super().__init__()
        self.words = Observed(self.statistics)
