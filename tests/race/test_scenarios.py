"""Every scenario: what a failing variant must say is found, a fixed one is clean, and exhausted if it can be; costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from collector.explore import explore
from collector.explore.search import PLAIN_ACCESSES
from collector.scenarios.museum import counted
from collector.scenarios.pless import HARVESTED, THROW, TOO_LATE, Seed, pless
from collector.scenarios.registry import SCENARIOS
from collector.scenarios.scenario import COST, KINDS


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from collector.explore import SteppedMachine
    from collector.explore.program import Program
    from collector.scenarios.scenario import Variant


def mark(variant: Variant, limits: Mapping[str, int]) -> pytest.MarkDecorator:
    """What is to be shown of a variant."""
    options = {"races": variant.races, "plain_points": variant.plain_points, "early": variant.early}
    if variant.fails:
        return pytest.mark.race(fails=variant.fails, schedules=200_000, **options, **limits)
    if variant.exhaustible:
        return pytest.mark.race(exhaust=True, **options)
    return pytest.mark.race(schedules=100_000, seconds=0.5, **options, **limits)


def variants() -> Iterator[object]:
    """All of them."""
    for name, scenario in SCENARIOS.items():
        for which, variant in scenario.variants.items():
            yield pytest.param(variant.program, marks=mark(variant, scenario.limits), id=f"{name}-{which}")


@pytest.mark.parametrize("program", list(variants()))
def test_variant(machine: SteppedMachine, program: Program) -> Callable[[], object] | None:
    """It fails as it says, or does not fail."""
    return program(machine)


@pytest.mark.parametrize("name", [name for name, scenario in SCENARIOS.items() if scenario.costs])
def test_cost(name: str) -> None:
    """The remedy costs less than the seed."""
    for cost in SCENARIOS[name].costs:
        schedules = min(cost.schedules, 5)  # the museum runs them all
        assert counted(cost.seed, schedules) > counted(cost.fix, schedules), cost.what


@pytest.mark.parametrize("name", SCENARIOS)
def test_kind(name: str) -> None:
    """A scenario is listed under its name, and has what its kind asks for."""
    scenario = SCENARIOS[name]
    variants = scenario.variants.values()

    assert scenario.name == name
    assert scenario.kind in KINDS
    assert any(not variant.fails for variant in variants)
    assert bool(scenario.costs) if scenario.kind == COST else any(variant.fails for variant in variants)


def test_nothing_else_comes_of_a_barrier_without_a_p() -> None:
    """Besides coming out well: the throw of K-1 and the two silent losses of O-1 and O-2, and no fourth.

    That is no proof, because its reads of the phase race.  With plain accesses as steps too (`plain_points=True`) it is the
    same in 17,457 interleavings.
    """
    result = explore(pless(Seed, THROW, TOO_LATE, HARVESTED), "dpor", races=False)

    assert result.claim.number == 2_672
    assert result.claim.reason == PLAIN_ACCESSES
