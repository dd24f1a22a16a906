"""What threads reach of Python objects, and which of these may change: walks for what is watched between threads.

A walk goes through opaque objects, too, since what they hold may be shared.  To watch objects is to keep them alive: where a
program may see that one dies, there is a hindrance.

Relied on.  What `contextlib.contextmanager` makes is entered by a `with` statement, which ends it.

Not looked into.  Recorders and oracles of this project, and stand-ins for the library's (`stdlib`) but for its threads.
"""

from __future__ import annotations

import contextlib
import gc
import sys
import types
import weakref
from enum import Enum
from typing import TYPE_CHECKING, Any

from collector.explore.machine.ports import SteppedPort
from collector.explore.machine.site import module_of
from collector.explore.state.bytecode import analysed
from collector.explore.state.capture import Capture
from collector.explore.state.globaldata import UNCHANGING
from collector.explore.state.interpreter import NULL
from collector.explore.state.library import oracle
from collector.explore.state.objects import LISTED, WRITERS, named, pairs
from collector.explore.state.reach import Reach
from collector.explore.stdlib.local import Local
from collector.explore.stdlib.place import MAIN
from collector.explore.stdlib.thread import Thread


if TYPE_CHECKING:
    from collections.abc import Iterator

    from collector.explore.machine.machine import SteppedMachine
    from collector.explore.state.walk import Object, Walk, Writer

WEAK = (weakref.ReferenceType, weakref.ProxyType, weakref.CallableProxyType)
STAND_INS = "collector.explore.stdlib"
"""Where classes are from, or get their attributes from, whose objects are words of the machine."""
TELLS = "which may tell when an object dies"


class SharingCapture(Capture):
    """Captures without what is not watched."""

    unseen: tuple[str, ...] = (STAND_INS,)
    """Where the classes are from whose objects are not looked into."""

    def __init__(self, machine: SteppedMachine) -> None:
        super().__init__(machine)
        self.behind = True
        """Walks go through opaque objects."""
        self.hindrance = ""
        """Why it cannot be watched what threads do with what they reach."""
        self.whose: int | None = None
        """The thread that is walked for; None: all are."""
        self.in_words: set[type] = set()
        """Classes whose objects' attributes are words of the machine."""
        self.entered: weakref.WeakSet[Any] = weakref.WeakSet()
        """Generators of `contextlib.contextmanager`: the `with` statement that has entered one ends it."""
        self.writers.update((kind, self._noting(WRITERS[kind])) for kind in WEAK)

    def _writer(self, kind: type) -> Writer:
        module = module_of(kind)
        if issubclass(kind, Local):
            return self._write_local
        if oracle(module) or (module.startswith(self.unseen) and not issubclass(kind, Thread)):
            return leaf
        if module_of(kind.__getattribute__).startswith(STAND_INS):
            self.in_words.add(kind)
        write = super()._writer(kind)
        if issubclass(kind, contextlib._GeneratorContextManager):  # noqa: SLF001
            return self._entering(write)
        dies = issubclass(kind, WEAK) or isinstance(getattr(kind, "__del__", None), types.FunctionType)
        return self._noting(write) if dies else write

    def _write_local(self, walk: Walk, v: Object) -> None:
        """What each thread has put there is its own."""
        walk.out.append(type(v).__name__)
        for me, its in object.__getattribute__(v, "__dict__").items():
            if self.whose in {None, me - 1}:
                walk.put(pairs(its))

    def _entering(self, write: Writer) -> Writer:
        def entering(walk: Walk, v: Object) -> None:
            generator: Any = v
            self.entered.add(generator.gen)
            write(walk, v)

        return entering

    def _noting(self, write: Writer) -> Writer:
        def noting(walk: Walk, v: Object) -> None:
            if all(v is not each for each in weakref.getweakrefs(self.machine)):  # it outlives the program
                self.hindrance = self.hindrance or f"{named(type(v))}, {TELLS}"
            write(walk, v)

        return noting

    def write_generator(self, walk: Walk, v: Object) -> None:
        generator: Any = v
        prefix = "gi" if isinstance(v, types.GeneratorType) else "cr"
        frame, running, suspended = (getattr(v, f"{prefix}_{name}") for name in ("frame", "running", "suspended"))
        entered = generator in self.entered or (running and frame.f_back.f_code.co_filename == contextlib.__file__)
        # It is closed when it dies, which runs its `finally` and leaves its `with`.
        if (
            (running or suspended)
            and not entered
            and analysed(frame.f_code).cleans_up(-1 if running else frame.f_lasti)
        ):
            self.hindrance = self.hindrance or f"a generator that cleans up ({frame.f_code.co_qualname}), {TELLS}"
        super().write_generator(walk, v)

    def kept_beside(self) -> Iterator[object]:
        return (v for v in super().kept_beside() if not isinstance(v, Thread) or self._finds(v))

    def _finds(self, thread: Thread) -> bool:
        """Does a thread that is walked for find that object, its own, by asking which thread it is?"""
        me = -1 if thread.ident is None or thread.ident == MAIN else thread.ident - 1
        return me in self.machine.askers and self.whose in {None, me}

    def walk(self, after: Walk | None = None) -> Walk:
        return Reach(self, after) if self.behind else super().walk(after)

    def lost(self, what: str) -> None:
        """What that holds, nobody can tell."""
        self.hindrance = self.hindrance or f"{what}, which cannot be looked into"

    def may_change(self, v: object) -> bool:
        """May `v` come to hold something else?"""
        if v is self.machine:
            return True
        if v is NULL or type(v) in UNCHANGING or id(v) in self.labels:
            return False
        if self.writer(type(v)) is leaf or issubclass(type(v), Local):
            return False
        if isinstance(v, types.ModuleType):
            return sys.modules.get(v.__name__) is not v  # of those that are, the names are watched
        if isinstance(v, Enum):
            return not self.namespaces.inert(type(v))
        return not isinstance(v, types.FrameType) and not self.namespaces.inert(v)

    def is_opaque(self, v: object) -> bool:
        """Can nobody tell whether `v` changes?"""
        if type(v) in LISTED or v is self.machine or self.globaldata.parts(v):
            return False
        return bool(self.walk_over(v).opaque)

    def walk_over(self, v: object) -> Walk:
        """The walk over what `v` itself holds."""
        walk = Reach(self)
        self.writer(type(v))(walk, v)
        return walk

    def attributes(self, v: Any) -> dict[str, object] | None:  # noqa: ANN401  an object of any type
        """The dictionary of the attributes of `v`, if it has one that code may change."""
        kind, shape = type(v), self.shapes.get(type(v))
        found: dict[str, object] | None = None
        if kind is types.FunctionType or kind is types.SimpleNamespace:
            found = vars(v)
        elif isinstance(v, type):
            found = None if self.namespaces.inert(v) else gc.get_referents(vars(v))[0]
        elif shape and shape.dictionary:
            found = object.__getattribute__(v, "__dict__")
        return found

    def by_name(self, v: object) -> bool:
        """Is all that `v` holds in attributes that have names?"""
        kind = type(v)
        if kind is types.FunctionType or kind is types.SimpleNamespace or kind is SteppedPort:
            return True
        shape = self.shapes.get(kind)
        return shape is not None and shape.dictionary and not shape.slots and not shape.content


def leaf(walk: Walk, v: Object) -> None:
    """What is not looked into."""
    walk.out.append(type(v).__name__)
