"""Schedules that do not end: livelocks, spins without a pause, and waits that are only long."""

from __future__ import annotations

import threading
from itertools import repeat
from typing import TYPE_CHECKING

import pytest

from collector.explore import explore, replay
from collector.explore.claim import sampled
from collector.explore.strategies.base import Options
from collector.explore.strategies.once import Once
from workbuf.machine import Pause


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine
    from collector.explore.machine.execution import Draw, Pick
    from workbuf.machine import Port

STRATEGIES = ("random", "urw", "pct", "pos", "surw", "portfolio", "exhaustive", "dpor")


def not_reset(machine: SteppedMachine) -> None:
    """A barrier entered with its counter left from before: nwait == nproc never comes."""
    nwait = machine.word(1, "nwait")

    def body(port: Port) -> None:
        port.xadd(nwait, 1)
        turn = 0
        while port.hint(nwait) != 1:
            port.pause(Pause.PROCYIELD if turn < 10 else Pause.USLEEP, 20)
            turn = min(turn + 1, 10)

    machine.spawn(body, "m0")


def polite(machine: SteppedMachine) -> None:
    """Two that each give way to the other, for ever if they keep step."""
    flags = machine.alloc(2, "flag")

    def body(port: Port) -> None:
        mine, other = flags + port.index, flags + 1 - port.index
        while True:
            port.store(mine, 1)
            if not port.load(other):
                break
            port.store(mine, 0)
            port.pause(Pause.OSYIELD, 1)
        port.store(mine, 0)

    machine.spawn(body)
    machine.spawn(body)


def unpaused(machine: SteppedMachine) -> None:
    """A wait without a pause, for something that comes."""
    flag = machine.word(0, "flag")

    def waiter(port: Port) -> None:
        while not port.load(flag):
            pass

    machine.spawn(waiter, "waiter")
    machine.spawn(lambda port: port.store(flag, 1))


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_wait_for_what_never_comes_is_a_livelock(strategy: str, seed: int) -> None:
    """Not a time-out, not a limit; a count of turns that stops at the last stage does not hide it."""
    failure = explore(not_reset, strategy, seed=seed).failure

    assert failure is not None
    assert failure.kind == "livelock"
    assert failure.message.startswith("m0 goes round in a circle")
    assert len(failure.trace.splitlines()) < 60
    assert "for ever" in failure.trace
    assert replay(failure.schedule, not_reset).failure == failure


def test_a_livelock_in_step(seed: int) -> None:
    """Found where threads are let run in turn: each step is progress for somebody, and nobody gets anywhere."""
    failure = explore(polite, "random", seed=seed, schedules=1).failure

    # A random walk gets out of it; only in turn do the two keep step.
    assert failure is None

    failure = explore(polite, "random", seed=seed, schedules=50, steps=6, shrink=False).failure
    assert failure is not None
    assert failure.message == "t0 and t1 go round in a circle: the state comes again"


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_long_wait_is_no_livelock(strategy: str, seed: int) -> None:
    """A bounded number of turns ends, though nobody writes anything meanwhile."""

    def patient(machine: SteppedMachine) -> None:
        x = machine.word(0, "x")

        def body(port: Port) -> None:
            for _ in range(500):
                port.load(x)
                port.pause(Pause.USLEEP, 1)

        machine.spawn(body)
        machine.spawn(body)

    result = explore(patient, strategy, seed=seed, schedules=3)

    assert result.failure is None


def by_iterator(port: Port, x: int) -> None:
    """How often it goes round is in no variable."""
    for _ in repeat(None, 50):
        port.load(x)
        port.pause(Pause.USLEEP, 1)


def by_list(port: Port, x: int) -> None:
    """It goes round as long as a list has elements."""
    left = [0] * 50
    while left:
        port.load(x)
        left.pop()
        port.pause(Pause.USLEEP, 1)


def by_attribute(port: Port, x: int) -> None:
    """It counts in an attribute."""

    class Patient:
        left = 50

        def wait(self) -> None:
            while self.left:
                port.load(x)
                self.left -= 1
                port.pause(Pause.USLEEP, 1)

    Patient().wait()


def by_caller(port: Port, x: int) -> None:
    """The frame that waits keeps nothing; its caller keeps count of its calls."""

    def wait() -> None:
        port.load(x)
        port.pause(Pause.USLEEP, 1)
        port.load(x)

    for _ in repeat(None, 50):
        wait()


@pytest.mark.parametrize("body", [by_iterator, by_list, by_attribute, by_caller])
def test_a_wait_that_ends_is_no_livelock(body: Callable[[Port, int], None]) -> None:
    """Wherever it keeps how long it still waits."""

    def program(machine: SteppedMachine) -> None:
        x = machine.word(0, "x")
        machine.spawn(lambda port: body(port, x))

    assert explore(program, "dfs").exhausted


def test_a_livelock_inside_a_loop_is_proved() -> None:
    """An iterator of a caller that waits all the time for the same call has not moved."""

    def program(machine: SteppedMachine) -> None:
        x = machine.word(0, "x")

        def wait(port: Port) -> None:
            while not port.load(x):
                port.pause(Pause.USLEEP, 1)

        machine.spawn(lambda port: [wait(port) for _ in range(2)])

    failure = explore(program, "dfs").failure

    assert failure is not None
    assert failure.message == "t0 goes round in a circle: the state comes again"


