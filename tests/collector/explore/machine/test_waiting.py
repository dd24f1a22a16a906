"""Who waits for what, and which thread goes next where nothing is prescribed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.explore.default import default
from collector.explore.machine.carrier import MAIN
from collector.explore.machine.threads import PAUSED
from tests.collector.explore.machine.schedules import run
from workbuf.machine import Pause


if TYPE_CHECKING:
    from collector.explore import SteppedMachine
    from workbuf.machine import Port


class TestWaiting:
    """Locks, notes and pauses."""

    def test_a_lock_excludes(self, machine: SteppedMachine) -> None:
        """Whoever wants a lock that is held waits for its release."""
        lock = machine.word(0, "lock")
        order: list[str] = []

        def body(port: Port) -> None:
            port.lock(lock)
            order.append(f"{port.name} in")
            order.append(f"{port.name} out")
            port.unlock(lock)

        machine.spawn(body)
        machine.spawn(body)

        assert run(machine, [(0, 1)]) is None
        assert order == ["t1 in", "t1 out", "t0 in", "t0 out"]

    def test_only_the_holder_unlocks(self, machine: SteppedMachine) -> None:
        """Unlocking a lock that one does not hold is a throw."""
        lock = machine.word(0, "lock")
        machine.spawn(lambda port: port.unlock(lock))
        fault = run(machine)

        assert fault is not None
        assert (fault.kind, fault.message) == ("throw", "unlock of unlocked lock")

    def test_a_note_wakes_once(self, machine: SteppedMachine) -> None:
        """A sleeper waits for the wake-up, and a second wake-up is a throw."""
        note = machine.word(0, "note")
        slept: list[bool] = []
        machine.spawn(lambda port: slept.append(port.sleep(note)))
        machine.spawn(lambda port: (port.wake(note), port.wake(note)))
        fault = run(machine, [(1, 0)])

        assert slept == [True]
        assert fault is not None
        assert fault.message == "notewakeup - double wakeup"

    def test_a_timed_sleep_times_out_when_nobody_can_run(self, machine: SteppedMachine) -> None:
        """And only then."""
        note, x = machine.word(0, "note"), machine.word(0, "x")
        slept: list[tuple[bool, int]] = []
        machine.spawn(lambda port: slept.append((port.sleep(note, 100), port.words[x])))
        machine.spawn(lambda port: (port.store(x, 1), port.store(x, 2)))

        assert run(machine) is None
        assert slept == [(False, 2)]

    def test_a_pause_waits_for_a_write_to_what_was_read(self, machine: SteppedMachine) -> None:
        """Not for a write to anything else."""
        x, y = machine.word(0, "x"), machine.word(0, "y")
        seen: list[int] = []

        def waiter(port: Port) -> None:
            port.load(x)
            port.pause(Pause.PROCYIELD, 1)
            port.load(y)
            seen.append(port.words[y])

        def writer(port: Port) -> None:
            port.store(y, 1)
            port.store(y, 2)
            port.store(x, 1)

        machine.spawn(waiter)
        machine.spawn(writer)

        assert run(machine) is None
        assert seen == [2]

    def test_a_pause_after_a_stale_read_does_not_wait(self, machine: SteppedMachine) -> None:
        """What the thread has read was overwritten before it paused: it may go on at once."""
        x = machine.word(0, "x")
        machine.spawn(lambda port: (port.load(x), port.load(x), port.pause(Pause.OSYIELD, 1), port.load(x)))
        machine.spawn(lambda port: (port.store(x, 1), port.store(x, 2)))

        # t0 reads, t1 writes, t0 reads again, pauses, and its next step is taken before t1's.
        assert run(machine, [(1, 1), (2, 0), (3, 0)]) is None
        assert machine.trail == [0, 1, 0, 0, 1]

    def test_nobody_can_run_all_who_pause_are_let_go(self, machine: SteppedMachine) -> None:
        """A pause is never the cause of a deadlock."""
        x = machine.word(0, "x")
        machine.spawn(lambda port: (port.load(x), port.pause(Pause.USLEEP, 1), port.load(x)))
        machine.spawn(lambda port: (port.load(x), port.pause(Pause.USLEEP, 1), port.load(x)))

        assert run(machine) is None
        assert machine.trail == [0, 1, 0, 1]

    def test_pauses_alone_let_others_run(self, machine: SteppedMachine) -> None:
        """A loop of nothing but pauses ends when another thread has ended it."""
        going = [True]
        x = machine.word(0, "x")

        def waiter(port: Port) -> None:
            while going[0]:
                port.pause(Pause.OSYIELD, 1)

        def ender(port: Port) -> None:
            port.store(x, 1)
            going[0] = False

        machine.spawn(waiter)
        machine.spawn(ender)

        assert run(machine) is None

    def test_a_deadlock_says_who_waits_for_what(self, machine: SteppedMachine) -> None:
        """By name, with who holds it and whether that one lives."""
        lock, note = machine.word(0, "sched.lock"), machine.word(0, "m0.park")
        machine.spawn(lambda port: (port.lock(lock), port.sleep(note)), "m0")
        machine.spawn(lambda port: port.lock(lock), "m1")
        fault = run(machine)

        assert fault is not None
        assert fault.kind == "deadlock"
        assert fault.message == "m0 sleeps on m0.park; m1 waits for sched.lock, held by m0"


class TestDefault:
    """Which thread goes next where nothing is prescribed."""

    def test_the_running_thread_goes_on(self, machine: SteppedMachine) -> None:
        """Until it ends or waits; then the next in order of number."""
        x = machine.word(0, "x")
        for _ in range(3):
            machine.spawn(lambda port: (port.load(x), port.load(x)))

        assert run(machine, [(0, 1)]) is None
        assert machine.trail == [1, 1, 2, 2, 0, 0]

    def test_it_prefers_others_at_a_pause(self, machine: SteppedMachine) -> None:
        """Even where the pausing thread could go on."""
        for _ in range(2):
            machine.spawn(lambda _port: None)
        machine.runnable[:] = [0, 1]
        machine.flags[:] = [PAUSED, 0]

        assert default(machine, 0) == 1
        assert default(machine, 1) == 1
        assert default(machine, MAIN) == 0
