"""Finds the global data of a program: the globals and class attributes that its code names and that may change.

A function's globals are those that its code, and code within it, loads or stores.  Most name what never changes:
modules, functions, classes.  Such a value is *inert*, and left out of a state, if it is the library's or if all that it
names itself is inert.  What is left is data, a module's counter for instance, and part of the state of whoever can
reach it.  So is what a bound method of a library's module hides: `random.randrange` has a generator behind it.

A name that held something inert when it was first met is taken to go on doing so, unless the code itself stores it.
"""

from __future__ import annotations

import logging
import re
import sys
import types
import typing
from enum import Enum
from functools import cached_property, partial
from struct import Struct
from typing import TYPE_CHECKING

from collector.explore.state.bytecode import analysed


if TYPE_CHECKING:
    from collections.abc import Iterator


LIBRARY = sys.stdlib_module_names | {"greenlet", "pytest", "_pytest", "pluggy"}
"""Modules whose own globals decide nothing."""
EXPLORER = "collector.explore"
BUILTIN = (
    types.BuiltinFunctionType, types.MethodDescriptorType, types.WrapperDescriptorType, types.MethodWrapperType,
    types.ClassMethodDescriptorType, types.GetSetDescriptorType, types.MemberDescriptorType,
)  # fmt: skip
CONSTANT = (
    re.Pattern, Struct, logging.Logger, types.GenericAlias, types.UnionType, types.EllipsisType, types.NotImplementedType,
    typing.TypeVar, typing.ParamSpec, type(typing.Any), type(typing.Callable),
)  # fmt: skip
"""Types whose objects decide nothing, or never change."""
Reference = tuple[types.ModuleType | None, str]
"""A global of the code's own module (None) or of another one, and its name."""


def library(module: str) -> bool:
    """Is the module of that name none of the program's?"""
    return module.partition(".")[0] in LIBRARY or module.startswith(EXPLORER)


class Namespaces:
    """What is inert and what is data, found once per function, class and code."""

    def __init__(self) -> None:
        self.verdicts: dict[int, tuple[object, bool]] = {}
        """By the id of a function or class, which is kept so that the id stays its own."""
        self.references: dict[tuple[int, int], tuple[object, tuple[Reference, ...]]] = {}
        self.attributes: dict[type, tuple[int, tuple[str, ...]]] = {}

    def inert(self, v: object) -> bool:
        """Does `v` hold nothing that can change, and name nothing that does?"""
        kind = type(v)
        if kind is types.ModuleType or isinstance(v, CONSTANT):
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
                return found
            return known[1]
        if isinstance(v, staticmethod | classmethod):
            return self.inert(v.__func__)
        if isinstance(v, property):
            return all(part is None or self.inert(part) for part in (v.fget, v.fset, v.fdel))
        if isinstance(v, cached_property):
            return self.inert(v.func)
        if isinstance(v, partial):
            return not v.args and not v.keywords and self.inert(v.func)
        return False

    def _inert_function(self, f: types.FunctionType) -> bool:
        if library(f.__globals__.get("__name__") or ""):
            return True
        kept = [cell.cell_contents for cell in f.__closure__ or () if _filled(cell)]
        kept += [*(f.__defaults__ or ()), *(f.__kwdefaults__ or {}).values()]
        if f.__dict__.keys() - {"__wrapped__", "__isabstractmethod__", "__override__"}:
            return False
        return all(map(self._settled, kept)) and not self.named(f.__code__, f.__globals__)

    def _settled(self, v: object) -> bool:
        """Is `v`, a default or what a function closes over, the same for all the program's life?"""
        return v is None or isinstance(v, bool) or self.inert(v)

    def _inert_class(self, cls: type) -> bool:
        if library(cls.__module__) or issubclass(cls, Enum):
            return True
        return all(map(self.inert, cls.__mro__[1:])) and not self.data(cls)

    def data(self, cls: type) -> tuple[str, ...]:
        """The names of the attributes of `cls` itself that are not inert."""
        namespace = cls.__dict__
        known = self.attributes.get(cls)
        if known is None or known[0] != len(namespace):
            names = tuple(
                name
                for name, v in namespace.items()
                if not (name.startswith("__") and not isinstance(v, types.FunctionType))
                and name not in {"_abc_impl", "_is_protocol", "_is_runtime_protocol"}
                and not self.inert(v)
            )
            known = self.attributes[cls] = len(namespace), names
        return known[1]

    def named(self, code: types.CodeType, space: dict[str, object]) -> tuple[Reference, ...]:
        """The globals that `code`, run with the globals `space`, reaches and that are not inert."""
        key = id(code), id(space)
        known = self.references.get(key)
        if known is None:
            self.references[key] = (code, space), ()  # while it is being found: code that names itself
            found = tuple(dict.fromkeys(self._named(code, space)))
            known = self.references[key] = (code, space), found
        return known[1]

    def _named(self, code: types.CodeType, space: dict[str, object]) -> Iterator[Reference]:
        names, attributes, stored, modules = _mentioned(code)
        builtins = space.get("__builtins__", {})
        builtins = builtins if isinstance(builtins, dict) else vars(builtins)
        known = space.keys() | builtins.keys()
        for name in sorted(names):
            v = space.get(name, builtins.get(name))
            if name in stored or name not in known or (name in space and not self.inert(v)):
                yield None, name
            if type(v) is types.ModuleType:
                modules.append(v)
        for module in modules:
            inside = library(module.__name__)
            for name in sorted(attributes & vars(module).keys()):
                v = vars(module)[name]
                bound = isinstance(v, types.MethodType | types.BuiltinMethodType)
                if not self.inert(v) and (bound or not inside):
                    yield module, name


def _mentioned(code: types.CodeType) -> tuple[set[str], set[str], set[str], list[types.ModuleType]]:
    """Globals, attributes, globals that are stored, and modules imported, by `code` and the code within it."""
    names: set[str] = set()
    attributes: set[str] = set()
    stored: set[str] = set()
    modules: list[types.ModuleType] = []
    waiting = [code]
    while waiting:
        code = waiting.pop()
        waiting += [inner for inner in code.co_consts if isinstance(inner, types.CodeType)]
        for instruction in analysed(code).instructions:
            verb = instruction.opname
            if verb in {"LOAD_GLOBAL", "LOAD_NAME", "STORE_GLOBAL", "DELETE_GLOBAL"}:
                names.add(instruction.argval)
                if "GLOBAL" in verb and not verb.startswith("LOAD"):
                    stored.add(instruction.argval)
            elif verb in {"LOAD_ATTR", "LOAD_METHOD", "STORE_ATTR", "DELETE_ATTR", "IMPORT_FROM"}:
                attributes.add(instruction.argval)
            elif verb == "IMPORT_NAME" and instruction.argval in sys.modules:
                modules.append(sys.modules[instruction.argval])
    return names, attributes, stored, modules


def _filled(cell: types.CellType) -> bool:
    try:
        cell.cell_contents  # noqa: B018  asking is the only way to know
    except ValueError:
        return False
    return True
