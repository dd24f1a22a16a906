"""Active testing: what takes two steps where one is needed is found in a few schedules, wherever it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from collector.explore.simulation import Simulation
from collector.explore.strategies.base import Options
from collector.explore.strategies.walk import RandomWalk
from collector.explore.token import Token
from collector.hunt.active import Active


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine
    from collector.explore.strategies.base import Strategy
    from workbuf.machine import Port

ROUNDS = 60
"""Steps of each thread: additions to `y`, but for one."""
PLACES = {"a": 40, "b": 2, "c": 57}
"""Which of a thread's steps is an addition to `x`: at random they hardly ever meet."""


def counts(machine: SteppedMachine) -> Callable[[], None]:
    """Three threads add to `x`, thread a by a load and a store."""
    x, y = machine.word(0, "x"), machine.word(0, "y")

    def adds(name: str) -> Callable[[Port], None]:
        def body(port: Port) -> None:
            for n in range(ROUNDS):
                if n != PLACES[name]:
                    port.xadd(y, 1)
                elif name == "a":
                    port.store(x, port.load(x) + 1)
                else:
                    port.xadd(x, 1)

        return body

    for name in PLACES:
        machine.spawn(adds(name), name)

    def check() -> None:
        assert machine.peek(x) == len(PLACES), "an addition was lost"

    return check


def found(by: Strategy, schedules: int) -> int:
    """How many schedules it takes; that many if these are too few."""
    return Simulation(Token(), counts).complete((), by, schedules)[2]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_window_of_one_step_is_found(seed: int) -> None:
    """Where the cell is named in a few schedules, where it is not in some more."""
    assert found(Active(Options(seed), ("x",)), 60) < 60
    assert found(Active(Options(seed)), 600) < 600


def test_a_cell_of_another_name_does_not_count() -> None:
    """But in every third schedule: then it is found all the same, though later."""
    named, other, walked = (
        sum(found(by(Options(seed)), 600) for seed in range(4))
        for by in (lambda o: Active(o, ("x",)), lambda o: Active(o, ("y",)), RandomWalk)
    )
    assert named < other < 4 * 600
    assert named < walked


def test_a_schedule_without_an_end_is_given_up() -> None:
    """At the limit, if nobody is to look whether it hangs; else it is proved to."""

    def waits(machine: SteppedMachine) -> None:
        x = machine.word(0, "x")

        def forever(port: Port) -> None:
            while port.load(x) == 0:
                port.check()

        machine.spawn(forever, "a")
        machine.spawn(forever, "b")

    simulation = Simulation(Token(limit=200), waits)
    _, given_up, _ = simulation.complete((), RandomWalk(Options(1)), hangs=False)
    _, proved, _ = simulation.complete((), RandomWalk(Options(1)))

    assert given_up
    assert given_up.kind == "endless"
    assert proved
    assert proved.kind == "livelock"
