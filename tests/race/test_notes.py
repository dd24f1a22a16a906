"""Notes: one-shot sleep and wake-up.  (Go: notesleep, notetsleep, notewakeup, noteclear, lock_futex.go.)"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine
    from workbuf.machine import Port

    Check = Callable[[], object]
    Thread = Callable[[Port], object]

ROUNDS = 2


class Pair:
    """Two notes, a word that travels, and who has seen what in it."""

    def __init__(self, machine: SteppedMachine) -> None:
        self.there, self.back = machine.word(0, "there"), machine.word(0, "back")
        self.asleep = machine.word(0, "asleep")
        self.x = machine.word(0, "x")
        self.seen: list[int] = []


@pytest.mark.race(exhaust=True)
@pytest.mark.parametrize("ns", [-1, 100], ids=["sleep", "timed"])
def test_sleep_and_wake(machine: SteppedMachine, ns: int) -> Check:
    """Whoever sleeps wakes up, whether it slept before the wake-up or not, and sees what was written before that.

    Twice there and back, each clearing its note before it lets the other one go on.
    """
    pair = Pair(machine)

    def sleep(port: Port, note: int) -> None:
        while not port.sleep(note, ns):
            port.check()
        port.words[note] = 0

    def asks(port: Port) -> None:
        for n in range(ROUNDS):
            port.words[pair.x] = 10 * n + 1
            port.wake(pair.there)
            sleep(port, pair.back)
            pair.seen.append(port.words[pair.x])

    def answers(port: Port) -> None:
        for _ in range(ROUNDS):
            sleep(port, pair.there)
            port.words[pair.x] += 1
            port.wake(pair.back)

    machine.spawn(asks, "asks")
    machine.spawn(answers, "answers")

    def check() -> None:
        assert pair.seen == [10 * n + 2 for n in range(ROUNDS)]

    return check


@pytest.mark.race(exhaust=True)
def test_two_wakers(machine: SteppedMachine) -> None:
    """Of two threads that count down, the one that brings the count to 0 wakes the sleeper: once in every order."""
    left, note = machine.word(2, "left"), machine.word(0, "note")

    def counts(port: Port) -> None:
        if port.xadd(left, -1) == 0:
            port.wake(note)

    def sleeps(port: Port) -> None:
        assert port.sleep(note)
        assert port.load(left) == 0

    machine.spawn(sleeps, "sleeper")
    machine.spawn(counts, "m1")
    machine.spawn(counts, "m2")


@pytest.mark.race(strategy="dpor", fails="double wakeup")
def test_both_wake(machine: SteppedMachine) -> None:
    """Two threads that both look at the count after their decrement can both wake the sleeper."""
    left, note = machine.word(2, "left"), machine.word(0, "note")

    def counts(port: Port) -> None:
        port.xadd(left, -1)
        if port.load(left) == 0:
            port.wake(note)

    machine.spawn(lambda port: port.sleep(note), "sleeper")
    machine.spawn(counts, "m1")
    machine.spawn(counts, "m2")


@pytest.mark.race(strategy="dpor", fails="deadlock")
def test_lost_wakeup(machine: SteppedMachine) -> None:
    """A waker that first looks whether anybody sleeps leaves the one asleep that was about to."""
    pair = Pair(machine)

    def sleeps(port: Port) -> None:
        port.store(pair.asleep, 1)
        port.sleep(pair.there)

    def wakes(port: Port) -> None:
        if port.load(pair.asleep):
            port.wake(pair.there)

    machine.spawn(sleeps, "sleeper")
    machine.spawn(wakes, "waker")


@pytest.mark.race(strategy="dpor", fails="double wakeup")
def test_cleared_late(machine: SteppedMachine) -> None:
    """A note that is cleared after the partner was let go is still set when the partner wakes it again."""
    pair = Pair(machine)

    def asks(port: Port) -> None:
        for _ in range(ROUNDS):
            port.wake(pair.there)
            port.sleep(pair.back)
            port.words[pair.back] = 0

    def answers(port: Port) -> None:
        for _ in range(ROUNDS):
            port.sleep(pair.there)
            port.wake(pair.back)
            port.post(pair.there, 0)

    machine.spawn(asks, "asks")
    machine.spawn(answers, "answers")
