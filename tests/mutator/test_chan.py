"""Channels: order, blocking on either side, and what a direct send owes the collector."""

from __future__ import annotations

import pytest

from collector.audit.violation import Violation
from collector.runtime import AuditedM
from mutator.chan import CHAN, makechan
from mutator.phase import GCmark, GCscan
from mutator.world import GRUNNABLE, GRUNNING, GWAITING
from tests.worlds import Bench
from workbuf.machine import WORD


class Blocks(AuditedM):
    """An M whose goroutine blocks while its thread goes on: what is waiting can be looked at."""

    def gopark(self, unlock: int, reason: int = 0) -> None:
        """Count as waiting, without a P."""
        del reason
        self.casgstatus(self.curg, GRUNNING, GWAITING)
        self.port.unlock(unlock)
        self.releasep()


@pytest.fixture(name="bench")
def _bench() -> Bench:
    return Bench(Blocks, mutators=4)


def chan(bench: Bench, size: int) -> int:
    """A channel whose ring is the first words of bss."""
    return makechan(bench.machine, "chan", bench.world.bss, 0, size)


def running(bench: Bench, i: int) -> tuple[AuditedM, int]:
    """Mutator `i`, running, and the cell of a local of its."""
    m = bench.start(bench.mutators[i])
    return m, m.call(1)


def send(bench: Bench, m: AuditedM, cell: int, c: int, value: int) -> None:
    """Send `value` from the local at `cell`."""
    bench.machine.poke(cell, value)
    m.chansend(c, cell)


def receive(bench: Bench, m: AuditedM, cell: int, c: int) -> int:
    """Receive into the local at `cell` what is there without waiting."""
    m.chanrecv(c, cell)
    return bench.peek(cell)


def waiting(bench: Bench, c: int, queue: str) -> int:
    """The first goroutine blocked there."""
    return bench.peek(c + CHAN.offsets[queue])


def test_a_ring_gives_back_what_it_was_given_in_order(bench: Bench) -> None:
    """Round the end of the ring too; what has been taken out is no root any longer."""
    m, cell = running(bench, 0)
    c = chan(bench, 3)
    objects = [bench.leaf() for _ in range(8)]
    got = []
    for at, p in enumerate(objects):
        send(bench, m, cell, c, p)
        if at >= 2:
            got.append(receive(bench, m, cell, c))
    got += [receive(bench, m, cell, c) for _ in range(2)]

    assert got == objects
    assert [bench.peek(bench.world.bss.base + i) for i in range(3)] == [0, 0, 0]
    assert bench.peek(c + CHAN.qcount) == 0


def test_a_receiver_blocks_on_an_empty_channel_and_is_handed_the_value(bench: Bench) -> None:
    """The value goes straight into the slot on its stack; no ring is needed."""
    sender, mine = running(bench, 0)
    receiver, slot = running(bench, 1)
    c, p = chan(bench, 0), bench.leaf()

    receiver.chanrecv(c, slot)
    assert receiver.readgstatus(receiver.curg) == GWAITING
    assert waiting(bench, c, "recvq") == receiver.curg

    send(bench, sender, mine, c, p)
    assert bench.peek(slot) == p
    assert receiver.readgstatus(receiver.curg) == GRUNNABLE
    assert waiting(bench, c, "recvq") == 0
    assert sender.readgstatus(sender.curg) == GRUNNING


def test_a_sender_blocks_on_an_unbuffered_channel_until_somebody_takes_the_value(bench: Bench) -> None:
    """The receiver reads it off the sender's stack."""
    sender, mine = running(bench, 0)
    receiver, slot = running(bench, 1)
    c, p = chan(bench, 0), bench.leaf()

    send(bench, sender, mine, c, p)
    assert sender.readgstatus(sender.curg) == GWAITING
    assert waiting(bench, c, "sendq") == sender.curg

    assert receive(bench, receiver, slot, c) == p
    assert sender.readgstatus(sender.curg) == GRUNNABLE
    assert waiting(bench, c, "sendq") == 0


def test_a_sender_blocked_on_a_full_ring_keeps_its_place(bench: Bench) -> None:
    """The receiver takes the oldest and puts the blocked sender's value behind the others."""
    first, one = running(bench, 0)
    second, two = running(bench, 1)
    receiver, slot = running(bench, 2)
    c = chan(bench, 2)
    a, b, blocked = bench.leaf(), bench.leaf(), bench.leaf()
    send(bench, first, one, c, a)
    send(bench, first, one, c, b)

    send(bench, second, two, c, blocked)
    assert second.readgstatus(second.curg) == GWAITING

    assert receive(bench, receiver, slot, c) == a
    assert second.readgstatus(second.curg) == GRUNNABLE
    assert [receive(bench, receiver, slot, c) for _ in range(2)] == [b, blocked]


