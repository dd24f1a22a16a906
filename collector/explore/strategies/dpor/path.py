"""DPOR's current path: the steps of the interleaving under exploration, their happens-before order and their races.

Each step has a clock: of each thread, how many steps come before it in every equivalent interleaving.  A new step is
compared with the last ones of other threads that it conflicts with, the latest first; one that its clock does not know
yet races with it.  What has been written and read is kept per cell and taken back with the steps, so going back costs
no more than having come.

A race is put down only if it can be turned round:

* two acquires of a mutex race with each other, not the release with the next acquire;
* a step after a pause can come before a write that lets it go only if another write lets it go as well; one that leaves
  its cell as it was lets nobody go;
* a sleep cannot come before its wake-up, but before the note was cleared after an earlier one;
  (a mutex is taken and released, and a note woken and cleared, by whatever step changes its word;)
* when nobody can run and all who pause are let go, everything before comes before everything after; but who waited then
  for a mutex or a note could have come before it was taken, or cleared.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from collector.explore.machine import ops
from collector.explore.machine.threads import EXPIRED, PAUSED, can
from collector.explore.prefix import announced
from collector.explore.strategies.dpor.dependence import Step, pending
from collector.explore.strategies.dpor.wakeup import awake


if TYPE_CHECKING:
    from collector.explore.machine.machine import SteppedMachine
    from collector.explore.prefix import Announced, Scene, Taken
    from collector.explore.state.changes import Access
    from collector.explore.strategies.dpor.wakeup import Branch, Sleep

    Turns = dict[int, tuple[bytes, ...]]
    """Per thread, the local states that it has been in since it last did more than read; see `dpor.idle`."""


class Era(NamedTuple):
    """The part of an interleaving since those who pause were last let go."""

    releases: int
    """Times that has happened."""
    begin: int
    """Index of its first step."""
    past: list[int]
    """Clock of everything before it."""


class Victim(NamedTuple):
    """What a killed thread was about to do."""

    step: Step
    kind: int
    expects: int
    expired: bool
    """Of a sleep: its limit was over."""
    paused_twice: bool
    """In a row: no change lets it go, only that nobody can run, and the kill can."""


class Node:
    """A state on the current path and the step taken from it."""

    __slots__ = (
        "accesses", "announced", "clock", "cut", "done", "era", "history", "index", "kind", "number", "races", "saved",
        "scene", "sleep", "step", "tree", "turns",
    )  # fmt: skip

    index: int
    sleep: Sleep
    """What has been explored from here or from an equivalent state."""
    tree: list[Branch]
    """What is left to explore; the first branch is the one under way."""
    era: Era
    turns: Turns
    """Kept where idle turns are cut; and so is the next."""
    cut: frozenset[int]
    """Threads that have ended an idle turn; see `dpor.idle`."""
    done: int
    """Branches that were explored."""
    scene: Scene
    """The next steps there."""
    announced: Announced
    step: Step
    kind: int
    number: int
    """Which of its thread's steps it is, counted from 1."""
    clock: list[int]
    """Per thread, how many of its steps come before this one or are it."""
    races: list[int]
    """Indices of the steps that this one races with and can be turned round with."""
    saved: list[int]
    """For a write: the reads of the cell since the write before."""
    accesses: tuple[Access, ...]
    """To Python objects that threads share; see `dpor.objects`."""
    history: int
    """What its thread has found in cells, up to its next step."""

    def __init__(self, index: int, sleep: Sleep, tree: list[Branch], era: Era) -> None:
        self.index, self.sleep, self.tree, self.era, self.done = index, sleep, tree, era, 0
        self.accesses, self.history = (), 0

    @property
    def expects(self) -> int:
        """The step's operand."""
        return self.announced[2]

    @property
    def values(self) -> int:
        """Between which it chooses: 0 and so on."""
        return ops.values(self.expects)

    @property
    def before(self) -> int:
        """What stood in the cell before the step."""
        return self.announced[3]

    @property
    def changes(self) -> bool:
        """The step leaves something else in its cell."""
        return self.step.write and ops.changes(self.kind, self.expects, self.before)


def victim_of(machine: SteppedMachine, t: int) -> Victim:
    """What thread `t` is about to do."""
    flags = machine.flags[t]
    twice = flags & PAUSED != 0 and not machine.stale[t] and not machine.seen[t]
    return Victim(pending(machine, t), machine.kinds[t], machine.expects[t], flags & EXPIRED != 0, twice)


