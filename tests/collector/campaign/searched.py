"""Programs that other processes load, some of which end the process that runs them."""

from __future__ import annotations

import os
import signal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from collector.campaign.part import Question
from collector.scenarios.registry import SCENARIOS
from tests.collector.explore import authors, genmc
from workbuf.machine import Pause


if TYPE_CHECKING:
    from collector.explore import SteppedMachine
    from collector.explore.program import Check, Program
    from workbuf.machine import Port


def scenario(name: str, variant: str) -> Program:
    """A program of the catalogue."""
    return SCENARIOS[name].variants[variant].program


def counted(name: str) -> Program:
    """A program of which it is known how many executions it has."""
    return (authors.COUNTS | genmc.COUNTS)[name][0]


def dying(file: str, times: int) -> Program:
    """A program that kills its process as often as that, which the file counts."""
    inner = counted("inc(3)")

    def program(machine: SteppedMachine) -> Check | None:
        died = Path(file)
        if died.stat().st_size < times:
            with died.open("a", encoding="ascii") as count:
                count.write("x")
            os.kill(os.getpid(), signal.SIGKILL)
        return inner(machine)

    return program


def giving_up(*, wrong: bool) -> Program:
    """A program that waits for so many turns, and goes on, which may be wrong: only where pauses end early."""

    def program(machine: SteppedMachine) -> Check:
        flag, gave_up = machine.word(0, "flag"), machine.word(0, "gave up")

        def waits(port: Port) -> None:
            for _ in range(3):
                if port.load(flag):
                    return
                port.pause(Pause.OSYIELD, 1)
            port.store(gave_up, 1)

        def check() -> None:
            assert not (wrong and machine.peek(gave_up)), "gave up"

        machine.spawn(waits)
        machine.spawn(lambda port: port.store(flag, 1))
        return check

    return program


def of(name: str, variant: str, strategy: str, schedules: int = 1 << 30, *, preemptions: int | None = None) -> Question:
    """A question about a scenario."""
    return Question(partial(scenario, name, variant), strategy, schedules, preemptions=preemptions)


def known(name: str) -> Question:
    """A question about a program of which it is known how many executions it has."""
    return Question(partial(counted, name), "dpor", 1 << 30)


def deadly(file: Path, times: int, strategy: str = "dpor") -> Question:
    """A question about a program that kills its process."""
    file.touch()
    return Question(partial(dying, str(file), times), strategy, 1 << 30)


def patient(strategy: str, *, wrong: bool) -> Question:
    """A question about a program that waits for so many turns."""
    return Question(partial(giving_up, wrong=wrong), strategy, 300)
