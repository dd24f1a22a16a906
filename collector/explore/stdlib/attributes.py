"""Attributes of a program's objects as words of the machine, so that unordered accesses to them are seen.

Theory of operation.  Each attribute of each object has a word.  Whoever reads the attribute reads that word plainly first,
whoever assigns it writes it plainly: for the race detector they are like plain accesses of Go's, and with `plain_points`
each is a step.  The word holds the value if that is an integer, else a number that goes up.

A list, dict, set or deque is changed through its methods, which nobody sees: to fetch one from an attribute counts as a
write.  So two threads that only read one without a lock are reported as well; name the attribute in `unwatched`.

An attribute that an object does not have yet is read as well, where code of the module may give it one: what the class has
in its place depends on who comes first.  What a class computes (methods, properties) has no word: they use others that do.

Not modelled.  Globals of modules, attributes of classes and slots, which a warning names (`overlooked`); variables of
closures, and what is within objects of other classes.  What a `Thread` or a `local` keeps for itself is the stand-in's.
"""

from __future__ import annotations

import sys
from collections import deque
from typing import TYPE_CHECKING, Any

from collector.explore.machine.site import of_explorer
from collector.explore.stdlib.local import Local
from collector.explore.stdlib.lock import Lock
from collector.explore.stdlib.thread import Thread
from workbuf.machine import MASK64


if TYPE_CHECKING:
    from collections.abc import Collection
    from types import ModuleType

    from collector.explore.stdlib.place import Place

CHANGEABLE = (list, dict, set, deque, bytearray)
BYPASS = "__dict__"


class Attributes:
    """The words of all attributes of a schedule's objects."""

    def __init__(self, place: Place, unwatched: Collection[str], given: Collection[str]) -> None:
        self.place = place
        self.unwatched = unwatched
        self.given = given
        """Names of attributes that objects may be given by the program's code."""
        self.cells: dict[tuple[int, str], int] = {}
        self.names: dict[int, str] = {}
        self.alive: list[object] = []
        """Every object that has a word, so that no other one gets its id."""
        self.late: set[tuple[int, str]] = set()
        """Those that threads have made, or are about to make."""
        self.missed: set[tuple[int, int, str]] = set()
        """Threads, and attributes that they have not found."""

    def cell(self, owner: object, name: str, value: object) -> int:
        """The word of an attribute that holds, or is to hold, `value`: of one that can be changed, its name says so."""
        key = id(owner), name
        return self.cells[key] if key in self.cells else self._make(owner, name, value)

    def _make(self, owner: object, name: str, value: object) -> int:
        """The word, which is made unless another thread makes it meanwhile."""
        key = id(owner), name
        if key[0] not in self.names:
            self.alive.append(owner)
            self.names[key[0]] = self.place.unique(type(owner).__name__)
        kind = f" (a {type(value).__name__})" if isinstance(value, CHANGEABLE) else ""
        if self.place.port() is not None:
            self.late.add(key)
        a = self.place.cell(f"{self.names[key[0]]}.{name}{kind}")
        return self.cells.setdefault(key, a)

    def counts(self, owner: object, name: str) -> bool:
        """Does it matter to threads who comes first to an attribute that `owner` does not have?"""
        return name in self.given and not computed(type(owner), name)

    def missing(self, owner: object, name: str) -> None:
        """It is about to be asked for, and is not there: a step of each thread once, whoever else has asked."""
        port = self.place.port()
        if port is None or name in self.unwatched:
            return
        key = id(owner), name
        if (key not in self.cells or key in self.late) and (port.index, *key) not in self.missed:
            self.missed.add((port.index, *key))
            self._make(owner, name, None)
        self.read(owner, name, None)

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
            if name not in self.given and name not in object.__getattribute__(owner, "__dict__"):
                self.unforeseen(type(owner), name)
            port.words[a] = v

    def unforeseen(self, cls: type, name: str) -> None:
        """Code of another module gives an object an attribute of its own: who has read that of its class was not watched."""
        if hasattr(cls, name):
            self.place.machine.warnings.add(
                f"the attribute {name} of the class {cls.__qualname__} is given to its objects by other modules, and not"
                f" watched before: what threads do with it is not explored (if that is right: unwatched=({name!r},))"
            )

    def bypassed(self, cls: type) -> None:
        """A thread has got all attributes at once, and goes past the words."""
        explorers = of_explorer(sys._getframe(2))  # noqa: SLF001  who asks
        if not explorers and BYPASS not in self.unwatched and self.place.port() is not None:
            self.place.machine.warnings.add(
                f"attributes of {cls.__qualname__} are got as {BYPASS}, and not watched: what threads do with them is not"
                f" explored (if they only read them, or under a lock: unwatched=({BYPASS!r},))"
            )


def watch_classes(module: ModuleType, place: Place, unwatched: Collection[str], given: Collection[str]) -> None:
    """Watch the attributes of objects of the classes that `module` defines; code gives them those that are `given`."""
    classes = own_classes(module)
    # The code that gives an object its fields is made by `dataclass`.
    fields = {name for cls in classes for name in getattr(cls, "__dataclass_fields__", ())}
    attributes = Attributes(place, unwatched, fields.union(given))
    watched: set[type] = set()
    for cls in sorted(classes, key=lambda cls: len(cls.__mro__)):
        if watched.isdisjoint(cls.__mro__) and not issubclass(cls, Local) and "__slots__" not in vars(cls):
            watch(cls, attributes)
            watched.add(cls)


def own_classes(module: ModuleType) -> list[type]:
    """The classes that `module` defines, and those that they define within."""
    found: list[type] = []
    spaces: list[ModuleType | type] = [module]
    for space in spaces:
        for cls in vars(space).values():
            if isinstance(cls, type) and cls.__module__ == module.__name__ and cls not in found:
                found.append(cls)
                spaces.append(cls)
    return found


def computed(cls: type, name: str) -> bool:
    """Is it a method, a property or the like, which says itself what is got?"""
    found = next((vars(base)[name] for base in cls.__mro__ if name in vars(base)), None)
    return hasattr(type(found), "__get__")


def watch(cls: type, attributes: Attributes) -> None:
    """Have the objects of `cls` tell of their attributes."""
    get: Any = cls.__getattribute__
    assign: Any = cls.__setattr__
    delete: Any = cls.__delattr__
    kept = Thread.KEPT if issubclass(cls, Thread) else frozenset()

    def __getattribute__(self: object, name: str) -> Any:  # noqa: ANN401, N807  what the class returns
        mine = object.__getattribute__(self, "__dict__")
        if name in mine:
            if name not in kept:
                attributes.read(self, name, mine[name])
        elif attributes.counts(self, name):
            attributes.missing(self, name)
        elif name == BYPASS:
            attributes.bypassed(type(self))
        return get(self, name)

    def __setattr__(self: object, name: str, value: object) -> None:  # noqa: N807
        if name not in kept and not computed(type(self), name):
            attributes.write(self, name, value)
        assign(self, name, value)

    def __delattr__(self: object, name: str) -> None:  # noqa: N807
        if name not in kept and not computed(type(self), name):
            attributes.write(self, name, None)
        delete(self, name)

    vars(__getattribute__)["__wrapped__"] = get
    cls.__getattribute__ = __getattribute__  # type: ignore[assignment]
    cls.__setattr__ = __setattr__  # type: ignore[assignment]
    cls.__delattr__ = __delattr__  # type: ignore[assignment]
