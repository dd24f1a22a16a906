"""Pauses that end early: where a loop counts its turns, schedules in which it gives up while others stand still are run."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from collector.explore import explore, replay
from collector.explore.claim import Kind
from collector.explore.early import Early
from collector.explore.program import new_machine
from collector.explore.token import Token
from tests.collector.explore import programs
from tests.collector.explore.compare import compare_arbitrary, compare_cutting, compare_dpor, compare_stateful
from workbuf.machine import Pause


if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from collector.explore import SteppedMachine
    from tests.collector.explore.programs import Program
    from tests.collector.explore.traces import Execution
    from workbuf.machine import Port

STRATEGIES = ("portfolio", "dpor", "stateful", "exhaustive", "dfs")
IDS = ("waiting", "barrier", "stack")


class Backoff:
    """Counts its turns up to a most, where it stays."""

    def __init__(self, port: Port, most: int) -> None:
        self.port = port
        self.most = most
        self.turn = 0

    def wait(self) -> None:
        """One turn."""
        self.turn = min(self.turn + 1, self.most)
        self.port.pause(Pause.PROCYIELD, self.turn)


def giving_up(tries: int, machine: SteppedMachine) -> None:
    """Takes a lock in so many tries, or goes in without it."""
    lock, inside = machine.word(0, "lock"), machine.word(0, "inside")

    def holding(port: Port) -> None:
        port.store(lock, 1)
        port.store(inside, 1)
        port.store(inside, 0)
        port.store(lock, 0)

    def trying(port: Port) -> None:
        for _ in range(tries):
            if port.cas(lock, 0, 1):
                port.store(lock, 0)
                return
            port.pause(Pause.OSYIELD, 1)
        assert port.load(inside) == 0, "gave up and went in"

    machine.spawn(holding)
    machine.spawn(trying)


def waiting(machine: SteppedMachine, *, most: int = 0) -> None:
    """Waits for ever; with `most` it counts its turns up to there."""
    x = machine.word(0, "x")

    def waits(port: Port) -> None:
        port.load(x)
        backoff = Backoff(port, most)
        while not port.load(x):
            backoff.wait()

    def writes(port: Port) -> None:
        port.load(x)
        port.store(x, 1)

    machine.spawn(waits)
    machine.spawn(writes)


def delaying(machine: SteppedMachine) -> None:
    """A pause is taken for a delay."""
    x, y = machine.word(0, "x"), machine.word(0, "y")

    def late(port: Port) -> None:
        port.load(y)
        port.pause(Pause.USLEEP, 100)
        assert port.load(x) == 1, "too soon"

    machine.spawn(late)
    machine.spawn(lambda port: port.store(x, 1))


@pytest.mark.parametrize("strategy", [*STRATEGIES, "random"])
@pytest.mark.parametrize("program", [partial(giving_up, 1), partial(giving_up, 3), delaying], ids=["1", "3", "delay"])
def test_a_wait_that_gives_up_is_run(program: Program, strategy: str) -> None:
    """While whoever holds the lock stands still."""
    failure = explore(program, strategy).failure

    assert failure is not None
    assert failure.kind == "assertion"
    assert Token.decode(failure.schedule).early
    assert replay(failure.schedule, program).failure == failure


def when_told(machine: SteppedMachine, *, told: bool = True) -> None:
    """It counts its turns only from some time on, or never."""
    flag, mode, other = machine.word(0, "flag"), machine.word(0, "mode"), machine.word(0, "other")

    def waits(port: Port) -> None:
        turns = 0
        while not port.load(flag):
            port.load(other)
            turns += port.load(mode)
            assert turns < 3, "gave up"
            port.pause(Pause.OSYIELD, 1)

    def writes(port: Port) -> None:
        for i in range(5):
            port.store(other, i + 1)
        port.store(mode, int(told))
        port.store(flag, 1)

    machine.spawn(waits)
    machine.spawn(writes)


def the_last_time(machine: SteppedMachine) -> None:
    """Each time it gives up its counted wait for one without an end, but for the last time."""
    x = machine.word(0, "x")

    def waits(port: Port) -> None:
        for i in range(5):
            turns = 0
            while port.load(x) <= i:
                turns = min(turns + 1, 3)
                assert turns < 3 or i < 4, "gave up"
                port.pause(Pause.OSYIELD, 1)

    def writes(port: Port) -> None:
        for i in range(5):
            port.store(x, i + 1)

    machine.spawn(waits)
    machine.spawn(writes)


@pytest.mark.parametrize("strategy", [*STRATEGIES, "random"])
@pytest.mark.parametrize("program", [when_told, the_last_time])
def test_a_loop_that_gives_up_in_some_situations_only(program: Program, strategy: str) -> None:
    """The place was seen in others before."""
    failure = explore(program, strategy).failure

    assert failure is not None
    assert "gave up" in failure.message


def test_too_many_situations_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are not all tried."""
    said, program = "Assuming that pauses last", partial(when_told, told=False)

    assert said not in explore(program, "stateful").statement
    monkeypatch.setattr("collector.explore.early.MOST", 3)
    assert said in explore(program, "stateful").statement


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_not_for_ever(strategy: str) -> None:
    """So many turns and no more, which the claim says."""
    said = "ssuming that pauses last until another thread has written what it reads"
    few, more = (explore(partial(giving_up, 5), strategy, early=early) for early in (3, 5))

    assert few.claim.kind is Kind.PROVED
    assert said in few.statement
    assert any(said in caveat for caveat in few.claim.record["caveats"])
    assert more.failure is not None


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_not_more_of_a_thread_in_all(strategy: str) -> None:
    """It gives up twice, after three turns each."""

    def program(machine: SteppedMachine) -> None:
        x, y = machine.word(0, "x"), machine.word(0, "y")

        def waits(port: Port) -> None:
            for cell in (x, y):
                for _ in range(3):
                    if port.load(cell):
                        break
                    port.pause(Pause.PROCYIELD, 1)

        def writes(port: Port) -> None:
            port.store(x, 1)
            port.store(y, 1)

        machine.spawn(waits)
        machine.spawn(writes)

    three, six = (explore(program, strategy, early=early) for early in (3, 6))

    assert three.claim.kind is six.claim.kind is Kind.PROVED
    assert "ssuming that all pauses of a thread but 3 last until another thread has written" in three.statement
    assert "ssuming" not in six.statement


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("program", [waiting, programs.barrier(2, 1), programs.treiber(tagged=True)], ids=IDS)
def test_nothing_is_assumed_where_no_turn_counts(program: Program, strategy: str) -> None:
    """The state after a turn is the state before, or nobody waits."""
    result = explore(program, strategy, schedules=3_000, shrink=False)

    assert result.failure is None
    assert "ssuming" not in result.statement
    assert "ends early" not in result.statement


