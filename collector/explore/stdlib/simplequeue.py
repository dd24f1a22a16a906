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

    __queue: ClassVar[type[Queue[Any]]]
    __class_getitem__: ClassVar[Any] = classmethod(GenericAlias)

    def __init__(self) -> None:
        self.__items = self.__queue()

    def put(self, item: object, block: bool = True, timeout: float | None = None) -> None:  # noqa: ARG002, FBT001, FBT002
        """Put it at the end, without waiting."""
        self.__items.put(item)

    def put_nowait(self, item: object) -> None:
        """The same."""
        self.__items.put(item)

    def get(self, block: bool = True, timeout: float | None = None) -> Any:  # noqa: ANN401, FBT001, FBT002
        """Take what is at the front: wait for it, for so many seconds, or not at all."""
        return self.__items.get(block, timeout)

    def get_nowait(self) -> Any:  # noqa: ANN401
        """Take what is there."""
        return self.__items.get(block=False)

    def empty(self) -> bool:
        """Is nothing in it?"""
        return self.__items.empty()

    def qsize(self) -> int:
        """How many are in it?"""
        return self.__items.qsize()
