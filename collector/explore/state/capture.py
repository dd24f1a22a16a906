"""Captures the Python part of a program's state as bytes: every thread's frames and all objects reachable from them.

The walk (`state.walk`, `state.objects`) starts from each thread's frames (`state.frames`: the code, its position, the live
variables, the evaluation stack, the exception being handled), from the check and from the invariants.  If two captures,
memories and scheduling states are equal, the program behaves the same from there on: it is deterministic, and keeps
nothing elsewhere.

Left out are dead variables (unless something happens when their object dies), the attributes and variables that a program
names as irrelevant (`SteppedMachine.uncounted`), the machine's own objects, tracebacks, and views and formatters.
"""

from __future__ import annotations

import logging
import sys
import types
import weakref
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from collector.explore.machine import ops
from collector.explore.machine.ports import SteppedPort
from collector.explore.machine.site import of_explorer
from collector.explore.machine.skippable import Left
from collector.explore.state.assumptions import local
from collector.explore.state.bytecode import OPTIMIZED, Place, analysed
from collector.explore.state.classes import Shape, shape, slot_values
from collector.explore.state.frames import between, thread_frames
from collector.explore.state.globaldata import GlobalData
from collector.explore.state.interpreter import LAYOUT, NULL, slots
from collector.explore.state.namespaces import CONSTANT, EXPLORER, Namespaces
from collector.explore.state.objects import WRITERS, named, pairs, reduced, write_enum, write_exception
from collector.explore.state.walk import EMPTY, SCALARS, Walk
from workbuf.events import null


if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import CodeType, FrameType

    from collector.explore.machine.machine import SteppedMachine
    from collector.explore.state.walk import Object, Writer


HARMLESS = SCALARS | {types.FunctionType, types.MethodType, types.BuiltinFunctionType, types.ModuleType, type, range}
"""Types whose objects can be freed without side effects."""
PLAIN = (list, tuple, dict, set, frozenset)
SMALL = 64
"""Items of a dead container that are looked at."""


class Captured(NamedTuple):
    """The Python part of a state."""

    written: bytes
    opaque: tuple[str, ...]
    """What could not be looked into, and who keeps it; if there is any, `written` tells nothing."""


