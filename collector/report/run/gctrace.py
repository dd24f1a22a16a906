"""The gctrace line of a cycle, as Go printed it at this commit.  (Go: gc, mgc.go; GODEBUG=gctrace=1.)

    gc4(3): 12+85+20911+310 us, 11 -> 12 MB, 81234 (190000-108766) objects, 6 goroutines, 412/400/0 sweeps,
    17(204) handoff, 9(31) steal, 120/60/14 yields

number of the cycle (markers): us to the mark's start, its preparation, the mark, the joining of the helpers; estimate of
the heap after the last cycle and heap now; objects (allocated - freed); goroutines; spans / swept in the background /
swept in a pause; buffers handed off (objects in them); pieces of root work stolen (jobs in them); procyields, osyields,
sleeps in getfull and parfor; "(forced)" of a cycle that stops the world from beginning to end, as today's Go says it.
The times are those of mark termination alone, as in Go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from collector.gc import CycleStats

US = 1000
MB = 20


def gctrace(stats: CycleStats) -> str:
    """The line for one cycle, without its newline."""
    t = [stats.stamps[f"t{i}"] for i in range(5)]
    times = "+".join(str((t[i + 1] - t[i]) // US) for i in range(4))
    n = stats.gcstats
    return (
        f"gc{stats.number}({stats.nproc}): {times} us, {stats.heap0 >> MB} -> {stats.heap1 >> MB} MB,"
        f" {stats.nmalloc - stats.nfree} ({stats.nmalloc}-{stats.nfree}) objects, {stats.goroutines} goroutines,"
        f" {stats.spans}/{stats.nbgsweep}/{stats.npausesweep} sweeps,"
        f" {n['nhandoff']}({n['nhandoffcnt']}) handoff, {n['nsteal']}({n['nstealcnt']}) steal,"
        f" {n['nprocyield']}/{n['nosyield']}/{n['nsleep']} yields"
        f"{'' if stats.concurrent else ' (forced)'}"
    )
