"""The local state of one thread, told exactly or not at all.

Theory of operation.  It is where the thread's code stands, frame by frame, and what the frames' variables reach: scalars and
containers by value, functions by their code and what they close over, objects of Python classes by their attributes less those
that decide nothing (`SteppedMachine.uncounted`), the machine and its ports by name.  Of what is met twice, the second time
only that it was met, and as what number.

Anything else, an iterator or a temporary on the evaluation stack for instance, cannot be told from its like: then there is
no answer.
"""

from __future__ import annotations

import sys
from collections import deque
from enum import Enum
from types import BuiltinFunctionType, CellType, FunctionType, MethodType, ModuleType
from typing import TYPE_CHECKING

from collector.explore.machine.ports import SteppedPort
from collector.explore.state.frames import program_frames
from collector.explore.state.temporaries import has_temporaries


if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    from collector.explore.machine.machine import SteppedMachine


SCALARS = frozenset({int, str, bytes, float, bool, complex, type(None), range})
EXPLORER = "collector.explore"


class Untold(Exception):
    """Something cannot be told from its like."""


def local_state(machine: SteppedMachine, t: int) -> Hashable | None:
    """What tells the state of thread `t`, which has announced a step, from its others; None if nothing does."""
    frame = machine.frame(t) or sys._getframe()  # noqa: SLF001  the running thread's frames have no other handle
    teller = Teller(machine)
    try:
        for frame in program_frames(frame):
            teller.frame(frame)
    except Untold:
        return None
    return tuple(teller.told)


class Teller:
    """Writes one state down."""

    def __init__(self, machine: SteppedMachine) -> None:
        self.uncounted = machine.uncounted
        self.words = machine.mem
        self.told: list[Hashable] = []
        self.met: dict[int, int] = {}

    def frame(self, frame: object) -> None:
        """One frame."""
        if has_temporaries(frame):
            raise Untold
        self.told += (frame.f_code, frame.f_lasti)
        for name, v in frame.f_locals.items():
            if name not in self.uncounted:
                self.told.append(name)
                self.put(v)

    def put(self, v: object) -> None:
        """One value."""
        kind, told = type(v), self.told
        if kind in SCALARS:
            told += (kind, v)
            return
        known = self.met.get(id(v))
        told += (..., len(self.met) if known is None else known)
        if known is not None:
            return
        self.met[id(v)] = len(self.met)
        if v is self.words or kind is ModuleType or isinstance(v, type | Enum):
            told.append(id(v))
        elif kind is SteppedPort:
            told += ("port", v.index, v.seed)
        elif kind.__module__.startswith(EXPLORER):
            told.append(kind)
        elif kind is FunctionType:
            told.append(v.__code__)
            self.all(v.__closure__ or ())
            self.all(v.__defaults__ or ())
            self.all((v.__kwdefaults__ or {}).values())
        elif kind is CellType:
            try:
                self.put(v.cell_contents)
            except ValueError:
                told.append(None)
        elif kind is MethodType:
            self.all((v.__func__, v.__self__))
        elif kind is BuiltinFunctionType:
            told.append(v.__name__)
            self.put(v.__self__)
        elif kind in {list, tuple, deque, bytearray}:
            self.all(v)
        elif isinstance(v, tuple) and hasattr(v, "_fields"):
            told.append(kind)
            self.all(v)
        elif kind is dict:
            self.all(v)
            self.all(v.values())
        elif kind in {set, frozenset}:
            if not all(type(item) in SCALARS for item in v):
                raise Untold
            told.append(frozenset(v))
        else:
            self.object(v)

    def all(self, values: Iterable[object]) -> None:
        """Several values."""
        before = len(self.told)
        for v in values:
            self.put(v)
        self.told.append(before)

    def object(self, v: object) -> None:
        """An object of a class written in Python."""
        kind = type(v)
        own = vars(kind.__mro__[-2]) if kind is not object else {}
        if kind.__module__ in sys.stdlib_module_names or not ("__dict__" in own or "__slots__" in own):
            raise Untold
        self.told.append(kind)
        attributes = getattr(v, "__dict__", {})
        for name in sorted(attributes):
            if name not in self.uncounted:
                self.told.append(name)
                self.put(attributes[name])
        for cls in kind.__mro__:
            slots = vars(cls).get("__slots__", ())
            for name in (slots,) if isinstance(slots, str) else slots:
                self.put(getattr(v, name, ...)) if name not in {"__dict__", "__weakref__"} else None