@pytest.mark.parametrize("strategy", ["exhaustive", "dfs", "dpor"])
def test_a_spin_without_a_pause_is_warned_about(strategy: str) -> None:
    """With its name and line; it does not hang, and nothing is claimed about the rest."""
    result = explore(unpaused, strategy, schedules=5)

    assert result.failure is None
    assert not result.exhausted
    assert "waiter spins without a pause at" in result.warnings[0]
    assert "test_fair.py:" in result.warnings[0]


@pytest.mark.parametrize("strategy", ["random", "exhaustive"])
def test_a_spin_for_ever_is_a_livelock(strategy: str) -> None:
    """Also without a pause."""

    def alone(machine: SteppedMachine) -> None:
        flag = machine.word(0, "flag")

        def waiter(port: Port) -> None:
            while not port.load(flag):
                pass

        machine.spawn(waiter)

    failure = explore(alone, strategy).failure

    assert failure is not None
    assert failure.message == "t0 goes round in a circle: the state comes again"


def test_what_neither_ends_nor_repeats_is_undecided() -> None:
    """A limit is no failure; it says which limit, and what would look further."""

    def counting(machine: SteppedMachine) -> None:
        x = machine.word(0, "x")

        def body(port: Port) -> None:
            state = 1
            while True:
                state = state * 1103515245 + 12345 & 0x7FFFFFFF
                port.store(x, state)

        machine.spawn(body)

    result = explore(counting, "random", steps=500)

    assert result.failure is None
    assert not result.exhausted
    assert "longer than steps=500, and no state came again (steps=1000 looks further)" in result.statement


def test_a_deadline_is_no_livelock() -> None:
    """Time passes: what asks for it on its way round does not come again."""

    def program(machine: SteppedMachine) -> None:
        x = machine.word(0, "x")

        def waiter(port: Port) -> None:
            until = port.now() + 30
            while port.now() < until and not port.load(x):
                pass

        machine.spawn(waiter)

    for strategy in ("random", "exhaustive", "dpor", "stateful"):
        assert explore(program, strategy, schedules=3, steps=6).failure is None


def test_an_opaque_object_stands_in_the_way_of_a_proof() -> None:
    """It is named."""

    def program(machine: SteppedMachine) -> None:
        x = machine.word(0, "x")
        lock = threading.Lock()

        def waiter(port: Port) -> None:
            while not port.load(x):
                assert not lock.locked()

        machine.spawn(waiter)

    result = explore(program, "random", steps=500)

    assert result.failure is None
    assert "t0 keeps a _thread.lock, which cannot be looked into" in result.statement


def test_a_long_schedule_forbids_the_claim() -> None:
    """What went on in turn after the limit was not explored."""

    def long(machine: SteppedMachine) -> None:
        x = machine.word(0, "x")
        for _ in range(2):
            machine.spawn(lambda port: [port.load(x) for _ in range(20)])

    short = explore(long, "dpor", steps=30)
    whole = explore(long, "dpor")

    assert (short.exhausted, whole.exhausted) == (False, True)
    assert "longer than 30 steps" in short.warnings[0]
    assert "no proof" in short.statement


def test_statistics_do_not_hide_a_livelock() -> None:
    """Words that are declared to decide nothing make no state a new one."""

    def program(machine: SteppedMachine) -> None:
        x = machine.word(0, "x")
        spins = machine.alloc(1, "spins", statistics=True)

        def body(port: Port) -> None:
            while not port.hint(x):
                port.words[spins] = port.words[spins] * 3 + 1
                port.pause(Pause.OSYIELD, 1)

        machine.spawn(body)

    failure = explore(program).failure

    assert failure is not None
    assert failure.message == "t0 goes round in a circle: the state comes again"


class Relieved(Once):
    """The last thread goes for as long as it can; who picks at first is relieved by another, once."""

    def begin(self, machine: SteppedMachine) -> tuple[Pick, Draw]:
        begun = []

        def second(_i: int) -> int:
            return machine.runnable[-1]

        def first(i: int) -> int:
            begun.append(i)
            assert len(begun) == 1
            machine.execution.let(second)
            return second(i)

        return first, lambda _i, _n: 0

    def end(self, _machine: SteppedMachine, /) -> None:
        """Further schedules are as this one."""


def test_after_a_spin_goes_on_who_picked_last() -> None:
    """Not who did at first, as DPOR's first pick prepares the schedule and then gives way."""

    def program(machine: SteppedMachine) -> None:
        flag = machine.word(0, "flag")

        def waits(port: Port) -> None:
            while not port.load(flag):
                pass

        machine.spawn(lambda port: port.store(flag, 1))
        machine.spawn(waits)

    # The first two are watched for determinism, and picked for in another way.
    result = explore(program, Relieved(Options(), sampled(1, "relieved")), schedules=4)
    assert result.claim.kind != "refused", result.statement
    assert any("spins without a pause" in warning for warning in result.warnings)
