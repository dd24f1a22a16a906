"""Every strategy finds what there is to find, and says of a pass what it is worth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from collector.explore import explore
from collector.explore.claim import Kind
from collector.explore.strategies import NAMED
from tests.collector.explore import programs
from tests.collector.explore.endingprograms import waits_without_a_pause
from tests.collector.explore.traces import executions
from workbuf.counted import counted
from workbuf.machine import Pause


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine
    from workbuf.machine import Port

EVERY = sorted(NAMED)
SAMPLERS = ("random", "urw", "pct", "pos", "surw")
EXHAUSTIVE = ("exhaustive", "dfs", "dpor")


@pytest.mark.parametrize("strategy", EVERY)
class TestFaults:
    """Planted faults, and the same programs without them."""

    def test_a_lost_update_is_found(self, strategy: str, seed: int) -> None:
        """Whatever the seed."""
        failure = explore(programs.lost_update(), strategy, seed=seed).failure

        assert failure is not None
        assert (failure.kind, failure.preemptions) == ("check", 1)

    def test_the_aba_is_found(self, strategy: str, seed: int) -> None:
        """A stack whose head has no count beside the index."""
        failure = explore(programs.treiber(tagged=False), strategy, seed=seed).failure

        assert failure is not None
        assert failure.preemptions == 1

    def test_the_tagged_stack_passes(self, strategy: str, seed: int) -> None:
        """No false alarm."""
        result = explore(programs.treiber(tagged=True), strategy, seed=seed, schedules=500)

        assert result.failure is None

    def test_the_deadlock_is_found(self, strategy: str, seed: int) -> None:
        """Two locks in two orders; in one order there is none."""
        failure = explore(programs.two_locks(ordered=False), strategy, seed=seed).failure

        assert failure is not None
        assert failure.kind == "deadlock"
        assert explore(programs.two_locks(ordered=True), strategy, seed=seed, schedules=100).failure is None

    def test_the_barrier_passes(self, strategy: str, seed: int) -> None:
        """Waiting with pauses is neither a hang nor an explosion."""
        result = explore(programs.barrier(2, 1), strategy, seed=seed, schedules=300)

        assert result.failure is None
        assert result.warnings == []

    def test_the_barrier_of_three_passes(self, strategy: str, seed: int) -> None:
        """With three participants too."""
        assert explore(programs.barrier(3, 1), strategy, seed=seed, schedules=50).failure is None

    def test_values_are_chosen(self, strategy: str, seed: int) -> None:
        """A fault that depends on a value that `choose` returns."""

        def program(machine: SteppedMachine) -> None:
            x = machine.word(0, "x")

            def body(port: Port) -> None:
                port.store(x, port.choose(4))
                assert port.load(x) != 3

            machine.spawn(body)

        failure = explore(program, strategy, seed=seed, schedules=200).failure

        assert failure is not None
        assert "choose 4 = 3" in failure.trace

    def test_a_choice_after_a_pause_waits_for_the_pause(self, strategy: str, seed: int) -> None:
        """Whoever is to choose a value next is no exception."""

        def program(machine: SteppedMachine) -> None:
            x = machine.word(0, "x")

            def body(port: Port) -> None:
                port.load(x)
                port.pause(Pause.OSYIELD, 1)
                port.choose(2)
                assert port.load(x)

            machine.spawn(body)
            for _ in range(2):
                machine.spawn(lambda port: port.store(x, 1))

        result = explore(program, strategy, seed=seed, schedules=200, early=0)

        assert result.claim.passed, result


@pytest.mark.parametrize("strategy", [*SAMPLERS, "portfolio", "exhaustive", "dpor"])
def test_the_late_barrier_is_found(strategy: str, seed: int) -> None:
    """Leaving the count after the pop needs three preemptions: PCT of depth 3 would never find it."""
    result = explore(programs.barrier(2, 1, late=True), strategy, seed=seed, schedules=20_000)

    assert result.failure is not None
    assert result.failure.message == "ended while somebody works"
    assert result.failure.preemptions == 3


@pytest.mark.parametrize("bound", [0, 1, 2])
def test_two_preemptions_do_not_find_it(bound: int) -> None:
    """And the result says what was seen."""
    result = explore(programs.barrier(2, 1, late=True), "exhaustive", preemptions=bound)

    assert result.failure is None
    assert not result.exhausted
    assert f"at most {counted(bound, 'preemption')} passed" in result.statement


@pytest.mark.parametrize("strategy", EXHAUSTIVE)
def test_exhausted_is_true_when_everything_was_seen(strategy: str) -> None:
    """Growing bounds end where nothing is cut off."""
    result = explore(programs.counter(3), strategy)

    assert result.exhausted
    assert result.failure is None


def test_exhaustive_and_dfs_see_the_same_schedules() -> None:
    """The last bound, which cuts nothing off, is plain depth-first search."""
    plain = list(executions(programs.lost_update(3), "dfs"))
    bounded = list(executions(programs.lost_update(3), "exhaustive"))

    assert {tuple(run.steps) for run in plain} == {tuple(run.steps) for run in bounded}
    assert len({tuple(run.steps) for run in plain}) == len(plain) == 90


@pytest.mark.parametrize("strategy", EXHAUSTIVE)
def test_a_spent_budget_is_no_pass(strategy: str) -> None:
    """Neither exhausted nor a proof."""
    result = explore(programs.treiber(tagged=True), strategy, schedules=5)

    assert (result.exhausted, result.schedules) == (False, 5)
    assert "no proof" in result.statement or "at most" in result.statement


def test_a_spent_budget_says_which_bound_was_reached() -> None:
    """The bound below the one that was under way."""
    result = explore(programs.treiber(tagged=True), "exhaustive", schedules=30)

    assert not result.exhausted
    assert result.statement == "All schedules with at most 1 preemption passed; those with more were not all run."


@pytest.mark.parametrize("strategy", SAMPLERS)
def test_sampling_is_no_proof(strategy: str) -> None:
    """A sampler never claims to have seen everything, and states its odds."""
    result = explore(programs.counter(), strategy, schedules=300)

    assert not result.exhausted
    assert "300 schedules by" in result.statement
    assert "share of 0.01" in result.statement


@pytest.mark.parametrize("strategy", SAMPLERS)
def test_seeds_decide(strategy: str, seed: int) -> None:
    """The same seed draws the same schedules; another one others."""

    def drawn(seed: int) -> list[tuple[int, str]]:
        trails: list[tuple[int, str]] = []

        def program(machine: SteppedMachine) -> Callable[[], None]:
            programs.treiber(tagged=True)(machine)
            return lambda: trails.append((len(machine.trail), str(machine.trail)))

        explore(program, strategy, seed=seed, schedules=50)
        return trails

    assert drawn(seed) == drawn(seed)
    assert drawn(seed) != drawn(seed + 1)


def test_time_is_a_budget() -> None:
    """Seconds end a search as schedules do."""
    result = explore(programs.treiber(tagged=True), "random", schedules=10**9, seconds=0.05)

    assert result.failure is None
    assert 0 < result.schedules < 10**9


def test_uniform_walk_is_uniform(seed: int) -> None:
    """Of a long and a short thread the short one ends anywhere, not mostly early as in a plain random walk."""

    def program(machine: SteppedMachine) -> Callable[[], None]:
        x = machine.word(0, "x")
        machine.spawn(lambda port: [port.load(x) for _ in range(9)])
        machine.spawn(lambda port: port.load(x))
        return lambda: places.append(machine.trail.index(1))

    def late(strategy: str) -> float:
        places.clear()
        explore(program, strategy, seed=seed, schedules=1000)
        return sum(place >= 5 for place in places) / len(places)

    places: list[int] = []
    assert late("random") < 0.1
    assert 0.4 < late("urw") < 0.6


def test_pct_is_fair_in_the_end(seed: int) -> None:
    """A loop that waits without a pause does not hang under priorities."""
    result = explore(waits_without_a_pause, "pct", seed=seed, schedules=100)

    assert result.failure is None
    assert result.steps < 100_000


def test_unknown_names_are_refused() -> None:
    """With one line that says what there is."""
    with pytest.raises(ValueError, match=r"no strategy 'dropr'; there are .*dpor"):
        explore(programs.counter(), "dropr")
    with pytest.raises(ValueError, match=r"no vehicle 'bus'; there are greenlets, threads"):
        explore(programs.counter(), vehicle="bus")


def test_a_program_that_keeps_something_is_told_so() -> None:
    """Depth-first search relies on the same choices leading to the same place."""
    runs: list[int] = []

    def program(machine: SteppedMachine) -> None:
        x = machine.word(0, "x")
        runs.append(0)
        for _ in range(1 + len(runs) % 3):
            machine.spawn(lambda port: (port.load(x), port.pause(Pause.OSYIELD, 1), port.load(x)))

    result = explore(program, "dfs")

    assert result.claim.kind is Kind.REFUSED
    assert "not the same twice" in result.statement


@pytest.mark.parametrize("strategy", ["exhaustive", "dfs"])
def test_a_thread_is_killed_before_it_chooses(strategy: str) -> None:
    """A choice is one step more at which a kill finds its thread."""

    def program(machine: SteppedMachine) -> Callable[[], None]:
        got: list[int] = []

        def body(port: Port) -> None:
            got.append(port.sysalloc(1))
            got.append(port.choose(2))

        machine.spawn(body, "a")
        machine.kill("a")

        def check() -> None:
            assert len(got) != 1

        return check

    result = explore(program, strategy)

    assert result.failure is not None
    assert result.failure.kind == "check"
