"""One program's search by several processes: the same counts, the same failure; what dies is run again."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from collector.campaign import samples, sizes, split, traces
from collector.campaign.checkpoint import Checkpoint, CheckpointError
from collector.campaign.part import Back
from collector.campaign.pool import ALONE, SUSPECT, Pool, Work
from collector.campaign.split import Split
from collector.campaign.traces import Traces
from collector.explore.claim import Claim, Kind
from collector.explore.result import Failure, Result
from collector.explore.strategies.dpor.dependence import Step
from collector.explore.strategies.dpor.frontier import Frontier
from collector.explore.strategies.dpor.subtree import Explored
from collector.explore.strategies.dpor.twigs import ROOT, Twig, count, hang
from tests.collector.campaign.searched import deadly, known, of, patient


if TYPE_CHECKING:
    from pathlib import Path

    from collector.campaign.part import Question


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes are begun at once, and parts are short."""
    monkeypatch.setattr(split, "ALONE", 0.0)
    monkeypatch.setattr(split, "PORTFOLIO", 0.2)
    monkeypatch.setattr(traces, "PLAIN", 20)
    monkeypatch.setattr(sizes, "SECONDS", 0.05)
    monkeypatch.setattr(sizes, "LEAST", 0.02)
    monkeypatch.setattr(samples, "EACH", 50)


@pytest.mark.parametrize(
    "question", [known("inc(3)"), of("aba", "fixed", "exhaustive", preemptions=2)], ids=["dpor", "bounded"]
)
def test_as_many_schedules_by_two_processes(question: Question) -> None:
    """And the same claim."""
    alone = question.explore(question.load())
    result = Split(question, 2).run(200)

    assert (result.schedules, result.pruned) == (alone.schedules, alone.pruned)
    assert (result.claim.kind, result.claim.number, result.claim.bound) == (
        alone.claim.kind,
        alone.claim.number,
        alone.claim.bound,
    )


@pytest.mark.parametrize(
    ("strategy", "reason"), [("dpor", "more are left"), ("urw", "the search was cut off"), ("dfs", "more are left")]
)
def test_what_was_run_before_a_part_has_come_back(strategy: str, reason: str) -> None:
    """It has passed, and is said to have been run."""
    asked = iter(range(1000))
    question = of("latedecrement", "fixed", strategy)
    result = Split(question, 1, stop=lambda: next(asked) > 9).run(200)

    assert (result.claim.kind, result.claim.number) == (Kind.UNDECIDED, result.schedules)
    assert 0 < result.schedules < 20
    assert f"{result.schedules} schedules passed, which is no proof: {reason}" in str(result.claim)


