"""Python objects that threads share: which there are, which of them change, and who uses them.

Theory of operation.  What two threads can reach before their first steps is watched: after each turn its content is
compared with what it was (`state.changes`).  Nothing else can come to be shared unless something of that changes, or a
thread is spawned; then it is looked for again.  Each schedule makes its own objects, so they are known by their numbers in
a walk over what all threads reach, which is the same at the beginning of every schedule.

What a turn has used is found (`state.turn`) of those objects only that are *hot*: they have changed in some turn, or cannot
be looked into.  In the first schedule no object is, and the search begins afresh when one becomes so.

Where a program may see that an object dies, none is watched, and nothing is proved: to watch it is to keep it alive.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from collector.explore.machine import ops
from collector.explore.machine.asked import AskedMachine, telling
from collector.explore.state.changes import GLOBALS, GROWS, LATE, MEMORY, WORDS, Access, Changes
from collector.explore.state.objects import named
from collector.explore.state.sets import LAID
from collector.explore.state.sharingcapture import SharingCapture
from collector.explore.state.turn import Turn


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from collector.explore.machine.machine import SteppedMachine


class Shared:
    """Watches the shared objects of one machine's programs."""

    def __init__(self, machine: SteppedMachine) -> None:
        self.machine = machine
        self.capture = SharingCapture(machine)
        self.form: tuple[object, ...] = ()
        """Of the walk over what all threads reach."""
        self.numbers: list[int] = []
        """In that walk, of the objects that are shared."""
        self.opaque: set[int] = set()
        """Those of them of which nobody can tell whether they change."""
        self.hot: set[int] = set()
        self.grown = False
        """Some object has become hot; what turns had to do with it before is not known."""
        self.objects: dict[int, tuple[int, object]] = {}
        """By their ids: the number of each in this schedule, and itself, so that its id stays its own."""
        self.changes = Changes(self.capture, ())
        """Since the turn under way began."""
        self.current: Turn | None = None
        """The turn under way, where there is something hot that it may use."""
        self.arranged: set[int] = set()
        """The numbers of sets whose order somebody may have seen: for others it does not matter how their items lie."""
        self.askers = 0
        """Threads that have asked which they are, before the turn under way."""
        self.late = False
        """Some objects have come to be shared only in the course of this schedule."""
        self.threads = 0
        self.owners: dict[int, tuple[int, object]] = {}
        """By the ids of the dictionaries of attributes: the number of the shared object whose they are, and itself."""
        self.names: dict[int, str] = {}
        """Of objects that were used, for people."""

    def begin(self) -> None:
        """All threads of a schedule have come to their first steps."""
        capture, machine = self.capture, self.machine
        self.threads = len(machine.names)
        self.late = False
        met = self._met(range(self.threads))
        form = len(met), len(capture.globaldata.codes), len(capture.globaldata.classes), capture.epoch
        if form != self.form:
            # The first one, or other code was met by now, which names more.
            shared = self._shared()
            self.numbers = [k for k, v in enumerate(met) if id(v) in shared]
            before = {number for number in self.hot if number >= 0}
            self.grown = not before <= self.opaque
            self.form, self.hot = form, self.hot - before
            self.opaque = {k for k in self.numbers if capture.is_opaque(met[k])}
            self.hot |= self.opaque
            # That costs time, so it is done only where code names such a thing.
            if any(v is machine for v in met) and not capture.namespaces.mentioned.isdisjoint(telling(machine)):
                machine.__class__ = AskedMachine
        self.objects = {id(met[k]): (self._number(met[k], k), met[k]) for k in self.numbers}
        self.owners.clear()
        self._own(self.objects.values())
        if any(type(v) is set for _, v in self.objects.values()):
            met = capture.reached([machine.check, *machine.invariants], threads=())
            self._arrange({number for v in met if type(v) is set for number in self.known(v)})

    @property
    def exact(self) -> bool:
        """Each shared object has a number of its own."""
        return self.hot.isdisjoint({LATE, MEMORY}) and not self.late

    def _shared(self) -> dict[int, object]:
        """What two threads reach and that may change, by its id."""
        capture = self.capture
        once: dict[int, object] = {}
        twice: dict[int, object] = {}
        dictionaries: set[int] = set()
        met: set[int] = set()
        for t in range(len(self.machine.names)):
            own = {id(v): v for v in self._met([t])}
            met |= own.keys()
            # Whoever has an object has the dictionary of its attributes.
            attributes = {id(d): d for d in map(capture.attributes, own.values()) if d is not None}
            dictionaries |= attributes.keys()
            own |= attributes
            twice.update((known, own[known]) for known in own.keys() & once.keys())
            once.update(own)
        return {known: v for known, v in twice.items() if known not in dictionaries - met and capture.may_change(v)}

    def _met(self, threads: Sequence[int]) -> Sequence[object]:
        """What those threads reach; nothing, if that is not to be watched."""
        self.capture.whose = threads[0] if len(threads) == 1 else None
        met = self.capture.reached(threads=threads)
        return () if self.hindrance else met

    @property
    def hindrance(self) -> str:
        """Why nothing is watched."""
        capture = self.capture
        reached, named = next(iter(capture.too_large), capture.hindrance), next(iter(capture.namespaces.unseen), "")
        found = f"reach {reached}" if reached else f"name {named}" if named else ""
        return found and f"what the threads do with Python objects is not known, as they {found}"

    def _number(self, v: object, number: int) -> int:
        """By which `v` is known, if not by its class."""
        return WORDS if type(v) in self.capture.in_words else number

    def known(self, v: object) -> list[int]:
        """The numbers by which `v`, or its attributes by themselves, are known."""
        attributes = self.capture.attributes(v)
        found = [self.objects[id(each)][0] for each in (v, attributes) if id(each) in self.objects]
        if id(v) in self.owners:
            found.append(self.owners[id(v)][0])
        return found

    def resume(self) -> None:
        """From here on turns are watched."""
        if len(self.machine.names) != self.threads:
            self.look_for_more()
        self.compare_with_now()

    def look_for_more(self) -> None:
        """Something may have come to be shared; what was shared by one that has ended, another may still use."""
        self.threads = len(self.machine.names)
        for known, v in self._shared().items():
            if known not in self.owners:
                self.objects.setdefault(known, (self._number(v, LATE), v))
        late = [each for each in self.objects.values() if each[0] == LATE]
        self.late = bool(late)
        self._own(late)
        if any(self.capture.is_opaque(v) for _, v in late):
            self.opaque.add(LATE)
            self.hot.add(LATE)

    def _own(self, objects: Iterable[tuple[int, object]]) -> None:
        """Whoever has the dictionary of attributes of one of those by itself, has that one."""
        for number, v in objects:
            attributes = self.capture.attributes(v)
            if attributes is not None:
                self.owners.setdefault(id(attributes), (number, attributes))

    def compare_with_now(self) -> None:
        """From what is there now on, changes are told."""
        self.changes = Changes(self.capture, (each for each in self.objects.values() if each[0] not in self.opaque))

    def turn(self, t: int) -> None:
        """Thread `t` is about to take its step."""
        if len(self.machine.names) != self.threads or len(self.machine.memory.words) != self.changes.size:
            # By a turn that nobody watched, since it is known: a thread it spawned may share what nobody did before.
            self.look_for_more()
            self.compare_with_now()
        self.askers = len(self.machine.askers)
        self.machine.met.clear()
        self.current = Turn(self.capture, self.known, t) if self.hot else None
        if self.hindrance:
            # Nothing is watched, so that what dies is gone.
            self.objects.clear()
            self.current = None
            self.compare_with_now()

    def turned(self, kind: int) -> list[Access]:
        """The turn, of a step of that kind, is over: what it had to do with what threads share."""
        if self.hindrance:
            return []
        all_changed = [
            access for access in self.changes.found(self.names) if access.number != MEMORY or kind != ops.SYSALLOC
        ]
        changed = [each for access in all_changed if access.number != WORDS for each in self._visible(access)]
        numbers = {access.number for access in all_changed} - {WORDS}
        self.grown = self.grown or not numbers <= self.hot or len(self.machine.askers) > self.askers
        self.hot |= numbers
        found: dict[Access, None] = {}
        if self.current:
            if GLOBALS in numbers:
                self.current.replaced = self.changes.globals_before()
            found = dict.fromkeys(self._used(self.current))
        if kind == ops.SYSALLOC and MEMORY in self.hot:
            # Where it has got its words tells how far memory had grown.
            found[Access(MEMORY, None, changes=False, name=GROWS)] = None
        if kind in (ops.SPAWN, ops.SYSALLOC) or any(access.brings for access in (*all_changed, *found)):
            self.look_for_more()
        if all_changed or kind in (ops.SPAWN, ops.SYSALLOC):
            self.compare_with_now()
        self.current = None
        return [*changed, *found]

    def _used(self, turn: Turn) -> Iterator[Access]:
        """Of hot objects, what the turn has used; whether one that is opaque is changed, nobody can tell."""
        uses = turn.uses(self.names)
        if turn.before is None:
            uses = ((number, None, named(type(v))) for number, v in self.objects.values())
        met = ((number, None, "current_thread()") for v in self.machine.met for number in self.known(v))
        for number, slot, name in chain(uses, met):
            if number in self.hot:
                opaque = number in self.opaque
                yield Access(number, slot, changes=opaque, name=name, brings=opaque)
        self._arrange(turn.arranged if turn.before is not None else {number for number, _ in self.objects.values()})

    def _visible(self, access: Access) -> Sequence[Access]:
        """That change, as far as somebody may see it: how the items of a set lie has to do with all of them."""
        if access.slot is not LAID:
            return [access]
        return [access._replace(slot=None)] if access.number in self.arranged else []

    def _arrange(self, numbers: set[int]) -> None:
        """Somebody may have seen the order of those that are sets."""
        self.grown = self.grown or not numbers <= self.arranged
        self.arranged |= numbers
