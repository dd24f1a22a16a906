"""Optimal dynamic partial order reduction: one interleaving of every Mazurkiewicz trace, and no second one.

Theory of operation.  One interleaving is run; happens-before clocks over its steps show the pairs that race: dependent,
of different threads, with nothing between that forces their order.  For each race (e, f) that can be turned round, the
sequence that does so without changing more than it must, `what comes after e and does not depend on it, then f`, goes into
the wake-up tree of the state before e.  Then the deepest state whose tree has a branch left takes it.  What has been
explored from a state sleeps there until something that depends on it happens; a branch that begins with a sleeper is
never added.  (Abdulla, Aronis, Jonsson and Sagonas, Optimal dynamic partial order reduction, 2014 and 2017.)

What can be turned round needs care where steps wait:

* two acquires of a mutex race with each other, not the release with the next acquire; also one that waits at the end;
* a step after a pause can come before a write that lets it go only if another write lets it go as well;
* a sleep cannot come before its wake-up, but before a second one;
* what a killed thread was about to do races with the kill;
* when nobody can run and all who pause are let go, everything before comes before everything after.

`choose` branches over its values at the place where it is called.

Relied on.  `Program` shares nothing between threads but the machine's memory: state in Python objects would be dependence
that nobody sees.  Invariants are checked in the interleavings that are run, which is one of each trace.
"""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING, NamedTuple

from collector.explore import ops
from collector.explore.dependence import Step, pending
from collector.explore.rules import EXPIRED, PAUSED
from collector.explore.strategies.base import left
from collector.explore.vehicle import MAIN, Broken
from collector.explore.wakeup import Branch, asleep, awake, insert


if TYPE_CHECKING:
    from collector.explore.machine import Draw, Pick, SteppedMachine
    from collector.explore.strategies.base import Options


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
    ready: bool
    """It did not have to wait."""


class Node:
    """A state on the current path and the step taken from it."""

    def __init__(self, index: int, sleep: dict[int, Step], tree: list[Branch], era: Era) -> None:
        self.index = index
        self.sleep = sleep
        """Per thread, the step that has been explored from here or from an equivalent state."""
        self.tree = tree
        """What is left to explore; the first branch is the one under way."""
        self.era = era
        self.done = 0
        """Branches that were explored."""
        self.step: Step
        self.kind: int
        self.number: int
        """The step is the so-manieth of its thread, counted from 1."""
        self.clock: list[int]
        """Per thread, how many of its steps come before this one or are it."""
        self.before: int
        """What stood in the cell before the step."""
        self.expects: int
        self.expired: bool
        """A sleep whose limit is over."""
        self.races: list[int]
        """Indices of the steps that this one races with and can be turned round with."""
        self.victim: Victim | None
        """For a kill: what it cut off."""
        self.saved: list[int]
        """For a write: the reads of the cell since the write before."""


