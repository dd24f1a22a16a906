"""Small programs like those of `orderprograms`, whose objects cannot be watched without changing what they do, or at all."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, var-annotated"
# ruff: noqa: ANN001, ANN201, D103  the programs' names say what they are, and they are small

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
