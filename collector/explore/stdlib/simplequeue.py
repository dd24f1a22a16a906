"""Stand-in for `queue.SimpleQueue`, each of whose methods is atomic: a Queue without what that has besides.

(The one that CPython has in Python appends and counts in two steps that nothing holds together.)
"""

from __future__ import annotations

from types import GenericAlias
from typing import TYPE_CHECKING, Any, ClassVar


if TYPE_CHECKING:
    from queue import Queue


class SimpleQueue:
    """As `queue.SimpleQueue` is documented."""

    queue: ClassVar[type[Queue[Any]]]
    __class_getitem__: ClassVar[Any] = classmethod(GenericAlias)

    def __init__(self) -> None:
        self._items = self.queue()

    def put(self, item: object, block: bool = True, timeout: float | None = None) -> None:  # noqa: ARG002, FBT001, FBT002
        """Put it at the end, without waiting."""
        self._items.put(item)

    def put_nowait(self, item: object) -> None:
        """The same."""
        self._items.put(item)

    def get(self, block: bool = True, timeout: float | None = None) -> Any:  # noqa: ANN401, FBT001, FBT002
        """Take what is at the front: wait for it, for so many seconds, or not at all."""
        return self._items.get(block, timeout)

    def get_nowait(self) -> Any:  # noqa: ANN401
        """Take what is there."""
        return self._items.get(block=False)

    def empty(self) -> bool:
        """Is nothing in it?"""
        return self._items.empty()

    def qsize(self) -> int:
        """How many are in it?"""
        return self._items.qsize()
