"""Stress of the termination barrier: participants drain a few buffers by getfull until it says that all is done.

Theory of operation.  Again and again on one machine, between two barriers of another kind (`collector.sync.barrier`): the
first participant fills the list, all drain it, publishing more as they go, and all must come out of getfull with nothing.

Guards.  Whoever comes out sees as many buffers taken as were published, and so does everybody else (I10).
"""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import TYPE_CHECKING

from collector.audit.buffers import onlist, registered
from collector.audit.violation import Violation
from collector.stress.primitives.rounds import Primitive
from collector.sync.barrier import Barrier
from workbuf.buffer import NOBJ, OBJ
from workbuf.events import Event
from workbuf.getfull import Getfull
from workbuf.hardware.machine import HardwareMachine
from workbuf.local import MLOCAL, WORK, Globals
from workbuf.machine import Pause
from workbuf.recorder import Recorder


if TYPE_CHECKING:
    from collector.stress.primitives.rounds import Settings
    from workbuf.machine import Port

PARTICIPANTS = 4
ENDS = 100
"""Terminations in a round of the stress."""
START, MORE = 1, 4
"""Buffers at the beginning of each, and how deep the tree is at most of which one is the root; others wait meanwhile."""


class Draining:
    """A round."""

    def __init__(self, settings: Settings, m: type[Getfull] = Getfull) -> None:
        self.recorder = Recorder(1 << 10)
        machine = self.machine = HardwareMachine(
            binding=settings.binding,
            seed=settings.seed,
            jitter=settings.jitter,
            listener_for=self.recorder.listen,
        )
        self.world = Globals.allocate(machine, wbufsize=112)
        machine.poke(self.world.work + WORK.nproc, PARTICIPANTS)
        self.meet = Barrier(machine, PARTICIPANTS, "meet")
        self.published, self.taken = machine.word(0, "published"), machine.word(0, "taken")
        for i in range(PARTICIPANTS):
            record = MLOCAL.allocate(machine, f"m{i}")

            def body(port: Port, record: int = record) -> None:
                me = m(port, self.world, record)
                rng = Random(port.seed)
                for _ in range(ENDS):
                    self.meet.wait(port)
                    if port.index == 0:
                        port.store(me.work_nwait, 0)
                        for _ in range(START):
                            self.publish(me, rng.randrange(MORE + 1))
                    self.meet.wait(port)
                    self.drain(me)

            machine.spawn(body, f"m{i}")

    def publish(self, me: Getfull, more: int) -> None:
        """A buffer that is the root of a binary tree of so many more levels."""
        b = me.getempty(915)
        words = me.port.words
        words[b + OBJ], words[b + NOBJ] = more, 1
        me.port.xadd(self.published, 1)
        me.putfull(b, 942)

    def drain(self, me: Getfull) -> None:
        """Take buffer after buffer until all is done; raises a Violation if it is not."""
        port, words = me.port, me.port.words
        while b := me.getfull(504):
            more = words[b + OBJ]
            port.pause(Pause.OSYIELD, 1)  # to scan it takes a while
            words[b + OBJ] = words[b + NOBJ] = 0
            if more:
                self.publish(me, more - 1)
                self.publish(me, more - 1)
            port.xadd(self.taken, 1)
            me.putempty(b, 496)
        taken, published = port.load(self.taken), port.load(self.published)
        if taken != published:
            text = f"{port.name} was told that all is done when {taken} of {published} buffers had been taken"
            raise Violation("barrier", text)

    def check(self) -> Counter[str]:
        """Every buffer is back on empty."""
        words = self.machine.boot().words
        made = registered(self.world, words)
        there = list(onlist(self.world.work + WORK.empty, words, len(made)))
        if sorted(there) != sorted(made):
            raise Violation("leak", f"{len(made)} buffers were made, {len(there)} are on empty at the end")
        total = self.recorder.total
        return Counter(ends=ENDS, buffers=words[self.taken], waits=total(Event.WAIT), resumed=total(Event.RESUME))


BARRIER = Primitive(
    "barrier",
    "getfull's termination of four participants, thousands of times",
    "waits that ended because there was work again, for 100 terminations",
    Draining,
    lambda counts: 100 * counts["resumed"] / max(counts["ends"], 1),
    1.0,
    ("ends", "buffers", "waits", "resumed"),
)
