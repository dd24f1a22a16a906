"""What an entry number says: the function that passed it, and the list the buffer went or came through.

Theory of operation.  Go passes each list operation a number that imitates a source line.  Where one function calls
another on behalf of a caller it adds a code times 100,000: 801 for getpartialorempty's way over the full list (dead code
at this commit, O-3), 807 for its way over the empty list, 815 for putpartial's way to the empty list.  The numbers
are the seed's own.
"""

from __future__ import annotations

from typing import NamedTuple


class Site(NamedTuple):
    """A call site: `function` calls `operation`."""

    function: str
    operation: str
    note: str = ""


SITES = {
    358: Site("greyobject", "putfull", "its buffer was full"),
    359: Site("greyobject", "getempty", "its buffer was full"),
    460: Site("scanblock", "getpartialorempty", "no buffer given"),
    496: Site("drainworkbuf", "putempty"),
    504: Site("drainworkbuf", "getfull"),
    544: Site("drainobjects", "putempty"),
    545: Site("drainobjects", "trygetfull"),
    670: Site("markroot", "putpartial", "at its end"),
    839: Site("trygetfull", "putempty", "its own cache was empty"),
    877: Site("getfull", "putempty", "its own cache was empty"),
    915: Site("handoff", "getempty"),
    942: Site("handoff", "putfull"),
    945: Site("harvestwbufs", "putempty"),
    947: Site("harvestwbufs", "putfull"),
    1175: Site("gchelpwork", "putfull"),
    1177: Site("gchelpwork", "putempty"),
    1181: Site("shade", "getpartialorempty"),
    1191: Site("shade", "putpartial", "mark termination"),
    1228: Site("gchelpwork", "trygetfull"),
}

UNIT = 100_000
THROUGH_FULL = 801 * UNIT
"""getpartialorempty puts a cached full buffer on the full list."""
THROUGH_EMPTY = 807 * UNIT
"""getpartialorempty asks getempty."""
TO_EMPTY = 815 * UNIT
"""putpartial asks putempty."""

VIA = {
    THROUGH_FULL: Site("getpartialorempty", "putfull of a full cached buffer"),
    THROUGH_EMPTY: Site("getpartialorempty", "getempty"),
    TO_EMPTY: Site("putpartial", "putempty"),
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


def decode(entry: int) -> str:
    """One line for people: `80700460: scanblock (no buffer given), getpartialorempty via getempty: from empty, or new`."""
    if entry == 0:
        return "0: nothing recorded"
    low = entry % UNIT
    site = SITES.get(low)
    via = VIA.get(entry - low)
    if site is None or (entry != low and (via is None or via.function != site.operation)):
        return f"{entry}: not an entry number of this protocol"
    note = f" ({site.note})" if site.note else ""
    through = f" via {via.operation}" if via else ""
    last = via or site
    return f"{entry}: {site.function}{note}, {site.operation}{through}: {LISTS[last.operation]}"
