"""Programs that keep something from one run to the next, which shows in a late one; by where they keep it."""

# ruff: noqa: ANN401, D103  the programs' names say what they are

from __future__ import annotations

import colorsys
import functools
import os
import sys
import types
from enum import Enum
from html.parser import HTMLParser
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from tests.collector.explore import literature
from tests.collector.explore.kinds import of


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine

    Program = Callable[[SteppedMachine], Any]

LATE = 60
"""The run from which on the check fails."""
KEEPING: dict[str, Callable[[], Program]] = {}
"""What changes can be told,"""
HIDDEN: dict[str, Callable[[], Program]] = {}
"""and what nobody can compare."""


def counted(machine: SteppedMachine, run: int) -> Callable[[], None]:
    """A program of two threads that is right up to run number LATE."""
    x = machine.word(0, "x")
    machine.spawn(lambda port: port.store(x, 1))
    machine.spawn(lambda port: port.load(x))

    def check() -> None:
        assert run < LATE

    return check


RUNS = {"n": 0}
COUNT = 0


class Kept:
    runs = 0


class Label(str):  # noqa: SLOT000  it has a dictionary
    """A text that has more to it."""

    runs: int


@of(KEEPING)
def beside_a_text_that_is_equal() -> Program:
    labels = [Label("runs")]
    labels[0].runs = 0

    def program(machine: SteppedMachine) -> Any:
        run = labels[0].runs + 1
        labels[0] = Label("runs")
        labels[0].runs = run
        return counted(machine, run)

    return program


