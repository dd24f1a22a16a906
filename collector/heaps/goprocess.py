"""Checks that two Go heap dumps are of one process, and in which order they were made.

Go keeps count of what it does in MemStats, and the counts only grow.  Its ring of pauses remembers the last 256
collections, so that a later dump of the same process repeats those of the earlier one.  An M keeps its number and its
thread of the operating system for good.
"""

from __future__ import annotations

from dataclasses import dataclass, field


TOTAL_ALLOC, MALLOCS, FREES, PAUSE_TOTAL = 1, 4, 5, 23
"""Positions among the numbers of MemStats that only grow."""
PAUSES, RING = 24, 256
"""Pause of collection n (the first is 1) at PAUSES + (n - 1) % RING."""
NUM_GC = PAUSES + RING


@dataclass(slots=True)
class GoProcess:
    """What a dump says of its process; empty where it does not say."""

    statistics: list[int] = field(default_factory=list)
    """The numbers of MemStats; of a process that has run, TotalAlloc is not 0."""
    threads: dict[int, int] = field(default_factory=dict)
    """The system's number of the thread of each M, by the M's number."""
    segments: list[tuple[int, int]] = field(default_factory=list)
    """Address and bytes of data and bss."""

    def follows(self, before: GoProcess) -> tuple[str, str] | None:
        """None where this can be a dump made by the process of `before` after a further collection.

        Otherwise what was expected and what was found.
        """
        for m, thread in self.threads.items():
            other = before.threads.get(m)
            if thread and other and thread != other:
                return "a dump by the same process", f"another one's: M {m} is thread {thread}, not {other}"
        now, then = self.statistics, before.statistics
        if not (now and then and now[TOTAL_ALLOC] and then[TOTAL_ALLOC]):
            return None
        if self.segments != before.segments:
            return "a dump by the same process", "another one's: its data and bss segments lie elsewhere"
        if now[NUM_GC] <= then[NUM_GC]:
            return (
                f"AFTER to have more collections than the {then[NUM_GC]} of BEFORE",
                f"{now[NUM_GC]} (BEFORE comes first; a runtime.GC() lies between the two)",
            )
        for at, name in (
            (TOTAL_ALLOC, "TotalAlloc"),
            (MALLOCS, "Mallocs"),
            (FREES, "Frees"),
            (PAUSE_TOTAL, "PauseTotalNs"),
        ):
            if now[at] < then[at]:
                return "a dump by the same process", f"another one's: {name} is {now[at]}, and was {then[at]}"
        # Both rings hold the pauses from the first that the later one has not written over.
        for n in range(max(now[NUM_GC] - RING, 0), then[NUM_GC]):
            at = PAUSES + n % RING
            if now[at] != then[at]:
                return "a dump by the same process", f"another one's: pause {n + 1} took {now[at]} ns, not {then[at]}"
        return None
