"""Finds the global data of a program: the globals and class attributes that its code names and that may change.

A function's globals are those that its code, and code within it, loads or stores.  Most name what never changes:
modules, functions, classes.  Such a value is *inert*, and left out of a state, if it is the library's or if all that it
names itself is inert.  What is left is data, a module's counter for instance, and part of the state of whoever can
reach it.  So is what a bound method of a library's module hides: `random.randrange` has a generator behind it.

What is taken for inert is an assumption, and noted as one (`Assumptions`): a closure's variable may be bound anew, a
method replaced, a module patched.  Every capture begins by asking whether all of them still hold.  What has changed is
*loose* from then on, and part of the state.

What a program takes of the library is to keep nothing elsewhere, and to stay as it is (`state.library`).

Not modelled.  Names that are computed, and not in the code as a text; what is hung on the machine's own parts; which of two
equal numbers or texts it is that something holds (`is`); and where the items of a set lie.
"""

from __future__ import annotations

import functools
import logging
import re
import sys
import types
import typing
from abc import get_cache_token
from collections.abc import MutableMapping, MutableSequence, MutableSet
from enum import Enum
from functools import cached_property, partial
from struct import Struct
from typing import TYPE_CHECKING, Any

from collector.explore.machine.site import PACKAGE, module_of
from collector.explore.state.assumptions import Assumptions, contents, key, local
from collector.explore.state.classes import Shape
from collector.explore.state.interpreter import NULL
from collector.explore.state.library import Lent, changeable, keeping, library, unseen
from collector.explore.state.mentioned import mentioned
from collector.explore.state.walk import SCALARS


if TYPE_CHECKING:
    from collections.abc import Iterator

    from collector.explore.state.mentioned import Mentioned

EXPLORER = PACKAGE
BUILTIN = (
    types.BuiltinFunctionType, types.MethodDescriptorType, types.WrapperDescriptorType, types.MethodWrapperType,
    types.ClassMethodDescriptorType, types.GetSetDescriptorType, types.MemberDescriptorType,
)  # fmt: skip
CONSTANT = (
    re.Pattern, Struct, logging.Logger, types.GenericAlias, types.UnionType, types.EllipsisType, types.NotImplementedType,
    typing.TypeVar, typing.ParamSpec, type(typing.Any), type(typing.Callable),
    type(vars(Shape)["slots"]),  # a field of a named tuple
)  # fmt: skip
"""Types whose objects decide nothing, or never change."""
SETTABLE = logging.Logger, typing.TypeVar, typing.ParamSpec
"""Those of them on which a program may hang something."""
LENT = types.MethodType, types.BuiltinMethodType, types.SimpleNamespace, MutableMapping, MutableSequence, MutableSet
"""What a library's module lends to programs: `random.randrange`, `os.environ`."""
DECORATED = {"__wrapped__", "__isabstractmethod__", "__override__"}
"""Attributes of functions that the library sets."""
WRAPPED = frozenset({*functools.WRAPPER_ASSIGNMENTS, "__wrapped__", "__isabstractmethod__", "__annotations__"})
"""The same, of a static method or a class method."""
Reference = tuple[types.ModuleType | None, str]
"""A global of the code's own module (None) or of another one, and its name."""


