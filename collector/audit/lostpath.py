"""The way from a root to a lost object, as `collector.audit.whylost` finds it."""

from __future__ import annotations

from typing import NamedTuple


class Root(NamedTuple):
    """Where a path begins."""

    kind: str
    """data, bss, stack, finalizer queue, finalizer."""
    job: int
    """The root job that scans it."""
    goroutine: int
    """Of a stack; else -1."""
    name: str


class Queued(NamedTuple):
    """A marked object that nobody has scanned yet."""

    buffer: int
    cache: int
    """The number of the M in whose cache the buffer is; -1 if it is in none."""


class LostPath(NamedTuple):
    """`cells[i]` holds the pointer to `objects[i]`, the last of which is lost; objects are byte addresses."""

    root: Root
    cells: tuple[int, ...]
    objects: tuple[int, ...]
    queued: Queued | None = None
    """Of the object before the last."""
