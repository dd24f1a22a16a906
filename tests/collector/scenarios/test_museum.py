"""The museum measures what is there, and says what does not come out as it should."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from collector.commands.museum import many
from collector.report.museum import claimed, costs, count, originals, page, record, rows, unshown
from collector.scenarios.museum import STRATEGIES, Museum, counted, rate
from collector.scenarios.registry import SCENARIOS
from collector.scenarios.scenario import COST, FAULT, SOUND, Cost, Scenario, Variant


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine
    from collector.explore.program import Program
    from collector.scenarios.museum import Exhibit


def lost(machine: SteppedMachine) -> Callable[[], object]:
    """Two increments in two steps each."""
    x = machine.word(0, "x")
    for _ in range(2):
        machine.spawn(lambda port: port.store(x, port.load(x) + 1))

    def check() -> None:
        assert machine.peek(x) == 2, "lost update"

    return check


def kept(machine: SteppedMachine) -> Callable[[], object]:
    """The same in one step each."""
    x = machine.word(0, "x")
    for _ in range(2):
        machine.spawn(lambda port: port.xadd(x, 1))

    def check() -> None:
        assert machine.peek(x) == 2, "lost update"

    return check


def figure(value: float) -> Callable[[list[float]], Program]:
    """A program that counts `value`."""

    def counting(figures: list[float]) -> Program:
        def program(machine: SteppedMachine) -> Callable[[], object]:
            check = kept(machine)

            def counts() -> None:
                check()
                figures.append(value)

            return counts

        return program

    return counting


def measured(scenario: Scenario) -> Exhibit:
    """Its exhibit."""
    return next(Museum([scenario], seconds=60, schedules=50, seeds=3).exhibits())


def scenario(kind: str = "fault", cost: Cost | None = None, **variants: Variant) -> Scenario:
    """One of the variants given."""
    return Scenario("name", "title", ("K-1",), variants, kind=kind, costs=(cost,) if cost else ())


def test_a_fault_is_found_by_every_strategy_and_its_remedy_proved() -> None:
    """With figures that add up; what is written holds all of it."""
    exhibit = measured(scenario(failing=Variant(lost, fails="lost update"), fixed=Variant(kept)))

    assert exhibit.wrong == []
    (failing,) = exhibit.failing
    assert set(failing.strategies) == set(STRATEGIES)
    assert all(0 < found.schedules <= 50 and found.found == found.seeds for found in failing.strategies.values())
    assert failing.switches == 2
    assert failing.preemptions == 1
    assert claimed(exhibit.passed[0]).startswith("proved")
    assert count(failing.strategies["dpor"]) in rows(exhibit)[0]
    told = record([exhibit], {})["exhibits"]["name"]
    assert told["failing"]["failing"]["found"]["random"] == [3, 3]
    assert "lost update" in page([exhibit], "museum", 1.0)


def test_what_does_not_come_out_is_said() -> None:
    """A failing variant that passes, or fails otherwise; a fixed one that fails; a remedy that costs as much."""
    cost = Cost("figure", figure(1), figure(1), schedules=1)
    wrong = {
        "not found": scenario(failing=Variant(kept, fails="lost update"), fixed=Variant(kept)),
        "another failure": scenario(failing=Variant(lost, fails="something else"), fixed=Variant(kept)),
        "fixed: Failed": scenario(fixed=Variant(lost)),
        "is not more than": scenario(COST, cost, fixed=Variant(kept)),
    }
    for says, of in wrong.items():
        assert says in " ".join(measured(of).wrong)


def test_a_figure_is_a_mean_over_schedules() -> None:
    """Of both sides."""
    of = measured(scenario(COST, Cost("figure", figure(2), figure(1), schedules=3), fixed=Variant(kept)))

    assert of.wrong == []
    (row,) = costs(of)
    assert row[:5] == ("name", "K-1", "figure", "2", "1")
    assert row[5].startswith("proved")
    assert counted(figure(7), 5) == 7


def test_an_exhibit_of_each_kind_is_measured() -> None:
    """Of those that there are; with a budget that is too short for most, nothing is made up."""
    for name in ("noreset", "cacheonce", "hiddenlist"):
        exhibit = next(Museum([SCENARIOS[name]], seconds=5, schedules=200, seeds=1).exhibits())
        assert exhibit.wrong == [], name


def test_a_rate_stands_beside_the_originals() -> None:
    """The share of random schedules that fail."""
    assert 0 < rate(Variant(lost, fails="lost update"), 50) < 1
    assert rate(Variant(kept), 50) == 0
    of = replace(scenario(failing=Variant(lost, fails="lost update")), originals={"failing": (1, 4)})
    assert originals(measured(of))[0][:4] == ("name", "failing", "1 of 4", "25.00%")


def test_what_nothing_shows_is_told_why() -> None:
    """And is shown by nothing."""
    shown = {bug for scenario in SCENARIOS.values() for bug in scenario.bugs}

    assert unshown()
    assert not shown & set(unshown())


def test_the_kinds_are_counted_in_words() -> None:
    """Two of them are nouns."""
    assert [many(2, FAULT), many(1, COST), many(3, SOUND)] == ["2 faults", "1 cost", "3 sound"]
