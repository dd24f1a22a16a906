"""Arbitrary programs that are not the same on every run: what differs, and what follows from it.

What differs is drawn, a clock, an id, the order of a set of objects, or kept from run to run.  It decides what is stored or
read, how many steps or threads there are, or what the memory begins with.  None of them may be called proved, or failed.
"""

# ruff: noqa: D103, DTZ005  the sources' names say what they are, and chance is what they are about

from __future__ import annotations

import functools
import itertools
import os
import random
import secrets
import sys
import time
import uuid
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.collector.explore.arbitrary import Plant, Scene, program_of, shape
from tests.collector.explore.kinds import of


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from collector.explore import Result, SteppedMachine
    from tests.collector.explore.programs import Program

BASE = "load store cas xadd xchg lock"
"""Lines that are the same every time."""
CHANCE: dict[str, Callable[[], int]] = {}
"""What mostly differs."""
RUNS: dict[str, Callable[[], int]] = {}
"""What differs from one run to the next, for certain: each counts the times that it was asked."""


# --- drawn --------------------------------------------------------------------------------------------------

OWN = Random()
draw = random.randrange


@of(CHANCE)
def draws() -> int:
    return random.randrange(7)


@of(CHANCE)
def draws_by_a_name() -> int:
    return draw(7)


@of(CHANCE)
def shuffles() -> int:
    values = list(range(7))
    random.shuffle(values)
    return values[0]


@of(CHANCE)
def draws_from_its_own() -> int:
    return OWN.randrange(7)


@of(CHANCE)
def draws_from_a_fresh_one() -> int:
    return Random().randrange(7)


@of(CHANCE)
def draws_from_the_system() -> int:
    return random.SystemRandom().randrange(7)


@of(CHANCE)
def takes_entropy() -> int:
    return os.urandom(1)[0] % 7


@of(CHANCE)
def takes_a_secret() -> int:
    return secrets.randbelow(7)


@of(CHANCE)
def takes_a_uuid() -> int:
    return uuid.uuid4().int % 7


# --- clocks -------------------------------------------------------------------------------------------------


@of(CHANCE)
def reads_the_time() -> int:
    return time.time_ns() // 1000 % 7


@of(CHANCE)
def reads_a_counter_of_seconds() -> int:
    return int(time.perf_counter() * 1e7) % 7


@of(CHANCE)
def reads_the_date() -> int:
    return datetime.now().microsecond % 7


# --- where objects lie --------------------------------------------------------------------------------------


class Plain:
    """An object whose hash is where it lies."""

    def __init__(self, v: int) -> None:
        self.v = v


@dataclass(frozen=True)
class Holding:
    """An object whose hash comes from one."""

    plain: Plain


@of(CHANCE)
def takes_an_id() -> int:
    return id(Plain(0)) // 64 % 7


@of(CHANCE)
def takes_a_hash() -> int:
    return hash(Plain(0)) // 4 % 7


@of(CHANCE)
def reads_where_an_object_lies() -> int:
    return int(repr(Plain(0)).rpartition("0x")[2].rstrip(">"), 16) // 64 % 7


@of(CHANCE)
def goes_over_a_set_of_objects() -> int:
    return next(iter({Plain(v) for v in range(7)})).v


@of(CHANCE)
def takes_one_of_a_set_of_pairs() -> int:
    return {(Plain(v), 1) for v in range(7)}.pop()[0].v


@of(CHANCE)
def goes_over_a_set_of_those_that_hold_objects() -> int:
    return next(iter(frozenset(Holding(Plain(v)) for v in range(7)))).plain.v


@of(CHANCE)
def sorts_by_where_objects_lie() -> int:
    return min([Plain(v) for v in range(7)], key=id).v


# --- kept from run to run -----------------------------------------------------------------------------------

SEEN: dict[int, int] = {}
GROWING: list[int] = []
COUNT = itertools.count()
NUMBER = 0


@of(RUNS)
def counts_in_a_dictionary() -> int:
    SEEN[len(SEEN)] = 0
    return len(SEEN)


@of(RUNS)
def counts_in_a_list() -> int:
    GROWING.append(0)
    return len(GROWING)


@of(RUNS)
def counts_by_an_iterator() -> int:
    return next(COUNT)


