"""Small programs as in `orderprograms`: who came first decides what a variable, attribute, class or function is."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, var-annotated, index"
# ruff: noqa: ANN001, ANN201, ANN202, D103, PLW0603  the programs' names say what they are, and they are small

from __future__ import annotations

import enum
import types
from typing import TYPE_CHECKING, Any

from tests.collector.explore.kinds import of
from tests.collector.explore.orderprograms import Kept, in_order, two


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine

ASSIGNED: dict[str, Callable[[SteppedMachine], Any]] = {}
"""Programs whose check fails in some schedules."""


@of(ASSIGNED)
def last_of_an_attribute(machine):
    told = types.SimpleNamespace(last=-1)

    def note(_port, i):
        told.last = i

    two(machine, note)
    return in_order(lambda: [1 - told.last, told.last])


class First:
    last = 0


class Second:
    last = 1


@of(ASSIGNED)
def by_a_class_that_is_assigned(machine):
    told: Any = First()

    def note(_port, i):
        told.__class__ = (First, Second)[i]

    two(machine, note)
    return in_order(lambda: [1 - told.last, told.last])


@of(ASSIGNED)
def by_attributes_that_are_all_replaced(machine):
    told = First()

    def note(_port, i):
        told.__dict__ = {"last": i}

    two(machine, note)
    return in_order(lambda: [1 - told.last, told.last])


@of(ASSIGNED)
def by_the_code_of_a_function_that_is_assigned(machine):
    def zero():
        return 0

    def one():
        return 1

    def last():
        return -1

    def note(_port, i):
        last.__code__ = (zero, one)[i].__code__

    two(machine, note)
    return in_order(lambda: [1 - last(), last()])


@of(ASSIGNED)
def by_a_functions_defaults_that_are_assigned(machine):
    def last(i=-1):
        return i

    def note(_port, i):
        last.__defaults__ = (i,)

    two(machine, note)
    return in_order(lambda: [1 - last(), last()])


@of(ASSIGNED)
def by_one_of_a_functions_defaults_by_name(machine):
    def last(*, i=-1):
        return i

    def note(_port, i):
        last.__kwdefaults__["i"] = i

    two(machine, note)
    return in_order(lambda: [1 - last(), last()])


def default_by_name(machine, last, change):
    """One changes the defaults that the other's call goes by."""
    seen = []

    def note(_port, i):
        if i == 0:
            change(last.__kwdefaults__)
        else:
            seen.append(last())

    two(machine, note)
    return in_order(lambda: [0, 1] if seen == [1] else [1, 0])


@of(ASSIGNED)
def by_a_functions_default_by_name_that_one_assigns(machine):
    def last(*, i=0):
        return i

    return default_by_name(machine, last, lambda defaults: defaults.__setitem__("i", 1))


@of(ASSIGNED)
def by_a_functions_defaults_by_name_that_one_adds_to(machine):
    def last(*, i=0):
        return i

    return default_by_name(machine, last, lambda defaults: defaults.update(j=0, i=1))


def numbered(*, i=0):
    return i


@of(ASSIGNED)
def by_a_global_functions_default_by_name(machine):
    numbered.__kwdefaults__["i"] = 0
    return default_by_name(machine, numbered, lambda defaults: defaults.__setitem__("i", 1))


@of(ASSIGNED)
def by_a_function_that_one_assigns_to_and_one_calls(machine):
    seen = []

    def last(i=0):
        return i

    def note(_port, i):
        if i == 0:
            last.__defaults__ = (1,)
        else:
            seen.append(last())

    two(machine, note)
    return in_order(lambda: [0, 1] if seen == [1] else [1, 0])


class Zero:
    __slots__ = ("kept",)

    def last(self) -> int:
        return 0


class One:
    __slots__ = ("kept",)

    def last(self) -> int:
        return 1


@of(ASSIGNED)
def by_a_class_with_slots_that_is_assigned(machine):
    told: Any = Zero()

    def note(_port, i):
        told.__class__ = (Zero, One)[i]

    two(machine, note)
    return in_order(lambda: [1 - told.last(), told.last()])


@of(ASSIGNED)
def by_a_method_that_is_assigned(machine):
    class Told:
        def last(self) -> int:
            return -1

    def note(_port, i):
        Told.last = lambda _self: i  # type: ignore[assignment, method-assign]

    two(machine, note)
    return in_order(lambda: [1 - Told().last(), Told().last()])


class Slotted:
    __slots__ = ("last",)

    def __init__(self) -> None:
        self.last = -1


@of(ASSIGNED)
def last_in_a_slot(machine):
    told = Slotted()

    def note(_port, i):
        told.last = i

    two(machine, note)
    return in_order(lambda: [1 - told.last, told.last])


@of(ASSIGNED)
def a_class_attribute(machine):
    Kept.last = -1

    def note(_port, i):
        Kept.last = i

    two(machine, note)
    return in_order(lambda: [1 - Kept.last, Kept.last])


LAST = -1


@of(ASSIGNED)
def a_global(machine):
    global LAST
    LAST = -1

    def note(_port, i):
        global LAST
        LAST = i

    two(machine, note)
    return in_order(lambda: [1 - LAST, LAST])


@of(ASSIGNED)
def a_variable_of_the_set_up(machine):
    last: Any = None

    def note(_port, i):
        nonlocal last
        last = i

    two(machine, note)
    return in_order(lambda: [1 - last, last])


@of(ASSIGNED)
def an_attribute_of_a_function(machine):
    def noted(_port, i):
        note.last = i

    note: Any = noted
    note.last = -1
    two(machine, note)
    return in_order(lambda: [1 - note.last, note.last])


@of(ASSIGNED)
def an_attribute_of_the_machine(machine):
    machine.last = -1

    def note(_port, i):
        machine.last = i

    two(machine, note)
    return in_order(lambda: [1 - machine.last, machine.last])


def zero():
    return 0


def one():
    return 1


chosen = zero


@of(ASSIGNED)
def a_function_that_is_called_by_a_global(machine):
    global chosen
    chosen, told = zero, []

    def note(_port, i):
        global chosen
        if i == 0:
            chosen = one
        else:
            told.append(chosen())

    two(machine, note)
    return in_order(lambda: [0, *told])


@of(ASSIGNED)
def a_function_that_is_called_by_a_variable(machine):
    function, told = zero, []

    def note(_port, i):
        nonlocal function
        if i == 0:
            function = one
        else:
            told.append(function())

    two(machine, note)
    return in_order(lambda: [0, *told])


@of(ASSIGNED)
def an_attribute_of_a_module_that_nobody_imports(machine):
    made: Any = types.ModuleType("made")
    made.last = -1

    def note(_port, i):
        made.last = i

    two(machine, note)
    return in_order(lambda: [1 - made.last, made.last])


@of(ASSIGNED)
def an_attribute_of_an_enumeration(machine):
    class Colour(enum.Enum):
        RED = 1

    red: Any = Colour.RED
    red.last = -1

    def note(_port, i):
        red.last = i

    two(machine, note)
    return in_order(lambda: [1 - red.last, red.last])


@of(ASSIGNED)
def the_sign_of_a_zero(machine):
    held, told = [0.0], []

    def note(_port, i):
        if i == 0:
            held[0] = -0.0
        else:
            told.append(str(held[0]))

    two(machine, note)
    return in_order(lambda: [0, 1] if told == ["-0.0"] else [])