class Namespaces:
    """What is inert and what is data, found once per function, class and code."""

    def __init__(self) -> None:
        self.verdicts: dict[int, tuple[object, bool]] = {}
        """By the id of a function or class, which is kept so that the id stays its own."""
        self.schedules: list[int] = []
        """Those of them that this schedule has made."""
        self.references: dict[tuple[int, int], tuple[object, tuple[Reference, ...]]] = {}
        self.attributes: dict[type, tuple[int, tuple[str, ...]]] = {}
        self.assumptions = Assumptions()
        self.mentioned: set[str] = set()
        """Attributes that any code names."""
        self.named_late: set[str] = set()
        """Attributes that any code stores, or names by a text: they may come to be."""
        self.unseen: dict[str, None] = {}
        """What any code names and no capture can look into."""
        self.keeping: dict[str, None] = {}
        """Functions of the library that keep something elsewhere."""
        self.lent = Lent()
        self.patched: dict[str, None] = {}
        """What is changed in the library, a text for each."""
        self.registered = get_cache_token()
        """Tells whether anything has been registered with an abstract class since."""

    def begin(self) -> None:
        """A new schedule: what the last one made is gone."""
        self.assumptions.begin()
        for known in self.schedules:
            self.verdicts.pop(known, None)
        self.schedules.clear()
        for cls in [cls for cls in self.attributes if local(cls)]:
            del self.attributes[cls]

    def hold(self) -> bool:
        """Is everything still inert that was taken to be?  If not, forget all, and ask again."""
        self.patched.update(dict.fromkeys(self.lent.changed(self.named_late)))
        self.unseen.update(self.patched)
        if self.registered != get_cache_token():
            self.unseen["what is registered with an abstract class"] = None
        if self.assumptions.hold():
            return True
        self.verdicts.clear()
        self.references.clear()
        self.attributes.clear()
        return False

    def inert(self, v: object) -> bool:
        """Does `v` hold nothing that can change, and name nothing that does?"""
        kind = type(v)
        if isinstance(v, logging.Logger) and not logs_elsewhere(v):
            return False
        if kind is types.ModuleType or isinstance(v, CONSTANT):
            if isinstance(v, SETTABLE):
                self.lent.add(v, self.named_late)
            return True
        if isinstance(v, BUILTIN):
            return type(getattr(v, "__self__", None)) in {types.NoneType, types.ModuleType, type}
        if kind is types.FunctionType or isinstance(v, type):
            known = self.verdicts.get(id(v))
            if known is None:
                # Functions that name each other are inert unless something else says otherwise.
                self.verdicts[id(v)] = v, True
                found = self._inert_function(v) if isinstance(v, types.FunctionType) else self._inert_class(v)  # type: ignore[arg-type]
                self.verdicts[id(v)] = v, found
                if local(v):
                    self.schedules.append(id(v))
                if found and not library(module_of(v)):
                    self.assumptions.add(v)  # type: ignore[arg-type]
                return found
            return known[1]
        if isinstance(v, staticmethod | classmethod):
            self.lent.add(v, self.named_late)
            return vars(v).keys() <= WRAPPED and self.inert(v.__func__)
        if isinstance(v, property):
            return all(part is None or self.inert(part) for part in (v.fget, v.fset, v.fdel))
        if isinstance(v, cached_property):
            self.lent.add(v, self.named_late)
            return self.inert(v.func)
        if isinstance(v, partial):
            self.lent.add(v, self.named_late)
            return not v.args and not v.keywords and self.inert(v.func)
        return False

    def _inert_function(self, f: types.FunctionType) -> bool:
        module = f.__globals__.get("__name__") or ""
        if module.startswith(EXPLORER):
            return True
        kept = [v for v in map(contents, f.__closure__ or ()) if v is not NULL]
        if key(f) in self.assumptions.loose or f.__dict__.keys() - DECORATED:
            return False
        if library(module):
            # A decorator's wrapper: what it wraps may be the program's.
            return all(map(self.inert, (v for v in kept if isinstance(v, types.FunctionType))))
        kept += [*(f.__defaults__ or ()), *(f.__kwdefaults__ or {}).values()]
        return all(map(self._settled, kept)) and not self.named(f.__code__, f.__globals__)

    def _settled(self, v: object) -> bool:
        """Is `v`, a default or what a function closes over, the same for all the program's life?"""
        return v is None or isinstance(v, bool) or self.inert(v)

    def _inert_class(self, cls: type) -> bool:
        if library(module_of(cls)):
            return True
        if key(cls) in self.assumptions.loose:
            return False
        if not self.inert(type(cls)):
            return False
        if issubclass(cls, Enum):
            return all(immutable(v) for member in cls for v in vars(member).values())
        return all(map(self.inert, cls.__mro__[1:])) and not self.data(cls)

    def data(self, cls: type) -> tuple[str, ...]:
        """The names of the attributes of `cls` itself that are not inert."""
        namespace = cls.__dict__
        known = self.attributes.get(cls)
        if known is None or known[0] != len(namespace):
            loose = key(cls) in self.assumptions.loose
            names = tuple(
                name
                for name, v in namespace.items()
                if not (name.startswith("__") and not isinstance(v, types.FunctionType | MutableSequence | MutableSet))
                and name not in {"_abc_impl", "_is_protocol", "_is_runtime_protocol"}
                and (loose or not self.inert(v) or (isinstance(v, types.ModuleType) and not library(v.__name__)))
            )
            known = self.attributes[cls] = len(namespace), names
            self.assumptions.add(cls, names)
        return known[1]

    def named(self, code: types.CodeType, space: dict[str, Any]) -> tuple[Reference, ...]:
        """The globals that `code`, run with the globals `space`, reaches and that are not inert."""
        key = id(code), id(space)
        known = self.references.get(key)
        if known is None:
            self.references[key] = (code, space), ()  # while it is being found: code that names itself
            found = tuple(dict.fromkeys(self._named(code, space)))
            known = self.references[key] = (code, space), found
        return known[1]

    def _named(self, code: types.CodeType, space: dict[str, Any]) -> Iterator[Reference]:
        found = mentioned(code)
        self.mentioned |= found.attributes
        self.named_late |= found.named_late
        builtins = space.get("__builtins__", {})
        builtins = builtins if isinstance(builtins, dict) else vars(builtins)
        modules = found.modules
        for name in sorted(found.names):
            v = space.get(name, builtins.get(name))
            if name in found.stored or not self._stays(space if name in space else builtins, name):
                if name in space or name not in builtins:
                    yield None, name
                if name not in space:
                    yield sys.modules["builtins"], name
            if type(v) is types.ModuleType:
                modules.append(v)
        if not library(space.get("__name__") or ""):
            self.unseen.update(dict.fromkeys(unseen(found.attributes, found.stored_late)))
            self._borrow(found, space, builtins)
        for module in modules:
            for name in self._data(module, found.attributes, found.named_late):
                yield module, name

    def _borrow(self, found: Mentioned, space: dict[str, object], builtins: dict[str, object]) -> None:
        """What the code of a program takes of the library is to keep nothing elsewhere, and to stay as it is."""
        taken: list[object] = [*found.modules]
        for name, *attributes in sorted(found.paths):
            v = space.get(name, builtins.get(name))
            taken.append(v)
            for attribute in attributes:
                if not isinstance(v, types.ModuleType):
                    break
                v = vars(v).get(attribute)
                taken.append(v)
            if isinstance(v, types.ModuleType) and library(v.__name__):
                # It is passed on: all that anybody takes of anything may be of it.
                taken += [vars(v)[attribute] for attribute in sorted(found.attributes & vars(v).keys())]
        for v in taken:
            kept = keeping(v)
            if kept:
                self.unseen[kept] = None
                if not isinstance(v, type):  # what a class keeps is in its objects
                    self.keeping[kept] = None
            elif changeable(v):
                self.lent.add(v, self.named_late)

    def of_module(self, module: types.ModuleType) -> list[str]:
        """The data of `module` that any code may name, some of which may come to be."""
        return self._data(module, self.mentioned, self.named_late)

    def _data(self, module: types.ModuleType, attributes: set[str], named_late: set[str]) -> list[str]:
        space = vars(module)
        data = [name for name in sorted(attributes & space.keys()) if not self._stays(space, name)]
        if library(module.__name__):
            return [
                name
                for name in data
                if isinstance(space[name], LENT) or name in named_late or not library(module_of(type(space[name])))
            ]
        return [*data, *sorted(named_late - space.keys())]

    def _stays(self, space: dict[str, object], name: str) -> bool:
        """Is what `space` holds by that name inert?"""
        if name not in space or (id(space), name) in self.assumptions.loose or not self.inert(space[name]):
            return False
        self.assumptions.add_name(space, name)
        return True


def logs_elsewhere(logger: logging.Logger) -> bool:
    """Does all that is logged there go to handlers of the library?"""
    at: logging.Logger | None = logger
    while at:
        if not all(library(module_of(type(handler))) for handler in at.handlers):
            return False
        at = at.parent
    return True


def immutable(v: object) -> bool:
    """Is `v` a scalar, or made of such?"""
    return (
        type(v) in SCALARS or isinstance(v, type | types.FunctionType) or (type(v) is tuple and all(map(immutable, v)))
    )
