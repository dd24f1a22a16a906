"""Which of some Python objects have changed since they were looked at, and in which item or attribute.

Most objects are compared without a look at each: what they all hold lies in one list, as it was and as it is.
"""

from __future__ import annotations

import types
from collections import deque
from itertools import chain
from operator import attrgetter, is_
from random import Random, SystemRandom
from typing import TYPE_CHECKING, Any, NamedTuple

from collector.explore.state.interpreter import NULL
from collector.explore.state.objects import LISTED, named, pairs
from collector.explore.state.sets import items_changed, layout
from collector.explore.state.walk import SCALARS


if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from collector.explore.state.globaldata import Parts
    from collector.explore.state.sharingcapture import SharingCapture

LATE = -1
"""Number of all objects that have come to be shared only in the course of a schedule."""
GLOBALS = -2
"""Number of the namespaces of all modules; its slots are names."""
MEMORY = -3
"""Number of the machine's memory, as something that grows."""
WORDS = -5
"""Number of all objects whose attributes are words of the machine: what these hold is shared, and they tell the rest."""
GROWS = "memory that grows without a step"
FLOATING = (float, complex)
"""Types that have equal objects which are not the same: zeros with their signs."""
WHOLE = ("its class", "its code", "its defaults", "its defaults by name")
"""What of an object, or of a function, may be assigned and is used whenever the object is."""
BY_NAME = "its default of "
"""What stands before the name of an argument: its default is used like that, too."""
OF_FUNCTION = attrgetter("__code__", "__defaults__", "__kwdefaults__")


class Access(NamedTuple):
    """A turn reads or changes a shared object."""

    number: int
    """Of the object."""
    slot: object
    """Which item or attribute; None if it may be any."""
    changes: bool
    name: str
    """Of the object, for people."""
    brings: bool = False
    """The object has got something that threads may share from now on: not scalars alone."""


class Watched(NamedTuple):
    """One object that may change."""

    number: int
    value: object
    parts: Parts
    held: list[object]
    """What it held."""


