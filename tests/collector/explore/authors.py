"""Programs that others check their tools with, rebuilt: litmus tests, SCTBench, loom's and Relacy's (GenMC's: `genmc`)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from workbuf.machine import Pause


if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from collector.explore import SteppedMachine
    from tests.collector.explore.programs import Program
    from workbuf.machine import Port

    Body = Callable[[Port, Sequence[int]], object]


def threads(cells: int, *bodies: Body, holds: Callable[[list[int]], bool] | None = None) -> Program:
    """A thread per body, over so many words that begin at 0; at the end `holds` is asked about the words."""

    def program(machine: SteppedMachine) -> Callable[[], None]:
        words = [machine.word(0, f"x{n}") for n in range(cells)]

        def run(port: Port, body: Body) -> None:
            body(port, words)

        for body in bodies:
            machine.spawn(partial(run, body=body))

        def check() -> None:
            assert holds is None or holds([machine.peek(a) for a in words]), "it does not hold"

        return check

    return program


def writes(*what: tuple[int, int]) -> Body:
    """Stores of values in cells."""

    def body(port: Port, x: Sequence[int]) -> None:
        for cell, v in what:
            port.store(x[cell], v)

    return body


def reads(*cells: int) -> Body:
    """Loads of cells."""

    def body(port: Port, x: Sequence[int]) -> None:
        for cell in cells:
            port.load(x[cell])

    return body


def both(*bodies: Body) -> Body:
    """One after the other."""

    def body(port: Port, x: Sequence[int]) -> None:
        for part in bodies:
            part(port, x)

    return body


def adds(port: Port, x: Sequence[int]) -> None:
    """An atomic addition."""
    port.xadd(x[0], 1)


def ring(n: int) -> list[Body]:
    """Threads that each write a cell and read the next one."""
    return [both(writes((k, 1)), reads((k + 1) % n)) for k in range(n)]


def lastzero(n: int) -> Program:
    """Abdulla et al. 2014: one looks for the last zero of an array, n each set a cell from the one before."""

    def seeks(port: Port, x: Sequence[int]) -> None:
        i = n
        while port.load(x[i]):
            i -= 1

    def sets(port: Port, x: Sequence[int], j: int) -> None:
        port.store(x[j], port.load(x[j - 1]) + 1)

    return threads(n + 1, seeks, *(partial(sets, j=j) for j in range(1, n + 1)))


def readers(n: int) -> Program:
    """Abdulla et al. 2014: one writes, n read."""
    return threads(1, writes((0, 1)), *[reads(0)] * n)


COUNTS: dict[str, tuple[Program, int]] = {
    # Litmus tests under sequential consistency, as herd and GenMC count them.
    "SB": (threads(2, *ring(2)), 3),
    "SB of three": (threads(3, *ring(3)), 7),
    "MP": (threads(2, writes((0, 1), (1, 1)), reads(1, 0)), 3),
    "LB": (threads(2, both(reads(0), writes((1, 1))), both(reads(1), writes((0, 1)))), 3),
    "CoRR": (threads(1, writes((0, 1)), reads(0, 0)), 3),
    "2+2W": (threads(2, writes((0, 1), (1, 2)), writes((1, 1), (0, 2))), 3),
    "IRIW": (threads(2, writes((0, 1)), writes((1, 1)), reads(0, 1), reads(1, 0)), 15),
    "WRC": (threads(2, writes((0, 1)), both(reads(0), writes((1, 1))), reads(1, 0)), 7),
    "S": (threads(2, writes((0, 2), (1, 1)), both(reads(1), writes((0, 1)))), 3),
    "R": (threads(2, writes((0, 1), (1, 1)), both(writes((1, 2)), reads(0))), 3),
    # GenMC's ainc: as many orders as there are.
    "ainc of three": (threads(1, *[adds] * 3), 6),
    "ainc of five": (threads(1, *[adds] * 5), 120),
    # Abdulla, Aronis, Jonsson and Sagonas 2014, table 1, optimal DPOR.
    "lastzero(5)": (lastzero(5), 64),
    "readers(2)": (readers(2), 4),
    "readers(8)": (readers(8), 256),
}
"""A program and how many executions an optimal search runs of it."""


def philosophers(n: int, *, ordered: bool = False) -> Program:
    """SCTBench's din_phil: each takes its left fork, then its right one."""

    def eats(port: Port, x: Sequence[int], k: int) -> None:
        first, second = k, (k + 1) % n
        if ordered:
            first, second = sorted((first, second))
        port.lock(x[first])
        port.lock(x[second])
        port.unlock(x[second])
        port.unlock(x[first])

    return threads(n, *(partial(eats, k=k) for k in range(n)))


