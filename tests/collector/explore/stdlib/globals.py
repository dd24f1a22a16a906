"""A module that changes a global of its own, and has a class with slots."""

from __future__ import annotations

import threading


lock = threading.Lock()
total = 0


class Slotted:
    """Its attribute is in a slot."""

    __slots__ = ("x",)

    def __init__(self) -> None:
        self.x = 0


def count() -> None:
    """Adds one, without care."""
    global total  # noqa: PLW0603  as people do
    before = total
    with lock:
        total = before + 1
