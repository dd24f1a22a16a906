"""Finds out whether what threads do with shared Python objects depends on an order that DPOR takes for irrelevant.

Theory of operation.  DPOR runs one interleaving of each trace, and knows only the machine's cells.  That is right if the
threads' Python objects are as plain memory is: whatever two turns do with one object, and one of them changes it, is
ordered by their steps (happens-before), as between lock and unlock.  Then no two neighbouring steps that DPOR may swap have
an object in common, and all interleavings of a trace do the same.  If it is not so in some interleaving that was run, then
nothing is proved, and the object is named.

What turns do with objects is found by `state.shared`.  Of a step that is run again it is known.  It is also known of a turn
that some interleaving had already: what a thread does follows from what it has found before, in cells, with its steps and
without, and in the shared objects that change.  What is in one of these follows from who has changed it, having found what.
"""

from __future__ import annotations

from bisect import bisect_right
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from collector.explore.machine import ops
from collector.explore.machine.observed import EVERY, Log, Observed
from collector.explore.state.changes import GROWS, MEMORY, Access
from collector.explore.state.shared import Shared
from collector.explore.strategies.dpor.dependence import ADDRESSES
from collector.explore.strategies.dpor.path import Path, happens_before


if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from collector.explore.machine.machine import SteppedMachine
    from collector.explore.prefix import Taken
    from collector.explore.strategies.dpor.dependence import Step
    from collector.explore.strategies.dpor.path import Node

    Accesses = tuple[Access, ...]
    """Of one turn."""

CELLS = -4
"""Number of the machine's cells, as something that is looked at without a step; its slots are their addresses."""
AGAIN = 30
"""Times that the search begins afresh because objects were found to change that had not changed before."""


class Turned(NamedTuple):
    """A turn that was watched."""

    cells: tuple[tuple[int, int], ...]
    """Those that it read without a step, in order, and what was in them."""
    versions: tuple[tuple[int, int], ...]
    """Of the shared objects that it used, before it."""
    accesses: Accesses
    far: tuple[int, ...]
    """Cells that were not there when the threads began, and that it has found there."""