def test_what_settles_is_said() -> None:
    """After some turns the state comes again: it is not looked further what the turns before lead to."""
    said = "Assuming that pauses last until another thread has written what it reads"

    assert said in explore(partial(waiting, most=3)).statement
    assert said in explore(partial(giving_up, 3), early=0).statement


@pytest.mark.parametrize("vocabulary", ["pauses", "waits and pauses", "keeps and waits", "exchanges"])
def test_the_searches_agree(vocabulary: str) -> None:
    """Depth first, DPOR with and without idle turns, and state search."""

    def compare(program: Program, plain: Sequence[Execution]) -> None:
        for search in (compare_dpor, compare_cutting, compare_stateful):
            comparing: Callable[..., object] = search
            comparing(program, plain, early=1)

    compare_arbitrary(vocabulary, 300, compare, early=1, most=60)


def limited(ns: int, machine: SteppedMachine) -> None:
    """One sleeps, with a limit of `ns` or without, until the other wakes it."""
    note, x = machine.word(0, "note"), machine.word(0, "x")

    def waker(port: Port) -> None:
        port.store(x, 1)
        port.wake(note)

    def sleeper(port: Port) -> None:
        if not port.sleep(note, ns):
            assert port.load(x) == 1

    machine.spawn(waker)
    machine.spawn(sleeper)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_sleep_with_a_limit_is_said(strategy: str) -> None:
    """It could be over before the other has begun, which is not run; one without a limit could not."""
    clause = "Assuming that the time of a sleep with a limit is over only when nobody else can run."
    claims = [explore(partial(limited, ns), strategy).claim for ns in (5, -1)]

    assert [claim.kind for claim in claims] == [Kind.PROVED, Kind.PROVED]
    assert [clause in str(claim) for claim in claims] == [True, False]


def test_no_pause_is_tried_when_the_time_is_over() -> None:
    """Each is a schedule of its own, and what is not tried is said."""

    def program(machine: SteppedMachine) -> None:
        x = machine.word(0, "x")

        def waits(port: Port, turns: int = 3) -> None:
            if turns and not port.load(x):
                port.pause(Pause.PROCYIELD, 1)
                waits(port, turns - 1)

        machine.spawn(waits)

    machine = new_machine()
    early = Early(program, (), 3)
    try:
        machine.begin()
        program(machine)
        machine.run(lambda _i: 0, lambda _i, _n: 0)

        assert not early.matters(machine, 1, 0.0, done=True)
        assert not early.tried
        assert early.assumed

        early.matters(machine, 1, float("inf"), done=True)

        assert early.tried
    finally:
        machine.close()
