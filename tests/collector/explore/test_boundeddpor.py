"""DPOR under a preemption bound: against plain bounded search, and its claims."""

from __future__ import annotations

from time import process_time
from typing import TYPE_CHECKING

import pytest

from collector.campaign.part import Question
from collector.campaign.split import sources
from collector.explore import explore
from collector.explore.claim import Kind
from collector.explore.strategies.dpor.bounded import BoundedDPOR, Choice
from tests.collector.explore import programs
from tests.collector.explore.arbitrary import MINDS, VOCABULARIES, program_of, shape
from tests.collector.explore.compare import compare_bounded
from tests.collector.explore.traces import TooMany


if TYPE_CHECKING:
    from collector.explore import SteppedMachine
    from collector.explore.strategies.dpor.objects import Sharing
    from tests.collector.explore.programs import Program
    from workbuf.machine import Port


class Blind(BoundedDPOR):
    """Without a look at whether steps order what turns do with shared objects."""

    def _compare(self, sharing: Sharing, choice: Choice, j: int) -> None:
        pass


class Hasty(BoundedDPOR):
    """Without the conservative backtracking points."""

    def _block(self, i: int) -> Choice:
        return self.path[i]


def arbitrary(vocabulary: str, seed: int) -> Program:
    """A program of that vocabulary."""
    return program_of(shape(seed, VOCABULARIES[vocabulary].split()))


@pytest.mark.parametrize("vocabulary", VOCABULARIES)
def test_arbitrary_programs(vocabulary: str, seed: int) -> None:
    """It ends as plain bounded search does, with every bound."""
    print(f"python -m scripts.fuzz_programs --vocabulary '{vocabulary}' --seed {seed}")  # noqa: T201  to run it again
    compared = 0
    while compared < 1:
        try:
            compare_bounded(arbitrary(vocabulary, seed), 400)
            compared += 1
        except TooMany:
            pass
        seed += 1


@pytest.mark.parametrize(
    ("vocabulary", "seed", "bound"), [("swap locks", 3, 0), ("swap locks", 3, 2), ("waits and locks", 2, 0)]
)
def test_what_the_conservative_points_are_for(vocabulary: str, seed: int, bound: int) -> None:
    """Without them schedules within the bound are missed, and the comparison sees it."""
    program = arbitrary(vocabulary, seed)
    compare_bounded(program, 2000, [bound])

    with pytest.raises(AssertionError, match=f"with {bound} preemptions differ"):
        compare_bounded(program, 2000, [bound], Hasty)


@pytest.mark.parametrize(("seed", "bound"), [(28, 2), (35, 0)])
def test_objects_that_threads_share(seed: int, bound: int) -> None:
    """Where no step orders what turns do with one, nothing is claimed; a claim would be false."""
    program = program_of(shape(seed, MINDS["shared"].split()))

    assert compare_bounded(program, 400, [bound]) == 1
    with pytest.raises(AssertionError, match=f"with {bound} preemptions differ"):
        compare_bounded(program, 400, [bound], Blind)


def test_it_runs_fewer() -> None:
    """On a barrier with a buffer that leads to another: a fraction, to the same claim."""
    plain, reduced = (
        explore(programs.barrier(2, 1), strategy, preemptions=2, schedules=10_000)
        for strategy in ("exhaustive", "dpor")
    )

    assert (plain.claim.kind, plain.claim.bound) == (reduced.claim.kind, reduced.claim.bound) == (Kind.BOUNDED, 2)
    assert reduced.schedules < plain.schedules / 2
    assert "with at most 2 preemptions ends as one of the" in reduced.statement


def test_claims() -> None:
    """What a bound does not cut is proved; a fault that needs more is not found below it; an invariant sees more."""
    assert explore(programs.counter(), "dpor", preemptions=5).claim.kind is Kind.PROVED
    late = programs.barrier(2, 1, late=True)
    assert explore(late, "dpor", preemptions=2).claim.kind is Kind.BOUNDED
    failure = explore(late, "dpor", preemptions=3).failure
    assert failure is not None
    assert failure.preemptions == 3
    watched = explore(programs.counter(), "dpor", preemptions=1, invariants=[lambda _machine: None])
    assert watched.claim.kind is Kind.UNDECIDED


def test_a_claim_of_one_run_says_so() -> None:
    """There is nothing that it could be one of."""

    def program(machine: SteppedMachine) -> None:
        x = machine.word(0, "x")
        for _ in range(2):
            machine.spawn(lambda port: port.load(x))

    said = explore(program, "dpor").statement
    assert "is equivalent to the one that was run, and that passed." in said


def test_it_is_not_split() -> None:
    """Over processes DPOR knows no bound: refused, not ignored."""
    with pytest.raises(ValueError, match="dpor with --preemptions cannot be split"):
        sources(Question(programs.counter, "dpor", 10, preemptions=1), 2)


def test_a_long_schedule_takes_no_time_squared() -> None:
    """Steps that nothing depends on are not gone through at every one."""

    def program(machine: SteppedMachine) -> None:
        x = machine.word(0, "x")

        def body(port: Port) -> None:
            for _ in range(15_000):
                port.load(x)

        machine.spawn(body)

    begun = process_time()
    result = explore(program, "dpor", preemptions=9)

    assert result.claim.kind is Kind.PROVED
    assert process_time() - begun < 10  # 0.2 s; it was a minute
