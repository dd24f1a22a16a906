"""Stateful search: a depth-first search that explores each state once.

Theory of operation.  Where traces are too many, states may be few: three threads at a barrier have half a million traces
and a few thousand states.  A *state* is what `state.whole` captures: all that decides what happens next.  Of each state a
128-bit digest is kept.  A schedule that reaches a known state is cut off there.  Greenlets cannot be copied, so to return
to the last state with an unexplored step the program is run again.  A state that contains something opaque counts as new,
and the claim says so.

The states form a graph.  A strongly fair cycle in it (`state.graph`) is a livelock: a schedule that goes round it is run,
and the state that repeats proves it.  The graph is searched whenever it has doubled, and at the end.

A program that asks for the time depends on the number of steps.  From then on that number is part of every state, and the
search begins again, because states that differed in nothing else had been merged.  It also begins again when something has
changed that was assumed not to change (`state.assumptions`).

Relied on.  Data races are found on the paths that are run; the path to a state that was cut off may have ordered less.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, TypeVar

from collector.explore.claim import Claim, Kind, Seen
from collector.explore.machine.carrier import MAIN
from collector.explore.machine.observed import Observed
from collector.explore.machine.threads import PAUSED
from collector.explore.prefix import refuse_end
from collector.explore.state.capture import Capture
from collector.explore.state.graph import Circle, Edge, Graph
from collector.explore.state.learning import Afresh, Unfit
from collector.explore.state.whole import States
from collector.explore.strategies.base import left
from collector.explore.strategies.choice import Choice
from collector.explore.strategies.product import Product


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore.machine.execution import Draw, Pick
    from collector.explore.machine.machine import SteppedMachine
    from collector.explore.strategies.base import Options


T = TypeVar("T")

FIRST_LOOK = 500
"""States after which the graph is first asked for a circle."""


class Stateful:
    """Depth-first search that recognises states."""

    name = "stateful"
    observes = True

    def __init__(self, options: Options) -> None:
        self.path: list[Choice] = []
        self.numbers: dict[bytes, int] = {}
        """Of the states, by their digests."""
        self.graph = Graph()
        self.opaque: dict[str, None] = {}
        """Descriptions of opaque objects, in the order of discovery."""
        self.timed = False
        """The number of steps is part of the state."""
        self.next_look = FIRST_LOOK
        self.circle: Circle | None = None
        """To be run next, to show a livelock."""
        self.over = False
        """The circle was run."""
        self.unproved = False
        """A cycle was run, but its state did not repeat."""
        self.runs = 0
        self.epoch = 0
        """Of the captures: times that one of their assumptions was found not to hold."""
        self.compared = 0
        """Steps, with what they were when they were first taken."""
        self.races = options.races
        self.capture: Capture | None = None
        """Of the machine that runs the schedules."""
        self.whole: States | None = None
        """Its states."""
        self.exhausted = False
        self.fit = True
        """As far as is known, states can be computed."""
        self.product: Product | None = None
        self.computing = False
        """The schedule under way is run for that."""

    @property
    def done(self) -> bool:
        """When every state was seen, or a livelock."""
        return self.exhausted or self.over

    @property
    def captured(self) -> int:
        """Values written down to tell states apart."""
        return self.capture.written if self.capture else 0

    @property
    def states(self) -> int:
        """Different states seen."""
        return len(self.graph.edges)

    @property
    def computes(self) -> bool:
        """Most states are computed and not run: from the first schedule on, as long as the program fits (`product`)."""
        return self.product is not None

    def begin(self, machine: SteppedMachine) -> tuple[Pick, Draw]:
        if self.circle:
            return self._round(machine, self.circle)
        self.capture = self.capture or Capture(machine)
        observed = machine.memory.plain
        if self.fit and self.product is None and isinstance(observed, Observed):
            self.product = Product(machine, observed, self.capture, races=self.races)
        go = self._fitting(self.product.schedule) if self.product else None
        self.computing = go is not None
        return self._compute(go) if go else self._search(machine, self.capture)

    def _compute(self, go: Pick) -> tuple[Pick, Draw]:
        """What has to be run for the states to be computed."""

        def pick(i: int) -> int:
            t = self._fitting(partial(go, i))
            return MAIN if t is None else t

        return pick, lambda _i, _n: 0

    def _fitting(self, do: Callable[[], T]) -> T | None:
        """What `do` returns; None if states cannot be computed, or not with what was learned so far."""
        product = self.product
        if product is None:
            return None
        try:
            try:
                return do()
            except Afresh:
                product.forget()
        except Unfit:
            product.automata.rest()
            self.fit, self.product = False, None
            self._afresh()
        return None

    def _search(self, machine: SteppedMachine, capture: Capture) -> tuple[Pick, Draw]:
        """The current path, and on from its end."""
        path, runnable, numbers, graph = self.path, machine.runnable, self.numbers, self.graph
        self.compared += len(path)
        self.whole = self.whole or States(machine, capture)
        now = self.whole.now
        at = 0
        source = next((choice for choice in reversed(path) if choice.state >= 0), None)
        came = path.index(source) if source else 0
        last = source.state if source else -1

        def go() -> int:
            nonlocal at
            at += 1
            return path[at - 1].thread(machine)

        def pick(i: int) -> int:
            nonlocal last, came
            if at < len(path):
                return go()
            if machine.execution.late or (machine.execution.clock and not self.timed):
                return MAIN
            state = now(len(machine.trail)) if self.timed else now()
            number = -1 if state.opaque else numbers.get(state.digest, -1)
            known = number >= 0
            if not known:
                number = graph.add(runnable)
                if state.opaque:
                    self.opaque.update(dict.fromkeys(state.opaque))
                else:
                    numbers[state.digest] = number
            if last >= 0:
                graph.edges[last].append(Edge(tuple(machine.trail[came:]), number))
            if known:
                return MAIN
            last, came = number, len(path)
            path.append(Choice(self._order(i, machine), number))
            return go()

        def draw(_i: int, n: int) -> int:
            nonlocal at
            if at == len(path):
                path.append(Choice(list(range(n))))
            choice = path[at]
            at += 1
            return choice.alternatives[choice.index]

        return pick, draw

    @staticmethod
    def _order(i: int, machine: SteppedMachine) -> list[int]:
        """The runnable threads, the running one first."""
        if i in machine.runnable and not machine.flags[i] & PAUSED:
            return [i, *(t for t in machine.runnable if t != i)]
        return machine.runnable[:]

    @staticmethod
    def _round(machine: SteppedMachine, circle: Circle) -> tuple[Pick, Draw]:
        """Into the circle and round it, where threads go in turn: what comes again is seen there."""
        trail, stem, entries = machine.trail, circle.stem, circle.circle

        def entry(_i: int = MAIN) -> int:
            at = len(trail)
            t = stem[at] if at < len(stem) else entries[(at - len(stem)) % len(entries)]
            return t if t in machine.runnable or t < MAIN else MAIN

        def pick(i: int) -> int:
            if len(trail) != len(stem):
                return max(entry(), MAIN)
            machine.execution.script = entry
            return machine.execution.watch.go_round(i)

        return pick, lambda _i, _n: ~entry() - 1

    def end(self, machine: SteppedMachine, /) -> None:
        """Back to the last choice with an alternative left."""
        self.runs += bool(machine.trail)  # without a step it was none: states were computed, or begun again
        if self.circle:
            self.over = True
            if machine.fault is None:
                self.unproved = True
            else:
                machine.execution.steps_allowed = len(self.circle.stem)  # behind it the livelock is seen again
            return
        if self.computing:
            if self.product:
                self._fitting(self.product.ended)
            if self.product:
                self.compared, self.graph = self.product.compared, self.product.graph
                self._look(seen_all=self.product.done)
            return
        epoch = self.capture.epoch if self.capture else 0
        if (machine.execution.clock and not self.timed) or epoch != self.epoch:
            self.timed, self.epoch = self.timed or machine.execution.clock > 0, epoch
            self._afresh()
            return
        path = self.path
        if machine.complete and machine.fault is None and len(machine.trail) < len(path):
            refuse_end(machine)
        while path and path[-1].index + 1 == len(path[-1].alternatives):
            path.pop()
        if path:
            path[-1].next()
        self._look(seen_all=not path)

    def _look(self, *, seen_all: bool) -> None:
        """Ask the graph for a circle, at the end and now and then before."""
        if seen_all or self.states >= self.next_look:
            self.next_look = 2 * self.states
            self.circle = self.graph.fair_circle()
            self.exhausted = seen_all and self.circle is None

    def _afresh(self) -> None:
        """Begin again: states may have been merged that are not the same."""
        self.path.clear()
        self.numbers.clear()
        self.graph = Graph()
        self.next_look = FIRST_LOOK

    def outlook(self, _schedules: int, /) -> str:
        """Of computed states, how many it has gone on from; else, schedules that are cut off count as much as others."""
        if self.product:
            return f"{self.states:,} states, {self.states - self.product.next:,} still to go on from"
        outlook = left(self.runs, ((choice.index, len(choice.alternatives)) for choice in self.path))
        return f"{self.states:,} states, {outlook}"

    def claim(self, _schedules: int, /) -> Claim:
        """Exhausted or not, and what stood in the way."""
        caveats = []
        if self.opaque:
            caveats.append(
                f"states were not merged where {next(iter(self.opaque))}, which cannot be looked into; "
                "machine.state(lambda: ...) tells it"
            )
        if self.timed:
            caveats.append("the program asks for the time, so states after different numbers of steps were told apart")
        if self.product and self.states:
            schedules = f"in the {self.runs:,} schedules that were run"
            caveats.append(f"states were computed from what each thread did by itself {schedules}")
        if self.races and self.states:
            where = "in the same" if self.product else "on the paths that were run"
            caveats.append(f"data races were looked for {where}")
        kind, reason = Kind.PROVED if self.exhausted else Kind.UNDECIDED, ""
        if not self.exhausted:
            reason = "there may be a livelock that could not be shown" if self.unproved else "more are left"
        return Claim(kind, self.name, Seen.STATES, self.states, reason=reason, caveats=tuple(caveats))
