"""Small programs to explore, right and wrong ones."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from workbuf.machine import Pause


if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from collector.explore import SteppedMachine
    from workbuf.machine import Port

    Program = Callable[[SteppedMachine], Callable[[], None] | None]


def lost_update(threads: int = 2) -> Program:
    """Read, then write: updates are lost."""

    def program(machine: SteppedMachine) -> Callable[[], None]:
        x = machine.word(0, "x")
        for _ in range(threads):
            machine.spawn(lambda port: port.store(x, port.load(x) + 1))

        def check() -> None:
            assert machine.peek(x) == threads

        return check

    return program


def counter(threads: int = 2) -> Program:
    """An atomic addition each: nothing is lost."""

    def program(machine: SteppedMachine) -> Callable[[], None]:
        x = machine.word(0, "x")
        for _ in range(threads):
            machine.spawn(lambda port: port.xadd(x, 1))

        def check() -> None:
            assert machine.peek(x) == threads

        return check

    return program


def treiber(*, tagged: bool) -> Program:
    """A stack 1, 2, 3 linked by index.  One thread pops; the other pops two and pushes the first one back.

    Without a tag beside the index in the head word this is the ABA.
    """

    def program(machine: SteppedMachine) -> Callable[[], None]:
        head = machine.word(1, "head")
        link = machine.alloc(4, "next")
        machine.poke(link + 1, 2)
        machine.poke(link + 2, 3)
        held: list[int] = []

        def changed(old: int, node: int) -> int:
            return node | ((old >> 8) + 1 << 8) if tagged else node

        def pop(port: Port) -> int:
            while True:
                old = port.load(head)
                if not old & 0xFF:
                    return 0
                node = old & 0xFF
                if port.cas(head, old, changed(old, port.load(link + node))):
                    return node

        def push(port: Port, node: int) -> None:
            while True:
                old = port.load(head)
                port.post(link + node, old & 0xFF)
                if port.cas(head, old, changed(old, node)):
                    return

        def popper(port: Port) -> None:
            held.append(pop(port))

        def recycler(port: Port) -> None:
            first, second = pop(port), pop(port)
            held.append(second)
            push(port, first)

        machine.spawn(popper, "popper")
        machine.spawn(recycler, "recycler")

        def check() -> None:
            nodes = [node for node in held if node]
            at = machine.peek(head) & 0xFF
            while at and len(nodes) < 8:
                nodes.append(at)
                at = machine.peek(link + at)
            assert sorted(nodes) == [1, 2, 3]

        return check

    return program


def barrier(participants: int = 2, budget: int = 1, *, late: bool = False) -> Program:
    """The shape of getfull: a pool of buffers as a counter, `nwait`, and whoever sees all waiting ends.

    Every participant begins with one buffer to work through; while the budget lasts, working through one publishes one.
    `late` leaves the count of waiters after the pop instead of before it.  The oracle looks at the end of each without
    taking a step.
    """

    def program(machine: SteppedMachine) -> None:
        full = machine.word(0, "full")
        nwait = machine.word(0, "nwait")
        extra = machine.word(budget, "budget")
        holding = set(range(participants))

        def take(port: Port, word: int) -> bool:
            while True:
                n = port.load(word)
                if n == 0:
                    return False
                if port.cas(word, n, n - 1):
                    return True
                port.check()

        def pop(port: Port) -> bool:
            if not take(port, full):
                return False
            holding.add(port.index)  # from the very step on that took it
            return True

        def get(port: Port) -> bool:
            if pop(port):
                return True
            port.xadd(nwait, 1)
            while True:
                if port.hint(full):
                    if not late:
                        port.xadd(nwait, -1)
                    if pop(port):
                        if late:
                            port.xadd(nwait, -1)
                        return True
                    if not late:
                        port.xadd(nwait, 1)
                if port.hint(nwait) == participants:
                    return False
                port.pause(Pause.PROCYIELD, 20)

        def work(port: Port) -> None:
            while True:
                if take(port, extra):
                    port.xadd(full, 1)
                holding.discard(port.index)
                if not get(port):
                    break
            assert machine.mem[full] == 0, "ended with work on the list"
            assert not holding, "ended while somebody works"

        for _ in range(participants):
            machine.spawn(work)

    return program


def two_locks(*, ordered: bool) -> Program:
    """Two mutexes, taken in the same order by both threads or not."""

    def program(machine: SteppedMachine) -> None:
        a, b = machine.word(0, "a"), machine.word(0, "b")

        def locker(first: int, second: int) -> Callable[[Port], None]:
            def body(port: Port) -> None:
                port.lock(first)
                port.lock(second)
                port.unlock(second)
                port.unlock(first)

            return body

        machine.spawn(locker(a, b), "left")
        machine.spawn(locker(a, b) if ordered else locker(b, a), "right")

    return program


def spin_lock(threads: int, *, by_exchange: bool) -> Program:
    """A critical section each, behind a lock that is taken by exchange or by compare-and-swap."""

    def program(machine: SteppedMachine) -> Callable[[], None]:
        lock, x = machine.word(0, "lock"), machine.word(0, "x")

        def body(port: Port) -> None:
            while port.xchg(lock, 1) if by_exchange else not port.cas(lock, 0, 1):
                port.pause(Pause.OSYIELD, 1)
            port.store(x, port.load(x) + 1)
            port.store(lock, 0)

        for _ in range(threads):
            machine.spawn(body)

        def check() -> None:
            assert machine.peek(x) == threads

        return check

    return program


def reorder(threads: int) -> Program:
    """SCTBench's reorder_N_bad: all but one set a, then b, and one expects to find them set together."""

    def program(machine: SteppedMachine) -> None:
        a, b = machine.word(0, "a"), machine.word(0, "b")

        def setter(port: Port) -> None:
            port.store(a, 1)
            port.store(b, 2)

        def checker(port: Port) -> None:
            seen = port.load(a), port.load(b)
            assert seen in {(0, 0), (1, 2)}, "set in another order"

        for _ in range(threads - 1):
            machine.spawn(setter)
        machine.spawn(checker)

    return program


