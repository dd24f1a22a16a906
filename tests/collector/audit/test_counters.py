"""The checks of the counters of mark termination."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from collector.audit.counters import checkbarrier, checkroots
from collector.audit.violation import Violation


if TYPE_CHECKING:
    from tests.worlds import Bench


@pytest.mark.parametrize("nproc", [1, 2, 5])
def test_everybody_in_the_barrier_and_every_helper_counted(bench: Bench, nproc: int) -> None:
    """As many wait as take part, and all but the master are done."""
    bench.setwork(nproc=nproc, nwait=nproc, ndone=nproc - 1)

    checkbarrier(bench.world, bench.port.words)


@pytest.mark.parametrize("nwait", [0, 2, 4])
def test_too_few_or_too_many_in_the_barrier(bench: Bench, nwait: int) -> None:
    """I10: ended early, or entered twice."""
    bench.setwork(nproc=3, nwait=nwait, ndone=2)

    with pytest.raises(Violation) as found:
        checkbarrier(bench.world, bench.port.words)

    assert found.value.kind == "barrier"
    assert found.value.text == f"mark termination ended with nwait={nwait}, nproc=3"


@pytest.mark.parametrize("ndone", [0, 1, 3])
def test_too_few_or_too_many_helpers_done(bench: Bench, ndone: int) -> None:
    """I11: they are nproc - 1."""
    bench.setwork(nproc=3, nwait=3, ndone=ndone)

    with pytest.raises(Violation) as found:
        checkbarrier(bench.world, bench.port.words)

    assert found.value.kind == "barrier"
    assert found.value.text == f"mark termination ended with ndone={ndone}, nproc=3"


@pytest.mark.parametrize("times", [0, 2, 3])
@pytest.mark.parametrize("job", [0, 4, 7])
def test_each_root_job_runs_once(bench: Bench, job: int, times: int) -> None:
    """I12: not skipped, not repeated."""
    counters = bench.machine.alloc(8, "counters")
    for i in range(8):
        bench.machine.poke(counters + i, 1)
    checkroots(bench.port.words, counters, 8)

    bench.machine.poke(counters + job, times)

    with pytest.raises(Violation) as found:
        checkroots(bench.port.words, counters, 8)
    assert found.value.kind == "roots"
    assert found.value.text == f"root job {job} of 8 was executed {times} times"
    checkroots(bench.port.words, counters, job)