class DPOR:
    """Optimal DPOR."""

    name = "dpor"

    def __init__(self, _options: Options) -> None:
        self.nodes: list[Node] = []
        """The current path."""
        self.branching: Node | None = None
        """The state behind `nodes` that goes on with the next branch of its tree."""
        self.new = 0
        """Index of the first step whose races are to be covered after this schedule."""
        self.exhausted = False
        self.steps: list[list[int]] = []
        """Per thread, the indices of its steps on the path."""
        self.born: dict[int, int] = {}
        """Thread to the index of the step that spawned it."""
        self.writes: dict[int, list[int]] = {}
        """Cell to the indices of the steps that wrote it."""
        self.reads: dict[int, list[int]] = {}
        """Cell to the indices of the steps that have read it since its last write."""
        self.acquires: dict[int, list[int]] = {}

    @property
    def done(self) -> bool:
        """When every trace was seen."""
        return self.exhausted

    def begin(self, machine: SteppedMachine) -> tuple[Pick, Draw]:
        nodes, runnable, flags, trail = self.nodes, machine.runnable, machine.flags, machine.trail
        threads = [node.step.thread for node in nodes]
        taken = 0
        # The races of the steps before were covered when they were first run, with whatever came after them; another value
        # makes other things come after them.
        self.new = 0 if self.branching and self.branching.tree[0].step.value > 0 else len(nodes)

        def pick(i: int) -> int:
            nonlocal taken
            taken += 1
            if taken <= len(threads):
                return threads[taken - 1]
            node = self.branching or self._state(machine)
            self.branching = None
            if node.tree:
                t = node.tree[0].step.thread
                if t not in runnable:
                    raise Broken(f"DPOR: thread {t} cannot go at step {len(trail)}, and should be able to")
            else:
                t = self._free(i, runnable, flags, node.sleep)
                if t == MAIN:
                    return MAIN
                node.tree.append(Branch(pending(machine, t)))
            self._take(machine, node, t)
            return t

        def draw(_i: int, n: int) -> int:
            node = nodes[taken - 1]
            if node.step.value < 0:
                self._all_values(node, n)
            return node.step.value

        return pick, draw

    @staticmethod
    def _all_values(node: Node, n: int) -> None:
        """Put every value that `choose` can return here into the tree, the first one under way.

        Where a branch prescribes the value, the others are not wanted: they were put into the tree where the thread first
        came to choose, with the same past, and what races then with what they lead to is found from there.
        """
        node.tree[:1] = [Branch(node.step._replace(value=v)) for v in range(n)]
        node.step = node.tree[0].step

    def _state(self, machine: SteppedMachine) -> Node:
        """The state at the end of the path."""
        nodes = self.nodes
        if not nodes:
            return Node(0, {}, [], Era(machine.fair.releases, 0, []))
        parent = nodes[-1]
        era = parent.era
        if machine.fair.releases != era.releases:
            era = Era(machine.fair.releases, len(nodes), [len(steps) for steps in self.steps])
        return Node(len(nodes), awake(parent.sleep, parent.step), parent.tree[0].children, era)

    @staticmethod
    def _free(i: int, runnable: list[int], flags: list[int], sleep: dict[int, Step]) -> int:
        """Whom to let go where nothing is prescribed: the running thread if it may."""
        if i in runnable and i not in sleep and not flags[i] & PAUSED:
            return i
        return next((t for t in runnable if t not in sleep), MAIN)

    def _take(self, machine: SteppedMachine, node: Node, t: int) -> None:
        """Thread `t` goes from the state `node`: its step's clock, and what it races with."""
        nodes = self.nodes
        branch = node.tree[0]
        step = pending(machine, t)
        if branch.step.value >= 0:
            step = step._replace(value=branch.step.value)
        branch.step = node.step = step
        node.kind = machine.kinds[t]
        cell = step.cell
        node.before = machine.mem[cell] if cell > 0 else 0
        node.expects = machine.expects[t]
        node.expired = machine.flags[t] & EXPIRED != 0
        while len(self.steps) <= t:
            self.steps.append([])
        own = self.steps[t]
        node.number = len(own) + 1
        node.races = []
        node.victim = None
        clock = self._past(node.era, t, len(machine.bodies))
        let_go = self._let_go(node, own)
        for i in sorted(self._conflicts(step), reverse=True):
            other = nodes[i]
            if other.step.thread == t:
                continue
            first = i
            if node.kind == ops.LOCK and other.kind == ops.UNLOCK:
                first = self.acquires[cell][-1]
            if self._turns(first, clock, node, let_go):
                node.races.append(first)
            clock = joined(clock, other.clock)
        if node.kind == ops.KILL and not machine.has_ended(step.aim):
            target = step.aim
            node.victim = Victim(
                pending(machine, target), machine.kinds[target], machine.expects[target], target in machine.runnable
            )
        clock[t] = node.number
        node.clock = clock
        self._link(node, own)

    def _past(self, era: Era, t: int, threads: int) -> list[int]:
        """Clock of what comes before the next step of `t` whatever that is."""
        own = self.steps[t]
        clock = [0] * threads
        if own:
            clock = joined(clock, self.nodes[own[-1]].clock)
        elif t in self.born:
            clock = joined(clock, self.nodes[self.born[t]].clock)
        return joined(clock, era.past)

    def _conflicts(self, step: Step) -> list[int]:
        """Indices of the steps with which `step` conflicts and that no other of them has superseded."""
        cell = step.cell
        found = []
        if cell:
            found += self.writes.get(cell, [])[-1:]
            if step.write:
                found += self.reads.get(cell, [])
        for guarded in step.guard:
            if guarded != cell:
                found += self.writes.get(guarded, [])[-1:]
        if step.aim >= 0 and step.aim < len(self.steps):
            found += self.steps[step.aim][-1:]
        return found

    def _let_go(self, node: Node, own: list[int]) -> list[int] | None:
        """Indices of the writes each of which lets the step after a pause go; None if it needs none."""
        guard, nodes = node.step.guard, self.nodes
        if not guard or (node.era.begin and (not own or own[-1] < node.era.begin)):
            return None
        first: dict[int, int] = {}
        for i in reversed(own):
            if nodes[i].step.cell in guard and nodes[i].kind in ops.READING:
                first[nodes[i].step.cell] = i
            if nodes[i].step.guard:
                break
        t = node.step.thread
        return [
            w
            for cell, read in first.items()
            for w in self.writes.get(cell, ())
            if w > read and nodes[w].step.thread != t
        ]

    def _turns(self, i: int, clock: list[int], node: Node, let_go: list[int] | None) -> bool:
        """Can the step at index `i` and the one from `node` be turned round?  `clock` is what the latter knows so far."""
        other = self.nodes[i]
        q = other.step.thread
        if q == node.step.thread or clock[q] >= other.number:
            return False
        if node.kind == ops.SLEEP and other.before == 0 and not node.expired:
            return False
        if let_go is None:
            return True
        return any(not happens_before(other, self.nodes[w]) for w in let_go)

    def _link(self, node: Node, own: list[int]) -> None:
        """Put `node` at the end of the path."""
        k, step = node.index, node.step
        self.nodes.append(node)
        own.append(k)
        if step.cell:
            if step.write:
                self.writes.setdefault(step.cell, []).append(k)
                node.saved = self.reads.pop(step.cell, [])
                if node.kind == ops.LOCK:
                    self.acquires.setdefault(step.cell, []).append(k)
            else:
                self.reads.setdefault(step.cell, []).append(k)
        for guarded in step.guard:
            if guarded != step.cell:
                self.reads.setdefault(guarded, []).append(k)
        if node.kind == ops.SPAWN:
            self.born[step.aim] = k

    def _unlink(self) -> Node:
        """Take the last node off the path."""
        node = self.nodes.pop()
        step = node.step
        self.steps[step.thread].pop()
        if node.kind == ops.SPAWN:
            del self.born[step.aim]
        for guarded in step.guard:
            if guarded != step.cell:
                self.reads[guarded].pop()
        if step.cell:
            if step.write:
                self.writes[step.cell].pop()
                self.reads[step.cell] = node.saved
                if node.kind == ops.LOCK:
                    self.acquires[step.cell].pop()
            else:
                self.reads[step.cell].pop()
        return node

    def end(self, machine: SteppedMachine, /) -> None:
        """Cover the races of the interleaving that was run, then go back to the deepest state with something left."""
        for node in self.nodes[self.new :]:
            for i in node.races:
                self._cover(self.nodes[i], node)
        for node in self.nodes:
            # A kill can come after all that does not depend on it, and that is another thing in every interleaving.
            if node.victim:
                self._cover_victim(node, node.victim, machine.mem)
        while self.nodes:
            node = self._unlink()
            step = node.tree.pop(0).step
            node.done += 1
            node.sleep[step.thread] = step._replace(value=-1)
            if node.tree:
                self.branching = node
                return
        self.exhausted = True

    def _cover(self, first: Node, node: Node) -> None:
        """Turn the race of the steps from `first` and `node` round."""
        step = node.step
        if node.kind in ops.EXPECTING:
            # Without the first one's step it may turn out otherwise.
            step = step._replace(write=first.step.cell != step.cell or first.before == node.expects)
        elif node.kind == ops.SPAWN and first.kind == ops.SPAWN:
            step = step._replace(aim=first.step.aim)
        self._insert(first, self._without(first, first), step)

    def _without(self, state: Node, *left_out: Node) -> list[Node]:
        """Where steps were taken from `state` on, but for those left out and what depends on them."""
        return [
            node for node in self.nodes[state.index :] if not any(happens_before(other, node) for other in left_out)
        ]

    @staticmethod
    def _insert(state: Node, nodes: list[Node], step: Step) -> None:
        """Have the steps taken from `nodes`, then `step`, explored from `state`, unless something equivalent was."""
        w = [*(node.step for node in nodes), step]
        if not asleep(state.sleep.values(), w):
            insert(state.tree, w)

    def _cover_victim(self, kill: Node, victim: Victim, mem: list[int]) -> None:
        """What a killed thread was about to do, had the kill come as late as it can."""
        step = victim.step
        state, rest = kill, self._without(kill, kill)
        if victim.kind == ops.LOCK:
            moves = [node for node in rest if node.step.cell == step.cell and node.kind in {ops.LOCK, ops.UNLOCK}]
            if moves and moves[-1].kind == ops.LOCK:
                # Held from then on: the victim comes before that.
                rest = self._without(kill, kill, moves[-1])
            elif not moves and not victim.ready:
                # Held all the time: the victim comes before whoever holds it, if it can.
                state = self.nodes[max(i for i in self.acquires[step.cell] if i < kill.index)]
                own = [self.nodes[i] for i in self.steps[step.thread]]
                if any(happens_before(state, node) for node in own):
                    return
                rest = self._without(state, state, kill)
        elif not victim.ready and not self._lets_go(victim, rest):
            return
        if victim.kind == ops.SPAWN:
            step = step._replace(aim=step.aim + sum(node.kind == ops.SPAWN for node in rest))
        elif victim.kind in ops.EXPECTING:
            step = step._replace(write=self._left_behind(rest, step.cell, kill, mem) == victim.expects)
        self._insert(state, rest, step)

    def _left_behind(self, rest: list[Node], cell: int, kill: Node, mem: list[int]) -> int:
        """What stands in `cell` after `rest`, the steps after `kill` that do not depend on it."""
        last = max((node.index for node in rest if node.step.write and node.step.cell == cell), default=kill.index)
        return next((node.before for node in self.nodes[last + 1 :] if node.step.cell == cell), mem[cell])

    @staticmethod
    def _lets_go(victim: Victim, rest: list[Node]) -> bool:
        """Is there among `rest` what the victim waited for?"""
        step = victim.step
        written = {node.step.cell for node in rest if node.step.write}
        if victim.kind == ops.SLEEP and step.cell not in written:
            return False
        return not step.guard or not step.guard.isdisjoint(written)

    def outlook(self, schedules: int, /) -> str:
        """As far as the trees say; they still grow."""
        path = [*self.nodes, self.branching] if self.branching else []
        return left(schedules, ((node.done, node.done + len(node.tree)) for node in path))

    def statement(self, schedules: int) -> str:
        """Exhausted or not."""
        if self.exhausted:
            return f"Every interleaving is equivalent to one of the {schedules} that were run, and those passed."
        return f"{schedules} interleavings passed, no two of them equivalent; more are left, so this is no proof."


def joined(x: list[int], y: list[int]) -> list[int]:
    """A clock that knows what either knows."""
    return [a if a > b else b for a, b in zip_longest(x, y, fillvalue=0)]  # noqa: FURB136  max is three times slower


def happens_before(x: Node, y: Node) -> bool:
    """Does the step from `x` come before the one from `y` in every equivalent interleaving?"""
    q = x.step.thread
    return q < len(y.clock) and y.clock[q] >= x.number
