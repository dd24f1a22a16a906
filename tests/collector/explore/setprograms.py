"""Small programs as in `orderprograms`, but for where a set's items lie, and what is left of those that were removed."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, var-annotated"
# ruff: noqa: ANN001, ANN201, ANN202, D103  the programs' names say what they are, and they are small

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.collector.explore.kinds import of


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine

SETS: dict[str, Callable[[SteppedMachine], Any]] = {}
"""Programs whose check fails in some schedules."""
APART: dict[str, Callable[[SteppedMachine], Any]] = {}
"""Those that never fail, as DPOR can prove: each item has a place of its own."""


def doing(machine, first, second, told, *, by_default):
    """Each of two threads has a cell of its own, in which it takes its steps; what is `told` in the end is compared."""
    cells = [machine.word(0, f"x{i}") for i in range(2)]
    machine.spawn(lambda port: first(lambda: port.load(cells[0])))
    machine.spawn(lambda port: second(lambda: port.load(cells[1])))

    def check():
        assert told() == by_default, "otherwise than by default"

    return check


def with_more(held, items):
    """The order in which they are met when `items` are added."""
    held.update(items)
    return [*held]


@of(SETS)
def how_large_it_is_when_it_grows(machine):
    held = {0, 1, 2, 3}
    for item in range(3):
        held.discard(item)

    def first(step):
        step()
        held.discard(3)

    def second(step):
        step()
        held.add(4)

    return doing(machine, first, second, lambda: with_more(held, (8, 0)), by_default=[8, 0, 4])


@of(SETS)
def where_one_has_lain(machine):
    held = set()

    def first(step):
        step()
        held.add(0)
        step()
        held.discard(0)

    def second(step):
        step()
        held.add(8)

    return doing(machine, first, second, lambda: with_more(held, (16,)), by_default=[8, 16])


@of(SETS)
def what_is_left_of_one_that_was_popped(machine):
    held = {0, 3}

    def first(step):
        step()
        held.add(11)
        step()

    def second(step):
        step()
        held.pop()
        step()
        held.add(8)

    return doing(machine, first, second, lambda: [*held], by_default=[8, 11, 3])


def adding(machine, ask):
    """One adds an item, and the other asks for it in a condition."""
    held, got = set(), []

    def first(step):
        step()
        held.add(0)

    def second(step):
        step()
        ask(held, got)

    return doing(machine, first, second, lambda: got, by_default=[1])


@of(SETS)
def whether_there_is_anything(machine):
    def ask(held, got):
        if held:
            got.append(1)

    return adding(machine, ask)


@of(SETS)
def whether_there_is_nothing(machine):
    def ask(held, got):
        if not held:
            got.append(0)
        else:
            got.append(1)

    return adding(machine, ask)


@of(SETS)
def whether_it_is_there(machine):
    def ask(held, got):
        got.append(int(0 in held))

    return adding(machine, ask)


@of(APART)
def who_is_there_and_nobody_asks_in_which_order(machine):
    """Where one has been removed, the next one lies elsewhere."""
    held = {0, 1}

    def first(step):
        for _ in range(2):
            step()
            held.discard(0)
            step()
            held.add(0)

    def second(step):
        for _ in range(2):
            step()
            held.discard(1)
            step()
            held.add(1)

    doing(machine, first, second, lambda: 0, by_default=0)


@of(APART)
def each_adds_its_own_and_removes_it(machine):
    held = set()

    def first(step):
        step()
        held.add(0)
        step()
        held.discard(0)

    def second(step):
        step()
        held.add(1)
        step()
        held.discard(1)

    return doing(machine, first, second, lambda: len(held), by_default=0)
