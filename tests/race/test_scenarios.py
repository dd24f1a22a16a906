"""Every scenario there is: what a failing variant must say is found, a fixed one is clean, and exhausted if it can be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from collector.scenarios.pless import HARVESTED, THROW, TOO_LATE, Seed, pless
from collector.scenarios.registry import SCENARIOS


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from collector.explore import SteppedMachine
    from collector.explore.program import Program
    from collector.scenarios.scenario import Variant


def mark(variant: Variant, limits: Mapping[str, int]) -> pytest.MarkDecorator:
    """What is to be shown of a variant."""
    if variant.fails:
        return pytest.mark.race(fails=variant.fails, races=variant.races, schedules=200_000, **limits)
    if variant.exhaustible:
        return pytest.mark.race(exhaust=True, races=variant.races)
    return pytest.mark.race(schedules=100_000, seconds=1, races=variant.races, **limits)


def variants() -> Iterator[object]:
    """All of them."""
    for name, scenario in SCENARIOS.items():
        for which, variant in scenario.variants.items():
            yield pytest.param(variant.program, marks=mark(variant, scenario.limits), id=f"{name}-{which}")


@pytest.mark.parametrize("program", list(variants()))
def test_variant(machine: SteppedMachine, program: Program) -> Callable[[], object] | None:
    """It fails as it says, or does not fail."""
    return program(machine)


@pytest.mark.race(exhaust=True, races=False)
def test_nothing_else_comes_of_a_barrier_without_a_p(machine: SteppedMachine) -> Callable[[], object] | None:
    """Besides coming out well: the throw of K-1 and the two silent losses of O-1 and O-2, and no fourth.

    With plain accesses as steps too (`plain_points=True`) it is the same in 17,457 interleavings.
    """
    return pless(Seed, THROW, TOO_LATE, HARVESTED)(machine)
