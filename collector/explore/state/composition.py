"""The product of the threads' automata (`state.automaton`): whole states, who can go there, and what a step makes of them.

A state is the content of the cells that are ever written, and per thread its local state and what may end its pause: the
same as `state.whole` captures.  Pauses, locks and notes are as in `machine.threads`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.explore.machine import ops
from collector.explore.machine.threads import can
from collector.explore.state.automaton import Ask
from collector.explore.state.learning import Unfit


if TYPE_CHECKING:
    from collector.explore.state.automaton import Local, Transition
    from collector.explore.state.learning import Automata

    State = tuple[int, ...]
    """The cells; then of each thread, the number of its local state, and that of what it has seen."""


STALE = -1
"""Of what a thread has seen, something was overwritten by another one."""
NOTHING_SEEN = 0


class Composition:
    """The states over the cells that are known to be written by now."""

    def __init__(self, automata: Automata) -> None:
        self.automata = automata
        self.threads = range(len(automata.initial))
        self.places = dict(automata.cells)
        self.size = len(self.places)
        self.seen: list[frozenset[int]] = [frozenset()]
        """Sets of cells, by their numbers in a state."""
        self.numbers: dict[frozenset[int], int] = {frozenset(): NOTHING_SEEN}
        self.sets: dict[tuple[int, ...], tuple[int, ...]] = {}
        """Of threads: each kept once, as there are few of them and many states."""

    def initial(self) -> State:
        """All threads have come to their first steps.  Who has paused has seen nothing, so it waits for nothing special."""
        cells = [self.automata.memory[a] for a in self.places]
        threads = [
            n for local in self.automata.initial for n in (local.number, STALE if local.paused else NOTHING_SEEN)
        ]
        return (*cells, *threads)

    def cells(self, state: State) -> State:
        """What the cells that are written hold."""
        return state[: self.size]

    def local(self, state: State, t: int) -> Local:
        """The local state of thread `t`."""
        return self.automata.locals[state[self.size + 2 * t]]

    def held(self, state: State, cell: int) -> int:
        """What is in `cell`."""
        at = self.places.get(cell, -1)
        return self.automata.memory[cell] if at < 0 else state[at]

    def runnable(self, state: State) -> tuple[int, ...]:
        """Who can go: as `Threads.ready` has it."""
        found, places, memory, known = [], self.places, self.automata.memory, self.automata.locals
        at = self.size
        for t in self.threads:
            local = known[state[at]]
            kind = local.kind
            if kind == ops.ENDED or (local.paused and state[at + 1] != STALE):
                pass
            elif kind not in ops.WAITING:
                found.append(t)
            else:
                place = places.get(local.addr, -1)
                if can(kind, memory[local.addr] if place < 0 else state[place]):
                    found.append(t)
            at += 2
        threads = tuple(found)
        return self.sets.setdefault(threads, threads)

    def released(self, state: State) -> State:
        """Nobody can go, so all who pause are let go; the same state if that is of no use."""
        changed = list(state)
        for t in self.threads:
            local = self.local(state, t)
            if local.paused and local.kind != ops.ENDED:
                changed[self.size + 2 * t + 1] = STALE
        released = tuple(changed)
        return released if self.runnable(released) else state

    def known(self, state: State, t: int) -> Transition | None:
        """What thread `t` does from `state`, if that is known."""
        node = self.local(state, t).next
        while isinstance(node, Ask):
            node = node.answers.get(self.held(state, node.cell))
        return node

    def after(self, state: State, t: int, transition: Transition) -> State:
        """The state after that.  Raises Unfit if the machine would not notice what it changes."""
        changed, places, base = list(state), self.places, self.size
        for a, v in transition.writes:
            changed[places[a]] = v
        local, at, target = self.local(state, t), base + 2 * t, transition.target
        seen = NOTHING_SEEN if local.paused else state[at + 1]
        if local.kind in ops.READING and seen != STALE:
            seen = self._with(seen, local.addr)
        if target.kind == ops.ENDED:
            seen = NOTHING_SEEN
        elif target.paused and seen == NOTHING_SEEN and local.kind != ops.PAUSE:
            seen = STALE  # it waits for nothing in particular
        changed[at : at + 2] = target.number, seen
        if transition.tells:
            for u in range(base + 1, len(state), 2):
                if u != at + 1 and changed[u] > NOTHING_SEEN and local.addr in self.seen[changed[u]]:
                    changed[u] = STALE
        after = tuple(changed)
        if not transition.unheard.isdisjoint(self.automata.waited):
            self._disturb(state, after, t, transition.unheard)
        return after

    def _disturb(self, state: State, after: State, t: int, cells: frozenset[int]) -> None:
        """A thread that waits for a lock or a note hears of what steps write there, and not of plain writes."""
        for u in self.threads:
            local = self.local(state, u)
            if u != t and local.kind in ops.WAITING and local.addr in cells:
                could, can_now = (can(local.kind, self.held(x, local.addr)) for x in (state, after))
                if could != can_now:
                    raise Unfit("a lock or a note is written that somebody waits for")

    def _with(self, seen: int, cell: int) -> int:
        cells = self.seen[seen] | {cell}
        number = self.numbers.setdefault(cells, len(self.seen))
        if number == len(self.seen):
            self.seen.append(cells)
        return number
