"""The portfolio: whatever a member can decide is decided, soon, and the same way again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from collector.explore import explore
from collector.explore.strategies import BOUNDED, NAMED
from collector.explore.strategies.base import Options
from collector.explore.strategies.portfolio import DefaultPortfolio, Member, Portfolio
from collector.explore.strategies.stateful import Stateful
from collector.explore.strategies.walk import RandomWalk
from tests.collector.explore import programs


if TYPE_CHECKING:
    from collector.explore import SteppedMachine
    from workbuf.machine import Port


DECIDED = {
    "tagged stack": programs.treiber(tagged=True),
    "counter": programs.counter(4),
    "barrier": programs.barrier(2, 0),
    "spin lock": programs.spin_lock(3, by_exchange=True),
    "filesystem": programs.filesystem(16),
}


@pytest.mark.parametrize("name", DECIDED)
def test_it_proves_what_dpor_proves(name: str) -> None:
    """Within as many steps as it takes if DPOR has half of the time."""
    alone = explore(DECIDED[name], "dpor")
    together = explore(DECIDED[name])

    assert alone.exhausted
    assert together.exhausted
    assert together.steps <= 4 * alone.steps + 2_000
    assert "Every interleaving" in str(together.claim)


def test_it_finds_what_a_sampler_finds() -> None:
    """A fault that most interleavings of a wide program show, and that depth-first searches come to late."""
    result = explore(programs.reorder(20), shrink=False)

    assert result.failure is not None
    assert result.schedules < 200


def test_the_same_seed_runs_the_same_schedules(seed: int) -> None:
    """Turns go by steps, not by the clock."""
    one, other = (explore(programs.treiber(tagged=True), seed=seed, schedules=60) for _ in range(2))

    assert (one.schedules, one.pruned, one.steps, one.states) == (
        other.schedules,
        other.pruned,
        other.steps,
        other.states,
    )


def test_all_members_schedules_are_counted() -> None:
    """Each with its own; together the result's."""
    portfolio = DefaultPortfolio(Options())
    spent = {member: member.schedules for member in portfolio.members}
    for turn in range(2_000):
        member = portfolio.turn()
        assert member is not portfolio.members[3] or turn > 100, "state search begins later"
        member.spend(10, complete=True)
        spent[member] += 1

    assert {member: member.schedules for member in portfolio.members} == spent
    # By share and price: DPOR has more than half of the time, and its steps cost more.
    by_name = {member.strategy.name: member.cost for member in portfolio.members}
    total = sum(by_name.values())
    assert by_name["dpor"] / total == pytest.approx(0.55, abs=0.02)
    assert by_name["stateful"] / total == pytest.approx(0.10, abs=0.02)


def test_whoever_has_finished_leaves_its_share_to_the_others() -> None:
    """A member that is done without a proof gets no turn."""

    class Finished(RandomWalk):
        done = True

    first, second = Member(Finished(Options())), Member(RandomWalk(Options()))
    portfolio = Portfolio([first, second])

    assert {portfolio.turn() for _ in range(5)} == {second}
    assert not portfolio.done


def test_state_search_takes_over_where_traces_are_too_many() -> None:
    """It gets as much as DPOR once DPOR has far to go, and most once it finds little that is new itself."""
    portfolio = DefaultPortfolio(Options())
    dpor, stateful = portfolio.members[1], portfolio.members[3]
    dpor.schedules = 1_000
    stateful.cost, portfolio.before = 1_000.0, (0.0, 0)
    for _ in range(100):
        portfolio.stateful.graph.add(())
    both = dpor.share + stateful.share
    assert dpor.share > 5 * stateful.share

    portfolio.turn()
    assert dpor.share == stateful.share, "its states grew as ever"

    dpor.schedules, stateful.cost = 2_000, 2_000.0
    portfolio.turn()
    assert stateful.share > 5 * dpor.share
    assert dpor.share + stateful.share == pytest.approx(both)

    dpor.schedules = 4_000
    portfolio.dpor.share_done = lambda: 0.5  # type: ignore[method-assign]
    portfolio.turn()
    assert dpor.share > 5 * stateful.share, "DPOR is nearly done"


def test_state_search_that_computes_has_as_much_time_as_dpor() -> None:
    """From its first turn on, and no longer when it does not any more."""
    portfolio = DefaultPortfolio(Options())
    dpor, stateful = portfolio.members[1], portfolio.members[3]
    portfolio.stateful.__class__ = type("Computing", (Stateful,), {"computes": True})

    portfolio.turn()
    assert dpor.share == stateful.share

    portfolio.stateful.__class__ = Stateful
    portfolio.turn()
    assert dpor.share > 5 * stateful.share


@pytest.mark.parametrize("strategy", sorted({*NAMED} - {*BOUNDED}))
def test_a_bound_is_refused_by_whoever_knows_none(strategy: str) -> None:
    """Never silently ignored."""
    with pytest.raises(ValueError, match="preemptions=2 bounds portfolio, exhaustive, dpor"):
        explore(programs.counter(), strategy, preemptions=2)


def test_a_bound_ends_the_portfolio_when_it_is_reached() -> None:
    """Unless somebody has proved more before."""
    bounded = explore(programs.treiber(tagged=True), preemptions=0)

    assert not bounded.failure
    assert bounded.exhausted or "at most 0 preemptions passed" in bounded.statement


@pytest.mark.parametrize("strategy", sorted(NAMED))
def test_any_number_of_threads(strategy: str) -> None:
    """There at the beginning or spawned by others."""

    def program(machine: SteppedMachine) -> None:
        x = machine.word(0, "x")

        def parent(port: Port) -> None:
            port.spawn(lambda child: child.xadd(x, 1))
            port.xadd(x, 1)

        for _ in range(70):
            machine.spawn(parent)

    result = explore(program, strategy, schedules=3)

    assert result.failure is None
    assert result.schedules == 3


def test_a_search_that_has_not_come_to_the_end_does_not_end_the_others(seed: int) -> None:
    """DPOR is through with a schedule in which one thread goes round to the limit and the other never goes."""

    def program(machine: SteppedMachine) -> None:
        x, turns = machine.word(0, "x"), machine.word(0, "turns")

        def waiter(port: Port) -> None:
            while not port.load(x):
                port.xadd(turns, 1)

        def writer(port: Port) -> None:
            port.load(x)
            port.store(x, 1)
            assert port.load(turns) != 2

        machine.spawn(waiter)
        machine.spawn(writer)

    alone = explore(program, "dpor", steps=200)

    assert alone.failure is None
    assert not alone.exhausted
    assert explore(program, steps=200, seed=seed, schedules=1000).failure is not None