@of(RUNS)
def counts_in_a_global() -> int:
    global NUMBER  # noqa: PLW0603  it is about that
    NUMBER += 1
    return NUMBER


@of(RUNS)
def counts_on_a_function() -> int:
    counts_on_a_function.asked = getattr(counts_on_a_function, "asked", 0) + 1  # type: ignore[attr-defined]
    return int(counts_on_a_function.asked)  # type: ignore[attr-defined]


class Counter:
    """Counts in its class."""

    asked = 0


@of(RUNS)
def counts_in_a_class() -> int:
    Counter.asked += 1
    return Counter.asked


@functools.cache
def remembered() -> list[int]:
    return []


@of(RUNS)
def counts_in_a_cache() -> int:
    remembered().append(0)
    return len(remembered())


def numbers() -> Iterator[int]:
    yield from itertools.count()


NUMBERS = numbers()


@of(RUNS)
def counts_in_a_generator() -> int:
    return next(NUMBERS)


@of(RUNS)
def counts_in_a_default(kept: list[int] = []) -> int:  # noqa: B006  it is about that
    kept.append(0)
    return len(kept)


@of(RUNS)
def counts_in_the_environment() -> int:
    os.environ["EXPLORED"] = str(int(os.environ.get("EXPLORED", "0")) + 1)
    return int(os.environ["EXPLORED"])


@of(RUNS)
def counts_in_the_library() -> int:
    sys.asked = getattr(sys, "asked", 0) + 1  # type: ignore[attr-defined]
    return int(sys.asked)  # type: ignore[attr-defined]


SOURCES = CHANCE | RUNS

# --- what follows -------------------------------------------------------------------------------------------


def stores(scene: Scene, v: int) -> None:
    scene.port.store(scene.x, v)


def goes_on(scene: Scene, v: int) -> None:
    for _ in range(v % 7):
        scene.port.xadd(scene.x, 1)


def does_another(scene: Scene, v: int) -> None:
    (scene.port.load if v % 2 else scene.port.hint)(scene.x)


def spawns(scene: Scene, v: int) -> None:
    for _ in range(v % 3):
        scene.port.spawn(lambda port: port.load(scene.x))


IN_A_THREAD = (stores, goes_on, does_another, spawns)


def begins_with(machine: SteppedMachine, v: int) -> None:
    machine.word(v, "drawn")
    machine.spawn(lambda port: port.load(1))


def has_threads(machine: SteppedMachine, v: int) -> None:
    for _ in range(v % 3):
        machine.spawn(lambda port: port.load(1))


def has_cells(machine: SteppedMachine, v: int) -> None:
    cell = machine.alloc(8, "drawn") + v % 7
    machine.spawn(lambda port: port.xadd(cell, 1))


IN_THE_SET_UP = (begins_with, has_threads, has_cells)


class Differing(NamedTuple):
    """A program that is not the same on every run."""

    name: str
    program: Program
    certain: bool
    """It differs between any two runs that follow each other."""


def differing(source: str, seed: int) -> Differing:
    """An arbitrary program in which that source decides something."""
    rng = Random(seed)
    form = shape(seed, BASE.split())
    ask = SOURCES[source]
    if rng.random() < 0.3:
        decides = rng.choice(IN_THE_SET_UP)
        plain = program_of(form)

        def program(machine: SteppedMachine) -> Any:  # noqa: ANN401  a check, or nothing
            plain(machine)
            decides(machine, ask())

        return Differing(f"{source}, {decides.__name__}", program, source in RUNS)
    follows = rng.choice(IN_A_THREAD)
    thread = rng.randrange(len(form.threads))

    def do(scene: Scene) -> None:
        follows(scene, ask())

    plant = Plant(thread, rng.randint(0, len(form.threads[thread])), do)
    return Differing(f"{source}, {follows.__name__}", program_of(form, plant), source in RUNS)


def misjudged(program: Differing, result: Result) -> str:
    """What is wrong with what is claimed; empty if it may be said."""
    kind, why = result.claim.kind, result.statement
    if result.failure or kind in {"failed", "proved"} or (program.certain and kind != "refused"):
        return f"{program.name}: {kind} {result.failure or why}"
    if kind == "refused" and "not the same twice" not in why:
        return f"{program.name}: {why}"
    return ""
