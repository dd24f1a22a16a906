"""Checks what a capture takes to be constant: functions, classes, and what global names stand for.

The parts of each are noted: of a function its code, defaults, attributes and the variables it closes over; of a class its
attributes and bases.  Every capture compares them with their present values.  If one has changed, it belongs to the state
from then on (it is *loose*).

A schedule makes its own functions and classes.  They are compared with those of the same name from an earlier schedule, by
what these can have in common: code, names of classes, and scalars.
"""

from __future__ import annotations

import types
from enum import EnumType
from operator import is_
from typing import TYPE_CHECKING, Any

from collector.explore.machine.site import module_of
from collector.explore.state.interpreter import NULL
from collector.explore.state.walk import SCALARS


if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    Parts = Callable[[], Collection[object]]
    """What an object consists of now."""
    Key = tuple[object, str]
    """Module and qualified name of a function or class, or a namespace's id and a name in it."""


class Assumptions:
    """The assumptions that captures of one machine rest on."""

    def __init__(self) -> None:
        self.held: dict[int, tuple[object, Parts, list[object]]] = {}
        """By the id of a function or class: itself, its parts, and what those were."""
        self.schedules: list[int] = []
        """Those of them that this schedule has made."""
        self.names: dict[Key, tuple[dict[str, object], object]] = {}
        """The namespace, and what the name stood for."""
        self.made: dict[Key, list[object]] = {}
        """Of functions and classes that schedules make: what those that the first one made were like."""
        self.loose: set[Key] = set()
        """What was found to change."""
        self.found: set[Key] = set()
        """What was found since `hold` was asked last."""
        self.epoch = 0
        """Times that an assumption was found not to hold."""

    def begin(self) -> None:
        """A new schedule: what the last one made is gone."""
        for known in self.schedules:
            self.held.pop(known, None)
        self.schedules.clear()

    def add(self, v: types.FunctionType | type, data: Collection[str] = ()) -> None:
        """That function or class is taken to stay as it is, but for the attributes `data`, unless it is loose."""
        if key(v) in self.loose:
            return
        parts = of_class(v, data) if isinstance(v, type) else of_function(v)
        now = [*parts()]
        self.held[id(v)] = v, parts, now
        if local(v):
            self.schedules.append(id(v))
            alike = [likeness(part) for part in now]
            if self.made.setdefault(key(v), alike) != alike:
                self.found.add(key(v))

    def add_name(self, space: dict[str, object], name: str) -> None:
        """What the namespace holds by that name is taken to stay there."""
        self.names[id(space), name] = space, space[name]

    def hold(self) -> bool:
        """Does all still hold?  What does not is loose; and then nothing is assumed any more."""
        self.found |= {
            key(v)
            for v, parts, before in self.held.values()
            if len(now := parts()) != len(before) or not all(map(is_, now, before))
        }
        self.found |= {known for known, (space, v) in self.names.items() if space.get(known[1], space) is not v}
        if not self.found:
            return True
        self.loose |= self.found
        for known in (self.found, self.held, self.names, self.made):
            known.clear()
        self.epoch += 1
        return False


def key(v: Any) -> Key:  # noqa: ANN401  a function or class
    """By which that function or class is known, also when another schedule has made another one of it."""
    return module_of(v), v.__qualname__


def local(v: object) -> bool:
    """Was that function or class made within a function, so perhaps by a schedule for itself?"""
    return "<locals>" in getattr(v, "__qualname__", "")


def likeness(v: object) -> object:
    """What `v` has in common with what another schedule has in its place."""
    if isinstance(v, types.FunctionType):
        return v.__code__
    if isinstance(v, type):
        return key(v)
    return (type(v), v) if type(v) in SCALARS else type(v)


def contents(cell: types.CellType) -> object:
    """What the variable of a closure holds; NULL if it holds nothing."""
    try:
        return cell.cell_contents
    except ValueError:
        return NULL


def of_function(f: types.FunctionType) -> Parts:
    """The parts of a function."""
    cells = f.__closure__ or ()
    return lambda: [
        f.__code__, f.__defaults__, *(f.__kwdefaults__ or {}).values(), *f.__dict__.values(), *map(contents, cells),
    ]  # fmt: skip


def of_class(cls: type, data: Collection[str]) -> Parts:
    """The parts of a class but for its `data`, with those of the members of an enumeration."""
    if data:
        return lambda: [*(v for name, v in cls.__dict__.items() if name not in data), *cls.__bases__]
    if type(cls) is EnumType:
        members: list[object] = [*cls.__members__.values()]
        return lambda: [*cls.__dict__.values(), *(v for member in members for v in vars(member).values())]
    if len(cls.__bases__) > 1 or cls.__base__ is not object:
        return lambda: [*cls.__dict__.values(), *cls.__bases__]
    return cls.__dict__.values
