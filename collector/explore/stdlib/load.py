"""Loads modules of a program so that their threads, locks and queues are the stepped machine's."""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING, NamedTuple
from weakref import WeakKeyDictionary, proxy

from collector.explore.stdlib.attributes import watch_classes
from collector.explore.stdlib.modules import standins
from collector.explore.stdlib.overlooked import Kept, given, overlooked
from collector.explore.stdlib.place import Place
from collector.explore.stdlib.source import execute, source


if TYPE_CHECKING:
    from collections.abc import Collection

    from collector.explore.machine.machine import SteppedMachine


class Standins(NamedTuple):
    """Those of a machine: they serve all its schedules."""

    place: Place
    modules: dict[str, ModuleType]
    kept: list[Kept]
    """What the schedule under way is not to change."""


STANDINS: WeakKeyDictionary[SteppedMachine, Standins] = WeakKeyDictionary()


def load(
    machine: SteppedMachine, name: str, *others: str, watch: bool = True, unwatched: Collection[str] = ()
) -> ModuleType:
    """The module `name`, afresh, its source unchanged, with stand-ins for `threading`, `queue` and `time`.

    To be called by a program each time it is called: whatever the module makes when it is imported, locks or tables, is
    new in every schedule.  The real module is left alone.  Of the modules that it imports those named in `others` are
    loaded in the same way, before it and in that order.

    With `watch`, attributes of objects whose classes these modules define are words of the machine, read and written
    plainly; but for attributes called as in `unwatched`.  Where a module has something that is not watched, a global that
    functions change, say, a warning says so, and nothing is claimed to be proved; unless that is in `unwatched`, too.
    Raises ModuleNotFoundError where there is no source of that name.
    """
    found = STANDINS.get(machine)
    if found is None:
        place = Place(proxy(machine))  # or the machine would be kept by what is kept for it
        found = STANDINS[machine] = Standins(place, standins(place), [])
    place, loaded, kept = found.place, dict(found.modules), found.kept
    if place.begins():
        machine.warnings.update(warning for each in kept for warning in each.changed())
        kept.clear()
    for each in (*others, name):
        module = ModuleType(each)
        execute(source(each), module, loaded)
        if watch:
            watch_classes(module, place, frozenset(unwatched), given(source(each).code))
            machine.warnings.update(overlooked(module, source(each).code, unwatched))
            kept.append(Kept(module, unwatched))
        loaded[each] = module
    return loaded[name]
