"""Small programs in which a thread stores what is there already, so that nothing changes unless another one came first."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, var-annotated"
# ruff: noqa: ANN001, ANN201, ANN202, D103  the programs' names say what they are, and they are small

from __future__ import annotations

import types
from typing import TYPE_CHECKING, Any

from tests.collector.explore.kinds import of
from tests.collector.explore.orderprograms import two


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine

STORED: dict[str, Callable[[SteppedMachine], Any]] = {}
"""Programs that fail if the second thread comes first."""


def then(machine, told, first, second):
    two(machine, lambda _port, i: second() if i else first())

    def check() -> None:
        assert told() == 2

    return check


@of(STORED)
def an_item(machine):
    held = [1]

    def store(v):
        held[0] = v

    return then(machine, lambda: held[0], lambda: store(1), lambda: store(2))


@of(STORED)
def what_stands_last(machine):
    held = [0, 1]

    def first():
        held[-1] = 1

    def second():
        held[1] = 2

    return then(machine, lambda: held[1], first, second)


@of(STORED)
def an_attribute(machine):
    held = types.SimpleNamespace(v=1)

    def store(v):
        held.v = v

    return then(machine, lambda: held.v, lambda: store(1), lambda: store(2))


@of(STORED)
def a_member_of_a_set(machine):
    held = {0, 1, 2}
    return then(machine, lambda: len(held), lambda: held.add(1), lambda: held.discard(1))


@of(STORED)
def a_member_from_memory(machine):
    x, held = machine.word(1, "x"), {0, 1, 2}
    machine.spawn(lambda port: held.add(port.load(x)))
    machine.spawn(lambda port: port.load(x) and held.discard(1))

    def check():
        assert len(held) == 2

    return check


@of(STORED)
def a_variable_of_a_function(machine):
    held = 1

    def store(v):
        nonlocal held
        held = v

    return then(machine, lambda: held, lambda: store(1), lambda: store(2))


HELD = 1


@of(STORED)
def a_global(machine):
    global HELD  # noqa: PLW0603
    HELD = 1

    def store(v):
        global HELD  # noqa: PLW0603
        HELD = v

    return then(machine, lambda: HELD, lambda: store(1), lambda: store(2))


@of(STORED)
def what_is_found_from_the_end(machine):
    held, seen = [0, 0], []

    def first():
        held[1] = 1

    def second():
        seen.append(held[-1])

    return then(machine, lambda: 2 if seen == [1] else 0, first, second)
