"""Optimal DPOR runs every Mazurkiewicz trace once."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from collector.explore import explore
from collector.explore.claim import Kind
from collector.explore.search import PLAIN_ACCESSES
from tests.collector.explore import programs
from tests.collector.explore.arbitrary import VOCABULARIES, Shape, program_of
from tests.collector.explore.compare import compare_arbitrary, compare_dpor
from tests.collector.explore.lines import Line
from tests.collector.explore.literature import MAKERS, PRINTED, by_brute_force
from tests.collector.explore.traces import executions
from workbuf.machine import MASK64, Pause


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine
    from workbuf.machine import Port


class TestLiterature:
    """The programs of Flanagan and Godefroid 2005."""

    @pytest.mark.parametrize(("name", "threads"), [case for case in PRINTED if PRINTED[case] < 100])
    def test_as_many_as_printed(self, name: str, threads: int) -> None:
        """As many executions as traces, counted by hand or by Abdulla et al., and none cut off.

        `scripts.literature` runs the larger ones too.
        """
        result = explore(MAKERS[name](threads), "dpor")

        seen = (result.schedules, result.pruned, result.exhausted)
        assert seen == (PRINTED[name, threads], 0, True)
        assert by_brute_force(name, threads) == PRINTED[name, threads]

    @pytest.mark.parametrize(
        ("name", "threads", "traces"), [("filesystem", 13, 1), ("indexer", 11, 1), ("indexer", 13, 64)]
    )
    def test_sizes_between(self, name: str, threads: int, traces: int) -> None:
        """Sizes that nobody printed."""
        result = explore(MAKERS[name](threads), "dpor")

        assert (result.schedules, result.pruned, result.exhausted) == (traces, 0, True)
        assert by_brute_force(name, threads) == traces


PROGRAMS = {
    "lost update": programs.lost_update(),
    "three lost updates": programs.lost_update(3),
    "counter": programs.counter(3),
    "ABA": programs.treiber(tagged=False),
    "tagged stack": programs.treiber(tagged=True),
    "barrier": programs.barrier(2, 0),
    "two locks": programs.two_locks(ordered=True),
    "two locks, disordered": programs.two_locks(ordered=False),
    "indexer": programs.indexer(2, size=4, messages=2),
    "filesystem": programs.filesystem(3, blocks=2, inodes=2),
}

FOUND = {
    # Whoever wakes a note that is awake writes nothing, so it lets no pause go.
    "double wake-up": Shape(
        1,
        [[Line("wake", 0, 0, 0), Line("pause", 0, 1, 0)], [Line("wake", 0, 0, 0), Line("store", 0, 0, 0)]],
        [Line("xadd", 0, 0, 0)],
        kill=False,
    ),
    # What the killed thread was about to do comes after every order of what the kill does not touch.
    "late kill": Shape(
        1,
        [[Line("spawn", 0, 0, 0), Line("spawn", 0, 0, 0), Line("load", 0, 0, 0)]],
        [Line("store", 0, 1, 1)],
        kill=True,
    ),
    # Killed between a pause and a lock: it waited for the write, for the lock, or for both.
    "killed before a lock": Shape(
        1,
        [
            [Line("pause", 0, 2, 0), Line("lock", 0, 0, 0)],
            [Line("store", 0, 0, 0), Line("store", 0, 0, 0)],
            [Line("lock", 0, 0, 0)],
        ],
        [Line("load", 0, 0, 0)],
        kill=True,
    ),
    "killed before a free lock": Shape(
        1,
        [[Line("pause", 0, 2, 0), Line("lock", 0, 0, 0)], [Line("store", 0, 0, 0), Line("store", 0, 0, 0)]],
        [Line("load", 0, 0, 0)],
        kill=True,
    ),
    # A thread's number depends on how many were spawned before it.
    "killed while spawning": Shape(
        1,
        [[Line("spawn", 0, 0, 0)], [Line("load", 0, 0, 0)], [Line("store", 0, 0, 0), Line("spawn", 0, 0, 0)]],
        [Line("xadd", 0, 1, 0)],
        kill=True,
    ),
    # A sleep that times out lets its own thread go, and not from the pause after it as well.
    "timed out before a pause": Shape(
        1,
        [[Line("sleep", 0, 1, 0), Line("store", 0, 0, 0)], [Line("sleep", 0, 2, 0), Line("pause", 0, 2, 0)]],
        [Line("load", 0, 0, 0)],
        kill=False,
    ),
    # Nobody can run at the very beginning: the first step is no earlier part of the story than the second.
    "sleep at once": Shape(
        1,
        [[Line("sleep", 0, 1, 0)], [Line("sleep", 0, 1, 0), Line("wake", 0, 0, 0)]],
        [Line("load", 0, 0, 0)],
        kill=False,
    ),
    # Who waits for a mutex while nobody can run could have come before it was taken.
    "a pause in a critical section": Shape(
        1, [[Line("linger", 0, 1, 0)], [Line("lock", 0, 0, 0)]], [Line("load", 0, 0, 0)], kill=False
    ),
    "a sleep that times out in a critical section": Shape(
        1,
        [[Line("doze", 0, 0, 0)], [Line("lock", 0, 0, 0), Line("load", 0, 0, 0)]],
        [Line("load", 0, 0, 0)],
        kill=False,
    ),
    # Who sleeps for ever in one interleaving ends well if it goes on before the note is cleared again.
    "a deadlock that could have been avoided": Shape(
        1,
        [[Line("sleep", 0, 0, 0)], [Line("wake", 0, 0, 0), Line("lower", 0, 0, 0)]],
        [Line("load", 0, 0, 0)],
        kill=False,
    ),
}
"""Programs that were drawn once and not seen whole."""


@pytest.mark.parametrize("name", PROGRAMS)
def test_small_models(name: str) -> None:
    """On every small model DPOR and plain depth-first search see the same ends; no trace is run twice."""
    compare_dpor(PROGRAMS[name], list(executions(PROGRAMS[name], "dfs")))


@pytest.mark.parametrize("name", FOUND)
def test_found_programs(name: str) -> None:
    """So they do where they once did not."""
    program = program_of(FOUND[name])
    compare_dpor(program, list(executions(program, "dfs", limit=5000)))


@pytest.mark.parametrize("vocabulary", VOCABULARIES)
def test_arbitrary_programs(vocabulary: str, seed: int) -> None:
    """So they do on arbitrary programs."""
    compare_arbitrary(vocabulary, seed, compare_dpor)


@pytest.mark.parametrize("accesses", ["rrw", "rwr", "wrr", "r-w", "www"])
def test_what_comes_after_a_race_is_another_part_of_the_trace(accesses: str) -> None:
    """As many as there are orders of the threads, of their children, and of the accesses: each change with each."""
    orders = {"rrw": 4, "rwr": 4, "wrr": 4, "r-w": 2, "www": 6}
    result = explore(programs.children(accesses), "dpor", schedules=1 << 30)

    assert (result.schedules, result.exhausted) == (6 * 6 * orders[accesses], True)


@pytest.mark.parametrize("strategy", ["dpor", "stateful"])
def test_the_one_trace_that_fails(strategy: str) -> None:
    """Of 144: one order of each."""
    assert explore(programs.children("rrw", wrong=True), strategy, schedules=1 << 30).failure


@pytest.mark.parametrize(("threads", "traces"), [(2, 4), (3, 48), (4, 1536)])
@pytest.mark.parametrize("by_exchange", [True, False])
def test_who_finds_a_lock_taken_wakes_nobody(threads: int, traces: int, *, by_exchange: bool) -> None:
    """An exchange that fails is a read, as a compare-and-swap that fails is: else two who wait wake each other for ever."""
    result = explore(programs.spin_lock(threads, by_exchange=by_exchange), "dpor")

    assert (result.schedules, result.pruned, result.exhausted) == (traces, 0, True)


@pytest.mark.parametrize(
    "write",
    [
        lambda port, x: port.store(x, 5),
        lambda port, x: port.post(x, 5),
        lambda port, x: port.xchg(x, 5),
        lambda port, x: port.or8(8 * x, 4),
        lambda port, x: port.xadd(x, 0),
    ],
    ids=["store", "post", "xchg", "or8", "xadd"],
)
@pytest.mark.parametrize("strategy", ["dpor", "dfs", "stateful", "urw"])
def test_a_write_that_changes_nothing_lets_nobody_go(write: Callable[[Port, int], object], strategy: str) -> None:
    """Who pauses goes on when nobody else can, and has then seen all that the other has done."""

    def program(machine: SteppedMachine) -> None:
        x, y = machine.word(5, "x"), machine.word(0, "y")

        def waiter(port: Port) -> None:
            port.load(x)
            port.pause(Pause.OSYIELD, 1)
            assert port.load(y) == 1

        def writer(port: Port) -> None:
            write(port, x)
            port.store(y, 1)

        machine.spawn(waiter)
        machine.spawn(writer)

    assert explore(program, strategy, schedules=100, early=0).failure is None


@pytest.mark.parametrize("same", [1, -1])
def test_an_exchange_for_the_same_orders_nothing_after_it(same: int) -> None:
    """Two of them may come in either order, so the race of the plain accesses around them is found in each."""

    def program(machine: SteppedMachine) -> None:
        x, flag = machine.word(0, "x"), machine.word(same & MASK64, "flag")

        def writer(port: Port) -> None:
            port.words[x] = 1
            port.xchg(flag, same)

        def reader(port: Port) -> None:
            port.xchg(flag, same)
            port.words[x]

        machine.spawn(writer)
        machine.spawn(reader)

    result = explore(program, "dpor")

    assert result.schedules == 1
    assert result.failure is not None
    assert result.failure.kind == "race"


@pytest.mark.parametrize("strategy", ["dfs", "stateful", "portfolio"])
def test_nothing_is_proved_where_there_are_invariants(strategy: str) -> None:
    """Between independent steps there are states that only other interleavings of the trace come to."""

    def program(machine: SteppedMachine) -> None:
        x, y = machine.word(0, "x"), machine.word(0, "y")
        machine.spawn(lambda port: port.store(x, 1))
        machine.spawn(lambda port: port.store(y, 1))

    def not_y_alone(machine: SteppedMachine) -> None:
        assert machine.peek(1) or not machine.peek(2)

    result = explore(program, "dpor", invariants=[not_y_alone])

    assert result.schedules == 1
    assert result.claim.kind is Kind.UNDECIDED
    assert 'strategy="stateful"' in result.claim.reason
    assert explore(program, strategy, invariants=[not_y_alone]).failure is not None
    assert explore(program, "dpor").exhausted


@pytest.mark.parametrize("strategy", ["dpor", "dfs", "stateful", "exhaustive", "portfolio"])
def test_nothing_is_proved_of_plain_accesses_that_may_race(strategy: str) -> None:
    """Where they are no steps their order is not explored, which loses nothing if somebody looks for races."""

    def adding(machine: SteppedMachine, *, locked: bool) -> Callable[[], None]:
        x, lock = machine.word(0, "x"), machine.word(0, "lock")

        def body(port: Port) -> None:
            if locked:
                port.lock(lock)
            port.words[x] += 1
            if locked:
                port.unlock(lock)

        machine.spawn(body)
        machine.spawn(body)

        def check() -> None:
            assert machine.peek(x) == 2

        return check

    assert explore(partial(adding, locked=True), strategy).exhausted
    assert explore(partial(adding, locked=True), strategy, plain_points=True, races=False).exhausted
    for locked in (True, False):
        assert explore(partial(adding, locked=locked), strategy, races=False).claim.reason == PLAIN_ACCESSES
    assert explore(partial(adding, locked=False), strategy).failure is not None
    assert explore(partial(adding, locked=False), strategy, plain_points=True, races=False).failure is not None
    assert explore(programs.treiber(tagged=True), "dpor", races=False).exhausted


@pytest.mark.parametrize("strategy", ["dfs", "stateful", "portfolio"])
def test_nothing_is_proved_where_a_thread_asks_for_the_time(strategy: str) -> None:
    """What it is told depends on every other step, also on independent ones."""

    def program(machine: SteppedMachine) -> None:
        x, y = machine.word(0, "x"), machine.word(0, "y")

        def hurried(port: Port) -> None:
            port.load(x)
            assert port.now() < 3

        def dawdling(port: Port) -> None:
            for _ in range(3):
                port.load(y)

        machine.spawn(hurried)
        machine.spawn(dawdling)

    result = explore(program, "dpor")

    assert result.claim.kind is Kind.UNDECIDED
    assert "port.now()" in result.claim.reason
    assert explore(program, strategy).failure is not None
