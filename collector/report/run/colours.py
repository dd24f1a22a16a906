"""Counts the white, grey and black objects by reading the memory while the run goes on.

White: allocated and not marked.  Grey: marked, and in some buffer.  Black: marked, and in none.  (Go: the comment on
greyobject, mgc.go.)

Objects send no events: that would take longer than marking them.  Instead the memory is read: a span's object bytes lie
side by side, so a hundred thousand marks are counted in about a millisecond, and every buffer holds its number of entries.

Nothing is stopped, so each number is off by what happens while it is counted, and an object in two buffers (I15) counts as
grey twice.  Between a mark's end and the sweep of its span an object keeps its colour.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from mutator.heap import ALLOCATED, MARKED, MHEAP, SPAN, SPAN_IN_USE
from workbuf.buffer import NOBJ
from workbuf.local import WORK


if TYPE_CHECKING:
    from mutator.world import World
    from workbuf.hardware.machine import HardwareMachine

UNALLOCATED = bytes(byte for byte in range(256) if not byte & ALLOCATED)
UNMARKED = bytes(byte for byte in range(256) if not (byte & ALLOCATED and byte & MARKED))


class Colours(NamedTuple):
    """Numbers of objects."""

    white: int
    grey: int
    black: int


def colours(machine: HardwareMachine, world: World) -> Colours:
    """The objects of the heap by their colour, now."""
    allocated = marked = grey = 0
    with memoryview(machine.memory.map) as octets, octets.cast("Q") as words:
        heap = world.heap
        for at in range(heap.allspans, heap.allspans + words[heap.mheap + MHEAP.nspan]):
            span = words[at]
            if words[span + SPAN.state] != SPAN_IN_USE:
                continue
            objs = words[span + SPAN.objs]
            found = bytes(octets[objs : objs + words[span + SPAN.nelems]])
            allocated += len(found.translate(None, UNALLOCATED))
            marked += len(found.translate(None, UNMARKED))
        link = words[world.work + WORK.allbuffers]
        while link:
            grey += words[words[link] + NOBJ]
            link = words[link + 1]
    grey = min(grey, marked)
    return Colours(allocated - marked, grey, marked - grey)
