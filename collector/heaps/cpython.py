"""Reads the heap of the Python interpreter that runs this program (source `cpython`).

It consists of the objects that the cyclic collector tracks after `gc.collect()`, and everything that they refer to
(`gc.get_objects`, closed under `gc.get_referents`), less what the reader itself made.  Addresses are `id`s, sizes are
`sys.getsizeof`, references lie behind a header word (see `layout`).

Roots: the modules of `sys.modules` as DATA; the frames of every thread that runs Python as its STACK (code, globals and
local variables); what is reached from neither, and was still not collected, is held from C and becomes OTHER.  So
everything is reachable: a source of shapes, not of garbage.

While objects are collected the reader holds them, so that no `id` is used twice; afterwards only columns are left.
Other threads go on running: this is a heap that the interpreter might have had, not one that it had at one moment.  On
a build without the GIL the locals of a running thread cannot be read safely, and are left out.
"""

from __future__ import annotations

import gc
import platform
import sys
import threading
from array import array
from inspect import CO_OPTIMIZED
from typing import TYPE_CHECKING

from collector.heaps.graph import NO_GROUP, NONE, WORD, Areas, Finalizers, Graph, Kind, Source, column, typed
from collector.heaps.layout import SIZE_LIMIT, behind_header


if TYPE_CHECKING:
    from types import FrameType

    from collector.heaps.stream import Limits, Progress


PROGRESS_EVERY = 8192


def read(limits: Limits, progress: Progress | None = None) -> Graph:
    """The graph of this interpreter, of at most `limits.objects` objects."""
    gc.collect()
    return _Capture(limits.objects, progress).graph()


def running_frames() -> dict[int, list[FrameType]]:
    """The frames of every thread by its number, innermost first, without those of this package."""
    frames: dict[int, list[FrameType]] = {}
    for thread, top in sys._current_frames().items():  # noqa: SLF001 - the documented way
        frame: FrameType | None = top
        frames[thread] = []
        while frame is not None:
            if not str(frame.f_globals.get("__name__")).startswith(f"{__package__}."):
                frames[thread].append(frame)
            frame = frame.f_back
    return frames


def locals_are_safe(thread: int) -> bool:
    """Say whether the local variables of a running thread may be read: our own, or nobody runs while we do."""
    return thread == threading.get_ident() or getattr(sys, "_is_gil_enabled", lambda: True)()


def local_variables(frame: FrameType) -> list[object]:
    """What the local variables of a function hold; a module's or class's are one object, its namespace."""
    variables = frame.f_locals
    if not frame.f_code.co_flags & CO_OPTIMIZED:
        return [variables]
    held = list(variables.values())
    # Before Python 3.13 this was a copy that the frame keeps: with it, all that we saw would live as long as the frame.
    # The three references are the frame's, ours and the call's; a fourth means that the program itself holds a locals().
    if isinstance(variables, dict) and sys.getrefcount(variables) <= 3:
        variables.clear()
    return held


def size_of(thing: object) -> int:
    """Bytes of an object, 0 where its own `__sizeof__` fails or says something absurd."""
    try:
        size = sys.getsizeof(thing)
    except Exception:  # noqa: BLE001 - the method of any class at all
        return 0
    return size if size <= SIZE_LIMIT else 0


def typename(kind: type) -> str:
    """Its name, with its module if that is not builtins."""
    try:
        name, module = str(kind.__qualname__), kind.__module__
    except Exception:  # noqa: BLE001 - the metaclass of any class at all
        return "?"
    return name if module == "builtins" else f"{module}.{name}"


class _Capture:
    """Holds every object while it numbers them; none once `graph` has returned."""

    def __init__(self, limit: int, progress: Progress | None) -> None:
        self._limit = limit
        self._progress = progress
        self._cut = 0
        """References to objects beyond the limit."""
        frames = running_frames()
        tracked = gc.get_objects()
        own = (self, self.__dict__, tracked, frames, *frames.values(), *(f for stack in frames.values() for f in stack))
        self._own = {id(thing) for thing in own}
        self._objects = [thing for thing in tracked if id(thing) not in self._own][:limit]
        self._number = {id(thing): i for i, thing in enumerate(self._objects)}
        self._own |= {id(self._own), id(self._objects), id(self._number)}
        self._first = array("Q", [0])
        self._target = column()
        self._roots = Areas()
        self._area(Kind.DATA, "sys.modules", [sys.modules, *sys.modules.values()])
        for thread, stack in frames.items():
            for frame in stack:
                held = [frame.f_code, frame.f_globals, frame.f_builtins]
                if locals_are_safe(thread):
                    held += local_variables(frame)
                self._area(Kind.STACK, frame.f_code.co_qualname, held, thread)

    def graph(self) -> Graph:
        """Follow every reference, then let the objects go."""
        self._follow()
        sizes = array("Q", map(size_of, self._objects))
        address = array("Q", map(id, self._objects))
        kinds = {id(kind): kind for kind in map(type, self._objects)}
        types = typed((id(type(thing)) for thing in self._objects), lambda key: typename(kinds[key]))
        kinds.clear()
        self._objects.clear()
        self._number.clear()
        self._held_from_c()
        offset, size = behind_header(self._first, sizes)
        source = Source(
            "cpython",
            "cpython",
            platform.python_version(),
            byte_order=sys.byteorder,
            declared_bytes=sum(sizes),
            dropped={"references beyond the limit": self._cut},
            notes=("no layout (references behind a header word)",),
        )
        interior = array("Q", bytes(WORD * len(self._target)))
        digest = array("I")
        return Graph(
            source,
            address,
            size,
            self._first,
            offset,
            self._target,
            interior,
            self._roots,
            Finalizers(),
            digest,
            *types,
        )

    def _follow(self) -> None:
        objects, target, first = self._objects, self._target, self._first
        for done, thing in enumerate(objects):  # grows while it is walked
            for other in gc.get_referents(thing):
                if (i := self._take(other)) != NONE:
                    target.append(i)
            first.append(len(target))
            if self._progress is not None and done % PROGRESS_EVERY == 0:
                self._progress(done, len(objects))

    def _take(self, thing: object) -> int:
        """The number of an object, a new one where it was not met before, NONE for what is not wanted."""
        key = id(thing)
        i = self._number.get(key, NONE)
        if i == NONE and key not in self._own:
            if len(self._objects) == self._limit:
                self._cut += 1
            else:
                i = self._number[key] = len(self._objects)
                self._objects.append(thing)
        return i

    def _area(self, kind: Kind, name: str, held: list[object], group: int = NO_GROUP) -> None:
        for k, thing in enumerate(held):
            if (i := self._take(thing)) != NONE:
                self._roots.slot(WORD * k, i)
        self._roots.close(kind, name, WORD * len(held), group)

    def _held_from_c(self) -> None:
        """Make whatever the roots do not reach a root of kind OTHER, one where several hang together."""
        marks = bytearray(len(self._first) - 1)
        grey = list(self._roots.target)
        missing: list[int] = []
        for i in range(-1, len(marks)):
            if i >= 0 and not marks[i]:
                missing.append(i)
                grey.append(i)
            while grey:
                at = grey.pop()
                if not marks[at]:
                    marks[at] = 1
                    grey += self._target[self._first[at] : self._first[at + 1]]
        for k, i in enumerate(missing):
            self._roots.slot(WORD * k, i)
        self._roots.close(Kind.OTHER, "held from C", WORD * len(missing))
