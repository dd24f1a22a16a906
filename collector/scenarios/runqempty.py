"""Scenario: is a P's run queue empty?  A question that is asked in three reads.  (S27; CL 20858, go-weave's cl20858.go.)

A P's queue is a ring with head and tail, and one place before it, `runnext`.  To put a goroutine there kicks the one
that was in it into the ring.  The old predicate reads head, tail and runnext: between the second and the third read the
owner puts one goroutine, which kicks another into the ring, and takes it again; runnext is 0 and the ring was empty
when it was looked at, and the queue was never empty.  The new one reads tail again, and starts over if it has moved
(fixed in Go).

Modelled.  The owner, who puts and gets once, and one thread that asks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.scenarios.scenario import Scenario, Variant


if TYPE_CHECKING:
    from collector.explore import SteppedMachine
    from collector.explore.program import Program
    from workbuf.machine import Port


class Runq:
    """The queue of one P, as one thread uses it."""

    def __init__(self, port: Port, queue: Queue) -> None:
        self.port = port
        self.queue = queue

    def put(self, gp: int) -> None:
        """Make `gp` the next to run; the owner."""
        port, queue = self.port, self.queue
        kicked = port.xchg(queue.runnext, gp)
        if kicked:
            tail = port.load(queue.tail)
            port.store(queue.ring + tail, kicked)
            port.store(queue.tail, tail + 1)

    def get(self) -> int:
        """The next to run, or 0; the owner."""
        port, queue = self.port, self.queue
        gp = port.xchg(queue.runnext, 0)
        if gp:
            return gp
        head = port.load(queue.head)
        if head == port.load(queue.tail):
            return 0
        gp = port.load(queue.ring + head)
        port.store(queue.head, head + 1)
        return gp

    def empty(self) -> bool:
        """Is nothing in it?  Anybody."""
        port, queue = self.port, self.queue
        return port.load(queue.head) == port.load(queue.tail) and port.load(queue.runnext) == 0


class Rereading(Runq):
    """Reads tail again."""

    def empty(self) -> bool:
        """Until all three are of one moment."""
        port, queue = self.port, self.queue
        while True:
            head, tail, runnext = port.load(queue.head), port.load(queue.tail), port.load(queue.runnext)
            if port.load(queue.tail) == tail:
                return head == tail and runnext == 0
            port.check()


class Queue:
    """The words of one P's queue."""

    def __init__(self, machine: SteppedMachine) -> None:
        self.head, self.tail = machine.word(0, "head"), machine.word(0, "tail")
        self.runnext = machine.word(1, "runnext")
        self.ring = machine.alloc(4, "ring")


def asked(kind: type[Runq]) -> Program:
    """One goroutine is in the queue, another comes and goes."""

    def program(machine: SteppedMachine) -> None:
        queue = Queue(machine)

        def owner(port: Port) -> None:
            me = kind(port, queue)
            me.put(2)
            assert me.get() == 2

        def asks(port: Port) -> None:
            assert not kind(port, queue).empty(), "the queue was never empty, and is said to be"

        machine.spawn(owner, "owner")
        machine.spawn(asks, "asks")

    return program


SCENARIO = Scenario(
    name="runqempty",
    title="A run queue that was never empty is said to be",
    bugs=("S27",),
    variants={
        "failing": Variant(asked(Runq), fails="never empty, and is said to be"),
        "fixed": Variant(asked(Rereading)),
    },
    originals={"failing": (45, 330), "fixed": (0, 1952)},
)