class Path:
    """Nodes, the first step's first."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.taken: list[Taken] = []
        """The steps, to compare with when they are run again."""
        self.steps: defaultdict[int, list[int]] = defaultdict(list)
        """Per thread, the indices of its steps on the path."""
        self.born: dict[int, int] = {}
        """Thread to the index of the step that spawned it."""
        self.writes: defaultdict[int, list[int]] = defaultdict(list)
        """Cell to the indices of the steps that wrote it."""
        self.reads: defaultdict[int, list[int]] = defaultdict(list)
        """Cell to the indices of the steps that have read it since its last write."""
        self.victims: dict[int, Victim] = {}
        """Index of a kill to what it cut off."""

    def state(self, machine: SteppedMachine) -> Node:
        """The state at the end of the path."""
        nodes = self.nodes
        if not nodes:
            return Node(0, {}, [], Era(machine.releases, 0, []))
        parent = nodes[-1]
        era = parent.era
        if machine.execution.releases != era.releases:
            era = Era(machine.releases, len(nodes), [len(self.steps[t]) for t in range(len(machine.names))])
        sleep = awake(parent.sleep, parent.step) if parent.sleep else {}
        return Node(len(nodes), sleep, parent.tree[0].children, era)

    def take(self, machine: SteppedMachine, node: Node, step: Step) -> None:
        """The step is taken from the state `node`: its clock, and what it races with."""
        nodes, k = self.nodes, node.index
        t, cell, write, value, guard, aim = step
        branch = node.tree[0]
        if branch.step.value != value:
            step = step._replace(value=branch.step.value)
        branch.step = node.step = step
        node.announced = was = announced(machine, t)
        node.kind = kind = was[0]
        own, writes, reads = self.steps[t], self.writes[cell], self.reads[cell]
        node.number = number = len(own) + 1
        node.races = races = []
        node.clock = clock = self._past(node.era, t, len(machine.names))
        # The steps with which it conflicts and that no other of them has superseded, the latest first.
        conflicts = []
        if cell:
            conflicts += writes[-1:]
            if write:
                conflicts += reads
        let_go = None
        if guard or aim >= 0:
            conflicts += self._far_conflicts(step)
            let_go = self.let_go(step, node.era)
        expired = machine.flags[t] & EXPIRED != 0
        waits = kind in ops.WAITING and not expired
        if len(conflicts) > 1:
            conflicts.sort(reverse=True)
        for i in conflicts:
            other = nodes[i]
            if clock[other.step.thread] >= other.number:
                continue  # what it knows is known, too
            first = i
            if waits and other.step.write and other.step.cell == cell and not can(kind, other.before):
                first = self.blocking(kind, cell, i)
            if first >= 0 and self._turns(first, clock, node, let_go):
                races.append(first)
            join(clock, other.clock)
        if kind in ops.WAITING:
            # What it had to wait for when they were let go, all other steps come after.
            blocked = self.blocking(kind, cell, k if expired else node.era.begin)
            if blocked >= 0 and blocked not in races and self._waited(blocked, node, step):
                races.append(blocked)
        clock[t] = number
        # It is the end of the path now.
        nodes.append(node)
        self.taken.append((t, was))
        own.append(k)
        if not cell:
            pass
        elif write:
            node.saved = reads
            self.reads[cell] = []
            writes.append(k)
        else:
            reads.append(k)
        if kind >= ops.SPAWN or guard:
            self._far_links(machine, node)

    def _past(self, era: Era, t: int, threads: int) -> list[int]:
        """Clock of what comes before the next step of `t` whatever that is."""
        own = self.steps[t]
        before = own[-1] if own else self.born.get(t, -1)
        clock = self.nodes[before].clock[:] if before >= 0 else []
        if len(clock) < threads:
            clock += [0] * (threads - len(clock))
        if era.past:
            join(clock, era.past)
        return clock

    def _far_conflicts(self, step: Step) -> list[int]:
        """Likewise, through what lets the thread go after a pause, and of a thread that it spawns or kills."""
        found = []
        for guarded in step.guard:
            if guarded != step.cell:
                found += self.writes[guarded][-1:]
        if step.aim >= 0:
            found += self.steps[step.aim][-1:]
        return found

    def _far_links(self, machine: SteppedMachine, node: Node) -> None:
        """Note what the step from `node`, the last one, is beside an access to its cell."""
        k, step = node.index, node.step
        for guarded in step.guard:
            if guarded != step.cell:
                self.reads[guarded].append(k)
        if node.kind == ops.SPAWN:
            self.born[step.aim] = k
        elif node.kind == ops.KILL and not machine.has_ended(step.aim):
            self.victims[k] = victim_of(machine, step.aim)

    def blocking(self, kind: int, cell: int, end: int) -> int:
        """Index of the last step before `end` from which on a step of `kind` had to wait at `cell`.

        It took the mutex, or cleared the note.  -1 if it was so from the beginning.
        """
        return next((i for i in reversed(self.writes[cell]) if i < end and can(kind, self.nodes[i].before)), -1)

    def let_go(self, step: Step, era: Era) -> list[int] | None:
        """Indices of the changes each of which lets the next step of a thread go after a pause; None if it needs none."""
        own, guard, nodes = self.steps[step.thread], step.guard, self.nodes
        if not guard or (era.begin and (not own or own[-1] < era.begin)):
            return None
        first: dict[int, int] = {}
        for i in reversed(own):
            if nodes[i].step.cell in guard and nodes[i].kind in ops.READING:
                first[nodes[i].step.cell] = i
            if nodes[i].step.guard or (nodes[i].expects == ops.ENDS_EARLY and nodes[i].step.value == 1):
                break
        return [
            w
            for cell, read in first.items()
            for w in self.writes[cell]
            if w > read and nodes[w].step.thread != step.thread and nodes[w].changes
        ]

    def _turns(self, i: int, clock: list[int], node: Node, let_go: list[int] | None) -> bool:
        """Can the step at index `i` and the one from `node` be turned round?  `clock` is what the latter knows so far."""
        other = self.nodes[i]
        q = other.step.thread
        if q == node.step.thread or clock[q] >= other.number:
            return False
        if let_go is None:
            return True
        return any(not happens_before(other, self.nodes[w]) for w in let_go)

    def _waited(self, blocked: int, node: Node, step: Step) -> bool:
        """Could the step at `node` have come before the one at index `blocked`, which took the mutex or cleared the note?

        Then its thread has waited since, also when all who paused were let go; or its limit is over since then.
        """
        nodes, own = self.nodes, self.steps[step.thread]
        before = own[-1] if own else self.born.get(step.thread, -1)
        clock = nodes[before].clock if before >= 0 else []
        # Who was let go with all others, for want of anybody who could run, needed no change for it.
        let_go = self.let_go(step, nodes[blocked].era)
        return self._turns(blocked, clock + [0] * len(nodes[blocked].clock), node, let_go)

    def pop(self) -> Node:
        """Take the last node off the path."""
        node = self.nodes.pop()
        self.taken.pop()
        step = node.step
        cell = step.cell
        self.steps[step.thread].pop()
        if not cell:
            pass
        elif step.write:
            self.writes[cell].pop()
            self.reads[cell] = node.saved
        else:
            self.reads[cell].pop()
        for guarded in step.guard:
            if guarded != cell:
                self.reads[guarded].pop()
        if node.kind == ops.SPAWN:
            del self.born[step.aim]
        elif node.kind == ops.KILL:
            self.victims.pop(node.index, None)
        return node

    def without(self, state: Node, *left_out: Node) -> list[Node]:
        """Where steps were taken from `state` on, but for those left out and what depends on them."""
        nodes = self.nodes[state.index :]
        for other in left_out:
            q, number = other.step.thread, other.number
            nodes = [node for node in nodes if q >= len(node.clock) or node.clock[q] < number]
        return nodes

    def between(self, x: Node, y: Node) -> list[Step]:
        """Steps after the one from `x`, independent of it, that come before the one from `y` in every interleaving."""
        q, number, clock = x.step.thread, x.number, y.clock
        return [
            node.step
            for node in self.nodes[x.index + 1 : y.index]
            if node.number <= clock[node.step.thread] and (q >= len(node.clock) or node.clock[q] < number)
        ]


def join(clock: list[int], other: list[int]) -> None:
    """Make `clock`, which has as many threads or more, know what `other` knows."""
    for t, number in enumerate(other):
        if number > clock[t]:  # noqa: PLR1730  max() is a call, and this is the hot path
            clock[t] = number


def happens_before(x: Node, y: Node) -> bool:
    """Does the step from `x` come before the one from `y` in every equivalent interleaving?"""
    q = x.step.thread
    return q < len(y.clock) and y.clock[q] >= x.number