def test_two_processes_work_at_the_same_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A part leaves schedules for others."""
    under_way = []
    wait = Pool.wait

    def watched(pool: Pool, seconds: float) -> object:
        under_way.append(len(pool.under_way))
        return wait(pool, seconds)

    monkeypatch.setattr(Pool, "wait", watched)
    result = Split(known("N-writers"), 2).run(200)

    assert (max(under_way), result.schedules) == (3, 720)  # one waits for the first process that is free


def test_each_process_finds_out_which_objects_change() -> None:
    """It begins afresh then, and counts no interleaving twice."""
    result = Split(of("aba", "fixed", "dpor"), 2).run(200)

    assert (result.claim.kind, result.claim.number) == (Kind.PROVED, 33)


def test_seeds_are_a_union() -> None:
    """So many schedules by each seed, as one process after the other would have drawn them."""
    question = of("aba", "fixed", "urw", 230)
    result = Split(question, 2).run(200)

    assert result.schedules == 230
    assert result.claim.kind is Kind.SAMPLED
    assert result.claim.number == 230


@pytest.mark.parametrize("strategy", ["random", "dpor"])
def test_the_first_failure_stops_the_rest(strategy: str) -> None:
    """The same token by one process and by two: that of the least part that fails."""
    question = of("aba", "failing", strategy, 1_000_000)
    one, two = (Split(question, jobs).run(60) for jobs in (1, 2))

    assert one.failure is not None
    assert two.failure is not None
    assert two.failure.schedule == one.failure.schedule
    assert two.claim.kind is Kind.FAILED
    assert two.schedules < 10_000


def test_the_first_failure_is_that_of_the_first_branch_also_when_others_are_done() -> None:
    """Those to the left of it have come back meanwhile, and are forgotten."""
    search = Split(known("inc(3)"), 2)
    (source,) = search.sources
    assert isinstance(source, Traces)
    root, branches = Twig(ROOT), [Twig(Step(thread, 0, write=False)) for thread in range(4)]
    hang(root, *branches)
    count([root], waiting=3)
    source.frontier = Frontier(root, branches)
    source.size.most = 1
    first, second, third, fourth = (source.next(2, 1_000) for _ in range(4))
    search.begun = 0.0
    for part, what in ((third, "third"), (first, ""), (second, ""), (fourth, "fourth")):
        assert part
        failure: Any = what and Failure("throw", what, "", {})  # type: ignore[arg-type]
        claim = Claim(Kind.FAILED if what else Kind.PROVED)
        result = Result("dpor", 1, failure=failure or None, claim=claim)
        search._back(Work(source, part, None), Back(result, whole=True, told=Explored(finished=1)))
    search._conclude()

    assert search.result.failure
    assert search.result.failure.message == "third"


def test_the_portfolio_in_parts() -> None:
    """State search, or DPOR, has seen all."""
    result = Split(of("latedecrement", "fixed", "portfolio"), 2).run(200)

    assert result.exhausted


def test_what_cannot_be_split_is_told() -> None:
    """State search has one memory of what it has seen."""
    with pytest.raises(ValueError, match="stateful cannot be split"):
        Split(of("aba", "fixed", "stateful"), 2)


def test_a_part_whose_process_died_is_run_again(tmp_path: Path) -> None:
    """And counts once."""
    result = Split(deadly(tmp_path / "died", SUSPECT + 1), 2).run(200)

    assert (result.schedules, result.claim.number) == (36, 36)
    assert (tmp_path / "died").stat().st_size == SUSPECT + 1


def test_a_part_that_always_dies_is_named(tmp_path: Path) -> None:
    """It ends, and nothing is claimed."""
    result = Split(deadly(tmp_path / "died", 1 << 20), 2).run(200)

    assert result.claim.kind is Kind.UNDECIDED
    assert "part 1 of dpor was given up: its process died" in result.claim.reason
    assert (tmp_path / "died").stat().st_size >= SUSPECT + ALONE


def test_processes_that_are_killed_at_random_lose_nothing(seed: int) -> None:
    """The sum is what it has to be."""
    draw = random.Random(seed)
    killed = 0

    def kill(_: object) -> None:
        nonlocal killed
        children = [child.pid for child in multiprocessing.active_children() if child.pid]
        if killed < 3 and children and (not killed or draw.random() < 0.3):
            os.kill(draw.choice(children), signal.SIGKILL)
            killed += 1

    result = Split(known("N-writers"), 2).run(200, kill)

    assert killed
    assert (result.schedules, result.pruned, result.exhausted) == (720, 0, True)


@pytest.mark.parametrize("strategy", ["dpor", "exhaustive", "dfs"])
@pytest.mark.parametrize("jobs", [1, 2])
def test_pauses_end_early_where_that_matters(strategy: str, jobs: int) -> None:
    """Everything begins again then: the fault is found, and what is claimed without it is what one search claims."""
    assert Split(patient(strategy, wrong=True), jobs).run(200).claim.kind is Kind.FAILED
    question = patient(strategy, wrong=False)
    alone, result = question.explore(question.load()), Split(question, jobs).run(200)

    assert replace(result.claim, compared=0) == replace(alone.claim, compared=0)


def test_that_pauses_end_early_is_known_from_a_checkpoint(tmp_path: Path) -> None:
    """It goes on with them."""
    question = patient("dfs", wrong=False)
    schedules = []
    for stop in (True, False):
        with closing(Checkpoint(str(tmp_path / "checkpoint"), {})) as checkpoint:
            search = Split(question, 1)
            search.stop = lambda search=search: stop and search.question.ends_early and search.result.schedules  # type: ignore[misc] # noqa: B023
            schedules.append(search.result.schedules if checkpoint.restore(search) else 0)
            result = search.run(200)
            checkpoint.save(search, now=True)

    assert schedules[1] > 0
    assert result.claim.number == question.explore(question.load()).claim.number


@pytest.mark.parametrize("strategy", ["dpor", "dfs", "urw"])
def test_a_checkpoint_goes_on_where_it_was_left(strategy: str, tmp_path: Path) -> None:
    """Stopped after some parts, and again, and again: the sums are those of one that was not."""
    question = known("inc(3)") if strategy == "dpor" else of("aba", "fixed", strategy, 400)
    alone = Split(question, 1).run(None)
    file = str(tmp_path / "checkpoint")
    for _ in range(200):
        checkpoint = Checkpoint(file, {"strategy": strategy})
        back = 0

        def counts(_: Split) -> None:
            nonlocal back
            back += 1

        search = Split(question, 1, stop=lambda: back > 1)  # noqa: B023  of this round
        checkpoint.restore(search)
        search.saved = lambda split, checkpoint=checkpoint: (counts(split), checkpoint.save(split, now=True))  # type: ignore[misc]
        result = search.run(None)
        checkpoint.close()
        if back <= 1:
            break

    assert (result.schedules, result.claim.kind, result.claim.number) == (
        alone.schedules,
        alone.claim.kind,
        alone.claim.number,
    )


def test_a_part_that_fails_with_its_last_schedule_counts_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However often the search goes on from a checkpoint, which has that part run again."""
    monkeypatch.setattr(samples, "EACH", 1_000)
    alone = of("aba", "failing", "random", 1_000)
    first = alone.explore(alone.load(), shrink=False).schedules
    question = of("aba", "failing", "random", first)
    found = []
    for _ in range(3):
        with closing(Checkpoint(str(tmp_path / "checkpoint"), {})) as checkpoint:
            search = Split(question, 1)
            checkpoint.restore(search)
            search.saved = checkpoint.save
            result = search.run(None)
            checkpoint.save(search, now=True)
        found.append((result.claim.kind, result.claim.number, result.schedules))

    assert found == [(Kind.FAILED, first, first)] * 3


def test_a_checkpoint_of_another_search_is_refused(tmp_path: Path) -> None:
    """With what differs, and what to do."""
    file = str(tmp_path / "checkpoint")
    Checkpoint(file, {"seed": 1}).close()

    with pytest.raises(CheckpointError, match="seed was 1, and now is 2; give this one a file of its own"):
        Checkpoint(file, {"seed": 2})


def test_what_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    """In a line."""
    file = tmp_path / "text"
    file.write_text("no database, but long enough to be read as one" * 10, encoding="ascii")

    with pytest.raises(CheckpointError, match="no checkpoint"):
        Checkpoint(str(file), {})
