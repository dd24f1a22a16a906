"""The check that a program keeps nothing from one run to the next: what it holds outside of a run, before and after.

Theory of operation.  A program's function, its invariants, and what these close over, name and have as defaults are there
before a run and after it.  After the first run their objects are noted with what they hold.  Before anything is claimed of
all schedules they are compared: one that holds something else has been changed by the runs between, so a later run may have
begun otherwise than the first.

An object that a program only adds to, such as a set of outcomes, and a variable that it only counts up, decide nothing, if
code comes to them by variables alone.  Nor do caches (`functools.lru_cache`), which answer as if they were not there.

Not modelled.  What changes and is again what it was whenever it is compared; the level of a logger; annotations.
"""

from __future__ import annotations

import sys
import types
from itertools import chain
from operator import is_
from typing import TYPE_CHECKING

from collector.explore.machine.site import of_function
from collector.explore.state.assumptions import contents
from collector.explore.state.changes import GLOBALS, Changes
from collector.explore.state.interpreter import NULL
from collector.explore.state.objects import CACHE, cached, named
from collector.explore.state.sharingcapture import SharingCapture
from collector.explore.state.uses import reads


if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from collector.explore.machine.machine import SteppedMachine


DECIDING_NOTHING = ("logging.", "pickle.", "traceback.", "warnings.")
"""Modules whose functions do not tell later what they were called with before."""
LASTING = frozenset({"__subclasses__", "cache_info"})
"""Attributes that tell what earlier runs have made."""
CALLED = (vars(type)["__name__"].__get__, vars(type)["__qualname__"].__get__)
"""What a class is called, whatever its own class does about attributes."""
PLAIN = frozenset({int, bool, str, bytes})
"""Classes whose objects are the same if they are equal."""
TESTING = ("_pytest", "pytest", "pluggy", "xdist")
"""Packages whose objects are not looked into: they run the tests that a program may be part of."""


class Kept:
    """What a program holds between its runs."""

    def __init__(self, machine: SteppedMachine, roots: Sequence[object]) -> None:
        """As it is now, after a run."""
        self.roots = roots
        self.capture = capture = SharingCapture(machine)
        capture.unseen += TESTING
        capture.behind = False
        self.met = met = capture.reached(roots, threads=())
        caches = {id(part) for v in met if type(v) is CACHE for part in cached(v)}
        aside = {id(machine), *caches}
        changing = [v for v in met if may_change(capture, v) and id(v) not in aside and type(v) is not CACHE]
        self.opaque = [v for v in changing if capture.is_opaque(v)]
        """Of which nobody can tell whether they change."""
        self.modules = any(v is sys.modules for v in met)
        """It names the dictionary of all modules."""
        self.functions = [v for v in met if isinstance(v, types.FunctionType)]
        self.described = [(v, described(v)) for v in met if isinstance(v, types.FunctionType | type)]
        opaque = {*map(id, self.opaque)}
        self.changes = Changes(capture, enumerate(v for v in changing if id(v) not in opaque))

    def changed(self) -> str:
        """What holds something else now, and is read, with where the program is; "" if there is nothing."""
        for number, v, parts, before in self.changes.watched:
            now = parts(v)
            if len(before) == len(now) and all(map(same_value, before, now)):
                continue
            if number == GLOBALS:
                half = len(now) // 2
                names = [str(now[k]) for k in range(half) if not same_value(before[half + k], now[half + k])]
                # Of another module, or of this one by its object, it is read as an attribute.
                attributes = self.capture.namespaces.mentioned
                told = [
                    name
                    for name in names
                    if name in attributes or any(reads(f.__code__, name, NULL) for f in self.functions)
                ]
            elif number >= 0:
                holders = [*self._names(v)]
                held = contents(v) if isinstance(v, types.CellType) else v
                if holders and not any(reads(f.__code__, name, held) for f, name in holders) and not self._found(v):
                    continue
                told = [name for _, name in holders] or [named(type(v))]
            else:
                continue
            if told:
                return self._placed(told[0])
        for v, before in self.described:
            if not all(map(same_value, described(v), before)):
                return self._placed(f"how {before[1]} is called or described")
        self.capture.holds()
        # A class, a function, or a global that stood for one: not looked into, as nothing was seen to change it.
        return next((self._placed(name) for _, name in sorted(self.capture.namespaces.assumptions.loose, key=str)), "")

    def _placed(self, what: str) -> str:
        """With where the program is."""
        where = next(filter(None, map(of_function, self.roots)), "")
        return f"{what} at {where}" if where else what

    def hidden(self) -> str:
        """What may hold something from run to run that cannot be compared, in words; "" if there is nothing."""
        namespaces = self.capture.namespaces
        if self.modules:
            return "sys.modules"
        told = [
            *namespaces.patched,
            *(f"what {name} tells" for name in sorted(LASTING & namespaces.unseen.keys())),
            *(f"what {name} keeps" for name in namespaces.keeping if not name.startswith(DECIDING_NOTHING)),
        ]
        if told:
            return told[0]
        for v in self.opaque:
            holders = [name for _, name in self._names(v)] if type(v) is not frozenset else []
            if holders:
                return f"{holders[0]}, {named(type(v))},"
        return ""

    def _found(self, v: object) -> bool:
        """Does code come to `v` otherwise than by a variable: is it a root, held by an object, the class of one?"""
        if any(v is root for root in self.roots):
            return True
        if isinstance(v, type) and any(issubclass(type(each), v) for each in self.met):
            return True
        for each in self.met:
            if isinstance(each, types.FunctionType):
                held: Sequence[object] = [*vars(each).values()]
            else:
                held = () if isinstance(each, types.CellType) else self.capture.walk_over(each).queue
            if any(v is one for one in held):
                return True
        return False

    def _names(self, v: object) -> Iterator[tuple[types.FunctionType, str]]:
        """The variables of functions that stand for `v`, or are it."""
        for f in self.functions:
            cells = zip(f.__code__.co_freevars, f.__closure__ or (), strict=True)
            yield from ((f, name) for name, cell in cells if cell is v or contents(cell) is v)
            yield from ((f, name) for name, value in f.__globals__.items() if value is v)
            arguments = f.__code__.co_varnames[: f.__code__.co_argcount]
            defaults = f.__defaults__ or ()
            # A program may assign more defaults than there are arguments.
            pairs = chain(
                zip(reversed(arguments), reversed(defaults), strict=False),
                (f.__kwdefaults__ or {}).items(),
            )
            yield from ((f, name) for name, value in pairs if value is v)


def described(v: types.FunctionType | type) -> list[object]:
    """What a function or a class is called, and what it says of itself."""
    if isinstance(v, type):
        return [*(name(v) for name in CALLED), vars(v).get("__doc__"), vars(v).get("__module__")]
    return [v.__name__, v.__qualname__, v.__doc__, v.__module__]


def may_change(capture: SharingCapture, v: object) -> bool:
    """May `v` come to hold something else?  A module may that a list has: no code need name it."""
    return isinstance(v, types.ModuleType) or capture.may_change(v)


def same_value(x: object, y: object) -> bool:
    """Are these one object, or the same number or text?  Of a subclass each may hold more, and its `==` mean anything."""
    if type(x) is float and type(y) is float:
        return x.hex() == y.hex()  # 0.0 == -0.0
    return is_(x, y) or (type(x) is type(y) and type(x) in PLAIN and x == y)
