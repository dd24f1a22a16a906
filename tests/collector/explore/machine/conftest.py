"""An empty stepped machine, on either vehicle."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from collector.explore import SteppedMachine
from collector.explore.machine.carrier import Greenlets
from collector.explore.machine.osthreads import OSThreads


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from collector.explore.machine.carrier import Carrier


@pytest.fixture(params=[Greenlets, OSThreads])
def machine(request: pytest.FixtureRequest) -> Iterator[SteppedMachine]:
    """An empty machine, on either vehicle."""
    vehicle: Callable[[], Carrier] = request.param
    made = SteppedMachine(vehicle)
    made.begin()
    yield made
    made.close()
