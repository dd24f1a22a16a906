"""The lock-free stack, every interleaving: linearizable, and nothing lost or doubled.  (O-23; S1.)"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from collector.audit import merge
from collector.fixtures.show import show
from collector.linearizability import linearizable
from collector.linearizability.models import Stack
from workbuf.lfstack import CNT_BITS, NEXT, PUSHCNT, Lfstack, pack, unpack
from workbuf.local import MLOCAL, WORK, Globals


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine
    from workbuf.machine import Port

    Check = Callable[[], object]


NODES = 3
ABA = {2: (("pop", "pop", "push"), ("pop", "push")), 3: (("pop", "pop", "push"), ("pop",), ("pop",))}
"""What each of two, or of three, threads does; it pushes the node that it popped first, if it has one."""
TIMED = {2: ABA[2], 3: (("pop", "push"), ("pop",), ("pop",))}
"""The same where the clock makes for more interleavings."""


class Nodes:
    """Some nodes on a stack, the last one on top, and a clock.

    The clock makes real time a matter of the threads' steps: a return adds 1 to it, a call reads it, so that whether one
    operation had returned when another was called is the same in all equivalent interleavings, of which DPOR runs one.
    """

    def __init__(self, machine: SteppedMachine, countbits: int = CNT_BITS) -> None:
        self.machine = machine
        self.world = Globals.allocate(machine, countbits=countbits)
        self.head = self.world.work + WORK.full
        self.clock = machine.word(0, "clock")
        self.nodes = [machine.alloc(2, f"node{i}", ("next", "pushcnt"), align=8) for i in range(NODES)]
        for node in self.nodes:
            machine.poke(node + PUSHCNT, 1)
            machine.poke(node + NEXT, machine.peek(self.head))
            machine.poke(self.head, pack(node * 8, 1, countbits))
        show(machine, self.world, "full")

    def listed(self) -> list[int]:
        """The nodes on the stack, from the bottom up."""
        found: list[int] = []
        val = self.machine.peek(self.head)
        while val and len(found) <= NODES:
            found.append(unpack(val) // 8)
            val = self.machine.peek(found[-1] + NEXT)
        return found[::-1]


class Thread:
    """Does what its script says and keeps what it holds and a record of every operation."""

    def __init__(self, nodes: Nodes, number: int, script: tuple[str, ...], kind: type[Lfstack], *, timed: bool) -> None:
        self.nodes = nodes
        self.number = number
        self.script = script
        self.kind = kind
        self.timed = timed
        self.record = MLOCAL.allocate(nodes.machine, f"m{number}")
        self.held: list[int] = []
        self.history: list[tuple[int, int, int, tuple[object, ...], int]] = []

    def __call__(self, port: Port) -> None:
        """The thread's body."""
        m = self.kind(port, self.nodes.world, self.record)
        head, clock = self.nodes.head, self.nodes.clock
        for operation in self.script:
            if operation == "push" and not self.held:
                continue
            call = 2 * port.load(clock) + 1 if self.timed else 0
            given: tuple[object, ...] = ("pop",)
            answer = 0
            if operation == "pop":
                answer = m.lfstackpop(head)
                self.held += [answer] if answer else []
            else:
                node = self.held.pop(0)
                given = ("push", node)
                m.lfstackpush(head, node)
            ret = 2 * port.xadd(clock, 1) if self.timed else 0
            self.history.append((call, ret, self.number, given, answer))


def stack(machine: SteppedMachine, threads: int, kind: type[Lfstack] = Lfstack, countbits: int = CNT_BITS) -> Check:
    """Threads by their scripts; in the end every node is on the stack or in one thread's hands."""
    nodes = Nodes(machine, countbits)
    ms = [Thread(nodes, number, script, kind, timed=False) for number, script in enumerate(ABA[threads])]
    for m in ms:
        machine.spawn(m, f"m{m.number}")

    def check() -> None:
        held = [node for m in ms for node in m.held]
        assert sorted(nodes.listed() + held) == nodes.nodes, "a node is lost or in two places"

    return check


def timed(machine: SteppedMachine, threads: int, kind: type[Lfstack] = Lfstack) -> Check:
    """The same under the clock; the history is that of a LIFO stack."""
    nodes = Nodes(machine)
    initial = tuple(nodes.nodes)
    ms = [Thread(nodes, number, script, kind, timed=True) for number, script in enumerate(TIMED[threads])]
    for m in ms:
        machine.spawn(m, f"m{m.number}")

    def check() -> None:
        verdict = linearizable(merge(m.history for m in ms), Stack(initial, empty=0), seconds=None)
        assert verdict, str(verdict)

    return check


@pytest.mark.race(exhaust=True, threads=(2, 3))
def test_aba_free(machine: SteppedMachine, threads: int) -> Check:
    """Two or three threads that pop and push back lose no node and double none."""
    return stack(machine, threads)


@pytest.mark.race(threads=(2, 3), strategy="dpor", fails="lost or in two places")
def test_aba(machine: SteppedMachine, threads: int) -> Check:
    """Without count bits the head can be the same again, and a swap installs a node that is another's."""
    return stack(machine, threads, countbits=0)


@pytest.mark.race(exhaust=True, threads=(2, 3))
def test_linearizable(machine: SteppedMachine, threads: int) -> Check:
    """Every history of pops and pushes is one of a stack that does one thing at a time, last in, first out."""
    return timed(machine, threads)


class Early(Lfstack):
    """A pop that believes its first look: a stack that was empty once is empty for it."""

    def lfstackpop(self, head: int) -> int:
        """Pops; says 0 when it loses a race."""
        port = self.port
        old = port.load(head)
        if old == 0:
            return 0
        node = unpack(old) >> 3
        return node if port.cas(head, old, port.load(node + NEXT)) else 0


@pytest.mark.race(threads=(2, 3), strategy="dpor", fails="not linearizable")
def test_gives_up(machine: SteppedMachine, threads: int) -> Check:
    """A pop that answers "empty" when it loses a race is no pop of a stack that holds something."""
    return timed(machine, threads, Early)
