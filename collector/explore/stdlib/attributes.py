"""Attributes of a program's objects as words of the machine, so that unordered accesses to them are seen.

Theory of operation.  Each attribute of each object has a word.  Whoever reads the attribute reads that word plainly first,
whoever assigns it writes it plainly: for the race detector they are like plain accesses of Go's, and with `plain_points`
each is a step.  The word holds the value if that is an integer, else a number that goes up.

A list, dict, set or deque is changed through its methods, which nobody sees: to fetch one from an attribute counts as a
write.  So two threads that only read one without a lock are reported as well; name the attribute in `unwatched`.

Not modelled.  Globals of modules and slots, which a warning names (`overlooked`); variables of closures, and what is within
objects of other classes.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from collector.explore.stdlib.lock import Lock
from workbuf.machine import MASK64


if TYPE_CHECKING:
    from collections.abc import Collection
    from types import ModuleType

    from collector.explore.stdlib.place import Place

CHANGEABLE = (list, dict, set, deque, bytearray)


class Attributes:
    """The words of all attributes of a schedule's objects."""

    def __init__(self, place: Place, unwatched: Collection[str]) -> None:
        self.place = place
        self.unwatched = unwatched
        self.cells: dict[tuple[int, str], int] = {}
        self.names: dict[int, str] = {}
        self.alive: list[object] = []
        """Every object that has a word, so that no other one gets its id."""

    def cell(self, owner: object, name: str, value: object) -> int:
        """The word of an attribute that holds, or is to hold, `value`: of one that can be changed, its name says so."""
        key = id(owner), name
        if key not in self.cells:
            if key[0] not in self.names:
                self.alive.append(owner)
                self.names[key[0]] = self.place.unique(type(owner).__name__)
            kind = f" (a {type(value).__name__})" if isinstance(value, CHANGEABLE) else ""
            self.cells[key] = self.place.cell(f"{self.names[key[0]]}.{name}{kind}")
        return self.cells[key]

    def read(self, owner: object, name: str, value: object) -> None:
        """It is about to be read."""
        port = self.place.port()
        if port is None or name in self.unwatched:
            return
        a = self.cell(owner, name, value)
        if isinstance(value, CHANGEABLE):
            port.words[a] = self.place.machine.memory.plain[a] + 1
        else:
            port.words[a]

    def write(self, owner: object, name: str, value: object) -> None:
        """It is about to be assigned."""
        if name in self.unwatched:
            return
        machine, port = self.place.machine, self.place.port()
        a = self.cell(owner, name, value)
        v = value & MASK64 if isinstance(value, int) else machine.memory.plain[a] + 1
        if port is None:
            machine.poke(a, v)
            lock = getattr(value, "_block", value)  # an RLock's
            if isinstance(lock, Lock):
                machine.label(lock.cell, 1, f"{self.names[id(owner)]}.{name}")
        else:
            port.words[a] = v


def watch_classes(module: ModuleType, place: Place, unwatched: Collection[str]) -> None:
    """Watch the attributes of objects of the classes that `module` defines."""
    attributes = Attributes(place, unwatched)
    own = [cls for cls in vars(module).values() if isinstance(cls, type) and cls.__module__ == module.__name__]
    for cls in own:
        if not any(base in own for base in cls.__mro__[1:]) and "__slots__" not in vars(cls):
            watch(cls, attributes)


def watch(cls: type, attributes: Attributes) -> None:
    """Have the objects of `cls` tell of their attributes."""
    get: Any = cls.__getattribute__
    assign: Any = cls.__setattr__
    delete: Any = cls.__delattr__

    def __getattribute__(self: object, name: str) -> Any:  # noqa: ANN401, N807  what the class returns
        mine = object.__getattribute__(self, "__dict__")
        if name in mine:
            attributes.read(self, name, mine[name])
        return get(self, name)

    def __setattr__(self: object, name: str, value: object) -> None:  # noqa: N807
        attributes.write(self, name, value)
        assign(self, name, value)

    def __delattr__(self: object, name: str) -> None:  # noqa: N807
        attributes.write(self, name, None)
        delete(self, name)

    vars(__getattribute__)["__wrapped__"] = get
    cls.__getattribute__ = __getattribute__  # type: ignore[assignment]
    cls.__setattr__ = __setattr__  # type: ignore[assignment]
    cls.__delattr__ = __delattr__  # type: ignore[assignment]