class Capture:
    """Captures one machine's programs.  What it learns about code and classes it keeps."""

    def __init__(self, machine: SteppedMachine) -> None:
        self.machine = machine
        self.namespaces = Namespaces()
        self.codes: dict[CodeType, int] = {}
        self.met: dict[int, tuple[int, CodeType]] = {}
        """The number of each code object, by its id: asking for the hash of code takes long."""
        self.writers: dict[type, Writer] = dict(WRITERS)
        self.writers[types.FunctionType] = self.write_function
        self.writers[types.GeneratorType] = self.write_generator
        self.writers[types.CoroutineType] = self.write_generator
        self.writers[SteppedPort] = self.write_port
        self.writers[types.ModuleType] = self.write_module
        self.writers[types.CodeType] = lambda walk, code: walk.out.append(self.code(code))
        self.shapes: dict[type, Shape] = {}
        self.globaldata = GlobalData(self.namespaces, self.shapes)
        self.keys: dict[tuple[str, ...], int] = {}
        self.places: dict[tuple[int, int], tuple[Place, tuple[int, ...], tuple[int, ...], int]] = {}
        self.labels: dict[int, Writer] = {id(sys.modules): lambda walk, _v: walk.hidden("all modules of the process")}
        self.kept: list[object] = []
        """What has a label: as long as it lives, its id is its own."""
        self.labelled = 0
        self.port_attributes: frozenset[str] = frozenset()
        self.reads_names = False
        self.written = 0
        """Values written in all captures."""
        self.schedule = 0
        """Of the last capture."""
        self.too_large: tuple[str, ...] = ()
        """Why nothing is captured any more, unless the program tells its state: there is more than a walk writes."""

    def take(
        self, roots: Sequence[object] = (), *, told: bool = False, threads: Sequence[int] | None = None
    ) -> Captured:
        """The state of all threads between two steps, or of those `threads`, and of what the `roots` reach.

        With `told` the program says itself what is in its opaque objects.
        """
        current = sys._getframe(1)  # noqa: SLF001  the running thread's frames have no other handle
        captured, _ = self._settled(current, roots, threads, told=told)
        return captured

    def reached(self, roots: Sequence[object] = (), *, threads: Sequence[int] = ()) -> Sequence[object]:
        """The objects that those `threads` and the `roots` reach, and the globals that they name."""
        _, objects = self._settled(sys._getframe(1), roots, threads)  # noqa: SLF001  as above
        return objects

    def _settled(
        self, current: FrameType, roots: Sequence[object], threads: Sequence[int] | None, *, told: bool = False
    ) -> tuple[Captured, Sequence[object]]:
        """What is captured when no new code is found any more, and the objects that were met."""
        if self.too_large and not told:
            return Captured(b"", self.too_large), ()
        if self.labelled != len(self.machine.ports):
            self.label()
        if self.schedule != self.machine.execution.number:
            self.schedule = self.machine.execution.number
            self.namespaces.begin()
        while True:
            if not self.namespaces.hold():
                self.globaldata.walk = None
            mentioned = len(self.namespaces.mentioned)
            captured, objects = self._take(
                current, roots, range(len(self.machine.names)) if threads is None else threads, told=told
            )
            known = mentioned == len(self.namespaces.mentioned) and not self.namespaces.assumptions.found
            if self.globaldata.walk and known:
                return captured, objects
            # New code was found, which names further globals: capture again, with these.

    @property
    def epoch(self) -> int:
        """Times that what was taken for inert was found to change: captures before and after have nothing in common."""
        return self.namespaces.assumptions.epoch

    def _take(
        self, current: FrameType, roots: Sequence[object], threads: Sequence[int], *, told: bool
    ) -> tuple[Captured, Sequence[object]]:
        machine, globaldata = self.machine, self.globaldata
        carrier = machine.execution.carrier
        if not globaldata.unchanged():
            self.written += globaldata.again(lambda: Walk(self.writer, self.labels))
        before = globaldata.walk
        walk = Walk(self.writer, self.labels, before)
        walk.out += (globaldata.digest, self.epoch)
        opaque = [f"the program names {what}" for what in (*globaldata.opaque, *self.namespaces.unseen)]
        for t in threads:
            if machine.kinds[t] == ops.ENDED and t not in machine.execution.killed:
                walk.out.append(EMPTY)
                continue
            frame = carrier.frame(t)
            self.thread(walk, thread_frames(frame or current), switched=frame is not None and carrier.switches)
            walk.put([carrier.handled(t) if frame else sys.exception()])
            walk.drain()
            opaque += (f"{machine.names[t]} keeps {what}" for what in walk.opaque)
            walk.opaque.clear()
        walk.put(roots)
        walk.put(holds for invariant in machine.invariants for holds in _own(invariant))
        walk.drain()
        opaque += (f"the check keeps {what}" for what in walk.opaque)
        if self.reads_names:
            walk.put(machine.names)
        self.written += len(walk.out)
        if walk.too_large or (before and before.too_large):
            self.too_large = tuple(opaque)
        if opaque and not told:
            return Captured(b"", tuple(opaque)), walk.queue
        return Captured(walk.written(), ()), walk.queue

    def label(self) -> None:
        """What the machine and its ports consist of is written by name."""
        machine = self.machine
        self.labelled = len(machine.ports)
        parts = machine, machine.memory, machine.memory.names, machine.threads, machine.execution, machine.left
        owners = [(part, type(part).__name__) for part in parts]
        for owner, what in (*owners, *((port, f"port {port.index}") for port in machine.ports)):
            for name, v in vars(owner).items():
                if _explorers(v):
                    self.labels.setdefault(id(v), _label(f"{what}.{name}"))
                    self.kept.append(v)
        self.labels.update((id(part), _label(what)) for part, what in owners)
        self.labels[id(machine)] = self.write_machine
        self.port_attributes = frozenset(vars(machine.ports[0])) - {"seed", "event"} if machine.ports else frozenset()

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
            return lambda walk, v: walk.hidden(named(type(v)))
        found = shape(kind)
        if found is None or (kind.__module__ == "builtins" and kind is not object):
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
            walk.out.append(cls.__module__)
            return
        self.globaldata.meet(cls)
        names = self.namespaces.data(cls)
        walk.out.append(len(names))
        for name in names:
            walk.out.append(name)
            walk.put([cls.__dict__[name]])
        walk.put(cls.__bases__)
        if not self.namespaces.inert(type(cls)):
            walk.put([type(cls)])

    def write_logger(self, walk: Walk, v: Object) -> None:
        """A logger decides nothing, unless the program itself handles what is logged."""
        if self.namespaces.inert(v):
            walk.out.append(v.name)
        else:
            walk.hidden(named(type(v)))

    def write_object(self, walk: Walk, v: Object) -> None:
        """An object of a Python class."""
        kind = type(v)
        found = self.shapes[kind]
        walk.put([kind])
        if found.dictionary:
            attributes = v.__dict__
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

    def write_port(self, walk: Walk, port: SteppedPort) -> None:
        """A port: whose, and what a program may have changed in it."""
        walk.out += ("port", port.index, port.seed)
        if port.event is not null:
            walk.put([port.event])
        for name, v in vars(port).items():
            if name not in self.port_attributes and name not in {"seed", "event"}:
                walk.put([name, v])

    def write_machine(self, walk: Walk, machine: SteppedMachine) -> None:
        """The machine: what a program has hung on it."""
        walk.out.append("SteppedMachine")
        for name, v in vars(machine).items():
            if name not in machine.own:
                walk.put([name, v])

    def write_generator(self, walk: Walk, v: Object) -> None:
        """A generator or coroutine that is not running, where it stands."""
        running, frame = (
            (v.gi_running, v.gi_frame) if isinstance(v, types.GeneratorType) else (v.cr_running, v.cr_frame)
        )
        walk.out += ("generator", running)
        if frame is not None and not running:
            self.frame(walk, frame, program=True)

    def thread(self, walk: Walk, frames: Sequence[FrameType], *, switched: bool) -> None:
        """A thread's frames, outermost first; whether its greenlet has been switched away from."""
        walk.out.append(len(frames))
        caller = None
        for frame in frames:
            hidden = between(caller, frame, switched=switched) if caller else ""
            if hidden:
                walk.hidden(f"what {hidden} holds while it calls back")
            self.frame(walk, frame, program=not of_explorer(frame))
            caller = frame

    def frame(self, walk: Walk, frame: FrameType, *, program: bool) -> None:
        """One frame.  Of the explorer's own, the variables alone: what they close over is the machine's."""
        code = frame.f_code
        number = self.code(code)
        key = id(code), frame.f_lasti
        found = self.places.get(key)
        if found is None:
            found = self.places[key] = self._place(frame, program=program)
        place, kept, dead, size = found
        walk.out += (number, place.offset)
        if place.below < 0 or LAYOUT is None:
            walk.hidden(f"the stack of {code.co_qualname}")
            return
        if not code.co_flags & OPTIMIZED:
            walk.put([frame.f_locals])
        values = slots(frame, kept, size)
        if not program:
            values = [v for v in values if not type(v).__module__.startswith(EXPLORER)]
        elif dead:
            values += (v for v in slots(frame, dead, size) if type(v) not in HARMLESS and not self.harmless(v))
        walk.put(values)
        walk.out.append(EMPTY)
        if program:
            self.globals(walk, code, frame.f_globals)

    def _place(self, frame: FrameType, *, program: bool) -> tuple[Place, tuple[int, ...], tuple[int, ...], int]:
        """Where `frame` stands; slots that are kept; slots of dead variables; how many slots there are."""
        analysis = analysed(frame.f_code)
        place = analysis.place(frame.f_lasti)
        count, own = len(analysis.names), len(frame.f_code.co_varnames)
        kept = [v for v in place.live if analysis.names[v] not in self.machine.uncounted and (program or v < own)]
        size = count + max(place.below, 0)
        dead = tuple(v for v in place.dead if analysis.names[v] not in self.machine.uncounted)
        return place, (*kept, *range(count, size)), dead, size

    def harmless(self, v: object, depth: int = 0) -> bool:
        """Does nothing happen when `v` dies?"""
        kind = type(v)
        if kind in HARMLESS or v is NULL or isinstance(v, SteppedPort | Left | Enum) or id(v) in self.labels:
            return True
        if depth > 3:
            return False
        if kind in PLAIN:
            items = pairs(v) if isinstance(v, dict) else v
            return len(v) <= SMALL and all(self.harmless(item, depth + 1) for item in items)  # type: ignore[arg-type, attr-defined]
        found = self.shapes.get(kind)
        if found is None or found.finalized or found.slots or weakref.getweakrefcount(v):
            return False
        return all(self.harmless(item, depth + 1) for item in getattr(v, "__dict__", {}).values())


def _label(name: str) -> Writer:
    return lambda walk, _v: walk.out.append(name)


def _explorers(v: object) -> bool:
    """Is `v`, which a part of the machine holds, the machine's own, for all its life?"""
    if isinstance(v, types.MethodType):
        v = v.__func__
    if isinstance(v, types.FunctionType):
        return v.__module__.startswith(EXPLORER) and v is not null
    return type(v) in {list, dict, set} or (
        type(v).__module__.startswith(EXPLORER) and not isinstance(v, SteppedPort | BaseException)
    )


def _own(invariant: object) -> list[object]:
    """An invariant without the machine that it was bound to."""
    return [invariant.func] if isinstance(invariant, partial) else [invariant]