class Sharing:
    """What the threads of one machine's programs do with the objects that they share, schedule after schedule."""

    def __init__(self, machine: SteppedMachine) -> None:
        self.machine = machine
        self.shared = Shared(machine)
        plain = machine.memory.plain
        self.observed = plain if isinstance(plain, Observed) else None
        self.looked: set[int] = set()
        """Cells that a turn has looked at, or written, without a step, as an oracle in a body does."""
        self.poked: set[int] = set()
        """Those of them that were written: whoever reads one has to do with it."""
        self.base = 0
        """Of the machine's memory when all threads had come to their first steps."""
        self.size = 0
        """Of the machine's memory before the turn under way."""
        self.unordered = ""
        """An object that is used in no fixed order, and by whom."""
        self.begun = 0
        """Times that the search has begun afresh."""
        self.resumed = False
        """Turns are compared with what was before, in this schedule."""
        self.behind = False
        """A turn that was not watched has changed an object since."""

    def begin(self) -> None:
        """All threads of a schedule have come to their first steps."""
        self.resumed = self.behind = False
        self.base = len(self.machine.memory.words)
        self.shared.begin()  # each schedule makes objects of its own, also where none has changed so far

    def pass_by(self, kind: int, its: Accesses) -> None:
        """A turn, of a step of that kind, was taken again and not watched.

        What came to be shared by it may be shared no more when others are watched, since somebody has ended meanwhile.
        """
        if kind in (ops.SPAWN, ops.SYSALLOC) or any(access.brings for access in its):
            self.shared.look_for_more()

    def watch(self, t: int) -> None:
        """Thread `t` is about to take a step whose turn is new."""
        if not self.resumed:
            self.shared.resume()
        elif self.behind:
            self.shared.compare_with_now()
        self.resumed, self.behind = True, False
        self.size = len(self.machine.memory.words)
        self.shared.turn(t)
        if self.observed is not None:
            self.observed.begin(self.machine.execution)

    def log(self) -> Log:
        """The turn that was watched is over: what it, and a thread that it spawned, has read and written without a step."""
        turn = Log()
        for log in self.observed.end().values() if self.observed is not None else ():
            turn.add(log)
        return turn

    def cells(self, log: Log, step: Step, far: Collection[int]) -> Iterator[Access]:
        """What the turn of `step` has to do with cells that any turn has looked at, or written, without a step.

        `far` is as `far` says.
        """
        looked, poked = self.looked, self.poked
        self.shared.grown = self.shared.grown or not (log.looks <= looked and log.pokes <= poked)
        looked |= log.looks
        poked |= log.pokes
        found = dict.fromkeys(log.looks, False)
        if looked:
            its = {step.cell} if step.cell > 0 else set()
            if step.cell == ADDRESSES:
                its = {EVERY, *(a for a in looked if a >= self.size)}  # which are there from now on
            written = log.writes | its if step.write else log.writes
            if poked:
                found |= dict.fromkeys((a for a in (*log.reads, *its) if a in poked or EVERY in poked), False)
            found |= dict.fromkeys((a for a in written if a in looked or EVERY in looked), True)
            found |= dict.fromkeys(log.pokes & {EVERY}, True)
        for a, changes in found.items():
            name = "the memory" if a == EVERY else self.machine.name(a)
            yield Access(CELLS, None if a == EVERY else a, changes=changes, name=f"{name} without a step")
        if EVERY in log.looks or (far and -1 in self.taken(far)):
            yield Access(MEMORY, None, changes=False, name=GROWS)

    def far(self, log: Log, step: Step) -> tuple[int, ...]:
        """Cells that were not there when the threads began, and are found to be there in the turn of `step`.

        That its thread's next step is on one, too: it is looked for when the step is announced.
        """
        kinds, addrs, base = self.machine.kinds, self.machine.addrs, self.base
        threads = (step.thread, step.aim) if step.aim >= 0 else (step.thread,)
        announced = (addrs[t] for t in threads if kinds[t] in ops.TOUCHING)
        return tuple({a for a in (*announced, *log.reads, *log.writes) if a >= base})

    def taken(self, cells: Iterable[int]) -> Iterator[int]:
        """Which `sysalloc` of this schedule has brought each of those cells, counted from 0; -1: none, it was no step."""
        pieces = self.machine.memory.taken
        for a in cells:
            k = bisect_right(pieces, a, key=itemgetter(0)) - 1
            yield k if k >= 0 and a < pieces[k][1] else -1

    def use(self, first: int, second: int) -> None:
        """The second thread has used memory that the first has got, and no step orders that."""
        names = self.machine.names
        self.unordered = self.unordered or (
            f"{names[second]} uses memory that {names[first]} takes from the system, and no step orders that: equivalent "
            'interleavings may end otherwise (strategy="stateful" or "exhaustive" tells them apart)'
        )

    def compare(self, first: int, its: Accesses, second: int, others: Accesses) -> bool:
        """Does it matter in which order two turns of those threads came, which no step orders?  Then `unordered` says it."""
        found = conflict(its, others)
        if found:
            names = self.machine.names
            self.unordered = (
                f"{names[first]} and {names[second]} share {found}, and no step orders what they do with it: equivalent "
                'interleavings may end otherwise (strategy="stateful" or "exhaustive" tells them apart)'
            )
        return bool(found)

    @property
    def _told(self) -> str:
        """What the machine itself has told a thread, and why that matters."""
        told = self.machine.told
        return told and (
            f"a thread asks for {told}, and no step orders what that tells: equivalent interleavings may end otherwise "
            '(strategy="stateful" or "exhaustive" tells them apart)'
        )

    def afresh(self) -> bool:
        """A schedule is over: has the search to begin afresh?"""
        # Code that was taken to stay as it is may have been assigned: from now on it is watched.
        if self.resumed and not self.shared.capture.holds():
            self.shared.grown = True
        self.unordered = self.unordered or self.shared.hindrance or self._told
        if not self.shared.grown or self.unordered:
            return False
        self.shared.grown = False
        self.begun += 1
        if self.begun > AGAIN:
            self.unordered = "what the threads share in Python is something else in every schedule"
        return not self.unordered


