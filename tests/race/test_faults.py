"""The planted faults that stress does not see: each is found by its program, and the protocol passes the same program."""

from __future__ import annotations

import pytest

from collector.explore import explore
from collector.faults import FAULTS
from collector.mutation.programs import PROGRAMS


SCHEDULES = 1000


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_fault_is_found(name: str, seed: int) -> None:
    """Races are reported and not failures: a fault races on its way to what it is about."""
    race = PROGRAMS[name]
    result = explore(
        race.program(FAULTS[name]), schedules=SCHEDULES, races="report", seed=seed, plain_points=race.plain_points
    )

    assert result.failure is not None


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_protocol_passes(name: str, seed: int) -> None:
    """With races being failures."""
    race = PROGRAMS[name]
    result = explore(race.program(), schedules=SCHEDULES, seed=seed, plain_points=race.plain_points)

    assert result.failure is None, result.failure


def test_what_stress_does_not_see_has_a_program() -> None:
    """And no fault is both equivalent and looked for."""
    unseen = {name for name, fault in FAULTS.items() if fault.unseen}

    assert unseen <= set(PROGRAMS) <= set(FAULTS)
    assert not [name for name in PROGRAMS if FAULTS[name].equivalent]
