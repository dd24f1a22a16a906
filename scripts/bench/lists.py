"""The lock-free stack over the same compare-and-swaps written out, and against the standard library's queue."""

from __future__ import annotations

from functools import partial
from queue import LifoQueue
from threading import Barrier, Thread
from time import perf_counter, thread_time
from typing import TYPE_CHECKING

from scripts.bench.rows import BenchError, Row, inturn
from workbuf.hardware.machine import HardwareMachine
from workbuf.hardware.selftest import AUTO
from workbuf.lfstack import ADDR_BITS, CNT_BITS, NEXT, PUSHCNT, Lfstack
from workbuf.local import MLOCAL, WORK, Globals
from workbuf.machine import WORD


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from workbuf.machine import Port

PAIRS = 20_000
"""Of a push and a pop, in each thread."""
FEW, REPEAT = 1_000, 7


def rows(rounds: int) -> Iterator[Row]:
    """One thread by its processor time, several by the clock on the wall."""
    for binding in ("compiled", "fast"):
        if HardwareMachine(words=64, binding=binding).binding == binding:
            sides = {"stack": partial(alone, methods, binding), "inlined": partial(alone, inlined, binding)}
            found = inturn(rounds, sides)
            figure = found.median("stack") * 1e9
            over = "the same CAS and words inlined"
            yield Row(f"push and pop, {binding}", over, found.ratios("stack", "inlined"), figure, "ns", 1.1)
    for threads in (1, 2, 4):
        found = inturn(rounds, {"stack": partial(together, threads), "queue": partial(queued, threads)})
        work = f"push and pop, rate, {threads} thread{'s' * (threads > 1)}"
        # With the compiled binding only: the foreign calls alone cost more than the queue does.
        least = 1.0 if HardwareMachine(words=64).binding == "compiled" else None
        figure = found.median("stack") / 1e3
        yield Row(work, "queue.LifoQueue", found.ratios("stack", "queue"), figure, "k/s", least=least, clock="wall")


class Stacks:
    """A machine with one head and a node for each thread."""

    def __init__(self, threads: int, binding: str = AUTO) -> None:
        self.machine = HardwareMachine(words=1 << 12, binding=binding)
        self.world = Globals.allocate(self.machine)
        self.head = self.world.work + WORK.full
        self.nodes = [self.machine.alloc(8, f"node{i}", align=8) for i in range(threads)]
        self.records = [MLOCAL.allocate(self.machine, f"m{i}") for i in range(threads)]


def methods(stacks: Stacks, port: Port, pairs: int) -> None:
    """As the protocol does it."""
    mine, head, node = Lfstack(port, stacks.world, stacks.records[0]), stacks.head, stacks.nodes[0]
    push, pop = mine.lfstackpush, mine.lfstackpop
    for _ in range(pairs):
        push(head, node)
        pop(head)


def inlined(stacks: Stacks, port: Port, pairs: int) -> None:
    """The same steps in one loop over local variables."""
    words, load, post, cas = port.words, port.load, port.post, port.cas
    head, node, mask = stacks.head, stacks.nodes[0], (1 << CNT_BITS) - 1
    for _ in range(pairs):
        cnt = words[node + PUSHCNT] + 1
        words[node + PUSHCNT] = cnt
        new = node * WORD << 64 - ADDR_BITS | cnt & mask
        while True:
            old = load(head)
            post(node + NEXT, old)
            if cas(head, old, new):
                break
        while True:
            old = load(head)
            if not old:
                break
            top = (old >> CNT_BITS << 3) // WORD
            if cas(head, old, load(top + NEXT)):
                break


def alone(way: Callable[[Stacks, Port, int], None], binding: str) -> float:
    """Seconds of the processor for one pair, in the quickest of several turns."""
    stacks = Stacks(1, binding)
    port = stacks.machine.boot()
    took = []
    for _ in range(REPEAT):
        began = thread_time()
        way(stacks, port, FEW)
        took.append((thread_time() - began) / FEW)
    return min(took)


def together(threads: int) -> float:
    """Pairs a second of so many threads on one stack."""
    stacks = Stacks(threads)
    done = [0] * threads

    def body(port: Port) -> None:
        mine = Lfstack(port, stacks.world, stacks.records[port.index])
        push, pop, head, node = mine.lfstackpush, mine.lfstackpop, stacks.head, stacks.nodes[port.index]
        for _ in range(PAIRS):
            push(head, node)
            # Perhaps another's, as with the queue; never none, for each has pushed more than it has popped.
            node = pop(head)
            done[port.index] += node != 0

    for _ in range(threads):
        stacks.machine.spawn(body)
    began = perf_counter()
    stacks.machine.run()
    took = perf_counter() - began
    if sum(done) != threads * PAIRS:
        raise BenchError(f"{threads * PAIRS - sum(done)} of {threads * PAIRS} pops found the stack empty")
    return threads * PAIRS / took


def queued(threads: int) -> float:
    """The same with the standard library's queue."""
    queue: LifoQueue[int] = LifoQueue()
    gate = Barrier(threads + 1)

    def body() -> None:
        gate.wait()
        item = 1
        for _ in range(PAIRS):
            queue.put(item)
            item = queue.get()

    crew = [Thread(target=body) for _ in range(threads)]
    for thread in crew:
        thread.start()
    gate.wait()
    began = perf_counter()
    for thread in crew:
        thread.join()
    return threads * PAIRS / (perf_counter() - began)
