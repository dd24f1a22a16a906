"""The state of a thread before each of its steps, as it is captured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.explore import SteppedMachine
from collector.explore.machine.carrier import MAIN
from collector.explore.state.capture import Capture


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore.state.capture import Captured
    from workbuf.machine import Port

    Body = Callable[[Port, int], object]

STEPS = 40
"""That are taken, if there are so many."""


def captures(body: Body, runs: int = 2) -> list[list[Captured]]:
    """The captures before each step of a thread that runs `body(port, x)`, run by run."""
    machine = SteppedMachine()
    capture = Capture(machine)
    found: list[list[Captured]] = []

    def pick(_i: int) -> int:
        found[-1].append(capture.take())
        return machine.runnable[0] if len(found[-1]) < STEPS else MAIN

    try:
        for _ in range(runs):
            machine.begin()
            x = machine.word(0, "x")
            machine.spawn(lambda port: body(port, x))  # noqa: B023  it is run before the next turn
            found.append([])
            assert machine.run(pick, lambda _i, _n: 0) is None
    finally:
        machine.close()
    return found
