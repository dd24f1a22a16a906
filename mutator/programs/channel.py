"""Goroutines in pairs that hand fresh objects from one to the other over a channel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mutator.chan import makechan
from mutator.programs.program import Program
from workbuf.machine import WORD


if TYPE_CHECKING:
    from mutator.m import M
    from mutator.world import World

PAYLOAD, NUMBER = 0, 1
SIZE, MASK = 2 * WORD, 1 << PAYLOAD


class Channel(Program):
    """Even ranks send, odd ranks receive; the last one without a partner sends to itself.

    A sender ends with a nil, and only that ends its receiver, so neither is left blocked.
    """

    name = "channel"
    globals = 2
    size = 2
    """Slots of the ring, its words in bss."""

    def __init__(self, world: World, first: int, rank: int, peers: int) -> None:
        super().__init__(world, first, rank, peers)
        self.chan = 0
        if rank % 2 == 0:
            self.chan = makechan(world.machine, f"chan{rank // 2}", world.bss, first, self.size)

    def pair(self, sender: Channel) -> None:
        """Receive from `sender`.  Called before any thread runs."""
        self.chan = sender.chan

    def run(self, m: M) -> None:
        """Play this rank's part."""
        frame = m.call(1)
        if self.rank % 2:
            self.receive(m, frame)
        else:
            self.send(m, frame, alone=self.rank == self.peers - 1)
        m.ret()

    def send(self, m: M, frame: int, *, alone: bool) -> None:
        """Send number after number, each in a pair of objects reachable from nowhere else."""
        number = 0
        while not m.stop_requested():
            m.poll()
            if alone or self.awaited(m):
                number += 1
                m.port.words[frame] = self.message(m, number)
                m.chansend(self.chan, frame)
                m.port.words[frame] = 0
            if alone:
                m.chanrecv(self.chan, frame)
                self.unpack(m, frame, number)
        if not alone:
            m.chansend(self.chan, frame)

    def awaited(self, _m: M) -> bool:
        """Is it time for the next number?"""
        return True

    def message(self, m: M, number: int) -> int:
        """A fresh object that names another one, which has the number; no safepoint inside."""
        payload = m.new(SIZE, MASK)
        m.port.post(payload // WORD + NUMBER, number)
        outer = m.new(SIZE, MASK)
        m.put(outer, PAYLOAD, payload)
        return outer

    def receive(self, m: M, frame: int) -> None:
        """Receive until nil and check every number."""
        number = 0
        while True:
            m.poll()
            m.chanrecv(self.chan, frame)
            if m.port.words[frame] == 0:
                return
            number += 1
            self.unpack(m, frame, number)

    def unpack(self, m: M, frame: int, number: int) -> None:
        """Check what was received, a poll later, so that only this stack keeps it alive."""
        m.poll()
        self.expect(m, m.get(m.port.words[frame], PAYLOAD), NUMBER, number)
        m.port.words[frame] = 0
