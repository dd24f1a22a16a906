"""How the objects of a program are written: its functions, classes, modules and objects, and what it has of the machine.

What the machine and its ports consist of is written by name.  Of functions and modules, the globals that code names are a
part, where they hold data (`state.namespaces`, `state.globaldata`).
"""

from __future__ import annotations

import gc
import logging
import sys
import types
import weakref
from enum import Enum
from functools import cache
from typing import TYPE_CHECKING

from collector.explore.machine.machine import SteppedMachine
from collector.explore.machine.ports import SteppedPort
from collector.explore.machine.site import module_of
from collector.explore.state.assumptions import local
from collector.explore.state.classes import Shape, shape, slot_values
from collector.explore.state.globaldata import GlobalData
from collector.explore.state.interpreter import NULL
from collector.explore.state.namespaces import CONSTANT, EXPLORER, Namespaces
from collector.explore.state.objects import WRITERS, named, pairs, reduced, write_enum, write_exception
from collector.explore.state.walk import Walk
from workbuf.events import null


if TYPE_CHECKING:
    from types import CodeType

    from collector.explore.state.walk import Object, Writer


class Writers:
    """Writes objects of one machine's programs.  What it learns about code and classes it keeps."""

    def __init__(self, machine: SteppedMachine) -> None:
        self.machine = machine
        self.namespaces = Namespaces()
        self.codes: dict[CodeType, int] = {}
        self.met: dict[int, tuple[int, CodeType]] = {}
        """The number of each code object, by its id: asking for the hash of code takes long."""
        self.writers: dict[type, Writer] = dict(WRITERS)
        self.writers[types.FunctionType] = self.write_function
        self.writers[SteppedPort] = self.write_port
        self.writers[types.ModuleType] = self.write_module
        self.writers[types.SimpleNamespace] = self.write_namespace
        self.writers[types.CodeType] = lambda walk, code: walk.out.append(self.code(code))
        self.shapes: dict[type, Shape] = {}
        self.globaldata = GlobalData(self.namespaces, self.shapes)
        self.keys: dict[tuple[str, ...], int] = {}
        self.labels: dict[int, Writer] = {
            id(sys.modules): lambda walk, _v: walk.hidden("all modules of the process", ())
        }
        self.kept: list[object] = []
        """What has a label: as long as it lives, its id is its own."""
        self.labelled = 0
        self.reads_names = False

    def walk(self, after: Walk | None = None) -> Walk:
        """A new walk over objects."""
        return Walk(self.writer, self.labels, after)

    def label(self) -> None:
        """What the machine and its ports consist of is written by name."""
        machine = self.machine
        self.labelled = len(machine.ports)
        owners = [(part, type(part).__name__) for part in parts(machine)]
        names = attributes()
        own = [({name: getattr(part, name, None) for name in names[k]}, what) for k, (part, what) in enumerate(owners)]
        own += ((port.own, f"port {port.index}") for port in machine.ports)
        for held, what in own:
            for name, v in held.items():
                if _explorers(v):
                    self.labels.setdefault(id(v), _label(f"{what}.{name}"))
                    self.kept.append(v)
        self.labels.update((id(part), _label(what)) for part, what in owners)
        self.labels[id(machine)] = self.write_machine

    def writer(self, kind: type) -> Writer:
        """How to write objects of that type."""
        found = self.writers.get(kind)
        if found is None:
            found = self.writers[kind] = self._writer(kind)
        return found

    def _writer(self, kind: type) -> Writer:
        if issubclass(kind, type):
            return self.write_class
        if issubclass(kind, Enum):
            return write_enum
        if issubclass(kind, BaseException):
            return write_exception
        if issubclass(kind, logging.Logger):
            return self.write_logger
        if issubclass(kind, CONSTANT):
            return lambda walk, v: walk.put([type(v).__name__, repr(v)])
        if issubclass(kind, weakref.ref):
            return lambda walk, v: walk.hidden(named(type(v)), [v()])
        found = shape(kind)
        if found is None or (module_of(kind) == "builtins" and kind is not object):
            return reduced
        self.shapes[kind] = found
        return self.write_object

    def code(self, code: CodeType) -> int:
        """A number for `code`, equal code with equal numbers."""
        known = self.met.get(id(code))
        if known is None:
            # What is met is kept, so that its id stays its own.
            known = self.met[id(code)] = self.codes.setdefault(code, len(self.codes)), code
            self.reads_names = self.reads_names or "name" in code.co_names
        return known[0]

    def write_function(self, walk: Walk, f: types.FunctionType) -> None:
        """A function: its code, what it closes over, its defaults, and the globals that it names."""
        walk.out += ("function", self.code(f.__code__))
        if self.namespaces.inert(f) and not local(f):
            return
        walk.put(f.__closure__ or ())
        walk.put(f.__defaults__ or ())
        walk.put(pairs(f.__kwdefaults__ or {}))
        walk.dictionary(f, f.__dict__)
        walk.put(pairs(f.__dict__))
        self.globals(walk, f.__code__, f.__globals__)

    def globals(self, walk: Walk, code: CodeType, space: dict[str, object]) -> None:
        """The globals of `code` that hold data."""
        references = self.namespaces.named(code, space)
        if not references or self.globaldata.covers(code, space):
            return
        for module, name in references:
            walk.out.append(name)
            walk.put([(space if module is None else vars(module)).get(name, NULL)])

    def write_module(self, walk: Walk, module: types.ModuleType) -> None:
        """A module: its name, and what of its data the program names."""
        walk.out.append(module.__name__)
        for name in self.namespaces.of_module(module):
            walk.put([name, vars(module).get(name, NULL)])

    def write_class(self, walk: Walk, cls: type) -> None:
        """A class: its name, its bases, and those of its attributes that hold data."""
        walk.out.append(cls.__qualname__)
        if self.namespaces.inert(cls):
            walk.out.append(module_of(cls))
            return
        self.globaldata.meet(cls)
        names = self.namespaces.data(cls)
        walk.out.append(len(names))
        for name in names:
            walk.out.append(name)
            walk.put([cls.__dict__[name]])
        walk.put(cls.__bases__)
        walk.dictionary(cls, *gc.get_referents(vars(cls)))
        if not self.namespaces.inert(type(cls)):
            walk.put([type(cls)])

    def write_logger(self, walk: Walk, v: Object) -> None:
        """A logger decides nothing, unless the program itself handles what is logged."""
        if self.namespaces.inert(v):
            walk.out.append(v.name)
        else:
            walk.hidden(named(type(v)), vars(v).values())

    def write_object(self, walk: Walk, v: Object) -> None:
        """An object of a Python class."""
        kind = type(v)
        found = self.shapes[kind]
        walk.put([kind])
        if found.dictionary:
            attributes = object.__getattribute__(v, "__dict__")
            walk.dictionary(v, attributes)
            if not self.machine.uncounted.isdisjoint(attributes):
                attributes = {name: x for name, x in attributes.items() if name not in self.machine.uncounted}
            names = tuple(attributes)
            walk.out.append(self.keys.setdefault(names, len(self.keys)))
            walk.put(attributes.values())
        if found.slots:
            walk.put(slot_values(found.slots, v))
        if found.content:
            content = list(found.content(v))
            walk.out.append(len(content))
            walk.put(content)

    def write_namespace(self, walk: Walk, v: types.SimpleNamespace) -> None:
        """A simple namespace."""
        walk.out.append("SimpleNamespace")
        walk.dictionary(v, vars(v))
        walk.put(pairs(vars(v)))

    def write_port(self, walk: Walk, port: SteppedPort) -> None:
        """A port: whose, and what a program may have changed in it."""
        walk.out += ("port", port.index)
        for name, v in vars(port).items():
            if v is not port.own.get(name, port.own) and name != "changes":
                walk.put([name, v])

    def write_machine(self, walk: Walk, machine: SteppedMachine) -> None:
        """The machine: what a program has hung on it."""
        walk.out.append("SteppedMachine")
        for name, v in vars(machine).items():
            if name not in machine.own:
                walk.put([name, v])


def parts(machine: SteppedMachine) -> tuple[object, ...]:
    """The machine, and what it consists of."""
    return machine, machine.memory, machine.memory.names, machine.threads, machine.execution, machine.left


@cache
def attributes() -> list[tuple[str, ...]]:
    """The names of the attributes that a machine's parts have.

    They are those of a machine that nobody runs: whoever is asked for all it has is slower from then on (CPython 3.11).
    """
    return [tuple(vars(part)) for part in parts(SteppedMachine())]


def _label(name: str) -> Writer:
    return lambda walk, _v: walk.out.append(name)


def _explorers(v: object) -> bool:
    """Is `v`, which a part of the machine holds, the machine's own, for all its life?"""
    if isinstance(v, types.MethodType):
        v = v.__func__
    if isinstance(v, types.FunctionType):
        return module_of(v).startswith(EXPLORER) and v is not null
    return type(v) in {list, dict, set} or (
        module_of(type(v)).startswith(EXPLORER) and not isinstance(v, SteppedPort | BaseException)
    )
