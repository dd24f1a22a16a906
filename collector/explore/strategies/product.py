"""The states of a program, computed from what its threads do each by itself: the product of their automata.

Theory of operation.  A state is the content of the cells that are ever written, and per thread its local state and what may
end its pause: the same as `state.whole` captures.  Where the next step of a thread is known (`state.automaton`), the state
that it leads to is computed and not run, breadth first.  Where it is not known, a schedule that leads there is run, and what
is found there learned.  As threads are few and small and their interleavings many, that takes few schedules.

Every end is run: a schedule for each state in which all threads have ended, so that the check sees it, and for each in which
nobody can go on.  Whatever fails does so in a schedule that was run.  On the way to what is not known each step is compared
with what its thread's automaton says, and at its end the memory with what was computed.

Data races are looked for in the schedules that are run.  Among these is one for each two transitions that can follow each
other directly and touch one cell, one of them plainly and one of them writing: between them nothing orders the two.

Not modelled.  Two accesses may be unordered though they never follow each other directly, if what keeps them apart orders
nothing (`post` and `hint`): such a race is seen only if it is in a schedule that is run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from collector.explore.machine import ops
from collector.explore.machine.carrier import MAIN
from collector.explore.prefix import refuse_end
from collector.explore.state.automaton import Ask, Automata, Unfit
from collector.explore.state.graph import Edge, Graph


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore.machine.machine import SteppedMachine
    from collector.explore.state.automaton import Local, Transition

    State = tuple[int, ...]
    """The cells; then of each thread, the number of its local state, and that of what it has seen."""


STALE = -1
"""Of what a thread has seen, something was overwritten by another one."""
NOTHING_SEEN = 0
SLICE = 4_000
"""Steps that are computed at a time."""
WARM = 300
"""Steps of a first schedule, in which code is met."""


class Task(NamedTuple):
    """A schedule that has to be run."""

    path: tuple[int, ...]
    """Threads, in order."""
    memory: tuple[int, ...]
    """What the cells that are written hold when all but the last of them have gone."""
    ends: bool = False
    """The schedule must be over then."""


class Product:
    """Explores the states of the program that one machine runs."""

    def __init__(self, machine: SteppedMachine) -> None:
        self.machine = machine
        self.automata = Automata(machine)
        self.warm = False
        """Code has been met."""
        self.compared = 0
        self.ending = False
        """The schedule under way must not go on behind its task."""
        self.shortest = 0
        """Steps that it takes at least."""
        self.computed = 0
        """Steps that were computed since somebody asked."""
        self.seen: list[frozenset[int]] = [frozenset()]
        self.seen_numbers: dict[frozenset[int], int] = {frozenset(): NOTHING_SEEN}
        self.ends: set[State] = set()
        """Ends that were run."""
        self.met: set[tuple[int, int]] = set()
        """Transitions, by identity, that were seen to follow each other or to have no cell in common."""
        self.begin()

    def begin(self) -> None:
        """From the initial state."""
        automata = self.automata
        self.graph = Graph()
        self.cells = [*automata.cells]
        self.states: list[State] = []
        self.numbers: dict[State, int] = {}
        self.came: list[tuple[int, int]] = []
        """Of each state: from which, and by whose step, it was reached first."""
        self.next = 0
        """The first state whose steps are not all computed."""
        self.done = False
        if automata.initial:
            cells = [automata.memory[a] for a in self.cells]
            threads = [number for local in automata.initial for number in (local.number, NOTHING_SEEN)]
            self._meet((*cells, *threads), (-1, MAIN))

    def _meet(self, state: State, came: tuple[int, int]) -> int:
        """The number of `state`."""
        number = self.numbers.get(state)
        if number is None:
            number = self.numbers[state] = self.graph.add(self._runnable(state))
            self.states.append(state)
            self.came.append(came)
        return number

    def task(self) -> Task | None:
        """Compute on, to something that has to be run; None if so many steps were computed, or all."""
        if not self.states or len(self.automata.cells) != len(self.cells):
            self.begin()
            if not self.states:
                return Task((), ())
        until = self.computed + SLICE
        while self.next < len(self.states):
            if self.computed >= until:
                return None
            task = self._expand(self.next)
            if task:
                return task
            self.next += 1
        self.done = True
        return None

    def _expand(self, number: int) -> Task | None:
        """All steps from that state; a task if something about one of them has to be run."""
        state, graph = self.states[number], self.graph
        graph.edges[number].clear()
        for t in graph.runnable[number]:
            local, transition = self._known(state, t)
            if transition is None:
                return self._task(number, t)
            self.computed += 1
            target = self._step(state, t, local, transition)
            if not self._runnable(target):
                released = self._released(target)
                if released == target:
                    # All have ended, or nobody can go on.
                    if target not in self.ends:
                        self.ends.add(target)
                        return self._task(number, t)._replace(ends=True)
                    continue
                target = released
            reached = self._meet(target, (number, t))
            graph.edges[number].append(Edge((t,), reached))
            task = self._race(number, t, transition, reached)
            if task:
                return task
        return None

    def _race(self, number: int, t: int, transition: Transition, reached: int) -> Task | None:
        """A schedule in which, right after this transition of `t`, another thread touches what it has touched."""
        if not self.automata.plain:
            return None
        state = self.states[reached]
        cell = self._local(self.states[number], t)[0].addr
        for u in self.graph.runnable[reached]:
            if u == t:
                continue
            local, other = self._known(state, u)
            if other is None:
                return self._task(reached, u)
            pair = id(transition), id(other)
            if pair not in self.met:
                self.met.add(pair)
                if transition.races(other, cell, local.addr):
                    return Task((*self._task(number, t).path, u), state[: len(self.cells)])
        return None

    def _task(self, number: int, t: int) -> Task:
        """The way to a state, and the step of thread `t` from there."""
        memory = self.states[number][: len(self.cells)]
        path = [t]
        while self.came[number][0] >= 0:
            number, t = self.came[number]
            path.append(t)
        return Task((*reversed(path),), memory)

    def _local(self, state: State, t: int) -> tuple[Local, int]:
        at = len(self.cells) + 2 * t
        return self.automata.locals[state[at]], state[at + 1]

    def _held(self, state: State, cell: int) -> int:
        automata = self.automata
        at = automata.cells.get(cell, -1)
        return automata.memory[cell] if at < 0 else state[at]

    def _runnable(self, state: State) -> tuple[int, ...]:
        """Who can go: as `Threads.ready` has it."""
        found = []
        for t in range(len(self.automata.initial)):
            local, seen = self._local(state, t)
            kind = local.kind
            if kind == ops.ENDED or (local.paused and seen != STALE):
                continue
            if kind in (ops.LOCK, ops.SLEEP) and (self._held(state, local.addr) == 0) != (kind == ops.LOCK):
                continue
            found.append(t)
        return tuple(found)

    def _released(self, state: State) -> State:
        """All who pause are let go."""
        changed = list(state)
        for t in range(len(self.automata.initial)):
            local, _ = self._local(state, t)
            if local.paused and local.kind != ops.ENDED:
                changed[len(self.cells) + 2 * t + 1] = STALE
        released = tuple(changed)
        return released if self._runnable(released) else state

    def _known(self, state: State, t: int) -> tuple[Local, Transition | None]:
        """What thread `t` does from `state`, if that is known."""
        local, _ = self._local(state, t)
        node = local.next
        while isinstance(node, Ask):
            node = node.answers.get(self._held(state, node.cell))
        return local, node

    def _step(self, state: State, t: int, local: Local, transition: Transition) -> State:
        """The state after that."""
        changed, places, base = list(state), self.automata.cells, len(self.cells)
        for a, v in transition.writes:
            changed[places[a]] = v
        at, target = base + 2 * t, transition.target
        seen = NOTHING_SEEN if local.paused else state[at + 1]
        if local.kind in ops.READING and seen != STALE:
            seen = self._with(seen, local.addr)
        if target.kind == ops.ENDED:
            seen = NOTHING_SEEN
        elif target.paused and seen == NOTHING_SEEN:
            seen = STALE  # it waits for nothing in particular
        changed[at : at + 2] = target.number, seen
        if transition.tells:
            for u in range(base + 1, len(state), 2):
                if u != at + 1 and changed[u] > NOTHING_SEEN and local.addr in self.seen[changed[u]]:
                    changed[u] = STALE
        return tuple(changed)

    def _with(self, seen: int, cell: int) -> int:
        cells = self.seen[seen] | {cell}
        number = self.seen_numbers.setdefault(cells, len(self.seen))
        if number == len(self.seen):
            self.seen.append(cells)
        return number

    def warm_up(self, i: int) -> int:
        """Picks for a first schedule, in which code is met that names globals."""
        self.shortest = 1
        machine = self.machine
        self.automata.capture.take([machine.check])
        if len(machine.trail) > WARM:
            return MAIN
        return i if i in machine.runnable else machine.runnable[0]

    def run(self, task: Task) -> Callable[[int], int]:
        """Picks the threads of `task`, and goes on as long as there is something to learn.  Raises Unfit and Afresh."""
        machine, automata, path = self.machine, self.automata, task.path
        at = 0

        def pick(i: int) -> int:
            nonlocal at
            if at == 0:
                automata.begin()
            new = automata.arrive()
            if at == len(path) - 1:
                self._compare(task)
            if at < len(path):
                t = path[at]
                if t not in machine.runnable:
                    raise Unfit("a thread cannot go that could")
            elif new or not path:
                t = i if i in machine.runnable else machine.runnable[0]
            else:
                return MAIN
            at += 1
            automata.go(t)
            return t

        self.compared += len(path)
        self.ending, self.shortest = task.ends, max(len(path), self.shortest and 1)
        return pick

    def _compare(self, task: Task) -> None:
        """Before the last step of `task`, the memory is as it was computed."""
        memory = self.automata.memory[:]
        for a, v in zip(self.cells, task.memory, strict=True):
            memory[a] = v
        if self.automata.differs(memory):
            raise Unfit("the memory is another one")

    def ended(self) -> None:
        """The schedule of a task is over: whoever went last may have ended.  Raises Unfit and Afresh."""
        machine = self.machine
        if machine.fault is None:
            if machine.complete and len(machine.trail) < self.shortest:
                refuse_end(machine)
            if machine.complete and not self.automata.initial and not machine.trail:
                self.done = True  # no thread takes a step
            self.automata.arrive()
            ending, self.ending = self.ending, False
            if ending and not machine.complete:
                raise Unfit("a schedule goes on that should be over")

    def forget(self) -> None:
        """What was learned is void."""
        self.automata.forget()
        self.ends.clear()
        self.met.clear()
        self.states.clear()
