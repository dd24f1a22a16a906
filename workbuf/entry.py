"""Decodes entry numbers, the numbers that a buffer's history logs: which function took or gave it, through which list.

Go passes each list operation a number that imitates a source line.  Where one function calls another on behalf of a
caller it adds a code times 100,000: 801 for getpartialorempty's way over the full list (dead code at this commit, O-3),
807 for its way over the empty list, 815 for putpartial's way to the empty list.  The numbers are the seed's own; where an
earlier design calls what the seed does not, they are the lines of its file.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple


class CallSite(NamedTuple):
    """A call site: `function` calls `operation`."""

    function: str
    operation: str
    note: str = ""


SITES = {
    358: CallSite("greyobject", "putfull", "its buffer was full"),
    359: CallSite("greyobject", "getempty", "its buffer was full"),
    455: CallSite("scanblock", "putpartial", "the parent's"),
    460: CallSite("scanblock", "getpartialorempty", "no buffer given"),
    496: CallSite("drainworkbuf", "putempty"),
    504: CallSite("drainworkbuf", "getfull"),
    525: CallSite("drainobjects", "putpartial", "the parent's"),
    544: CallSite("drainobjects", "putempty"),
    545: CallSite("drainobjects", "trygetfull"),
    670: CallSite("markroot", "putpartial", "at its end"),
    839: CallSite("trygetfull", "putempty", "its own cache was empty"),
    877: CallSite("getfull", "putempty", "its own cache was empty"),
    910: CallSite("shade", "putpartial", "the parent's"),
    915: CallSite("handoff", "getempty"),
    942: CallSite("handoff", "putfull"),
    945: CallSite("harvestwbufs", "putempty"),
    947: CallSite("harvestwbufs", "putfull"),
    1175: CallSite("gchelpwork", "putfull"),
    1177: CallSite("gchelpwork", "putempty"),
    1181: CallSite("shade", "getpartialorempty"),
    1191: CallSite("shade", "putpartial", "mark termination"),
    1228: CallSite("gchelpwork", "trygetfull"),
}

UNIT = 100_000
THROUGH_FULL = 801 * UNIT
"""getpartialorempty puts a cached full buffer on the full list."""
THROUGH_EMPTY = 807 * UNIT
"""getpartialorempty asks getempty."""
TO_EMPTY = 815 * UNIT
"""putpartial asks putempty."""

VIA = {
    THROUGH_FULL: CallSite("getpartialorempty", "putfull of a full cached buffer"),
    THROUGH_EMPTY: CallSite("getpartialorempty", "getempty"),
    TO_EMPTY: CallSite("putpartial", "putempty"),
}

LISTS = {
    "putfull": "to full",
    "putempty": "to empty",
    "putpartial": "to partial or full",
    "getempty": "from empty, or new",
    "getpartialorempty": "from partial",
    "trygetfull": "from full or partial",
    "getfull": "from full or partial",
    "putfull of a full cached buffer": "to full",
}


class Entry(NamedTuple):
    """An entry number taken apart.  `site` is None for one that is none of this protocol's, and for 0."""

    number: int
    site: CallSite | None = None
    via: CallSite | None = None
    """The operation that did it for the one called."""

    @property
    def operation(self) -> str:
        """What was called, and what that called in turn."""
        if self.site is None:
            return ""
        return f"{self.site.operation} via {self.via.operation}" if self.via else self.site.operation

    def __str__(self) -> str:
        """`80700460: scanblock (no buffer given), getpartialorempty via getempty: from empty, or new`."""
        if self.site is None:
            return f"{self.number}: {'not an entry number of this protocol' if self.number else 'nothing recorded'}"
        note = f" ({self.site.note})" if self.site.note else ""
        moved = LISTS[(self.via or self.site).operation]
        return f"{self.number}: {self.site.function}{note}, {self.operation}: {moved}"


@cache
def decode(number: int) -> Entry:
    """What an entry number says."""
    low = number % UNIT
    site = SITES.get(low)
    via = VIA.get(number - low)
    if site is None or (number != low and (via is None or via.function != site.operation)):
        return Entry(number)
    return Entry(number, site, via)
