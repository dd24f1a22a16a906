"""A broken protocol is caught in a stress run, on real threads: each fault is one method changed, as in `test_audited`."""

from __future__ import annotations

import pytest

from collector import heaps
from collector.runtime import Config
from collector.stress.run import Plan, Stress, StressM
from tests.collector.audit.marks import blur
from workbuf.buffer import NOBJ
from workbuf.throw import Throw


class Unharvested(StressM):
    """As NoHarvest."""

    def harvestwbufs(self) -> int:
        """Nothing."""
        return 0


class Dropping(StressM):
    """Drops one full buffer in ten."""

    puts = 0

    def putfull(self, b: int, entry: int) -> None:
        """Log it, and now and then that is all."""
        self.puts += 1
        if self.puts % 10:
            super().putfull(b, entry)
        else:
            self.logput(b, entry)


class Forgetting(StressM):
    """Marks and does not queue one object in fifty."""

    greyed = 0

    def greyobject(self, obj: int, base: int, off: int, hbits: int, bits: int, wbuf: int) -> int:
        """Take the entry back, now and then."""
        before = wbuf, self.port.words[wbuf + NOBJ]
        wbuf = super().greyobject(obj, base, off, hbits, bits, wbuf)
        self.greyed += 1
        if self.greyed % 50 == 0 and (wbuf, self.port.words[wbuf + NOBJ]) != before:
            self.port.words[wbuf + NOBJ] -= 1
        return wbuf


class Freeing(StressM):
    """As FreesTheLiving."""

    def sweepbits(self, span: int) -> int:
        """Take away some marks, then sweep."""
        blur(self, span)
        return super().sweepbits(span)


def stress(m: type[StressM], seed: int, cycles: int) -> Stress:
    """So many cycles and the last one, over a small random graph that a mutator rewires, with a helper."""
    print(f"seed {seed}")  # noqa: T201  for whoever has to run it again
    config = Config(mutators=3, helpers=1, arena=1 << 25)
    plan = Plan(config, programs=("rewire", "hider", "pushpop"), cycles=cycles + 1, period=0.03, seed=seed, patience=30)
    run = Stress(plan, heaps.read("synthetic:random,n=1500,m=4000,threads=4"), m)
    run.run()
    return run


def test_a_sound_run_on_real_threads_passes(seed: int) -> None:
    """Three collections, each audited; what follows breaks exactly this."""
    run = stress(StressM, seed, 2)

    assert [report.stats.concurrent for report in run.reports] == [True, True, False]


@pytest.mark.parametrize(
    ("fault", "kinds"),
    [
        (Unharvested, {"lists", "lost"}),
        (Dropping, {"leak", "lost"}),
        (Forgetting, {"lost"}),
        (Freeing, {"lost", "throw"}),
    ],
)
def test_a_fault_on_real_threads_is_caught(fault: type[StressM], kinds: set[str], seed: int) -> None:
    """By an audit, as a rule in the first cycle; what is freed while alive, by whoever meets it first."""
    with pytest.raises(Throw) as found:
        stress(fault, seed, 30)

    assert getattr(found.value, "kind", "throw") in kinds, found.value
