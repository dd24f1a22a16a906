"""Bulk loading: places all objects of a heap at once, before any thread runs.

Objects of one class are gathered and laid into spans of that class, span after span, in the order they come; bits are
stored a word at a time.  The result is what mallocgc, called once for each, would have left behind.

Nobody else uses the heap meanwhile, and no collection is under way.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

from mutator.heap.bits import ALLOCATED, BYTES, DEAD
from mutator.heap.record import SPAN
from workbuf.machine import WORD


if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mutator.heap.malloc import Malloc


def place(
    m: Malloc,
    sizes: Sequence[int],
    first: Sequence[int],
    slot: Sequence[int],
    placed: Callable[[int], object] = lambda _: None,
) -> array[int]:
    """Place objects of `sizes` bytes; returns their byte addresses, a column beside `sizes`.

    The pointers of object i are `slot[first[i] : first[i + 1]]`, byte offsets into it, ascending; `first` has one number
    more than `sizes`.  The words are zero: storing pointers in them is the caller's.  `placed` is told after each span how
    many objects have their place.
    """
    addresses = array("Q", bytes(8 * len(sizes)))
    classes: dict[int, array[int]] = {}
    class_of, max_small = m.class_of, m.max_small
    for i, size in enumerate(sizes):
        noscan = first[i] == first[i + 1]
        spanclass = (class_of[(size + 7) >> 3] << 1 if size <= max_small else 0) | noscan
        members = classes.get(spanclass)
        if members is None:
            members = classes[spanclass] = array("Q")
        members.append(i)
    done = 0
    for spanclass in sorted(classes):
        members = classes[spanclass]
        at = 0
        while at < len(members):
            span = m.freshspan(spanclass, sizes[members[at]])
            group = members[at : at + m.port.words[span + SPAN.nelems]]
            _fill(m, span, group, addresses)
            if not spanclass & 1:
                _storemasks(m, span, group, first, slot)
            m.countspan(span)
            if spanclass > 1:
                m.mcentral_insert(span, full=len(group) == m.port.words[span + SPAN.nelems])
            at += len(group)
            done += len(group)
            placed(done)
    return addresses


def _fill(m: Malloc, span: int, group: Sequence[int], addresses: array[int]) -> None:
    """Make the first slots of a fresh span the objects of `group`, and note where they are."""
    port, words = m.port, m.port.words
    n = len(group)
    p, elemsize, cells = words[span + SPAN.start], words[span + SPAN.elemsize], words[span + SPAN.objs] // WORD
    word = BYTES * (ALLOCATED if words[span + SPAN.masks] else ALLOCATED | DEAD)
    port.fill(cells, n // WORD, word)
    if n % WORD:
        words[cells + n // WORD] = word & (1 << 8 * (n % WORD)) - 1
    if words[span + SPAN.needzero]:
        port.fill(p // WORD, (words[span + SPAN.npages] << m.page_shift) // WORD, 0)
    words[span + SPAN.freeindex] = words[span + SPAN.nalloc] = n
    for i in group:
        addresses[i] = p
        p += elemsize


def _storemasks(m: Malloc, span: int, group: Sequence[int], first: Sequence[int], slot: Sequence[int]) -> None:
    """The pointer masks of a span's first objects."""
    words = m.port.words
    n, at = words[span + SPAN.maskwords], words[span + SPAN.masks]
    for i in group:
        mask = word = 0
        for k in range(first[i], first[i + 1]):
            bit = slot[k] >> 3
            if bit >> 6 != word:
                words[at + word] = mask
                m.port.fill(at + word + 1, (bit >> 6) - word - 1, 0)
                mask, word = 0, bit >> 6
            mask |= 1 << (bit & 63)
        words[at + word] = mask
        m.port.fill(at + word + 1, n - word - 1, 0)
        at += n
