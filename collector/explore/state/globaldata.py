"""The global part of a state (module globals, classes), captured once and again only when something in it has changed.

The globals that code names hold tables, records, classes: much data that hardly ever changes.  They are walked before
everything else, so their numbers are the same in every capture.  The content of each object is remembered.  As long as all
contents are the same, the digest of the first walk is used.

Where an object's content cannot be compared cheaply (an iterator, a generator), all is walked every time.
"""

from __future__ import annotations

import sys
import types
from collections import deque
from hashlib import blake2b
from operator import is_
from typing import TYPE_CHECKING, Any

from collector.explore.machine.site import module_of
from collector.explore.state.assumptions import contents
from collector.explore.state.classes import slot_values
from collector.explore.state.interpreter import NULL
from collector.explore.state.objects import CACHE, cached, pairs
from collector.explore.state.walk import SCALARS


if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import CodeType

    from collector.explore.state.classes import Shape
    from collector.explore.state.namespaces import Namespaces
    from collector.explore.state.walk import Walk

    Parts = Callable[[Any], list[object]]
    """What an object holds."""

UNCHANGING = SCALARS | {
    types.BuiltinFunctionType, types.MethodDescriptorType, types.WrapperDescriptorType,
    types.MemberDescriptorType, types.GetSetDescriptorType, types.CodeType, range, slice, tuple, frozenset, staticmethod,
    classmethod, property, types.MethodType,
}  # fmt: skip
"""Types whose objects hold the same for all their lives; what they hold is asked itself."""


class GlobalData:
    """The walk over the globals that the code of a program names."""

    def __init__(self, namespaces: Namespaces, shapes: Mapping[type, Shape]) -> None:
        self.namespaces = namespaces
        self.shapes = shapes
        self.codes: dict[tuple[int, int], tuple[CodeType, dict[str, object]]] = {}
        """The code, with its globals, whose names are part of this."""
        self.classes: dict[type, None] = {}
        self.walk: Walk | None = None
        self.digest = b""
        self.opaque: tuple[str, ...] = ()
        self.names: list[tuple[dict[str, object], str]] = []
        self.roots: list[object] = []
        """What the names held when they were walked."""
        self.kept: list[tuple[object, Parts, list[object]]] = []
        """Of each object: how to ask what it holds, and what that was."""
        self.volatile = False
        """Something has to be walked every time."""

    def values(self) -> list[object]:
        """What the names hold now."""
        return [space.get(name, NULL) for space, name in self.names]

    def covers(self, code: CodeType, space: dict[str, object]) -> bool:
        """Is what `code` names part of this?  From the next walk on it is."""
        key = id(code), id(space)
        if key in self.codes:
            return True
        self.codes[key] = code, space
        self.walk = None
        return False

    def meet(self, cls: type) -> None:
        """A class that a module holds by its name is part of this too, from the next walk on."""
        if cls not in self.classes and vars(sys.modules.get(module_of(cls), types)).get(cls.__qualname__) is cls:
            self.classes[cls] = None
            self.walk = None

    def unchanged(self) -> bool:
        """Does everything hold what it held when it was walked?"""
        if self.walk is None or self.volatile:
            return False
        for v, parts, held in self.kept:
            now = parts(v)
            if len(now) != len(held) or not all(map(is_, now, held)):
                return False
        return all(map(is_, self.values(), self.roots))

    def again(self, fresh: Callable[[], Walk]) -> int:
        """Walk all of it, with fresh walks until one meets nothing new; how many values that wrote."""
        while True:
            known = len(self.codes) + len(self.classes)
            named = self.namespaces.named
            # Many functions name the same: each global once.
            names = {
                (id(holder), name): (holder, name)
                for code, space in self.codes.values()
                for module, name in named(code, space)
                for holder in [space if module is None else vars(module)]
            }
            self.names = [*names.values()]
            self.roots = self.values()
            walk = fresh()
            walk.put(self.classes)
            walk.put(self.roots)
            walk.drain()
            if len(self.codes) + len(self.classes) == known:
                break
        self.walk = walk
        self.opaque = tuple(walk.opaque)
        self.digest = blake2b(walk.written(), digest_size=16).digest()
        self.kept.clear()
        self.volatile = False
        for v in walk.queue:
            parts = self.parts(v)
            if parts:
                self.kept.append((v, parts, parts(v)))
            elif not self._settled(v):
                self.volatile = True
        return len(walk.out)

    def _settled(self, v: object) -> bool:
        """Does `v` hold the same for all its life?"""
        return v is NULL or type(v) in UNCHANGING or isinstance(v, types.ModuleType) or self.namespaces.inert(v)

    def parts(self, v: object) -> Parts | None:
        """How to ask what `v` holds; None if it never changes, or cannot be asked cheaply."""
        kind = type(v)
        if kind in UNCHANGING or v is NULL:
            return None
        if isinstance(v, types.ModuleType):
            space, names = vars(v), self.namespaces.of_module(v)
            return (lambda _v: [space.get(name, NULL) for name in names]) if names else None
        if kind is dict:
            return pairs
        if kind is list or kind is deque or kind is set:
            return list
        if kind is CACHE:
            return cached
        if kind is types.CellType:
            return lambda cell: [contents(cell)]
        if kind is types.FunctionType:
            return lambda f: [f.__code__, f.__defaults__, *pairs(f.__kwdefaults__ or {}), *pairs(f.__dict__)]
        if isinstance(v, type):
            return self._attributes
        shape = self.shapes.get(kind)
        return (lambda v: of_object(shape, v) if type(v) is kind else [type(v)]) if shape else None

    def _attributes(self, cls: type) -> list[object]:
        return [cls.__bases__, *(cls.__dict__[name] for name in self.namespaces.data(cls))]


def of_object(shape: Shape, v: object) -> list[object]:
    """What an object of a Python class holds: its class, which may be assigned, attributes, slots, and content."""
    held: list[object] = [type(v)]
    if shape.dictionary:
        held += pairs(v.__dict__)
    held += slot_values(shape.slots, v)
    if shape.content:
        held += [NULL, *shape.content(v)]
    return held
