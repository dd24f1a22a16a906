"""Size classes: the sizes that small objects are rounded up to.  (Go: msize.go.)

Walk the sizes up to the largest small one, in steps that grow so that rounding up costs at most an eighth.  For each,
take a span of as many pages as leave at most an eighth of it over at the end.  A size that needs the same pages and
fits the same number of times as the one before it replaces it.  At the end every class grows into what its span would
leave over, in multiples of 1/64 of a page (128 bytes).

With pages of 8192 bytes and 32 KB for the largest small size this gives Go's 66 classes; tests check it.
"""

from __future__ import annotations

from workbuf.machine import WORD


PAGE_SIZE = 8192
"""Go's _PageSize."""


class SizeClasses:
    """The classes for one page size.  Class 0 stands for large objects, which have a span to themselves."""

    def __init__(self, page_size: int = PAGE_SIZE, max_small: int = 0) -> None:
        """`page_size`: a power of 2, 64 bytes at least; `max_small`: a power of 2, four pages unless given."""
        max_small = max_small or 4 * page_size
        if page_size < 8 * WORD or page_size & (page_size - 1):
            raise ValueError(f"page size {page_size}: must be a power of 2 and at least {8 * WORD} bytes")
        if max_small < 2 * WORD or max_small & (max_small - 1):
            raise ValueError(f"largest small size {max_small}: must be a power of 2 and at least {2 * WORD} bytes")
        self.page_size = page_size
        self.max_small = max_small
        """Bytes; larger objects are large."""
        self.sizes = [0]
        """Bytes of an object, per class."""
        self.npages = [0]
        """Pages of a span, per class."""
        self._classes()
        self.count = len(self.sizes)
        """Number of classes, class 0 included (Go's _NumSizeClasses)."""
        self.class_of = self._lookup()
        """Class of a size of `i` words, for sizes up to `max_small`."""

    def _classes(self) -> None:
        """Fill `sizes` and `npages`."""
        step = size = WORD
        while size <= self.max_small:
            if size & (size - 1) == 0:
                step = min(max(WORD, size // 8, 16 if size >= 16 else 0), 256)
            pages = 1
            while self.page_size * pages % size > self.page_size * pages // 8:
                pages += 1
            span = self.page_size * pages
            if pages == self.npages[-1] and span // size == span // self.sizes[-1]:
                self.sizes[-1] = size
            else:
                self.sizes.append(size)
                self.npages.append(pages)
            size += step
        grain = max(WORD, self.page_size // 64)
        for at in range(1, len(self.sizes)):
            span = self.page_size * self.npages[at]
            self.sizes[at] = max(self.sizes[at], span // (span // self.sizes[at]) // grain * grain)

    def _lookup(self) -> list[int]:
        """The smallest class that holds `i` words, for every `i`; no words are rounded up to one."""
        table = []
        at = 1
        for words in range(self.max_small // WORD + 1):
            while self.sizes[at] < words * WORD:
                at += 1
            table.append(at)
        return table
