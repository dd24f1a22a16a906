"""Objects with finalizers, dropped at once; each finalizer must run exactly once, on an object still whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mutator.programs.program import Program
from mutator.world import RUNTIME
from workbuf.machine import WORD, Pause
from workbuf.throw import Throw, println


if TYPE_CHECKING:
    from mutator.m import M

REFERENT, NUMBER, TAG = 0, 1, 2
SIZE, MASK = 3 * WORD, 1 << REFERENT
OURS = 0x0F1A112E
"""What stands in the word TAG of every object of this program: a loaded heap may have finalizers of its own."""


class Finalizers(Program):
    """Makes objects whose finalizer must run exactly once, with the object and what it points to still whole.

    The closure is an object too, kept alive by the special alone.
    """

    name = "finalizers"
    globals = 1
    pending_max = 2000
    collections_max = 2
    """After so many more a dead object's finalizer has been queued: one that it may float through, one that finds it dead.

    The next one begins when all is swept.
    """
    finalized = 0
    """Objects whose last finalizer this M has run."""
    outlived = 0
    """Collections that began between an object's making and that, of all of them together."""

    def run(self, m: M) -> None:
        """Make objects with finalizers, drop them at once, run what the sweeper has queued."""
        pending: dict[int, int] = {}
        number = self.rank << 32
        frame = m.call(2)
        while not m.stop_requested():
            m.poll()
            if len(pending) < self.pending_max:
                number += 1
                self.make(m, number)
                pending[number] = m.port.hint(m.runtime + RUNTIME.numgc)
            self.finalize(m, frame, pending)
        m.ret()

    def make(self, m: M, number: int) -> None:
        """An object reachable from nowhere, with a finalizer; no safepoint inside."""
        referent = m.new(SIZE, MASK)
        obj = m.new(SIZE, MASK)
        closure = m.new(SIZE, MASK)
        for each in (referent, obj, closure):
            m.port.post(each // WORD + NUMBER, number)
            m.port.post(each // WORD + TAG, OURS)
        m.put(obj, REFERENT, referent)
        m.setfinalizer(obj, closure)

    def finalize(self, m: M, frame: int, pending: dict[int, int]) -> None:
        """Run one queued finalizer, if any; any M may run it, and exactly one does."""
        # Before the queue: what was due by then is in it, or has been taken out by us.
        now = m.port.hint(m.runtime + RUNTIME.numgc)
        queued = m.takefinalizer()
        if queued is None:
            self.overdue(m, pending, now)
            if len(pending) >= self.pending_max:
                m.port.pause(Pause.USLEEP, 100)
            return
        words = m.port.words
        words[frame], words[frame + 1] = queued
        m.poll()
        closure, obj = words[frame], words[frame + 1]
        if not self.ours(m, closure):
            words[frame] = words[frame + 1] = 0
            return
        number = m.get(obj, NUMBER)
        self.expect(m, closure, NUMBER, number)
        self.whole(m, obj, number)
        self.ran(m, number, pending)
        words[frame] = words[frame + 1] = 0

    def whole(self, m: M, obj: int, number: int) -> None:
        """What the object points to is still there."""
        self.expect(m, m.get(obj, REFERENT), NUMBER, number)

    def ran(self, m: M, number: int, pending: dict[int, int]) -> None:
        """The finalizer of object `number` has run; raises a Throw if that was not its turn."""
        if number >> 32 == self.rank:
            if number not in pending:
                raise Throw("finalizer ran twice", println("runtime: number", number))
            self.over(m, pending.pop(number))

    def over(self, m: M, since: int) -> None:
        """An object that was made when there had been `since` collections has been finalized."""
        self.finalized += 1
        self.outlived += m.port.hint(m.runtime + RUNTIME.numgc) - since

    def overdue(self, m: M, pending: dict[int, int], now: int) -> None:  # noqa: ARG002  finalizerchains pauses
        """Nothing is queued: throw if the oldest finalizer was set so many collections before `now` that it must be."""
        oldest = next(iter(pending.items()), None)
        if self.peers == 1 and oldest and now - oldest[1] > self.collections_max:
            raise Throw("finalizer never ran", println("runtime: number", oldest[0], "set in collection", oldest[1]))

    def ours(self, m: M, closure: int) -> bool:
        """Is this a closure that a program like this one has made?"""
        facts = m.factsof(closure) if m.inheap(closure) else None
        return facts is not None and facts[2] >= SIZE and m.get(closure, TAG) == OURS