def filesystem(threads: int | Sequence[int], blocks: int = 26, inodes: int = 32) -> Program:
    """Flanagan and Godefroid 2005: threads that each find a free block for an inode, under a lock per inode and block.

    So many threads, or those with these numbers.
    """

    def program(machine: SteppedMachine) -> None:
        locki, lockb = machine.alloc(inodes, "locki"), machine.alloc(blocks, "lockb")
        inode, busy = machine.alloc(inodes, "inode"), machine.alloc(blocks, "busy")

        def body(port: Port, tid: int) -> None:
            words = port.words
            i = tid % inodes
            port.lock(locki + i)
            if words[inode + i] == 0:
                b = i * 2 % blocks
                while True:
                    port.lock(lockb + b)
                    if not words[busy + b]:
                        words[busy + b] = 1
                        words[inode + i] = b + 1
                        port.unlock(lockb + b)
                        break
                    port.unlock(lockb + b)
                    b = (b + 1) % blocks
            port.unlock(locki + i)

        for tid in range(threads) if isinstance(threads, int) else threads:
            machine.spawn(partial(body, tid=tid))

    return program


def indexer(threads: int | Sequence[int], size: int = 128, messages: int = 4) -> Program:
    """Flanagan and Godefroid 2005: threads that each put four messages into one hash table, by CAS.

    So many threads, or those with these numbers.
    """

    def program(machine: SteppedMachine) -> None:
        table = machine.alloc(size, "table")

        def body(port: Port, tid: int) -> None:
            for m in range(1, messages + 1):
                w = m * 11 + tid
                h = w * 7 % size
                while not port.cas(table + h, 0, w):
                    h = (h + 1) % size

        for tid in range(threads) if isinstance(threads, int) else threads:
            machine.spawn(partial(body, tid=tid))

    return program


def children(accesses: str, *, wrong: bool = False) -> Program:
    """Threads that spawn one each, which adds to a common word, and then load ("r") or add to ("w") another, or do not.

    They, their children and the accesses come in many orders, independently of each other; `wrong`: one of them is a fault.
    """

    def program(machine: SteppedMachine) -> Callable[[], None]:
        x, y = machine.word(0, "x"), machine.word(0, "y")
        seen = machine.alloc(9, "seen")
        plain = machine.memory.plain

        def parent(n: int, access: str) -> Callable[[Port], None]:
            def child(port: Port) -> None:
                plain[seen + n] = port.index
                plain[seen + 3 + n] = port.xadd(y, 1)

            def body(port: Port) -> None:
                port.spawn(child)
                if access != "-":
                    plain[seen + 6 + n] = port.load(x) if access == "r" else port.xadd(x, 1)

            return body

        for n, access in enumerate(accesses):
            machine.spawn(parent(n, access))

        def check() -> None:
            found = [machine.peek(seen + i) for i in range(8)]
            assert not wrong or found != [3, 5, 4, 3, 2, 1, 1, 0]

        return check

    return program
