"""Small worlds for a hunt, by name: `cycle:move+hide:7:1:FAULT:cs:5`.

It is what the mutators do, how many objects and helpers there are, a fault, the collections (c concurrent, s stopped), and
how many entries a work buffer has.  The first are the smallest that have what the log shows, then those with the programs
that the run's own mutators ran; the rest are their neighbours.  A token of one says its name, so it can be replayed and
explained like any scenario's.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from collector.faults import FAULTS
from collector.fixtures.cycles import MANY, cycle
from collector.fixtures.lives import LIVES
from collector.fixtures.worlds import CONFIG, Timeless
from collector.newborn import Newborn
from collector.runtime import AuditedM
from collector.scenarios.scenario import Scenario, Variant
from mutator.programs.finalizers import Finalizers
from mutator.programs.registry import PROGRAMS
from workbuf.buffer import HANDOFF_MIN, WORKBUF, capacity
from workbuf.machine import WORD


if TYPE_CHECKING:
    from collector.explore import SteppedMachine
    from collector.explore.program import Check, Program
    from collector.hunt.facts import Facts

PREFIX = "cycle:"
PAIRS = (("move", "hide"), ("publish", "hide"), ("wander", "wander"), ("call", "move"))
AGAIN = ("replace", "replace")
"""Those whose objects' memory is used again."""
FINALIZING = {name for name, each in PROGRAMS.items() if issubclass(each, Finalizers)}
SMALL = 7
"""Objects: a root with two children, these with two each."""
NARROW = capacity(CONFIG.wbufsize)
MARKERS, ROOMY = 2, 2 * HANDOFF_MIN
"""Helpers, and entries of a buffer of which a handoff may give half away while some are taken out and put in."""
LARGE = 49
"""Objects of which several full buffers are made."""
MOST_OBJECTS, MOST_HELPERS, MOST_CYCLES, MOST_ENTRIES = 64, 4, 4, 64
FORCES = {"c": 0, "s": 1}
"""The kinds of collections: gcwork's argument."""


class TimelessM(Newborn, Timeless, AuditedM):
    """Every audit, and no clock.  Whoever allocates in a collection assists, as where `gogc` has asked for it."""

    newborn = True

    def gcwork(self, force: int) -> None:
        """One collection."""
        self.port.store(self.working, 1)
        super().gcwork(force)
        self.port.store(self.working, 0)


class World(NamedTuple):
    """A small world."""

    lives: tuple[str, ...]
    objects: int = SMALL
    helpers: int = 0
    fault: str = ""
    plan: str = "c"
    """The collections, a letter each."""
    entries: int = NARROW

    @property
    def name(self) -> str:
        """By which `world` finds it."""
        said = f"{PREFIX}{'+'.join(self.lives)}:{self.objects}:{self.helpers}:{self.fault}:{self.plan}"
        return said if self.entries == NARROW else f"{said}:{self.entries}"


def worlds(known: Facts) -> list[str]:
    """The names of the worlds to look at, the likeliest first."""
    marked = known.phase != "off"
    pairs = sorted(PAIRS, key=lambda pair: ("call" in pair) != known.syscalls) if marked else list(PAIRS)
    sizes = (SMALL, MANY, LARGE) if known.buffers else (MANY, SMALL) if known.assists else (SMALL, MANY)
    helpers = (1, 0) if known.helpers else (0, 1)
    last = "s" if known.stopped else "c"
    # What one collection leaves behind shows in the next, what is freed there in the one after.
    two, three, four = ("c" * (min(known.cycle, n) - 1) + last for n in (2, 3, MOST_CYCLES))
    small = [*((pair, two) for pair in pairs), (AGAIN, three)]
    if known.freed:
        small = small[-1:] + small[:-1]
    if known.buffers:
        # Buffers live for one collection, and those who allocate take and leave most of them.
        small = [(pairs[0], last), (AGAIN, last), *((pair, last) for pair in pairs[1:]), *small]
    plans = dict.fromkeys((*([four] if known.freed else []), f"c{last}", last, *(["s"] if known.helpers else [])))
    theirs = [(pair, plan) for plan in plans for pair in known.programs]
    kinds = [*small, *theirs]
    if known.finalizers:
        # Only these programs make any.
        kinds.sort(key=lambda kind: FINALIZING.isdisjoint(kind[0]))
    made = [World(lives, objects, n, known.fault, plan) for n in helpers for lives, plan in kinds for objects in sizes]
    if known.handoffs:
        # It takes somebody who waits, and most is marked by all together where all is marked in one stop.
        waiting = min(known.helpers, MARKERS) or 1
        handing = dict.fromkeys(("s", last, two))
        made[:0] = [World(pairs[0], MANY, waiting, known.fault, plan, ROOMY) for plan in handing]
    return [each.name for each in made]


def parsed(name: str) -> World:
    """The world of that name; ValueError says what is wrong with it."""
    lives, objects, helpers, fault, plan, entries = (*name.removeprefix(PREFIX).split(":"), *[""] * 5)[:6]
    wrong = [life for life in lives.split("+") if life not in LIVES and life not in PROGRAMS]
    if wrong or (fault and fault not in FAULTS):
        what = f"no program {wrong[0]!r}" if wrong else f"no fault {fault!r}"
        raise ValueError(
            f"{name}: {what}; {PREFIX}{'+'.join(LIVES)}:OBJECTS:HELPERS:FAULT:CYCLES:ENTRIES, "
            f"or programs of stress runs"
        )
    numbers = (
        (objects or str(SMALL), 1, MOST_OBJECTS),
        (helpers or "0", 0, MOST_HELPERS),
        (entries or str(NARROW), NARROW, MOST_ENTRIES),
    )
    if not all(text.isdecimal() and low <= int(text) <= high for text, low, high in numbers):
        raise ValueError(
            f"{name}: 1 to {MOST_OBJECTS} objects, at most {MOST_HELPERS} helpers, {NARROW} to {MOST_ENTRIES} entries"
        )
    if not set(plan) <= FORCES.keys() or len(plan) > MOST_CYCLES:
        raise ValueError(f"{name}: at most {MOST_CYCLES} collections, {' or '.join(FORCES)} each")
    n, most, room = (int(text) for text, _, _ in numbers)
    return World(tuple(lives.split("+")), n, most, fault, plan or "c", room)


def world(name: str) -> tuple[Scenario, Variant]:
    """The world of that name, as a scenario of one variant; ValueError says what is wrong with the name."""
    made = parsed(name)
    chosen = Variant(program(made), races=False)
    return Scenario(name, f"A collection while mutators {' and '.join(made.lives)}", (), {"": chosen}), chosen


def program(made: World) -> Program:
    """The program of such a world."""
    m = FAULTS[made.fault].planted(TimelessM) if made.fault else TimelessM
    forces = [FORCES[each] for each in made.plan]
    lives = [LIVES.get(life, life) for life in made.lives]
    config = replace(CONFIG, wbufsize=(WORKBUF.size + made.entries) * WORD)

    def small(machine: SteppedMachine) -> Check:
        return cycle(machine, made.objects, made.helpers, lives, m, forces, config)

    return small
