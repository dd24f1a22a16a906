"""Spin-assume for DPOR: detects turns of a waiting loop that change nothing, and does not explore further ones.

Theory of operation.  A loop that waits with a pause goes round until somebody changes what it reads.  A turn that began and
ended in the same local state (where the code stands, what it keeps) and only read in between has done nothing: every
interleaving in which a later turn sees the change has an equal one in which the thread had not yet begun the idle turn.
So a thread that ends an idle turn is *cut*: it goes on only when nobody can run and all who pause are let go together
(Kokologiannakis, Ren and Vafeiadis, Dynamic partial order reductions for spinloops, 2021).  That moment is no part of a
turn, so a livelock is seen as ever: all spin, are let go, and the state comes again.  Where only those who are cut could go
on, the interleaving ends; what they would have done is in another one.

A turn may be left out only if that moment has not come within it: without the turn its thread could have run, and nobody
would have been let go.

The beginning of a turn is recognised by the step that the thread is about to take: those before which some thread has
paused are noted first (`heads`).

Guards.  The local state is told exactly or not at all (`state.capture`): where something is opaque, no turn is idle.  A
plain write in a turn counts unless the word is a statistic, and so does asking for the time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.explore.machine import ops
from collector.explore.machine.threads import PAUSED
from collector.explore.state.capture import Capture


if TYPE_CHECKING:
    from collector.explore.machine.machine import SteppedMachine
    from collector.explore.strategies.dpor.path import Node


ONLY_READ = frozenset(op.code for op in ops.TABLE if op.reads and not op.waits and op.writes != ops.ALWAYS)
"""Kinds that a turn may consist of, if they write nothing."""
MANY = 10_000
"""Words of memory that are too many to be compared step by step."""


class Idle:
    """Knows which threads have just ended an idle turn."""

    def __init__(self) -> None:
        self.heads: set[tuple[int, int]] = set()
        """Kind and cell of steps that came after a pause."""
        self.capture: Capture | None = None
        """Of the one machine that the search runs on."""
        self.words: list[int] = []
        """The memory before the last step, where somebody wants to know."""

    def note(self, machine: SteppedMachine, t: int) -> None:
        """Thread `t` has announced a step."""
        if machine.flags[t] & PAUSED:
            self.heads.add((machine.kinds[t], machine.addrs[t]))

    def go(self, machine: SteppedMachine, node: Node) -> None:
        """The step from `node` is about to be taken."""
        t = node.step.thread
        self.words = machine.mem[:] if node.turns.get(t) else []

    def begin(self, machine: SteppedMachine, node: Node) -> None:
        """The first step is about to be taken, from `node`: which turns begin there."""
        for t in range(len(machine.names)):
            self._announced(machine, node, t)

    def arrive(self, machine: SteppedMachine, parent: Node, node: Node) -> None:
        """The step from `parent` was taken and led to `node`: what turns are under way there, and who is cut."""
        t = parent.step.thread
        turns, node.cut = parent.turns, parent.cut
        released = node.era is not parent.era
        if released:
            # Who has begun a turn has to take it again: this moment was in its middle.
            turns = {u: states[-1:] for u, states in turns.items() if machine.flags[u] & PAUSED}
            node.cut = frozenset()
        if turns.get(t) and (parent.step.write or parent.kind not in ONLY_READ or self._did_more(machine)):
            turns = {**turns, t: ()}
        node.turns = turns
        self._announced(machine, node, t, released=released)
        if parent.kind == ops.SPAWN:
            self._announced(machine, node, parent.step.aim)

    def _announced(self, machine: SteppedMachine, node: Node, t: int, *, released: bool = False) -> None:
        """Thread `t` has announced a step: does a turn begin with it, or has an idle one ended?"""
        paused = machine.flags[t] & PAUSED
        if machine.has_ended(t) or not (paused or (machine.kinds[t], machine.addrs[t]) in self.heads):
            return
        states = node.turns.get(t, ())
        state = self._local_state(machine, t) if len(machine.mem) <= MANY else b""
        if not state:
            states = ()
        elif state not in states:
            states = (*states, state)
        elif paused and not released:
            node.cut |= {t}
        else:
            states = (state,)
        node.turns = {**node.turns, t: states}

    def _local_state(self, machine: SteppedMachine, t: int) -> bytes:
        """The local state of thread `t`; empty if something in it cannot be looked into."""
        if self.capture is None:
            self.capture = Capture(machine)
        return self.capture.take(threads=[t]).written

    def _did_more(self, machine: SteppedMachine) -> bool:
        """Has the thread that went last written plainly, or has somebody asked for the time?"""
        if machine.execution.clock:
            return True
        mem, words, statistics = machine.mem, self.words, machine.statistics
        if mem == words:
            return False
        return len(mem) != len(words) or any(
            a not in statistics for a, (new, old) in enumerate(zip(mem, words, strict=True)) if new != old
        )