def test_those_who_block_are_served_in_order(bench: Bench) -> None:
    """Three receivers wait; three values go to the first, the second, the third."""
    sender, mine = running(bench, 0)
    receivers = [running(bench, i) for i in (2, 1, 3)]
    c = chan(bench, 0)
    for m, slot in receivers:
        m.chanrecv(c, slot)
    objects = [bench.leaf() for _ in range(3)]

    for p in objects:
        send(bench, sender, mine, c, p)

    assert [bench.peek(slot) for _, slot in receivers] == objects


def test_the_ring_has_the_ordinary_barrier(bench: Bench) -> None:
    """Its slots are globals: shaded while marking, left to the second root scan before that."""
    m, cell = running(bench, 0)
    c, p, q = chan(bench, 2), bench.leaf(), bench.leaf()

    bench.phase(GCscan)
    send(bench, m, cell, c, p)
    bench.phase(GCmark)
    send(bench, m, cell, c, q)

    assert bench.marked(p, q) == [False, True]


class Midway(Blocks):
    """A collector in whose cycle something happens between the scan phase and the mark phase."""

    def stamp(self, name: str) -> None:
        """Let it happen."""
        if name == "installmarkwb":
            self.midway()
        super().stamp(name)

    def midway(self) -> None:
        """Nothing."""


class Unbarriered(Midway):
    """The seed: a direct send stores, and that is all."""

    def senddirect(self, slot: int, value: int) -> None:
        """Store."""
        self.port.post(slot, value)


def sends_midway(cls: type[Midway]) -> tuple[Bench, int]:
    """A cycle in which a fresh object is sent to a receiver whose stack was scanned; returns the object.

    Nobody else keeps it: the sender forgets it, and the receiver has not run when the mark ends.
    """
    bench = Bench(cls)
    sender, receiver = (bench.start(m) for m in bench.mutators)
    mine, slot = sender.call(1), receiver.call(1)
    c = makechan(bench.machine, "chan", bench.world.bss, 0, 0)
    receiver.chanrecv(c, slot)
    sender.entersyscall()
    p = bench.obj(bench.leaf())

    def midway() -> None:
        sender.exitsyscall()
        bench.machine.poke(mine, p)
        sender.chansend(c, mine)
        bench.machine.poke(mine, 0)
        sender.entersyscall()

    gcm: Midway = bench.start(bench.m(bench.model.gcm))
    gcm.midway = midway  # type: ignore[method-assign]
    gcm.gcwork(0)
    gcm.bgsweep()
    assert bench.peek(slot) == p
    return bench, p


def test_an_object_sent_into_a_scanned_stack_survives() -> None:
    """K-16, corrected: the send shades it, so mark termination need not look at the receiver's stack again."""
    bench, p = sends_midway(Midway)

    assert bench.allocated(p, bench.peek(p // WORD)) == [True, True]


def test_without_the_barrier_of_the_send_the_object_is_lost() -> None:
    """K-16 as in the seed: the traversal finds it reachable and not marked."""
    with pytest.raises(Violation, match="2 reachable objects are not marked") as found:
        sends_midway(Unbarriered)

    assert found.value.kind == "lost"


def test_every_value_arrives_once_and_in_order_on_real_threads() -> None:
    """Two pairs on one buffered channel each and one unbuffered pair, blocking as it comes."""
    bench = Bench(mutators=4)
    n = 300
    sizes = {0: 2, 2: 0}
    channels = {i: makechan(bench.machine, f"chan{i}", bench.world.bss, 4 * i // 2, size) for i, size in sizes.items()}
    got: dict[int, list[int]] = {i: [] for i in channels}

    def sender(i: int) -> object:
        def program(m: AuditedM) -> None:
            cell = m.call(1)
            for value in range(1, n + 1):
                m.port.words[cell] = value * WORD
                m.chansend(channels[i], cell)
                m.poll()

        return lambda m: m.mstart(program)

    def receiver(i: int) -> object:
        def program(m: AuditedM) -> None:
            cell = m.call(1)
            for _ in range(n):
                m.chanrecv(channels[i], cell)
                got[i].append(m.port.words[cell])

        return lambda m: m.mstart(program)

    lives = [sender(0), receiver(0), sender(2), receiver(2)]
    bench.run(*zip(bench.model.mutators, lives, strict=True))  # type: ignore[arg-type]

    assert got == {i: [value * WORD for value in range(1, n + 1)] for i in channels}
