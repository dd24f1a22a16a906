"""Programs that end after a few turns, which they count in what is constant in most: methods, modules, enumerations."""

# ruff: noqa: ANN401, B009, B010, D103, PLW0108  the programs' names say what they are, and this is how they change things

from __future__ import annotations

import enum
import os
import sys
import types
from typing import TYPE_CHECKING, Any

from tests.collector.explore import patched
from tests.collector.explore.endingprograms import gives_up
from tests.collector.explore.kinds import of


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine

PATIENT: dict[str, Callable[[SteppedMachine], Any]] = {}
TURNS = 5


@of(PATIENT)
def a_function_replaces_itself(machine: SteppedMachine) -> None:
    def later(n: int) -> Callable[[], bool]:
        def turn() -> bool:
            setattr(patched, "function", later(n + 1))
            return n < TURNS

        return turn

    setattr(patched, "function", later(0))
    gives_up(lambda: bool(patched.function()))(machine)


class Proxy:
    """Shows the attributes of nothing, as an object that stands for another one may."""

    @property
    def __dict__(self) -> Any:  # type: ignore[override]
        return {}


@of(PATIENT)
def counter_behind_a_proxy(machine: SteppedMachine) -> None:
    proxy = Proxy()
    proxy.n = 0  # type: ignore[attr-defined]

    def turn() -> bool:
        proxy.n += 1  # type: ignore[attr-defined]
        return bool(proxy.n < TURNS)  # type: ignore[attr-defined]

    gives_up(turn)(machine)


@of(PATIENT)
def counter_of_an_object_hung_on_a_module(machine: SteppedMachine) -> None:
    setattr(sys, "hung", types.SimpleNamespace(n=0))

    def turn() -> bool:
        sys.hung.n += 1  # type: ignore[attr-defined]
        return bool(sys.hung.n < TURNS)  # type: ignore[attr-defined]

    gives_up(turn)(machine)


@of(PATIENT)
def functions_in_turn_by_nonlocal(machine: SteppedMachine) -> None:
    state: Callable[[], bool]

    def first() -> bool:
        nonlocal state
        state = second
        return True

    def second() -> bool:
        nonlocal state
        state = third
        return True

    def third() -> bool:
        return False

    state = first
    gives_up(lambda: state())(machine)


class First:
    @staticmethod
    def go() -> bool:
        Current.state = Second
        return True


class Second:
    @staticmethod
    def go() -> bool:
        Current.state = Third
        return True


class Third:
    @staticmethod
    def go() -> bool:
        return False


class Current:
    state: Any = First


@of(PATIENT)
def classes_in_turn(machine: SteppedMachine) -> None:
    Current.state = First
    gives_up(lambda: Current.state.go())(machine)


class Gear(enum.Enum):
    LOW = 1


@of(PATIENT)
def counter_on_an_enumeration(machine: SteppedMachine) -> None:
    setattr(Gear.LOW, "turns", 0)

    def turn() -> bool:
        setattr(Gear.LOW, "turns", getattr(Gear.LOW, "turns") + 1)
        return bool(getattr(Gear.LOW, "turns") < TURNS)

    gives_up(turn)(machine)


@of(PATIENT)
def counter_by_setattr_of_a_module(machine: SteppedMachine) -> None:
    setattr(patched, "value", 0)

    def turn() -> bool:
        setattr(patched, "value", getattr(patched, "value") + 1)
        return bool(getattr(patched, "value") < TURNS)

    gives_up(turn)(machine)


@of(PATIENT)
def counter_by_globals(machine: SteppedMachine) -> None:
    globals()["TURN"] = 0

    def turn() -> bool:
        globals()["TURN"] += 1
        return bool(globals()["TURN"] < TURNS)

    gives_up(turn)(machine)


@of(PATIENT)
def counter_in_a_computed_global(machine: SteppedMachine) -> None:
    globals()[f"TURN{TURNS}"] = 0

    def turn() -> bool:
        globals()[f"TURN{TURNS}"] += 1
        return bool(globals()[f"TURN{TURNS}"] < TURNS)

    gives_up(turn)(machine)


@of(PATIENT)
def counter_in_the_environment(machine: SteppedMachine) -> None:
    os.environ["EXPLORED"] = ""

    def turn() -> bool:
        os.environ["EXPLORED"] += "."
        return len(os.environ["EXPLORED"]) < TURNS

    gives_up(turn)(machine)


@of(PATIENT)
def counter_by_the_length_of_a_traceback(machine: SteppedMachine) -> None:
    error = ValueError()

    def turn() -> bool:
        try:
            raise error
        except ValueError as raised:
            length, trace = 0, raised.__traceback__
            while trace:
                length, trace = length + 1, trace.tb_next
        return length < TURNS

    gives_up(turn)(machine)