class Objects(Sharing):
    """The same for optimal DPOR, which knows what most turns that it runs again have done."""

    def __init__(self, machine: SteppedMachine) -> None:
        super().__init__(machine)
        self.path = Path()
        """Of the schedule under way."""
        self.quiet = True
        """No shared object has changed, and there is none that may change unseen."""
        self.known: dict[int, list[Turned]] = {}
        """Turns that were watched, by what the thread had found before."""
        self.versions: dict[int, int] = {}
        """Per object that has changed in this schedule, the turns that have changed it, and in what order."""
        self.watching = False
        """The turn under way is watched."""

    def begin(self) -> None:
        form = self.shared.form
        super().begin()
        if form != self.shared.form:
            self.known.clear()  # objects have other numbers
        self.watching = False
        self.versions.clear()
        self.quiet = self.quiet and not self.shared.hot
        if self.shared.grown:
            for node in self.path.nodes:
                node.accesses = ()

    def passing(self, steps: Sequence[Taken], nodes: Sequence[Node]) -> Iterator[Taken]:
        """The steps that are taken again from those nodes, one after the turn of the other is over."""
        for step, node in zip(steps, nodes, strict=True):
            yield step
            self.pass_by(node.kind, node.accesses)
            self._change(node)

    def arrive(self) -> None:
        """The last step's turn is over, or this is the end of what was run again."""
        if self.watching:
            self.watching = False
            node = self.path.nodes[-1]
            log = self.log()
            far = self.far(log, node.step)
            node.accesses = (*self.shared.turned(node.kind), *self.cells(log, node.step, far))
            self.quiet = self.quiet and not node.accesses
            cells = (*log.reads.items(),)
            versions = (*((n, self.versions.get(n, 0)) for n in sorted({access.number for access in node.accesses})),)
            turned = Turned(cells, versions, node.accesses, far)
            told = self.observed is not None and not log.whole and node.kind != ops.CHOOSE and self._foreseeable
            if told and not any(access.brings for access in node.accesses):
                self.known.setdefault(node.history, []).append(turned)
            self._over(node, turned, whole=log.whole)

    def go(self, node: Node) -> None:
        """The step from `node` is about to be taken."""
        machine, t = self.machine, node.step.thread
        node.accesses = ()
        own = self.path.steps[t]
        past = self.path.nodes[own[-2]].history if len(own) > 1 else self._birth(t)
        size = (len(machine.memory.words), len(machine.names)) if node.kind >= ops.SPAWN else 0
        node.history = hash((past, *apart(node.announced), machine.flags[t], size))
        if node.kind != ops.SPAWN and self._foreseeable:
            for turned in self.known.get(node.history, ()):
                if self._finds(turned):
                    node.accesses = turned.accesses
                    self._over(node, turned)
                    self.behind = self.behind or any(access.changes for access in turned.accesses)
                    return
        self.watching = True
        self.watch(t)

    @property
    def _foreseeable(self) -> bool:
        """Does what a turn finds tell what it will do with shared objects?"""
        return self.quiet or self.shared.exact

    def _finds(self, turned: Turned) -> bool:
        """Does the turn that is about to begin find what that one has found?"""
        words, versions = self.machine.memory.words, self.versions
        try:
            cells = all(words[a] == v for a, v in turned.cells)
        except IndexError:  # nobody has taken that cell from the system yet
            return False
        return cells and all(versions.get(n, 0) == v for n, v in turned.versions)

    def _over(self, node: Node, turned: Turned, *, whole: bool = False) -> None:
        """The turn from `node` is over, or it is known how it will be; `whole`: it has read cells in a way not known."""
        if node.accesses and not self.shared.grown:
            self._compare(node)
        if turned.far and not self.shared.grown:
            self._trace(node, turned.far)
        cells = (apart(cell) for cell in turned.cells)
        node.history = hash((node.history, *cells, turned.versions, whole and node.index, node.step.value))
        self._change(node)

    def _change(self, node: Node) -> None:
        """What the turn from `node` has changed, is something else from now on."""
        for access in node.accesses:
            if access.changes:
                self.versions[access.number] = hash((self.versions.get(access.number, 0), node.history))

    def _trace(self, node: Node, cells: tuple[int, ...]) -> None:
        """Were those cells, which its turn has found there, there in any case?"""
        nodes, allocations = self.path.nodes, self.path.writes[ADDRESSES]
        for k in self.taken(cells):
            if k >= 0 and not happens_before(nodes[allocations[k]], node):
                self.use(nodes[allocations[k]].step.thread, node.step.thread)

    def _birth(self, t: int) -> int:
        """The history of a thread before its first step."""
        spawned = self.path.born.get(t)
        return hash((t, self.path.nodes[spawned].history if spawned is not None else 0))

    def _compare(self, node: Node) -> None:
        """Is what the last turn did ordered with all that others have done?"""
        for other in self.path.nodes:
            first, second = other.step.thread, node.step.thread
            if not other.accesses or first == second or happens_before(other, node):
                continue
            if self.compare(first, other.accesses, second, node.accesses):
                return

    def afresh(self) -> bool:
        begins = super().afresh()
        if begins:
            self.known.clear()
        return begins


def apart(words: tuple[int, ...]) -> tuple[int, ...]:
    """Words, and their upper halves: in the hash of an integer 2**61 - 1 counts as nothing."""
    return (*words, *[word >> 32 for word in words])


def conflict(xs: Accesses, ys: Accesses) -> str:
    """The name of an object for which the order of the two turns matters; empty if there is none."""
    for x in xs:
        for y in ys:
            if (
                x.number == y.number
                and (x.changes or y.changes)
                and (x.slot is None or y.slot is None or x.slot == y.slot)
            ):
                return min(x.name, y.name, key=lambda name: name.startswith(("a ", "an ", "what ")))
    return ""
