"""Captures the Python part of a program's state as bytes: every thread's frames and all objects reachable from them.

The walk (`state.walk`, `state.objects`) starts from each thread's frames (`state.frames`: the code, its position, the live
variables, the evaluation stack, the exception being handled), from the check and from the invariants.  If two captures,
memories and scheduling states are equal, the program behaves the same from there on: it is deterministic, and keeps
nothing elsewhere.

Left out are dead variables (unless something happens when their object dies), the attributes and variables that a program
names as irrelevant (`SteppedMachine.uncounted`), the machine's own objects, tracebacks, and views and formatters.
"""

from __future__ import annotations

import sys
import types
import weakref
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from collector.explore.machine import ops
from collector.explore.machine.ports import SteppedPort
from collector.explore.machine.site import module_of, of_explorer
from collector.explore.machine.skippable import Left
from collector.explore.state.bytecode import OPTIMIZED, Place, analysed
from collector.explore.state.frames import between, operands_of, thread_frames
from collector.explore.state.interpreter import LAYOUT, NULL, slots
from collector.explore.state.namespaces import EXPLORER
from collector.explore.state.objects import pairs
from collector.explore.state.walk import EMPTY, SCALARS
from collector.explore.state.writers import Writers


if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import FrameType

    from collector.explore.machine.machine import SteppedMachine
    from collector.explore.state.walk import Object, Walk


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


class Capture(Writers):
    """Captures one machine's programs."""

    def __init__(self, machine: SteppedMachine) -> None:
        super().__init__(machine)
        self.writers[types.GeneratorType] = self.write_generator
        self.writers[types.CoroutineType] = self.write_generator
        self.places: dict[tuple[int, int], tuple[Place, tuple[int, ...], tuple[int, ...], int]] = {}
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
            self.holds()
            mentioned = len(self.namespaces.mentioned)
            captured, objects = self._take(
                current, roots, range(len(self.machine.names)) if threads is None else threads, told=told
            )
            known = mentioned == len(self.namespaces.mentioned) and not self.namespaces.assumptions.found
            if self.globaldata.walk and known:
                return captured, objects
            # New code was found, which names further globals: capture again, with these.

    def holds(self) -> bool:
        """Is everything still inert that was taken to be?  If not, the next capture asks again what is."""
        if self.namespaces.hold():
            return True
        self.globaldata.walk = None
        return False

    @property
    def epoch(self) -> int:
        """Times that what was taken for inert was found to change: captures before and after have nothing in common."""
        return self.namespaces.assumptions.epoch + self.machine.asked

    def _take(
        self, current: FrameType, roots: Sequence[object], threads: Sequence[int], *, told: bool
    ) -> tuple[Captured, Sequence[object]]:
        machine, globaldata = self.machine, self.globaldata
        carrier = machine.execution.carrier
        if not globaldata.unchanged():
            self.written += globaldata.again(self.walk)
        before = globaldata.walk
        walk = self.walk(before)
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
        walk.put(self.kept_beside())
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

    def kept_beside(self) -> Iterator[object]:
        """By the stand-ins of the library."""
        return (v for say in self.machine.clocks for v in say())

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
            if caller and hidden:
                walk.hidden(f"what {hidden} holds while it calls back", operands_of(caller))
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
            values = [v for v in values if not module_of(type(v)).startswith(EXPLORER)]
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


def _own(invariant: object) -> list[object]:
    """An invariant without the machine that it was bound to."""
    return [invariant.func] if isinstance(invariant, partial) else [invariant]
