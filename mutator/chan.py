"""Channels that hand pointers between goroutines.  (Go: chansend, chanrecv, sendDirect, chan.go.)

Theory of operation.  A channel is a lock, a ring of slots in the heap's globals and two queues of blocked goroutines, of
which at most one is not empty.  A sender that finds a receiver blocked writes the value straight into the slot on the
receiver's stack; a receiver that finds a sender blocked takes the sender's value the same way.

Guards.  The collector believes that a blocked goroutine's stack does not change.  A direct send changes it, so it has a
barrier of its own (K-16); see `sendbarrier`.

Not modelled.  select, close, channels of other things than one pointer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mutator.world import G, Segment
from mutator.writebarrier import Writebarrier
from workbuf.layout import Struct
from workbuf.machine import WORD


if TYPE_CHECKING:
    from workbuf.machine import Machine


CHAN = Struct("chan", "lock", "recvq", "sendq", "qcount", "recvx", "sendx", "dataqsiz", "buf")
"""`recvq` and `sendq` are first goroutines, linked through `g.link`; `buf` is the cell of the ring of `dataqsiz` slots."""


def makechan(machine: Machine, name: str, buffer: Segment, first: int, size: int) -> int:
    """A channel whose ring is the words `first` .. `first + size - 1` of `buffer` (roots, so that they are scanned)."""
    chan = CHAN.allocate(machine, name)
    machine.poke(chan + CHAN.dataqsiz, size)
    machine.poke(chan + CHAN.buf, buffer.base + first)
    return chan


class Chan(Writebarrier):
    """Blocking send and receive of one pointer.  A channel `c` is the cell of its record."""

    def chansend(self, c: int, slot: int) -> None:
        """Send the pointer in the word at cell `slot` of this goroutine's stack; blocks while the ring is full."""
        port, words = self.port, self.port.words
        lock = c + CHAN.lock
        port.lock(lock)
        receiver = self.dequeue(c + CHAN.recvq)
        if receiver:
            self.senddirect(words[receiver + G.elem], words[slot])
            port.unlock(lock)
            self.goready(receiver)
        elif words[c + CHAN.qcount] < words[c + CHAN.dataqsiz]:
            at = words[c + CHAN.buf] + words[c + CHAN.sendx]
            self.writebarrierptr(at * WORD, words[slot])
            words[c + CHAN.sendx] = (words[c + CHAN.sendx] + 1) % words[c + CHAN.dataqsiz]
            words[c + CHAN.qcount] += 1
            port.unlock(lock)
        else:
            self.enqueue(c + CHAN.sendq, slot)
            self.gopark(lock)

    def chanrecv(self, c: int, slot: int) -> None:
        """Receive a pointer into the word at cell `slot` of this goroutine's stack; blocks while there is none."""
        port, words = self.port, self.port.words
        lock = c + CHAN.lock
        port.lock(lock)
        if words[c + CHAN.qcount]:
            at = words[c + CHAN.buf] + words[c + CHAN.recvx]
            words[slot] = port.hint(at)
            self.writebarrierptr(at * WORD, 0)
            words[c + CHAN.recvx] = (words[c + CHAN.recvx] + 1) % words[c + CHAN.dataqsiz]
            sender = self.dequeue(c + CHAN.sendq)
            if sender:
                behind = words[c + CHAN.buf] + words[c + CHAN.sendx]
                self.writebarrierptr(behind * WORD, port.hint(words[sender + G.elem]))
                words[c + CHAN.sendx] = (words[c + CHAN.sendx] + 1) % words[c + CHAN.dataqsiz]
            else:
                words[c + CHAN.qcount] -= 1
            port.unlock(lock)
            if sender:
                self.goready(sender)
            return
        sender = self.dequeue(c + CHAN.sendq)
        if sender:
            words[slot] = port.hint(words[sender + G.elem])
            port.unlock(lock)
            self.goready(sender)
        else:
            self.enqueue(c + CHAN.recvq, slot)
            self.gopark(lock)

    def senddirect(self, slot: int, value: int) -> None:
        """Write `value` to cell `slot` on the stack of a blocked goroutine."""
        self.sendbarrier(slot * WORD, value)

    def enqueue(self, queue: int, slot: int) -> None:
        """Queue this goroutine as the last, its value's cell in `elem`; the caller holds the channel's lock."""
        words, gp = self.port.words, self.curg
        words[gp + G.elem] = slot
        words[gp + G.link] = 0
        at = queue
        while words[at]:
            at = words[at] + G.link
        words[at] = gp

    def dequeue(self, queue: int) -> int:
        """Take the first goroutine off a queue, 0 if none; the caller holds the channel's lock."""
        words = self.port.words
        gp = words[queue]
        if gp:
            words[queue] = words[gp + G.link]
        return gp
