"""Small programs as in `orderprograms`: what is shared is made by a thread, for threads that it spawns."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, var-annotated"
# ruff: noqa: ANN001, ANN201, ANN202, D103  the programs' names say what they are, and they are small

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.collector.explore.kinds import of
from tests.collector.explore.orderprograms import in_order


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine

SPAWNED: dict[str, Callable[[SteppedMachine], Any]] = {}
"""Programs whose check fails in some schedules."""


@of(SPAWNED)
def by_children(machine):
    cells = [machine.word(0, f"x{i}") for i in range(2)]
    log = []

    def child(i):
        def body(port):
            port.load(cells[i])
            log.append(i)

        return body

    def parent(port):
        for i in range(2):
            port.spawn(child(i))

    machine.spawn(parent)
    return in_order(lambda: log)


@of(SPAWNED)
def by_children_in_what_the_parent_has_made(machine):
    cells = [machine.word(0, f"x{i}") for i in range(2)]
    kept = []

    def parent(port):
        log = []
        kept.append(log)

        def child(i):
            def body(port):
                port.load(cells[i])
                log.append(i)

            return body

        for i in range(2):
            port.spawn(child(i))

    machine.spawn(parent)
    return in_order(lambda: kept[0])


@of(SPAWNED)
def by_a_child_that_outlives_its_parent(machine):
    """What only the two shared is the child's alone when it looks."""
    x, y, z = machine.word(0, "x"), machine.word(0, "y"), machine.word(0, "z")
    empty = []

    def parent(port):
        log = []

        def child(its):
            its.load(z)
            its.load(x)
            empty.append(not log)

        port.store(x, 1)
        port.spawn(child)
        port.load(y)
        log.append(1)

    machine.spawn(parent)

    def check():
        assert empty == [False], "read before it was written"

    return check


@of(SPAWNED)
def by_a_child_that_has_ended(machine):
    """It has looked before its parent writes, and is gone when turns are watched again."""
    x, y = machine.word(0, "x"), machine.word(0, "y")

    def other(port):
        port.load(x)

    def parent(port):
        log = []

        def child(its):
            its.store(x, 1)
            its.load(y)
            assert not log, "it was written first"

        port.store(y, 1)
        port.spawn(child)
        if port.load(x):
            log.append(1)

    machine.spawn(other)
    machine.spawn(parent)
    machine.spawn(lambda port: port.load(y))
