"""Optimal DPOR: explores exactly one interleaving of every Mazurkiewicz trace.

Theory of operation.  One interleaving is run; happens-before clocks over its steps show the pairs that race: dependent,
of different threads, with nothing between that forces their order.  For each race (e, f) that can be turned round, the
sequence that does so without changing more than it must, f and everything after e that does not depend on it, goes into
the wake-up tree of the state before e.  Then the deepest state whose tree has a branch left takes it.  What has been
explored from a state sleeps there until something that depends on it happens; a branch that begins with a sleeper is
never added.  (Abdulla, Aronis, Jonsson and Sagonas, Optimal dynamic partial order reduction, 2014 and 2017.)

What comes after f changes that sequence, and a branch or a sleeper that covered one need not cover the next.  So a race is
covered anew after each interleaving that has it, until its steps up to f alone decide that it is covered.

Which races can be turned round where steps wait, `strategies.dpor.path` knows.  What a killed thread was about to do races
with the kill, too, and comes after it: it is covered with everything else that does not depend on the kill before it, as far
as that lets it go.  In a deadlock what each thread waits to do races with what made it wait (after other failures nothing
is asked of threads that still wait).

`choose` branches over its values at the place where it is called.

The way back to a state is run again, and each of its steps compared with what it was (`collector.explore.prefix`).

Three things tell equivalent interleavings apart, and then nothing is proved: an invariant, which sees the states between
independent steps; `port.now()`, which counts them; and Python objects that threads share and use in no fixed order, a
dependence that no cell shows (`strategies.dpor.objects`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.explore.claim import Claim, Kind, Seen
from collector.explore.machine import ops
from collector.explore.machine.carrier import MAIN
from collector.explore.machine.threads import PAUSED, can
from collector.explore.prefix import check, check_scene, following, refuse_end, refuse_turn, scene
from collector.explore.strategies.base import left, share_done
from collector.explore.strategies.dpor.dependence import ANY, Step, initial, pending
from collector.explore.strategies.dpor.idle import Idle
from collector.explore.strategies.dpor.objects import Objects
from collector.explore.strategies.dpor.path import Node, Path, Victim, happens_before
from collector.explore.strategies.dpor.wakeup import Branch, asleep, decided, insert, lull


if TYPE_CHECKING:
    from collections.abc import Iterator

    from collector.explore.machine.execution import Draw, Pick
    from collector.explore.machine.machine import SteppedMachine
    from collector.explore.prefix import Taken
    from collector.explore.strategies.base import Options


INVARIANTS = 'invariants see other states in others that are equivalent (strategy="stateful" comes to all)'
TIME = 'port.now() returns something else in others that are equivalent (strategy="stateful" tells them apart)'
PLAIN = 2_000
"""Interleavings after which it begins afresh, if threads pause, and cuts idle turns."""


class DPOR:
    """Optimal DPOR."""

    name = "dpor"
    observes = True
    floor = 0
    """Index of the state that it does not go back beyond."""

    def __init__(self, options: Options) -> None:
        self.path = Path()
        self.lost = False
        """What threads share in Python led elsewhere than cells alone would have."""
        self.branching: Node | None = None
        """The state behind the path that goes on with the next branch of its tree."""
        self.done = False
        """Every trace was seen."""
        self.hindrance = ""
        """Why that proves nothing."""
        self.idle = Idle()
        self.objects: Objects | None = None
        self.plain = PLAIN
        self.cutting = False
        """Idle turns are."""
        self.runs = 0
        self.compared = 0
        """Steps, with what they were when they were first taken."""
        self.races = options.races
        self.complete = 0
        """Schedules that ran to their ends."""
        self.set_aside = 0
        """Those from before it began afresh."""

    @property
    def exhausted(self) -> bool:
        """Every trace was seen, and nothing tells its interleavings apart."""
        return self.done and not self.hindrance

    def begin(self, machine: SteppedMachine) -> tuple[Pick, Draw]:
        path, runnable, flags, sees = self.path, machine.runnable, machine.flags, self.idle.note
        nodes = path.nodes
        self.compared += len(nodes)
        if machine.invariants:
            self.hindrance = INVARIANTS
        values = (node.step.value for node in nodes[:] if node.kind == ops.CHOOSE)
        objects = self._objects(machine)

        def pick(i: int) -> int:
            if objects:
                objects.arrive()
            node = self.branching
            if node is None:
                node = self._state(machine)
                node.scene = scene(machine)
                if self.cutting:
                    self._watch(machine, node)
                elif nodes and flags[nodes[-1].step.thread] & PAUSED:
                    sees(machine, nodes[-1].step.thread)
            else:
                self.branching = None
                check_scene(machine, node.scene)
                if node.step.value >= 0 and node.step.thread == node.tree[0].step.thread:
                    check(machine, node.step.thread, node.announced)  # another value of the same choice
            if node.tree:
                t = node.tree[0].step.thread
                if t not in runnable:
                    if self.hindrance:
                        self.lost = True
                        return MAIN
                    refuse_turn(machine, t)
                step = pending(machine, t)
            else:
                t = i
                # Nothing is prescribed: the running thread goes on if it may.
                if t not in runnable or (t, ANY) in node.sleep or flags[t] & PAUSED:
                    t = self._another(runnable, node)
                    if t == MAIN:
                        return MAIN
                step = pending(machine, t)
                node.tree.append(Branch(step))
            path.take(machine, node, step)
            if self.cutting:
                self.idle.go(machine, node)
            if objects:
                objects.go(node)
            return t

        def draw(_i: int, n: int) -> int:
            for value in values:
                return value
            node = nodes[-1]
            if node.step.value < 0:
                self._all_values(node, n)
            return node.step.value

        again: Iterator[Taken] = iter(path.taken[:])
        if objects and any(node.kind == ops.SPAWN or node.accesses for node in nodes):
            again = objects.passing(path.taken[:], nodes[:])
        follow = following(machine, again, pick)
        if objects is None:
            return follow, draw

        def first(i: int) -> int:
            objects.path = path
            objects.begin()
            machine.execution.let(follow)
            machine.execution.over = objects.arrive
            return follow(i)

        return first, draw

    def _objects(self, machine: SteppedMachine) -> Objects | None:
        """Who watches what threads share in Python, as long as there is something to prove."""
        if self.hindrance:
            return None
        self.objects = self.objects or Objects(machine)
        return self.objects

    def _state(self, machine: SteppedMachine) -> Node:
        """The state at the end of the path, which is new."""
        return self.path.state(machine)

    def _watch(self, machine: SteppedMachine, node: Node) -> None:
        """The state `node` is new: look for idle turns."""
        if node.index:
            self.idle.arrive(machine, self.path.nodes[-1], node)
        else:
            self.idle.begin(machine, node)

    @staticmethod
    def _all_values(node: Node, n: int) -> None:
        """Put every value that `choose` can return here, and that does not sleep, into the tree, the first one under way.

        Where a branch prescribes the value, races ask for the others, as for everything else that is wanted there.
        """
        t = node.step.thread
        node.tree[:1] = [Branch(node.step._replace(value=v)) for v in range(n) if (t, v) not in node.sleep]
        node.step = node.tree[0].step

    def _another(self, runnable: list[int], node: Node) -> int:
        """Whom to let go where nothing is prescribed and the running thread may not."""
        sleep, cut = node.sleep, node.cut if self.cutting else ()
        return next((t for t in runnable if (t, ANY) not in sleep and t not in cut), MAIN)

    def end(self, machine: SteppedMachine, /) -> None:
        """Cover the races of the interleaving that was run, then go back to the deepest state with something left."""
        self.runs += 1
        if machine.execution.clock:
            self.hindrance = self.hindrance or TIME
        afresh = self.objects is not None and self.objects.afresh()
        if self.objects:
            self.hindrance = self.hindrance or self.objects.unordered
        self.complete += machine.complete
        if self.branching and machine.complete and machine.fault is None:
            refuse_end(machine)
        if afresh:
            self._afresh()
            return
        if self.lost:
            self.done = True
            return
        for node in self.path.nodes:
            if node.races:
                node.races = [i for i in node.races if not self._cover(self.path.nodes[i], node)]
        if machine.fault and machine.fault.kind == "deadlock":
            self._cover_blocked(machine)
        # A kill can come after all that does not depend on it, and that is another thing in every interleaving.
        for i, victim in self.path.victims.items():
            self._cover_victim(self.path.nodes[i], victim, machine.memory.words)
        while len(self.path.nodes) > self.floor:
            node = self.path.pop()
            step = node.tree.pop(0).step
            node.done += 1
            lull(node.sleep, step, node.values)
            if node.tree:
                self.branching = node
                if self.runs >= self.plain and self.idle.heads and not self.cutting:
                    # Afresh: what is cut from here on was not cut in the states that are on the path.
                    self.cutting = True
                    self._afresh()
                return
        self.done = True

    def _afresh(self) -> None:
        """Begin again: of what was run there was something that was not known."""
        self.set_aside = self.complete
        self.path, self.branching = Path(), None

    def _cover(self, first: Node, node: Node) -> bool:
        """Turn the race of the steps from `first` and `node` round.

        Returns whether that is done for good, whatever comes after `node` in another interleaving.
        """
        step = node.step
        if node.kind in ops.DEPENDING:
            # Without the first one's step it may turn out otherwise.
            write = first.step.cell != step.cell or ops.writes(node.kind, node.expects, first.before)
            if write != step.write:
                # Then it is not known what else it has to come after.
                rest = self.path.without(first, first)
                self._insert(first, [*[other.step for other in rest], step._replace(write=write)])
                return False
        elif node.kind == ops.SPAWN and first.kind == ops.SPAWN:
            step = step._replace(aim=first.step.aim)
        turned = self.path.between(first, node)
        turned.append(step)
        if any(initial(turned, sleeper) >= 0 for sleeper in first.sleep.values()) or decided(self._tree(first), turned):
            return True
        rest = self.path.without(first, first)
        self._insert(first, [*turned, *[other.step for other in rest if not happens_before(other, node)]])
        return False

    def _tree(self, state: Node) -> list[Branch]:
        """What is left to explore from `state`, as far as is known."""
        return state.tree

    def _insert(self, state: Node, w: list[Step]) -> bool:
        """Have the steps `w` explored from `state`; False if something equivalent was, or will be."""
        sleeping = state.sleep.values()
        return not asleep(sleeping, w) and insert(self._tree(state), [*sleeping, state.step], w)

    def _cover_blocked(self, machine: SteppedMachine) -> None:
        """Turn the races round of steps that wait in vain: each may come before the mutex was taken or the note cleared."""
        for t in range(len(machine.names)):
            if not machine.has_ended(t):
                # The state is one of a new era, so all that was done is known: it races with what it waits for alone.
                node, step = self.path.state(machine), pending(machine, t)
                node.tree.append(Branch(step))
                self.path.take(machine, node, step)
                for i in node.races:
                    self._cover(self.path.nodes[i], node)
                self.path.pop().tree.clear()  # it belongs to the branch of the last step that was taken

    def _cover_victim(self, kill: Node, victim: Victim, mem: list[int]) -> None:
        """What a killed thread was about to do, had the kill come as late as it can."""
        if victim.paused_twice:
            return
        path, step = self.path, victim.step
        state, rest = kill, path.without(kill, kill)
        moves = [node for node in rest if node.step.cell == step.cell and node.step.write]
        word = self._left_behind(rest, step.cell, kill, mem)
        if victim.kind in ops.WAITING and not victim.expired and not can(victim.kind, word):
            blocking = next((x for x in reversed(moves) if can(victim.kind, x.before)), None)
            if blocking:
                # It would have to wait from then on: the victim comes before that.
                rest = path.without(kill, kill, blocking)
            else:
                # It had to all the time: the victim comes before that began, if it can.
                taken = path.blocking(victim.kind, step.cell, kill.index)
                state = path.nodes[taken]
                if taken < 0 or any(happens_before(state, path.nodes[i]) for i in path.steps[step.thread]):
                    return
                rest = path.without(state, state, kill)
        let_go = path.let_go(step, kill.era)
        kept = {*range(state.index), *(node.index for node in rest)}
        if let_go is not None and kept.isdisjoint(let_go):
            return
        if victim.kind == ops.SPAWN:
            step = step._replace(aim=step.aim + sum(node.kind == ops.SPAWN for node in rest))
        elif victim.kind in ops.DEPENDING:
            found = self._left_behind(rest, step.cell, kill, mem)
            step = step._replace(write=ops.writes(victim.kind, victim.expects, found))
        self._insert(state, [*[node.step for node in rest], step])

    def _left_behind(self, rest: list[Node], cell: int, kill: Node, mem: list[int]) -> int:
        """What stands in `cell` after `rest`, the steps after `kill` that do not depend on it."""
        last = max((node.index for node in rest if node.step.write and node.step.cell == cell), default=kill.index)
        return next((node.before for node in self.path.nodes[last + 1 :] if node.step.cell == cell), mem[cell])

    def outlook(self, schedules: int, /) -> str:
        """As far as the trees say; they still grow."""
        return left(schedules, self._done())

    def share_done(self) -> float:
        """The share of the traces that were run, as far as the trees say."""
        return share_done(self._done())

    def _done(self) -> Iterator[tuple[int, int]]:
        """Per state on the path, how many branches are done, and how many there are."""
        path = [*self.path.nodes, self.branching] if self.branching else []
        return ((node.done, node.done + len(node.tree)) for node in path)

    def claim(self, schedules: int, /) -> Claim:
        """Exhausted or not."""
        number, caveats = schedules - self.set_aside, self._caveats()
        if self.exhausted:
            return Claim(Kind.PROVED, self.name, Seen.TRACES, number, caveats=caveats)
        reason = self.hindrance if self.done else "more are left"
        return Claim(Kind.UNDECIDED, self.name, Seen.TRACES, number, reason=reason, caveats=caveats)

    def _caveats(self) -> tuple[str, ...]:
        """What the claim does not cover."""
        told = {
            "turns of waiting loops that change nothing were left out": self.cutting,
            "data races were looked for in these alone": self.cutting and self.idle.posts and self.races,
        }
        return tuple(caveat for caveat, holds in told.items() if holds)
