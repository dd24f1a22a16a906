"""What a run has counted, and the measures that are made of it; a measure whose mechanism did not run has no value."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean, median
from typing import TYPE_CHECKING, NamedTuple

from collector.compare.counting import Timing
from mutator.world import MRECORD


if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from collector.compare.counting import Counting
    from collector.gc import CycleStats

STEPPED, THREADS = "stepped", "threads"
MACHINES = (STEPPED, THREADS)
LEAST = 10
"""Objects that each marker must scan in the mean before its share of the work says anything."""


@dataclass(frozen=True)
class Figures:
    """Counts of one run."""

    barriers: int
    barrier_operations: int
    barrier_failures: int
    operations: int
    """List operations outside of barriers."""
    failures: int
    """CAS that failed outside of barriers."""
    scanned: int
    """Objects, in all cycles."""
    concurrent: int
    """Of them, those of concurrent cycles."""
    stopped: int
    """Of those, the ones scanned while the world was stopped."""
    longest: int
    """The most objects scanned in one stop of a concurrent cycle."""
    shares: tuple[int, ...]
    """Objects that each marker has scanned in the cycle that was stopped from beginning to end."""
    handoffs: int
    assisted: int
    """Objects that mutators have scanned for their allocations."""
    buffers: int
    wbufsize: int
    pops: int
    flaps: int
    waited: int
    """Time in getfull of all Ms, by the machine's clock."""
    time: int
    """That the run took, by the same clock."""
    ms: int
    """Ms that ran."""
    delays: tuple[int, ...] = ()
    """Steps from greying to scanning, where they were taken."""

    @classmethod
    def of(cls, ms: Sequence[Counting], cycles: Sequence[CycleStats], buffers: int, time: int) -> Figures:
        """What the Ms of a run have counted."""
        attempts, failures = sum(m.cas_attempts for m in ms), sum(m.cas_failures for m in ms)
        inside, inside_failures = sum(m.barrier_attempts for m in ms), sum(m.barrier_failures for m in ms)
        concurrent = [stats for stats in cycles if stats.concurrent]
        stops = [stats.scanned_after - stats.scanned_markterm for stats in concurrent]
        forced = [stats for stats in cycles if not stats.concurrent]
        return cls(
            barriers=sum(m.barriers for m in ms),
            barrier_operations=inside - inside_failures,
            barrier_failures=inside_failures,
            operations=attempts - failures - inside + inside_failures,
            failures=failures - inside_failures,
            scanned=sum(stats.scanned_after - stats.scanned_before for stats in cycles),
            concurrent=sum(stats.scanned_after - stats.scanned_before for stats in concurrent),
            stopped=sum(stops),
            longest=max(stops, default=0),
            shares=tuple(forced[-1].scanned) if forced else (),
            handoffs=sum(stats.gcstats.get("nhandoff", 0) for stats in cycles),
            assisted=sum(m.port.words[m.record + MRECORD.assisted] for m in ms),
            buffers=buffers,
            wbufsize=ms[0].wbufsize,
            pops=sum(m.pops for m in ms),
            flaps=sum(m.flaps for m in ms),
            waited=sum(m.waited for m in ms),
            time=time,
            ms=len(ms),
            delays=tuple(ms[0].delays) if isinstance(ms[0], Timing) else (),
        )

    @property
    def missing(self) -> list[str]:
        """What did not happen, of all that a comparison is about."""
        helped = len(self.shares) < 2 or any(self.shares[1:])
        happened = {
            "no barrier ran": self.barriers,
            "no concurrent cycle scanned anything": self.concurrent,
            "no helper marked": helped,
        }
        return [what for what, did in happened.items() if not did]


class Measure(NamedTuple):
    """A number made of a run's figures."""

    key: str
    """Its name for the command line."""
    name: str
    unit: str
    of: Callable[[Figures], float | None]
    """None where there was nothing to measure."""


def over(part: float, whole: float, scale: float = 1.0) -> float | None:
    """`scale * part / whole`, if there was any."""
    return scale * part / whole if whole else None


def imbalance(shares: Sequence[int]) -> float | None:
    """What the busiest marker scanned, over the mean."""
    if len(shares) < 2 or fmean(shares) < LEAST:
        return None
    return max(shares) / fmean(shares)


MEASURES = (
    Measure(
        "barrier-ops",
        "list operations",
        "a barrier",
        lambda of: over(of.barrier_operations, of.barriers),
    ),
    Measure(
        "barrier-cas",
        "failed CAS",
        "1000 barriers",
        lambda of: over(of.barrier_failures, of.barriers, 1000),
    ),
    Measure(
        "object-ops",
        "list operations",
        "an object scanned",
        lambda of: over(of.operations, of.scanned),
    ),
    Measure(
        "object-cas",
        "failed CAS",
        "1000 objects scanned",
        lambda of: over(of.failures, of.scanned, 1000),
    ),
    Measure(
        "cas",
        "failed CAS",
        "1000 list operations",
        lambda of: over(of.failures + of.barrier_failures, of.operations + of.barrier_operations, 1000),
    ),
    Measure("stopped", "scanned while stopped", "% of objects", lambda of: over(of.stopped, of.concurrent, 100)),
    Measure("longest", "longest stop", "objects", lambda of: of.longest),
    Measure("delay", "greying to scanning, mean", "steps", lambda of: fmean(of.delays) if of.delays else None),
    Measure(
        "delay-median",
        "greying to scanning, median",
        "steps",
        lambda of: median(of.delays) if of.delays else None,
    ),
    Measure("getfull", "in getfull", "% of all Ms' time", lambda of: over(of.waited, of.time * of.ms, 100)),
    Measure("buffers", "buffers", "made", lambda of: of.buffers),
    Measure("kb", "buffers", "kB", lambda of: of.buffers * of.wbufsize / 1024),
    Measure("flapping", "flapping", "% of pops", lambda of: over(of.flaps, of.pops, 100)),
    Measure("imbalance", "imbalance of markers", "busiest / mean", lambda of: imbalance(of.shares)),
)
"""All measures; those in steps are of the stepped machine."""
