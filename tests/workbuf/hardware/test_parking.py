"""Notes and locks: nothing is lost between a look and a sleep, and every misuse is a throw."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from workbuf.hardware.machine import HardwareMachine
from workbuf.hardware.parking import Notes, Parking, Place
from workbuf.machine import Aborted, Pause, Port
from workbuf.throw import Throw


if TYPE_CHECKING:
    from collections.abc import Callable


ROUNDS = 2000
MS = 1_000_000
"""Nanoseconds."""


class Meddled(Parking):
    """Places where `meanwhile` happens, once, after a thread has asked for its place and before it looks again."""

    def __init__(self, meanwhile: Callable[[], object]) -> None:
        super().__init__()
        self.meanwhile: Callable[[], object] | None = meanwhile

    def at(self, a: int) -> Place:
        """The place, and the meddling."""
        place = super().at(a)
        if self.meanwhile:
            meanwhile, self.meanwhile = self.meanwhile, None
            meanwhile()
        return place


def careless(port: Notes, note: int, ns: int) -> bool:
    """A sleep that looks before it has the mutex and not again: the classic lost wake-up."""
    if not port.words[note]:
        place = port.parking.at(note)
        with place.mutex:
            place.wait(ns / 1e9)
            return False
    return True


def test_two_threads_wake_each_other_every_time() -> None:
    """Thousands of rounds of sleep, clear and wake over two notes end; one lost wake-up would hang them."""
    machine = HardwareMachine()
    notes = [machine.word(0, "ping"), machine.word(0, "pong")]
    turns = [0, 0]

    def body(me: int) -> Callable[[Port], None]:
        def player(port: Port) -> None:
            mine, theirs = notes[me], notes[1 - me]
            for _ in range(ROUNDS):
                assert port.sleep(mine)
                port.words[mine] = 0
                turns[me] += 1
                port.wake(theirs)

        return player

    machine.poke(notes[0], 1)
    machine.spawn(body(0), "ping")
    machine.spawn(body(1), "pong")
    machine.run()

    assert turns == [ROUNDS, ROUNDS]


def test_a_note_woken_before_the_sleep_does_not_block() -> None:
    """The word remembers."""
    port = HardwareMachine().boot()
    note = port.sysalloc(1)
    port.wake(note)

    assert port.sleep(note)
    assert port.sleep(note, 0)


@pytest.mark.parametrize("ns", [-1, 10_000 * MS])
def test_a_wake_up_between_look_and_sleep_is_not_lost(ns: int) -> None:
    """The sleeper looks again with the mutex held, whatever happened since it decided to sleep."""
    machine = HardwareMachine()
    port, note = machine.boot(), machine.word(0, "note")
    port.parking = Meddled(lambda: port.wake(note))

    assert port.sleep(note, ns)


def test_a_careless_sleep_is_seen_to_lose_it() -> None:
    """The meddling of the test above tells a sound sleep from an unsound one."""
    machine = HardwareMachine()
    port, note = machine.boot(), machine.word(0, "note")
    port.parking = Meddled(lambda: port.wake(note))

    assert not careless(port, note, MS)


def test_an_abort_between_look_and_sleep_is_not_lost() -> None:
    """Nor is the other thing that a sleeper must hear of."""
    machine = HardwareMachine()
    port, note = machine.boot(), machine.word(0, "note")
    port.parking = Meddled(machine.abort)

    with pytest.raises(Aborted):
        port.sleep(note)


def test_a_sleep_may_end_by_time() -> None:
    """It says so, leaves the word alone, and the note can still be woken and slept on."""
    machine = HardwareMachine()
    port, note = machine.boot(), machine.word(0, "note")
    before = port.now()

    assert not port.sleep(note, 2 * MS)
    assert not port.sleep(note, 0)
    assert machine.peek(note) == 0
    assert port.now() >= before
    port.wake(note)
    assert port.sleep(note, 2 * MS)


def test_a_second_wake_up_is_gos_throw() -> None:
    """With Go's text and the line that Go prints before it; a cleared note may be woken again."""
    machine = HardwareMachine()
    port, note = machine.boot(), machine.word(0, "note")
    port.wake(note)

    with pytest.raises(Throw) as thrown:
        port.wake(note)
    port.words[note] = 0
    port.wake(note)

    assert thrown.value.text == "notewakeup - double wakeup"
    assert thrown.value.printed == ("notewakeup - double wakeup (1)",)


