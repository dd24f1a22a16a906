"""A fast drainworkbuf, with popobject, scanobject, scanwords and greyobject inlined into one loop.

Theory of operation.  In Python the calls cost more than the work: a pointer takes two, an object four.  Here they are one
loop over local variables, for the hardware machine, whose words can be read as a plain array.  It accesses memory and
sends events as the methods do, in the same order, with three exceptions that only the owner of the buffer can observe:
`nobj` of the buffer in hand is written once per object, not once per entry; `scanned` once per buffer; and the abort flag
is checked every CHECKED objects.

Guards.  As grey.py: marking precedes queuing (I8), test and set of the mark are two steps (I15).

Relied on.  The methods are the reference: a test marks the same heaps with both and compares marks, events and entry
numbers.  A subclass that changes one of them is marked with the methods, and so is the verifying mark.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.grey import Grey
from mutator.heap import ALLOCATED, DEAD, MARKED, POISON
from mutator.phase import GCmark, GCmarktermination
from mutator.world import MRECORD
from workbuf.buffer import HANDOFF_MIN, NOBJ, OBJ
from workbuf.events import Event
from workbuf.hardware.machine import HardwarePort
from workbuf.machine import WORD
from workbuf.throw import Throw


if TYPE_CHECKING:
    from mutator.world import World
    from workbuf.machine import Port

CHECKED = 64
"""Objects from one look at the abort flag to the next: a long list's buffer never runs dry, and so leads to no pause."""
WRITTEN_OUT = ("drainworkbuf", "popobject", "scanobject", "scanwords", "greyobject", "checkmark", "wanted", "bitsat")
"""What the loop does itself, so that a subclass's own would not be asked."""


class FusedMark(Grey):
    """drainworkbuf again, for ports of the hardware machine."""

    def __init__(self, port: Port, world: World, record: int) -> None:
        if not isinstance(port, HardwarePort):
            raise TypeError(f"{type(self).__name__} reads words as an array: it needs a port of the hardware machine")
        super().__init__(port, world, record)
        self.octets = port.octets
        changed = [name for name in WRITTEN_OUT[1:] if getattr(type(self), name) is not getattr(Grey, name)]
        self.fused = not changed and type(self).drainworkbuf is FusedMark.drainworkbuf
        """Nobody has changed what the loop has written out."""

    def drainworkbuf(self, wbuf: int, *, all: bool) -> None:  # noqa: A002  Go calls it drainallwbufs
        """Scan `wbuf`, which the caller owns, until it is empty, or until all work everywhere is done; consumes it."""
        if not self.fused or self.checkmarking:
            super().drainworkbuf(wbuf, all=all)
            return
        self.checknocurrentwbuf()
        port, words, octets = self.port, self.port.words, self.octets
        if words[self.gcphase] not in (GCmark, GCmarktermination):
            raise Throw("scanblock phase incorrect")
        before = scanned = self.scanned
        port.event(Event.DRAIN, int(all))
        low, high, shift = self.arena_start, self.arena_end, self.page_shift
        spanof, spanfacts, slots = self.spanof, self.spanfacts, self.slots
        or8, check = port.or8, port.check
        work_nwait, work_full, len_obj = self.work_nwait, self.work_full, self.len_obj
        nobj = words[wbuf + NOBJ]
        unchecked = 0
        while True:
            if nobj == 0:
                self.scanned = words[self.record + MRECORD.scanned] = scanned
                wbuf = self.nextwork(wbuf, all=all)
                if not wbuf:
                    break
                nobj = words[wbuf + NOBJ]
            unchecked += 1
            if unchecked == CHECKED:
                unchecked = 0
                check()
            if words[work_nwait] > 0 and nobj > HANDOFF_MIN and words[work_full] == 0:
                wbuf = self.handoff(wbuf)
                nobj = words[wbuf + NOBJ]
            nobj -= 1
            b = words[wbuf + OBJ + nobj]
            if low <= b < high:
                page = (b - low) >> shift
                span = spanof.get(page) or spanfacts(page)
                if span is not None and b < span[1]:
                    start, _, elemsize, _, _, masks, maskwords = span
                    scanned += 1
                    index = (b - start) // elemsize
                    base = start + index * elemsize
                    cell = base // WORD
                    mask = masks + index * maskwords
                    for at in range(mask, mask + maskwords):
                        for slot in slots[words[at]]:
                            p = words[cell + slot]
                            if not low <= p < high:
                                if p == POISON:
                                    where = (cell + slot) * WORD - base
                                    raise Throw("use after free", *self.foundat(p, base, where))
                                continue
                            page = (p - low) >> shift
                            span = spanof.get(page) or spanfacts(page)
                            if span is None:
                                continue
                            start, limit, elemsize, _, objs, _, _ = span
                            if p >= limit:
                                continue
                            index = (p - start) // elemsize
                            bits = octets[objs + index]
                            if bits & MARKED:
                                continue
                            obj = start + index * elemsize
                            if not bits & ALLOCATED:
                                raise Throw(
                                    "found bad pointer in Go heap",
                                    *self.foundat(obj, base, (cell + slot) * WORD - base),
                                )
                            # Another marker may be between the same two steps: both then queue the object (I15).
                            or8(objs + index, MARKED)
                            if bits & DEAD:
                                continue
                            if nobj >= len_obj:
                                words[wbuf + NOBJ] = nobj
                                wbuf = self.whenfull(wbuf)
                                nobj = words[wbuf + NOBJ]
                            words[wbuf + OBJ + nobj] = obj
                            nobj += 1
                        cell += 64
            # handoff, putempty and putfull read it when they get the buffer from here.
            words[wbuf + NOBJ] = nobj
        port.event(Event.DRAIN_END, scanned - before)
