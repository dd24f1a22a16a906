"""Statistics of past collections: the last pauses and the totals.  (Go: memstats, readGCStats_m, mgc.go, mstats.go.)

The last `PAUSES` pauses lie in a ring, each with the time of its end; beside it are three totals.  The M that collects
writes them, in the stopped world.  Reading is not synchronised with that, so a reader may get a mix of two moments.

As in Go, the check requires room for the pauses once, although twice as many words are returned: pauses and their ends.

Not modelled.  The lock on the heap that readGCStats_m holds.  A pause is the time of gc(); a verifying mark is not counted.
"""

from __future__ import annotations

from mutator.hooks import Hooks
from mutator.world import MEMSTATS, PAUSES
from workbuf.throw import Throw


class Memstats(Hooks):
    """The pauses of this run.  Times are the port's clock, in ns."""

    def recordpause(self, ns: int, end: int) -> None:
        """One more collection, which has stopped the world for `ns` until `end`.  The world is stopped."""
        words, stats = self.port.words, self.world.memstats
        at = stats + MEMSTATS.size + words[stats + MEMSTATS.numgc] % PAUSES
        words[at], words[at + PAUSES] = ns, end
        words[stats + MEMSTATS.numgc] += 1
        words[stats + MEMSTATS.pause_total_ns] += ns
        words[stats + MEMSTATS.last_gc] = end

    def readGCStats_m(self, cap: int) -> list[int]:  # noqa: N802  Go's name
        """The pauses, newest first; their ends; then the last end, the number of collections, all pauses together.

        `cap` is how many words the caller has room for.
        """
        if cap < PAUSES + 3:
            raise Throw("short slice passed to readGCStats")
        hint, stats = self.port.hint, self.world.memstats
        numgc = hint(stats + MEMSTATS.numgc)
        ring = [stats + MEMSTATS.size + at % PAUSES for at in range(numgc - 1, max(numgc - PAUSES, 0) - 1, -1)]
        totals = (hint(stats + MEMSTATS.offsets[field]) for field in ("last_gc", "numgc", "pause_total_ns"))
        return [*map(hint, ring), *(hint(at + PAUSES) for at in ring), *totals]