@pytest.mark.parametrize("threads", [2, 4])
def test_one_thread_at_a_time_holds_a_lock(threads: int) -> None:
    """Plain read-and-write under the lock loses nothing, and the word names the holder while it is held."""
    machine = HardwareMachine()
    mutex, count = machine.word(0, "mutex"), machine.word(0, "count")

    def body(port: Port) -> None:
        words = port.words
        for _ in range(ROUNDS // threads):
            port.lock(mutex)
            assert words[mutex] == 1 + port.index
            seen = words[count]
            port.pause(Pause.OSYIELD, 1)
            words[count] = seen + 1
            port.unlock(mutex)

    for _ in range(threads):
        machine.spawn(body)
    machine.run()

    assert machine.peek(count) == ROUNDS // threads * threads
    assert machine.peek(mutex) == 0


def test_unlocking_what_nobody_holds_is_gos_throw() -> None:
    """With Go's text, and the lock's name before it."""
    machine = HardwareMachine()
    port, mutex = machine.boot(), machine.alloc(1, "sched", ("lock",))
    port.lock(mutex)
    port.unlock(mutex)

    with pytest.raises(Throw, match=r"unlock of sched\.lock by thread .*, held by nobody") as thrown:
        port.unlock(mutex)
    assert thrown.value.text == "unlock of unlocked lock"


def test_unlocking_what_another_holds_is_a_throw() -> None:
    """And the holder keeps it."""
    machine = HardwareMachine()
    mutex = machine.word(0, "allglock")
    machine.spawn(lambda port: port.lock(mutex), "holder")
    machine.run()

    with pytest.raises(Throw, match=r"unlock of allglock by thread .*, held by thread 0"):
        machine.boot().unlock(mutex)
    assert machine.peek(mutex) == 1


def test_locking_twice_is_a_throw() -> None:
    """Where Go would hang."""
    machine = HardwareMachine()
    port, mutex = machine.boot(), machine.word(0, "worldsema")
    port.lock(mutex)

    with pytest.raises(
        Throw, match=r"lock of worldsema by thread .*, which holds it already\nfatal error: self-deadlock"
    ):
        port.lock(mutex)


def asleep(port: Port, a: int) -> None:
    """Sleep on what nobody wakes."""
    port.sleep(a)


def asleep_for_long(port: Port, a: int) -> None:
    """The same with a time-out beyond any test's."""
    port.sleep(a, 3600 * 1000 * MS)


def locking(port: Port, a: int) -> None:
    """Wait for a lock that nobody gives back."""
    port.lock(a)


@pytest.mark.parametrize("blocked", [asleep, asleep_for_long, locking])
def test_an_abort_releases_whoever_is_blocked(blocked: Callable[[Port, int], None]) -> None:
    """Three threads blocked on one cell, none of which could ever go on, raise Aborted and the run ends."""
    machine = HardwareMachine()
    a = machine.word(0, "a")
    ended = []

    def body(port: Port) -> None:
        try:
            blocked(port, a)
        except Aborted:
            ended.append(port.index)
            raise

    if blocked is locking:
        machine.poke(a, 99)
    for _ in range(3):
        machine.spawn(body)
    machine.run(lambda: machine.abort() if waiting(machine, a) == 3 else None)

    assert sorted(ended) == [0, 1, 2]


def waiting(machine: HardwareMachine, a: int) -> int:
    """Threads asleep at cell `a`."""
    return machine.parking.at(a).waiting


@pytest.mark.parametrize("call", [asleep, locking])
def test_what_would_not_block_raises_as_well_once_aborted(call: Callable[[Port, int], None]) -> None:
    """So that a loop around sleep or lock ends even if neither ever waits."""
    machine = HardwareMachine()
    woken, free = machine.word(1, "woken"), machine.word(0, "free")
    machine.abort()

    with pytest.raises(Aborted):
        call(machine.boot(), woken if call is asleep else free)