class Alike(int):
    """A number that says that it is every other one."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Alike)

    __hash__ = int.__hash__


@of(KEEPING)
def in_a_number_that_says_it_is_equal() -> Program:
    numbers = [Alike(0)]

    def program(machine: SteppedMachine) -> Any:
        run = int(numbers[0]) + 1
        numbers[0] = Alike(run)
        return counted(machine, run)

    return program


@of(KEEPING)
def in_a_global_dictionary() -> Program:
    RUNS["n"] = 0

    def program(machine: SteppedMachine) -> Any:
        RUNS["n"] += 1
        return counted(machine, RUNS["n"])

    return program


@of(KEEPING)
def in_a_global() -> Program:
    global COUNT  # noqa: PLW0603
    COUNT = 0

    def program(machine: SteppedMachine) -> Any:
        global COUNT  # noqa: PLW0603
        COUNT += 1
        return counted(machine, COUNT)

    return program


@of(KEEPING)
def in_a_variable() -> Program:
    n = 0

    def program(machine: SteppedMachine) -> Any:
        nonlocal n
        n += 1
        return counted(machine, n)

    return program


@of(KEEPING)
def in_a_default() -> Program:
    def program(machine: SteppedMachine, runs: list[int] = [0]) -> Any:  # noqa: B006
        runs[0] += 1
        return counted(machine, runs[0])

    return program


@of(KEEPING)
def in_a_class() -> Program:
    Kept.runs = 0

    def program(machine: SteppedMachine) -> Any:
        Kept.runs += 1
        return counted(machine, Kept.runs)

    return program


@of(KEEPING)
def in_an_object() -> Program:
    class Counting:
        def __init__(self) -> None:
            self.runs = 0

        def __call__(self, machine: SteppedMachine) -> Any:
            self.runs += 1
            return counted(machine, self.runs)

    return Counting()


class ByItself:
    """What has a name that nobody reads: code comes to it by `self`, `cls`, or an attribute."""

    runs = 0

    def __init__(self) -> None:
        self.own = 0

    def __call__(self, machine: SteppedMachine) -> Any:
        self.own += 1
        return counted(machine, self.own)

    @classmethod
    def of_the_class(cls, machine: SteppedMachine) -> Any:
        cls.runs += 1
        return counted(machine, cls.runs)

    def of_its_class(self, machine: SteppedMachine) -> Any:
        type(self).runs += 1
        return counted(machine, self.runs)


called: Any = None
"""The last program that was made."""


@of(KEEPING)
def in_itself_with_a_name() -> Program:
    global called  # noqa: PLW0603
    called = program = ByItself()
    return program


@of(KEEPING)
def in_the_class_of_a_method() -> Program:
    ByItself.runs = 0
    return ByItself.of_the_class


@of(KEEPING)
def in_the_class_of_an_object() -> Program:
    ByItself.runs = 0
    return ByItself().of_its_class


@of(KEEPING)
def in_an_attribute_with_a_name() -> Program:
    global called  # noqa: PLW0603
    called = ByItself()
    return functools.partial(ByItself.__call__, called)


@of(KEEPING)
def in_an_attribute_of_a_function() -> Program:
    global called  # noqa: PLW0603
    called = [0]

    def program(machine: SteppedMachine) -> Any:
        runs: list[int] = program.runs  # type: ignore[attr-defined]
        runs[0] += 1
        return counted(machine, runs[0])

    program.runs = called  # type: ignore[attr-defined]
    return program


def of_a_module(modules: list[Any]) -> Program:
    modules[0].COUNT = 0

    def program(machine: SteppedMachine) -> Any:
        modules[0].COUNT += 1
        return counted(machine, modules[0].COUNT)

    return program


@of(KEEPING)
def in_a_module_that_is_imported() -> Program:
    literature.COUNT = 0  # type: ignore[attr-defined]

    def program(machine: SteppedMachine) -> Any:
        literature.COUNT += 1  # type: ignore[attr-defined]
        return counted(machine, literature.COUNT)  # type: ignore[attr-defined]

    return program


@of(KEEPING)
def in_a_module_that_is_held() -> Program:
    return of_a_module([literature])


@of(KEEPING)
def in_a_module_of_the_library_that_is_held() -> Program:
    return of_a_module([colorsys])


@of(KEEPING)
def in_its_own_module() -> Program:
    return of_a_module([sys.modules[__name__]])


class Colour(Enum):
    RED = 1

    def __init__(self, _value: int) -> None:
        self.runs = 0


@of(KEEPING)
def in_a_member_of_an_enumeration() -> Program:
    Colour.RED.runs = 0

    def program(machine: SteppedMachine) -> Any:
        Colour.RED.runs += 1
        return counted(machine, Colour.RED.runs)

    return program


@of(KEEPING)
def in_a_module_that_a_class_has() -> Program:
    class Has:
        module: Any = literature

    Has.module.COUNT = 0

    def program(machine: SteppedMachine) -> Any:
        Has.module.COUNT += 1
        return counted(machine, Has.module.COUNT)

    return program


@of(KEEPING)
def in_more_defaults_than_arguments() -> Program:
    def none() -> None:
        """Takes nothing."""

    none.__defaults__ = (0,)

    def program(machine: SteppedMachine) -> Any:
        (run,) = none.__defaults__ or (0,)
        none.__defaults__ = (run + 1,)
        return counted(machine, run)

    return program


@of(KEEPING)
def in_a_list_of_a_partial() -> Program:
    def program(runs: list[int], machine: SteppedMachine) -> Any:
        runs.append(1)
        return counted(machine, len(runs))

    return functools.partial(program, [])


@of(KEEPING)
def in_a_check() -> Program:
    runs: list[int] = []

    def program(machine: SteppedMachine) -> Any:
        check = counted(machine, len(runs))

        def counting() -> None:
            runs.append(1)
            check()

        return counting

    return program


@of(HIDDEN)
def in_a_setting_of_the_process() -> Program:
    os.umask(0)

    def program(machine: SteppedMachine) -> Any:
        run = os.umask(0)
        os.umask(run + 1)
        return counted(machine, run)

    return program


@of(HIDDEN)
def in_a_module_found_by_name() -> Program:
    module: Any = types.ModuleType("hidden")
    module.n = 0
    sys.modules["hidden"] = module

    def program(machine: SteppedMachine) -> Any:
        hidden: Any = sys.modules["hidden"]
        hidden.n += 1
        return counted(machine, hidden.n)

    return program


@of(HIDDEN)
def in_an_opaque_object() -> Program:
    queue: SimpleQueue[int] = SimpleQueue()

    def program(machine: SteppedMachine) -> Any:
        queue.put(1)
        return counted(machine, queue.qsize())

    return program


@of(HIDDEN)
def in_a_class_of_the_library() -> Program:
    HTMLParser.runs = 0  # type: ignore[attr-defined]

    def program(machine: SteppedMachine) -> Any:
        HTMLParser.runs += 1  # type: ignore[attr-defined]
        return counted(machine, HTMLParser.runs)  # type: ignore[attr-defined]

    return program


@of(HIDDEN)
def in_subclasses() -> Program:
    class Base:
        """Knows them."""

    made: set[type] = set()

    def program(machine: SteppedMachine) -> Any:
        made.add(type("Derived", (Base,), {}))
        return counted(machine, len(Base.__subclasses__()))

    return program


@of(KEEPING)
def in_a_name_of_a_function() -> Program:
    def named() -> None:
        """Has one."""

    named.__name__ = ""

    def program(machine: SteppedMachine) -> Any:
        named.__name__ += "x"
        return counted(machine, len(named.__name__))

    return program