def twostage(n: int) -> Program:
    """SCTBench's twostage_N_bad: the second datum follows the first under another lock, and somebody looks in between."""

    def writer(port: Port, x: Sequence[int]) -> None:
        a, b, first, second = x
        port.lock(a)
        port.store(first, 1)
        port.unlock(a)
        port.lock(b)
        port.store(second, 2)
        port.unlock(b)

    def reader(port: Port, x: Sequence[int]) -> None:
        a, b, first, second = x
        port.lock(a)
        seen = port.load(first)
        port.unlock(a)
        if seen:
            port.lock(b)
            follows = port.load(second) == 2
            port.unlock(b)
            assert follows, "between the stages"

    return threads(4, *[writer] * (n - 1), reader)


def fibonacci(n: int, *, more: int = 0) -> Program:
    """SCTBench's fib_bench: two threads add each other's number to their own, n times, and a third one looks at both.

    The largest that can be reached is a Fibonacci number, and it fails if that is; or if one is that is so much `more`.
    """
    first, limit = 1, 1
    for _ in range(2 * n):
        first, limit = limit, first + limit

    def sums(port: Port, x: Sequence[int], mine: int) -> None:
        for _ in range(n):
            # The words begin at 0 and the numbers at 1.
            port.store(x[mine], 1 + port.load(x[mine]) + port.load(x[1 - mine]))

    def looks(port: Port, x: Sequence[int]) -> None:
        for cell in x:
            assert port.load(cell) + 1 < limit + more, "as large as can be"

    return threads(2, partial(sums, mine=0), partial(sums, mine=1), looks)


def account(*, atomic: bool) -> Program:
    """SCTBench's account_bad: deposit, withdrawal, and a look at the balance that forgets the lock."""

    def moves(port: Port, x: Sequence[int], by: int) -> None:
        if atomic:
            port.lock(x[1])
        port.store(x[0], port.load(x[0]) + by)
        if atomic:
            port.unlock(x[1])

    return threads(2, partial(moves, by=5), partial(moves, by=3), holds=lambda x: x[0] == 8)


def lazy(port: Port, x: Sequence[int], by: int) -> None:
    """SCTBench's lazy01_bad: additions under a lock; the third thread forbids their sum."""
    port.lock(x[1])
    port.store(x[0], port.load(x[0]) + by)
    port.unlock(x[1])


def lazy_check(port: Port, x: Sequence[int]) -> None:
    """The third thread."""
    port.lock(x[1])
    v = port.load(x[0])
    port.unlock(x[1])
    assert v < 3, "both were added"


def token_ring(port: Port, x: Sequence[int], mine: int, before: int) -> None:
    """SCTBench's token_ring_bad: each takes the number of the one before, plus one, in whatever order."""
    port.store(x[mine], (port.load(x[before]) + 1) % 4)


def wronglock(port: Port, x: Sequence[int], lock: int) -> None:
    """SCTBench's wronglock_bad: what one lock guards is changed under another."""
    port.lock(x[lock])
    v = port.load(x[0])
    port.store(x[0], v + 1)
    assert port.load(x[0]) == v + 1, "somebody else was there"
    port.unlock(x[lock])


def carter(port: Port, x: Sequence[int], first: int, second: int) -> None:
    """SCTBench's carter01_bad, its two locks: taken in both orders."""
    port.lock(x[first])
    port.lock(x[second])
    port.unlock(x[second])
    port.unlock(x[first])


