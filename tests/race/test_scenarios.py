"""Every scenario there is: what a failing variant must say is found, a fixed one is clean, and exhausted if it can be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from collector.scenarios.catalogue import SCENARIOS


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from collector.explore import SteppedMachine
    from collector.scenarios.scenario import Program, Variant


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
