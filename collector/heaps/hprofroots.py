"""The roots of an HPROF file, of nine kinds; some belong to a thread or to one of its frames."""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING

from collector.heaps.graph import WORD, Kind


if TYPE_CHECKING:
    from collector.heaps.addresses import Unresolved


NO_FRAME = 0xFFFFFFFF
"""Number of the frame of a root that belongs to a thread and to none of its frames."""
ROOTS = {
    0xFF: ("unknown", Kind.OTHER, Struct(">xQ")),
    0x01: ("JNI global", Kind.OTHER, Struct(">xQ8x")),
    0x02: ("JNI local", Kind.STACK, Struct(">xQII")),
    0x03: ("Java frame", Kind.STACK, Struct(">xQII")),
    0x04: ("native stack", Kind.STACK, Struct(">xQI")),
    0x05: ("sticky class", Kind.DATA, Struct(">xQ")),
    0x06: ("thread block", Kind.STACK, Struct(">xQI")),
    0x07: ("monitor", Kind.OTHER, Struct(">xQ")),
    0x08: ("thread object", Kind.OTHER, Struct(">xQ8x")),
}
"""Subtag: name, kind, and how it lies: object, thread, frame."""


class Roots:
    """The root objects met so far."""

    def __init__(self) -> None:
        self._roots: dict[tuple[Kind, str], list[int]] = {}
        self._frames: dict[tuple[int, int], list[int]] = {}
        """By (thread, frame)."""

    def take(self, data: bytes, at: int, tag: int) -> int:
        """Take in the root at `at`; the position behind it.  struct.error where the window ends inside."""
        name, kind, form = ROOTS[tag]
        address, *where = form.unpack_from(data, at)
        if kind == Kind.STACK:
            thread, frame = (*where, NO_FRAME)[:2]
            self._frames.setdefault((thread, frame), []).append(address)
        else:
            self._roots.setdefault((kind, name), []).append(address)
        return at + int(form.size)

    def areas(self, heap: Unresolved) -> None:
        """Add to `heap` an area for each kind of root that is on no stack, then each thread's frames, innermost first."""
        for (kind, name), objects in self._roots.items():
            heap.area(kind, name, WORD * len(objects), slots(objects))
        for (thread, frame), objects in sorted(self._frames.items()):
            name = "native" if frame == NO_FRAME else f"frame {frame}"
            heap.area(Kind.STACK, name, WORD * len(objects), slots(objects), thread)


def slots(objects: list[int]) -> zip[tuple[int, int]]:
    """The objects as the words of an area."""
    return zip(range(0, WORD * len(objects), WORD), objects, strict=True)
