"""Small programs like those of `orderprograms`, whose objects cannot be watched without changing what they do, or at all."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, var-annotated"
# ruff: noqa: ANN001, ANN201, ANN202, D103  the programs' names say what they are, and they are small

from __future__ import annotations

import abc
import weakref
from typing import TYPE_CHECKING, Any

from collector.explore.state.walk import MOST
from tests.collector.explore.kinds import of
from tests.collector.explore.takenprograms import after


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine

UNWATCHED: dict[str, Callable[[SteppedMachine], Any]] = {}
"""Programs whose check fails in some schedules."""


class Mortal:
    """Something that a weak reference may refer to."""


class Telling:
    """Tells when it dies."""

    def __init__(self, log: list[int]) -> None:
        self.log = log

    def __del__(self) -> None:
        self.log.append(1)


@of(UNWATCHED)
def one_that_dies(machine):
    box = [Mortal()]
    dead = weakref.ref(box[0])
    return after(machine, box.clear, lambda: int(dead() is None))


@of(UNWATCHED)
def one_that_tells_when_it_dies(machine):
    log = []
    box = [Telling(log)]
    return after(machine, box.clear, lambda: len(log))


def cleaning(log):
    try:
        yield
    finally:
        log.append(0)


def delegating(log):
    yield from cleaning(log)


def inside(port, word, log):
    with Leaving(log):
        yield port.load(word)


class Leaving:
    """Tells when a `with` statement is left."""

    def __init__(self, log: list[int]) -> None:
        self.log = log

    def __enter__(self) -> None:
        """Nothing."""

    def __exit__(self, *_: object) -> None:
        self.log.append(0)


def abandoned(machine, made):
    """The first thread abandons a generator as it ends, which closes it."""
    log = []
    words = [machine.word(0), machine.word(0)]

    def first(port):
        generator = made(port, words[0], log)
        next(generator)
        port.load(words[0])

    def second(port):
        port.load(words[1])
        log.append(1)

    machine.spawn(first)
    machine.spawn(second)

    def check():
        assert log == [0, 1], "out of order"

    return check


@of(UNWATCHED)
def a_generator_with_a_finally(machine):
    return abandoned(machine, lambda _port, _word, log: cleaning(log))


@of(UNWATCHED)
def a_generator_that_delegates_to_one(machine):
    return abandoned(machine, lambda _port, _word, log: delegating(log))


@of(UNWATCHED)
def a_generator_with_a_context(machine):
    return abandoned(machine, inside)


@of(UNWATCHED)
def more_than_can_be_walked_over(machine):
    items = [*range(MOST + 1)]
    return after(machine, lambda: items.__setitem__(0, 1), lambda: items[0])


@of(UNWATCHED)
def what_is_registered_with_an_abstract_class(machine):
    class Base(abc.ABC):  # noqa: B024
        pass

    class Held:
        pass

    held = Held()
    return after(machine, lambda: Base.register(Held), lambda: int(isinstance(held, Base)))
