"""Spin-assume for DPOR: detects turns of a waiting loop that change nothing, and does not explore further ones.

Theory of operation.  A loop that waits with a pause goes round until somebody changes what it reads.  A turn that began and
ended in the same local state (where the code stands, what it keeps) and only read in between has done nothing.  So a
thread that ends an idle turn is *cut*: it goes on only when nobody can run and all who pause are let go together
(Kokologiannakis, Ren and Vafeiadis, Dynamic partial order reductions for spinloops, 2021).  Where only those who are cut
could go on, the interleaving ends.  A livelock is seen as ever: all spin, are let go, and the state comes again.

Why nothing is missed.  Take an interleaving X in which a thread t goes on after an idle turn T, and leave T out.  What is
left, X', is an interleaving too, and a shorter one:

* nobody else notices: T has written nothing;
* t takes the step that it took after T, from the same local state, and finds the same in the cell;
* it may take it then: either it was never in a pause, or whatever let it take the first step of T lets it take this one;
* from there on t waits for the same changes.  A pause waits for what was read since the pause before, so where T began t
  must either have been in a pause, which ended with the first step, or have read nothing since the last one;
* nobody was let go, for want of anybody who can run, between the beginning of T and that step of t: t could have run in X'.

So X and X' end alike, and leaving out one turn after the other leads to an interleaving in which nobody who is cut goes on.
Of those, one of each trace is run: who is cut follows from a thread's own steps, from what they read, and from being let go,
which every step of an interleaving comes before or after.

The beginning of a turn out of a pause is recognised by the step that the thread is about to take: those before which some
thread has paused are noted first (`heads`).

Guards.  The local state is told exactly or not at all (`state.capture`): where something is opaque, no turn is idle.  A
plain write in a turn counts unless the word is a statistic, and so does asking for the time.

Not modelled.  T may have read plainly what somebody writes later.  If t has told that one by a `post`, which orders
nothing, the two race in X, and in X' perhaps nothing does.  So where there are posts the claim says that races were looked
for in the interleavings that were run.
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
        self.posts = False
        """Somebody has posted."""
        self.capture: Capture | None = None
        """Of the one machine that the search runs on."""
        self.words: list[int] = []
        """The memory before the last step, where somebody wants to know."""

    def note(self, machine: SteppedMachine, t: int) -> None:
        """Thread `t` has announced a step after a pause."""
        self.heads.add((machine.kinds[t], machine.addrs[t]))

    def go(self, machine: SteppedMachine, node: Node) -> None:
        """The step from `node` is about to be taken."""
        t = node.step.thread
        self.words = machine.memory.words[:] if node.turns.get(t) else []

    def begin(self, machine: SteppedMachine, node: Node) -> None:
        """The first step is about to be taken, from `node`: which turns begin there."""
        node.turns, node.cut = {}, frozenset()
        for t in range(len(machine.names)):
            self._announced(machine, node, t)

    def arrive(self, machine: SteppedMachine, parent: Node, node: Node) -> None:
        """The step from `parent` was taken and led to `node`: what turns are under way there, and who is cut."""
        t = parent.step.thread
        self.posts = self.posts or parent.kind == ops.POST
        turns, node.cut = parent.turns, parent.cut
        released = node.era is not parent.era
        if released:
            # Nobody's turn may have this moment in its middle.  Who was in a pause begins the next one from there.
            turns = {u: states[-1:] for u, states in turns.items() if u != t and machine.flags[u] & PAUSED}
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
        if machine.has_ended(t) or not (paused or self._may_begin(machine, t)):
            return
        states = node.turns.get(t, ())
        state = self._local_state(machine, t) if len(machine.memory.words) <= MANY else b""
        if not state:
            states = ()
        elif state not in states:
            states = (*states, state)
        else:
            if paused and not released:
                node.cut |= {t}
            states = (state,)
        node.turns = {**node.turns, t: states}

    def _may_begin(self, machine: SteppedMachine, t: int) -> bool:
        """May a turn begin with the step that thread `t` has announced, although it is not in a pause?"""
        return not machine.seen[t] and (machine.kinds[t], machine.addrs[t]) in self.heads

    def _local_state(self, machine: SteppedMachine, t: int) -> bytes:
        """The local state of thread `t`; empty if something in it cannot be looked into."""
        if self.capture is None:
            self.capture = Capture(machine)
        return self.capture.take(threads=[t]).written

    def _did_more(self, machine: SteppedMachine) -> bool:
        """Has the thread that went last written plainly, or has somebody asked for the time?"""
        if machine.execution.clock:
            return True
        mem, words, statistics = machine.memory.words, self.words, machine.statistics
        if mem == words:
            return False
        return len(mem) != len(words) or any(
            a not in statistics for a, (new, old) in enumerate(zip(mem, words, strict=True)) if new != old
        )
