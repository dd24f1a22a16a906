"""Small programs that may do something else when they are run again: none may be called proved, or failed."""

# ruff: noqa: D103  the programs' names say what they are, and they are small on purpose

from __future__ import annotations

import functools
import itertools
import os
import random
import time
import uuid
from typing import TYPE_CHECKING, Any

from tests.collector.explore.kinds import of


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine
    from workbuf.machine import Port

DIFFERS: dict[str, Callable[[SteppedMachine], Any]] = {}
"""Programs that may do something else when they are run again."""


@of(DIFFERS)
def random_value(machine: SteppedMachine) -> None:
    x = machine.word(0, "x")
    machine.spawn(lambda port: port.store(x, random.getrandbits(32)))
    machine.spawn(lambda port: port.load(x))


@of(DIFFERS)
def random_number_of_threads(machine: SteppedMachine) -> None:
    x = machine.word(0, "x")
    for _ in range(random.randrange(2, 5)):
        machine.spawn(lambda port: port.xadd(x, 1))


@of(DIFFERS)
def clock_decides(machine: SteppedMachine) -> None:
    x = machine.word(0, "x")

    def body(port: Port) -> None:
        if time.perf_counter_ns() % 2:
            port.xadd(x, 1)
        port.load(x)

    machine.spawn(body)
    machine.spawn(body)


@of(DIFFERS)
def identity_decides(machine: SteppedMachine) -> None:
    x = machine.word(0, "x")
    machine.spawn(lambda port: port.store(x, id(object()) & 0xFFFF | id(port) & 0xFF0000))
    machine.spawn(lambda port: port.store(x, uuid.uuid4().int & 0xFFFF))


@of(DIFFERS)
def system_entropy(machine: SteppedMachine) -> None:
    x = machine.word(0, "x")
    machine.spawn(lambda port: port.store(x, int.from_bytes(os.urandom(4))))
    machine.spawn(lambda port: port.load(x))


RUNS = itertools.count()


@of(DIFFERS)
def a_count_of_runs(machine: SteppedMachine) -> None:
    x = machine.word(0, "x")
    number = next(RUNS)
    machine.spawn(lambda port: port.store(x, number))
    machine.spawn(lambda port: port.load(x))


@functools.cache
def remembered(key: int) -> list[int]:
    """A list that lives as long as the process."""
    return [key]


@of(DIFFERS)
def a_list_that_outlives_the_run(machine: SteppedMachine) -> None:
    x = machine.word(0, "x")

    def body(port: Port) -> None:
        kept = remembered(0)
        kept.append(0)
        if len(kept) % 5 == 0:
            port.xadd(x, 1)
        port.load(x)

    machine.spawn(body)
    machine.spawn(body)