def bluetooth_stop(port: Port, x: Sequence[int]) -> None:
    """SCTBench's bluetooth_driver_bad: the driver stops when nobody uses it any more."""
    flag, pending, stopped = x
    port.store(flag, 1)
    if port.xadd(pending, -1 & (1 << 64) - 1) == (1 << 64) - 1:
        port.store(stopped, 1)


def bluetooth_add(port: Port, x: Sequence[int]) -> None:
    """Who uses it looks at the flag before it counts itself in."""
    flag, pending, stopped = x
    if not port.load(flag):
        port.xadd(pending, 1)
        assert not port.load(stopped), "the driver has stopped"


def peterson(port: Port, x: Sequence[int], mine: int, *, yields_last: bool) -> None:
    """Relacy's peterson: interest first, then the turn; the other way round both come in."""
    steps = [(mine, 1), (2, 1 - mine)]
    for cell, v in steps if yields_last else reversed(steps):
        port.store(x[cell], v)
    while port.load(x[1 - mine]) and port.load(x[2]) == 1 - mine:
        port.pause(Pause.OSYIELD, 1)
    v = port.load(x[3])
    port.store(x[3], v + 1)
    port.store(x[mine], 0)


def ticket(port: Port, x: Sequence[int]) -> None:
    """Relacy's ticket lock."""
    mine = port.xadd(x[0], 1) - 1
    while port.load(x[1]) != mine:
        port.pause(Pause.OSYIELD, 1)
    port.store(x[2], port.load(x[2]) + 1)
    port.xadd(x[1], 1)


def sets_and_reads(port: Port, x: Sequence[int], first: int, second: int) -> None:
    """Of loom's issue 191, cppreference's SeqCst: waits for one flag, then looks at the other."""
    while not port.load(x[first]):
        port.pause(Pause.OSYIELD, 1)
    if port.load(x[second]):
        port.xadd(x[2], 1)


VERDICTS: dict[str, tuple[Program, str]] = {
    "din_phil2": (philosophers(2), "deadlock"),
    "din_phil3": (philosophers(3), "deadlock"),
    "din_phil7": (philosophers(7), "deadlock"),
    "din_phil3, ordered": (philosophers(3, ordered=True), ""),
    "twostage": (twostage(2), "assertion"),
    "twostage_20": (twostage(20), "assertion"),
    "fib_bench(3)": (fibonacci(3), "assertion"),
    "fib_bench(2), right": (fibonacci(2, more=1), ""),
    "account": (account(atomic=False), "check"),
    "account, locked": (account(atomic=True), ""),
    "lazy01": (threads(2, partial(lazy, by=1), partial(lazy, by=2), lazy_check), "assertion"),
    "token_ring": (
        threads(4, *(partial(token_ring, mine=k, before=k - 1) for k in range(4)), holds=lambda x: x[0] == (x[3] + 1) % 4),
        "check",
    ),
    "wronglock": (threads(3, partial(wronglock, lock=1), partial(wronglock, lock=2)), "assertion"),
    "wronglock, right": (threads(3, partial(wronglock, lock=1), partial(wronglock, lock=1)), ""),
    "carter01": (threads(2, partial(carter, first=0, second=1), partial(carter, first=1, second=0)), "deadlock"),
    "bluetooth_driver": (threads(3, bluetooth_stop, bluetooth_add), "assertion"),
    "peterson": (
        threads(4, *(partial(peterson, mine=k, yields_last=True) for k in range(2)), holds=lambda x: x[3] == 2),
        "",
    ),
    "peterson, turn first": (
        threads(4, *(partial(peterson, mine=k, yields_last=False) for k in range(2)), holds=lambda x: x[3] == 2),
        "check",
    ),
    "ticket lock": (threads(3, *[ticket] * 3, holds=lambda x: x[2] == 3), ""),
    "loom #191": (
        threads(
            3, writes((0, 1)), writes((1, 1)), partial(sets_and_reads, first=0, second=1),
            partial(sets_and_reads, first=1, second=0), holds=lambda x: x[2] > 0,
        ),
        "",
    ),
}  # fmt: skip
"""A program and the kind of its fault; none if it has none."""
