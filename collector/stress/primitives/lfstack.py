"""Stress of the lock-free stack: few nodes, popped two at a time and pushed back in either order.

Theory of operation.  Each node has a word that says who holds it.  Whoever pops a node exchanges its number into that word;
if another one's was there, two threads have popped one node.  With fewer bits for the push count than one, an ABA does
that: while a thread stands between its reads and its compare-and-swap, others pop the node, pop the one below, and push
the first back.  Here that is left to the hardware and the system's scheduler.

Guards.  At the end of a round every node is on the stack, once.
"""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import TYPE_CHECKING

from collector.audit.buffers import onlist
from collector.audit.violation import Violation
from collector.stress.primitives.rounds import Primitive
from workbuf.hardware.machine import HardwareMachine
from workbuf.lfstack import Lfstack
from workbuf.local import MLOCAL, WORK, Globals


if TYPE_CHECKING:
    from collector.stress.primitives.rounds import Settings
    from workbuf.machine import Port

THREADS = 4
NODES = 5
TURNS = 2000
"""Of each thread in a round."""
HOLDER = 2
"""Word of a node: 0, or 1 + the number of the thread that holds it."""


class Contest:
    """A round."""

    def __init__(self, settings: Settings, m: type[Lfstack] = Lfstack) -> None:
        machine = self.machine = HardwareMachine(
            words=1 << 12, binding=settings.binding, seed=settings.seed, jitter=settings.jitter
        )
        world = Globals.allocate(machine, countbits=settings.countbits)
        self.head = world.work + WORK.full
        self.nodes = [machine.alloc(3, f"node{i}", ("next", "pushcnt", "holder"), align=8) for i in range(NODES)]
        self.ms: list[Lfstack] = []
        boot = m(machine.boot(), world, MLOCAL.allocate(machine, "boot"))
        for node in self.nodes:
            boot.lfstackpush(self.head, node)
        for i in range(THREADS):
            record = MLOCAL.allocate(machine, f"m{i}")

            def body(port: Port, record: int = record) -> None:
                me = m(port, world, record)
                self.ms.append(me)
                self.work(me, Random(port.seed))

            machine.spawn(body, f"m{i}")

    def work(self, me: Lfstack, rng: Random) -> None:
        """Pop two, push two."""
        for _ in range(TURNS):
            me.port.check()
            held = [node for node in (self.pop(me), self.pop(me)) if node]
            if rng.random() < 0.5:
                held.reverse()
            for node in held:
                me.port.store(node + HOLDER, 0)
                me.lfstackpush(self.head, node)

    def pop(self, me: Lfstack) -> int:
        """A node, which is ours alone; raises a Violation if it is another's."""
        node = me.lfstackpop(self.head)
        if node:
            other = me.port.xchg(node + HOLDER, me.port.index + 1)
            if other:
                name = f"node{self.nodes.index(node)}" if node in self.nodes else f"cell {node}"
                raise Violation(
                    "aba", f"{me.port.name} has popped {name}, which m{other - 1} holds: an ABA on hardware"
                )
        return node

    def check(self) -> Counter[str]:
        """All nodes are there."""
        there = list(onlist(self.head, self.machine.boot().words, NODES))
        if sorted(there) != self.nodes:
            lost = len(set(self.nodes) - set(there))
            raise Violation("aba", f"{lost} nodes are lost, or on the stack twice: an ABA on hardware", count=lost)
        return Counter(
            attempts=sum(me.cas_attempts for me in self.ms),
            failures=sum(me.cas_failures for me in self.ms),
        )


LFSTACK = Primitive(
    "lfstack",
    "push and pop of a few nodes; --count-bits 0 invites a real ABA, which is a violation when it comes",
    "failed CAS in 1000",
    Contest,
    lambda counts: 1000 * counts["failures"] / max(counts["attempts"], 1),
    0.01,
    ("attempts", "failures"),
    {"aba": "aba"},
)