class Changes:
    """Of some objects, and of the globals that code names."""

    def __init__(self, capture: SharingCapture, objects: Iterable[tuple[int, object]]) -> None:
        """From now on, of those objects with their numbers."""
        self.capture = capture
        self.machine = capture.machine
        self.watched: list[Watched] = []
        self.views: list[Collection[object]] = []
        """Of most of these: what they hold, now and later."""
        self.owners: list[object] = []
        """Of these, what holds it in attributes: its class and the dictionary of attributes may be assigned."""
        self.functions: list[object] = []
        """Those of these that are functions: so may their code and defaults."""
        self.sets: list[set[object]] = []
        """Those of these that are sets: how their items lie may change, and the items be the same."""
        self.others: list[Watched] = []
        """The others."""
        for number, v in objects:
            self._watch(number, v)
        self.names = capture.globaldata.names[:]
        """Globals."""
        self.watched.append(Watched(GLOBALS, self, self._globals, self._globals(self)))
        self.others.append(self.watched[-1])
        self.size = len(self.machine.memory.words)
        """Of the machine's memory then."""
        self.held = self._now()
        """What all held then, and how much each."""
        self.laid = [*map(layout, self.sets)]
        """How the items of the sets lay then."""

    def _watch(self, number: int, v: object) -> None:
        parts = self._parts(v)
        self.watched.append(Watched(number, v, parts, parts(v)))
        views = self._views(v)
        if not views:
            self.others.append(self.watched[-1])
        elif type(v) not in LISTED:
            self.owners.append(v)
        if type(v) is set:
            self.sets.append(v)
        if type(v) is types.FunctionType:
            self.functions.append(v)
            if v.__kwdefaults__:
                self.views += (v.__kwdefaults__.keys(), v.__kwdefaults__.values())
        self.views += views

    def found(self, names: Mapping[int, str]) -> Iterator[Access]:
        """What has changed; `names` has those of the objects, where they are known."""
        if len(self.machine.memory.words) != self.size:
            yield Access(MEMORY, None, changes=True, name=GROWS)
        lengths, all_now = self._now()
        held = lengths == self.held[0] and all(map(is_, all_now, self.held[1]))
        if held and (not self.sets or self.laid == [*map(layout, self.sets)]):
            return
        for number, v, parts, before in self.watched:
            now = parts(v)
            if len(now) != len(before) or not all(map(same, now, before)):
                by_name = type(v) is dict or v is self.machine or v is self or self.capture.by_name(v)
                brings = more_than_scalars(before, now)
                for slot in slots_changed(v, before, now, by_name=by_name) if number not in {LATE, WORDS} else [None]:
                    name = str(slot or "globals") if number == GLOBALS else names.get(number) or named(type(v))
                    yield Access(number, slot, changes=True, name=name, brings=brings)

    def globals_before(self) -> dict[tuple[int, str], object]:
        """What each global stood for then, by its namespace's id and its name."""
        names = ((id(space), name) for space, name in self.names)
        return dict(zip(names, self.watched[-1].held[len(self.names) :], strict=True))

    def _now(self) -> tuple[list[int], list[object]]:
        """What all hold now, and how much each: what one has lost the next may have got."""
        lengths = [*map(len, self.views)]
        now = [*chain.from_iterable(self.views), *map(type, self.owners), *map(vars, self.owners)]
        now += chain.from_iterable(map(OF_FUNCTION, self.functions))
        for other in self.others:
            parts = other.parts(other.value)
            now += parts
            lengths.append(len(parts))
        return lengths, now

    def _globals(self, _: object) -> list[object]:
        """The names that the program's code has for data, and what they stand for."""
        return [*(name for _, name in self.names), *(space.get(name, NULL) for space, name in self.names)]

    def _views(self, v: Any) -> Sequence[Collection[object]]:  # noqa: ANN401  an object of any type
        """What shows all that `v` holds, now and later; nothing if there is no such thing."""
        kind = type(v)
        if kind in (list, deque, set):
            return [v]
        if kind is dict:
            return [v.keys(), v.values()]
        if self.capture.by_name(v) and self.machine.uncounted.isdisjoint(vars(v)):
            return [vars(v).keys(), vars(v).values()]
        return ()

    def _parts(self, v: object) -> Parts:
        """How to ask what `v` holds."""
        kind, machine = type(v), self.machine
        if kind is set:
            return lambda v: [*v, layout(v)]
        if kind in LISTED:
            return LISTED[kind]
        if v is machine:
            return lambda v: pairs({name: x for name, x in vars(v).items() if name not in machine.own})
        if isinstance(v, Random):
            return lambda v: [] if isinstance(v, SystemRandom) else [hash(v.getstate())]
        if self.capture.by_name(v):
            return lambda v: pairs(whole(v) | {name: x for name, x in vars(v).items() if name not in machine.uncounted})
        return self.capture.globaldata.parts(v) or self._written

    def _written(self, v: object) -> list[object]:
        """What `v` holds, as it is written down."""
        walk = self.capture.walk_over(v)
        return [*walk.out, *walk.queue]


def whole(v: object) -> dict[str, object]:
    """What is used of `v` whenever `v` is."""
    if type(v) is not types.FunctionType:
        return {WHOLE[0]: type(v)}
    by_name = {f"{BY_NAME}{name}": default for name, default in (v.__kwdefaults__ or {}).items()}
    return {**dict(zip(WHOLE, (type(v), *OF_FUNCTION(v)), strict=True)), **by_name}


def used_with_it(name: str) -> bool:
    """Is that no attribute, but used whenever the object is?"""
    return name in WHOLE or name.startswith(BY_NAME)


def same(x: object, y: object) -> bool:
    """Are these one object, or equal scalars?"""
    alike = type(x) is type(y) and type(x) in SCALARS and x == y
    return x is y or (alike and (type(x) not in FLOATING or repr(x) == repr(y)))


def more_than_scalars(held: list[object], now: list[object]) -> bool:
    """Has an object that held and now holds this got anything but scalars?"""
    before = {*map(id, held)}
    return any(type(v) not in SCALARS and id(v) not in before for v in now)


def slots_changed(v: object, held: list[object], now: list[object], *, by_name: bool) -> Iterator[object]:
    """Which items or attributes of `v` are others, whose names or keys come first; None if it is not that simple."""
    kind, half = type(v), len(now) // 2
    if kind is set:
        yield from items_changed(held, now)
    elif len(held) != len(now):
        yield None
    elif kind in (list, deque):
        yield from (k for k in range(len(now)) if held[k] is not now[k])
    elif by_name and all(map(is_, held[:half], now[:half])):
        changed = [now[k] for k in range(half) if held[half + k] is not now[half + k]]
        yield from (None if type(name) is str and used_with_it(name) else name for name in changed)
    else:
        yield None
