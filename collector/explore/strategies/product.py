"""The states of a program, computed from what its threads do each by itself: the product of their automata.

Theory of operation.  Where the next step of a thread is known (`state.automaton`), the state that it leads to is computed
and not run (`state.composition`), breadth first.  Where it is not known, a schedule that leads there is run, and what is
found there learned (`state.learning`).  As threads are few and small and their interleavings many, that takes few schedules.

Every end is run: a schedule for each state in which all threads have ended, so that the check sees it, and for each in which
nobody can go on.  Whatever fails does so in a schedule that was run.  On the way to what is not known each step is compared
with what its thread's automaton says, and at its end the memory with what was computed.

Data races are looked for in the schedules that are run.  Among these is one for each two transitions that can follow each
other directly and touch one cell, one of them plainly and one of them writing: between them nothing orders the two.

Not modelled.  Two accesses may be unordered though they never follow each other directly, if what keeps them apart orders
nothing (`post`, `hint`, the end of a pause): such a race is seen only if it is in a schedule that is run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from collector.explore.machine.carrier import MAIN
from collector.explore.prefix import refuse_end
from collector.explore.state.composition import Composition
from collector.explore.state.graph import Edge, Graph
from collector.explore.state.learning import Automata, Unfit


if TYPE_CHECKING:
    from collector.explore.machine.execution import Pick
    from collector.explore.machine.machine import SteppedMachine
    from collector.explore.machine.observed import Observed
    from collector.explore.state.automaton import Accesses, Transition
    from collector.explore.state.capture import Capture
    from collector.explore.state.composition import State


SLICE = 4_000
"""Steps that are computed at a time."""
MANY = 3_000_000
"""States that are kept, of about a kilobyte each."""
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
    unknown: tuple[State, int] | None = None
    """The state and the step from there, where it is not known what that leads to."""


class Product:
    """Explores the states of the program that one machine runs."""

    def __init__(self, machine: SteppedMachine, observed: Observed, capture: Capture, *, races: bool) -> None:
        self.machine = machine
        self.automata = Automata(machine, observed, capture)
        self.races = races
        """Data races are looked for."""
        self.warm = False
        """Code has been met."""
        self.compared = 0
        self.shortest = 0
        """Steps that it takes at least."""
        self.computed = 0
        """Steps that were computed since somebody asked."""
        self.ends: set[State] = set()
        """Ends that were run."""
        self.failed: set[tuple[State, int]] = set()
        """Steps, from states, that were run and failed."""
        self.met: set[tuple[int, int]] = set()
        """Pairs of `Accesses`, by identity, that were seen to follow each other or to have no cell in common."""
        self._begin()

    def _begin(self) -> None:
        """From the initial state."""
        automata = self.automata
        self.composition = Composition(automata)
        self.steps = [(t,) for t in self.composition.threads]
        self.graph = Graph()
        self.states: list[State] = []
        self.numbers: dict[State, int] = {}
        self.came: list[tuple[int, int]] = []
        """Of each state: from which, and by whose step, it was reached first."""
        self.next = 0
        """The first state whose steps are not all computed."""
        self.done = False
        self.failed.clear()
        self.ending = False
        """The schedule under way must not go on behind its task."""
        self.under_way: tuple[State, int] | None = None
        """The step that the schedule under way is run for, if it is not known what that leads to."""
        self.plain = automata.plain and self.races
        if automata.initial:
            self._meet(self.composition.initial(), (-1, MAIN))

    def _meet(self, state: State, came: tuple[int, int]) -> int:
        """The number of `state`.  Raises Unfit."""
        number = self.numbers.get(state)
        if number is None:
            if len(self.states) == MANY:
                raise Unfit("there are too many states")
            number = self.numbers[state] = self.graph.add(self.composition.runnable(state))
            self.states.append(state)
            self.came.append(came)
        return number

    def _task(self) -> Task | None:
        """Compute on, to something that has to be run; None if so many steps were computed, or all."""
        if self._outdated():
            self._begin()
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

    def _outdated(self) -> bool:
        """Has it begun before it was known which cells are written, and whether plainly?"""
        automata = self.automata
        known = len(automata.cells), automata.plain and self.races
        return not self.states or known != (self.composition.size, self.plain)

    def _expand(self, number: int) -> Task | None:
        """All steps from that state; a task if something about one of them has to be run."""
        state, graph, composition = self.states[number], self.graph, self.composition
        graph.edges[number].clear()
        for t in graph.runnable[number]:
            transition = composition.known(state, t)
            if transition is None:
                if (state, t) in self.failed:
                    continue
                return self._way(number, t)._replace(unknown=(state, t))
            self.computed += 1
            target = composition.after(state, t, transition)
            if not composition.runnable(target):
                released = composition.released(target)
                if released == target:
                    # All have ended, or nobody can go on.
                    if target not in self.ends:
                        self.ends.add(target)
                        return self._way(number, t)._replace(ends=True)
                    continue
                target = released
            reached = self._meet(target, (number, t))
            graph.edges[number].append(Edge(self.steps[t], reached))
            task = self._race(number, t, transition, reached) if self.plain else None
            if task:
                return task
        return None

    def _race(self, number: int, t: int, transition: Transition, reached: int) -> Task | None:
        """A schedule in which this transition of `t` can race with what another thread has done before, or does next."""
        accesses, initial, composition = transition.accesses, self.automata.initial, self.composition
        for u, before in self.automata.before.items():
            # Who has not gone yet has told nobody what it did before its first step.
            if u != t and composition.local(self.states[number], u) is initial[u] and self._new(before, accesses):
                return self._way(number, t)
        state = self.states[reached]
        for u in self.graph.runnable[reached]:
            if u == t:
                continue
            other = composition.known(state, u)
            if other is None:
                if (state, u) not in self.failed:
                    return self._way(reached, u)._replace(unknown=(state, u))
            elif self._new(accesses, other.accesses):
                return Task((*self._way(number, t).path, u), composition.cells(state))
        return None

    def _new(self, x: Accesses, y: Accesses) -> bool:
        """Are these two met for the first time, and unordered if they follow each other?"""
        pair = id(x), id(y)
        known = pair in self.met
        self.met.add(pair)
        return not known and x.race(y)

    def _way(self, number: int, t: int) -> Task:
        """The way to a state, and the step of thread `t` from there."""
        memory = self.composition.cells(self.states[number])
        path = [t]
        while self.came[number][0] >= 0:
            number, t = self.came[number]
            path.append(t)
        return Task((*reversed(path),), memory)

    def schedule(self) -> Pick:
        """How to pick for the next schedule; where nothing has to be run now, it is over at once.  Raises Unfit."""
        if not self.warm:
            self.warm = True
            return self._warm_up
        task = self._task()
        return self._run(task) if task else lambda _i: MAIN

    def _warm_up(self, i: int) -> int:
        """Picks for a first schedule, in which code is met that names globals."""
        self.shortest = 1
        machine = self.machine
        self.automata.capture.take([machine.check])
        if len(machine.trail) > WARM:
            return MAIN
        return i if i in machine.runnable else machine.runnable[0]

    def _run(self, task: Task) -> Pick:
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

        automata.watch()
        self.under_way = task.unknown
        self.compared += len(path)
        self.ending, self.shortest = task.ends, max(len(path), self.shortest and 1)
        return pick

    def _compare(self, task: Task) -> None:
        """Before the last step of `task`, the memory is as it was computed."""
        memory = self.automata.memory[:]
        for a, v in zip(self.composition.places, task.memory, strict=True):
            memory[a] = v
        if self.automata.differs(memory):
            raise Unfit("the memory is another one")

    def ended(self) -> None:
        """The schedule of a task is over: whoever went last may have ended.  Raises Unfit and Afresh."""
        machine, automata, execution = self.machine, self.automata, self.machine.execution
        under_way, self.under_way = self.under_way, None
        ending, self.ending = self.ending, False
        if len(machine.trail) > execution.steps_allowed:
            raise Unfit("a schedule is longer than allowed")
        if machine.fault:
            automata.rest()
            if under_way:
                self.failed.add(under_way)
            return
        if machine.complete and len(machine.trail) < self.shortest:
            refuse_end(machine)
        if machine.complete and not automata.initial and not machine.trail:
            self.done = True  # no thread takes a step
        automata.arrive()
        if ending and not machine.complete:
            raise Unfit("a schedule goes on that should be over")
        if under_way and self.composition.known(*under_way) is None:
            raise Unfit("a schedule does not come to what it was run for")

    def forget(self) -> None:
        """What was learned is void."""
        self.automata.forget()
        self.ends.clear()
        self.met.clear()
        self._begin()
