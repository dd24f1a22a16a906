"""The threads' names, of which there are as many as threads: a program may give a thread another one, and add none."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn


if TYPE_CHECKING:
    from collector.explore.machine.execution import Execution


class ThreadNames(list[str]):
    """By the threads' numbers."""

    def __init__(self, execution: Execution) -> None:
        super().__init__()
        self.execution = execution
        self.begin = super().clear
        """There are no threads."""
        self.add = super().append
        """There is one more."""

    def _fixed(self, *_: object, **__: object) -> NoReturn:
        self.execution.refuse("machine.names has a name for each thread: machine.spawn and port.spawn add one")

    append = extend = insert = pop = remove = clear = __delitem__ = __iadd__ = __imul__ = _fixed
