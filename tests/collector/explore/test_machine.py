"""The stepped machine: the operations of a port, who waits for what, and what a schedule is."""

from __future__ import annotations

from importlib import metadata
from typing import TYPE_CHECKING

import pytest

from collector.explore import SteppedMachine, explore
from collector.explore.default import Replayer, default
from collector.explore.machine.carrier import MAIN, Greenlets
from collector.explore.machine.osthreads import OSThreads
from collector.explore.machine.plainpoints import PlainPoints
from collector.explore.machine.threads import PAUSED
from collector.explore.program import run_and_check
from workbuf.machine import MASK64, Aborted, Pause
from workbuf.throw import Throw


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from collector.explore.machine.carrier import Carrier
    from collector.explore.machine.fault import Fault
    from workbuf.machine import Port


@pytest.fixture(params=[Greenlets, OSThreads])
def machine(request: pytest.FixtureRequest) -> Iterator[SteppedMachine]:
    """An empty machine, on either vehicle."""
    vehicle: Callable[[], Carrier] = request.param
    made = SteppedMachine(vehicle)
    made.begin()
    yield made
    made.close()


def run(machine: SteppedMachine, deviations: Sequence[tuple[int, int]] = ()) -> Fault | None:
    """The default schedule with `deviations`."""
    deviating = Replayer(machine, deviations, strict=True)
    fault = run_and_check(machine, deviating.pick, deviating.draw, None)
    assert not deviating.diverged
    return fault


class TestOperations:
    """What the port's operations do to the memory."""

    def test_atomics(self, machine: SteppedMachine) -> None:
        """Each does what `Port` says, and wraps at the word's width."""
        x = machine.word(5, "x")
        seen: list[object] = []

        def body(port: Port) -> None:
            seen.extend((port.load(x), port.cas(x, 4, 9), port.cas(x, 5, 6), port.xchg(x, 1), port.xadd(x, -2)))
            port.store(x, 0)
            port.or8(x * 8 + 2, 0xF0)
            seen.append(port.hint(x))
            port.post(x, 3)

        machine.spawn(body)
        fault = run(machine)

        assert fault is None
        assert seen == [5, False, True, 6, MASK64, 0xF00000]
        assert machine.peek(x) == 3

    def test_plain_words_and_hints(self, machine: SteppedMachine) -> None:
        """Plain accesses are no steps; several hints are a step each."""
        x = machine.alloc(3, "x")

        def body(port: Port) -> None:
            port.words[x] = 1
            port.fill(x + 1, 2, 7)
            assert list(port.hints(x, 3)) == [1, 7, 7]

        machine.spawn(body)

        assert run(machine) is None
        assert machine.trail == [0, 0, 0]

    def test_plain_points(self) -> None:
        """With plain points every plain access is a step."""
        machine = SteppedMachine(taps=[PlainPoints()])
        machine.begin()
        x = machine.alloc(2, "x")

        def body(port: Port) -> None:
            port.words[x] = port.words[x + 1]
            port.fill(x, 2, 1)

        machine.spawn(body)

        assert run(machine) is None
        assert len(machine.trail) == 4

    def test_alloc_aligns_and_names(self, machine: SteppedMachine) -> None:
        """Cells are zeroed, aligned as asked, and named by field, by index, or by the newest label."""
        a = machine.alloc(3, "work", ("full", "empty"), align=8)
        b = machine.word(1)
        found: list[int] = []

        def body(port: Port) -> None:
            at = port.sysalloc(4, 4)
            port.label(at, 4, "wbuf1", ("next",))
            found.append(at)

        machine.spawn(body)
        run(machine)

        assert (a % 8, found[0] % 4) == (0, 0)
        assert [machine.name(cell) for cell in (a, a + 2, b, found[0], found[0] + 1)] == [
            "work.full",
            "work[2]",
            f"word{b}",
            "wbuf1.next",
            "wbuf1[1]",
        ]

    def test_choose_spawn_now(self, machine: SteppedMachine) -> None:
        """A value, a further thread with the next number, and a clock that counts steps."""
        got: list[tuple[int, str, int]] = []

        def child(port: Port) -> None:
            got.append((port.index, port.name, port.now()))

        def body(port: Port) -> None:
            got.append((port.choose(3), "chosen", port.now()))
            port.spawn(child, "child")

        machine.spawn(body, "parent")
        machine.spawn(lambda _port: None)

        assert run(machine, [(1, ~1 - 2)]) is None
        assert got == [(2, "chosen", 2), (2, "child", 3)]

    def test_seeds_differ(self, machine: SteppedMachine) -> None:
        """Threads draw differently, and the same in every schedule."""
        seeds: list[int] = []
        for _ in range(2):
            machine.begin()
            for _ in range(2):
                machine.spawn(lambda port: seeds.append(port.seed))
            run(machine)

        assert seeds[:2] == seeds[2:]
        assert seeds[0] != seeds[1]


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


class TestEnds:
    """How threads end."""

    def test_a_throw_ends_the_schedule(self, machine: SteppedMachine) -> None:
        """The others are aborted, and what they clean up is no step."""
        x = machine.word(0, "x")
        cleaned: list[str] = []

        def victim(port: Port) -> None:
            try:
                port.load(x)
                port.load(x)
            except Aborted:
                cleaned.append(port.name)
                with pytest.raises(Aborted):
                    port.store(x, 1)
                raise

        def thrower(_port: Port) -> None:
            raise Throw("workbuf is empty", "line")

        machine.spawn(victim)
        machine.spawn(lambda port: (port.load(x), thrower(port)))
        fault = run(machine, [(1, 1)])

        assert fault is not None
        assert (fault.kind, fault.message, fault.thread) == ("throw", "workbuf is empty", 1)
        assert fault.details == "line\nfatal error: workbuf is empty"
        assert cleaned == ["t0"]
        assert machine.peek(x) == 0

    @pytest.mark.parametrize(
        ("error", "kind", "message"),
        [
            (AssertionError("three\nfour"), "assertion", "three"),
            (AssertionError(), "assertion", "assertion failed"),
            (KeyError("k"), "exception", "KeyError: 'k'"),
        ],
    )
    def test_what_a_thread_dies_of(self, machine: SteppedMachine, error: Exception, kind: str, message: str) -> None:
        """Is the schedule's fault, with the line that raised."""

        def body(_port: Port) -> None:
            raise error

        machine.spawn(body)
        fault = run(machine)

        assert fault is not None
        assert (fault.kind, fault.message) == (kind, message)
        assert "test_machine.py:" in fault.where

    def test_an_interrupt_is_no_fault_of_the_program(self, machine: SteppedMachine) -> None:
        """It comes out of `run`, and the machine can be used again."""

        def body(_port: Port) -> None:
            raise KeyboardInterrupt

        machine.spawn(body)
        with pytest.raises(KeyboardInterrupt):
            run(machine)
        machine.begin()
        machine.spawn(lambda _port: None)

        assert run(machine) is None

    def test_abort(self, machine: SteppedMachine) -> None:
        """Every thread raises Aborted at its next step or check."""
        x = machine.word(0, "x")
        ended: list[str] = []

        def body(port: Port) -> None:
            try:
                port.load(x)
                machine.abort()
                port.check()
            except Aborted:
                ended.append(port.name)
                raise

        machine.spawn(body)
        machine.spawn(body)
        run(machine)

        assert sorted(ended) == ["t0", "t1"]
        assert not machine.complete

    def test_a_kill_leaves_what_the_thread_holds(self, machine: SteppedMachine) -> None:
        """The strategy picks when; a lock that the dead thread holds stays held."""
        lock = machine.word(0, "lock")
        machine.spawn(lambda port: (port.lock(lock), port.unlock(lock)), "m0")
        machine.spawn(lambda port: port.lock(lock), "m1")
        machine.kill("m0")
        fault = run(machine, [(1, 2)])

        assert fault is not None
        assert fault.message == "m1 waits for lock, held by m0, which was killed"

    def test_a_kill_is_found_by_exploring(self) -> None:
        """Killing at every point is part of every exhaustive search."""

        def program(machine: SteppedMachine) -> Callable[[], None]:
            x = machine.word(0, "x")
            machine.spawn(lambda port: [port.xadd(x, 1) for _ in range(3)], "m0")
            machine.kill("m0")

            def check() -> None:
                assert machine.peek(x) != 2

            return check

        for strategy in ("dfs", "exhaustive", "dpor"):
            failure = explore(program, strategy).failure

            assert failure is not None, strategy
            assert "kill m0" in failure.trace

    def test_invariants_are_checked_before_every_step_and_at_the_end(self) -> None:
        """Corruption is found at birth, in the step that made it."""

        def never_one(machine: SteppedMachine) -> None:
            assert machine.peek(1) == 0, "x is 1"

        def once(machine: SteppedMachine) -> None:
            x = machine.word(0, "x")
            machine.spawn(lambda port: (port.store(x, 1), port.store(x, 0)))

        def last(machine: SteppedMachine) -> None:
            x = machine.word(0, "x")
            machine.spawn(lambda port: port.store(x, 1))

        for broken in (once, last):
            failure = explore(broken, "dfs", invariants=[never_one]).failure

            assert failure is not None
            assert (failure.kind, failure.message, failure.steps) == ("invariant", "x is 1", 1)


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


class Wordless(Exception):
    """Has no text."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


@pytest.mark.parametrize("vehicle", ["greenlets", "threads"])
def test_an_error_without_a_text_is_a_fault_like_any_other(vehicle: str) -> None:
    """Asking for it raises in the thread that is looked at."""

    def program(machine: SteppedMachine) -> None:
        def body(port: Port) -> None:
            port.check()
            raise Wordless

        machine.spawn(body)

    failure = explore(program, schedules=2, vehicle=vehicle).failure

    assert failure
    assert failure.message == "Wordless: (its text cannot be had: RuntimeError)"


@pytest.mark.parametrize("vehicle", ["greenlets", "threads"])
def test_a_step_within_a_builtin(vehicle: str) -> None:
    """`sort` and `map` call back from C: greenlet 3.3.0 to 3.5.2 crashed there without a GIL."""

    def program(machine: SteppedMachine) -> Callable[[], None]:
        cells = [machine.word(value, f"x{value}") for value in (2, 1)]

        def body(port: Port) -> None:
            in_order = sorted(cells, key=port.load)
            in_order.sort(key=port.load)
            for cell in in_order:
                port.xadd(cell, 1)
            assert all(map(port.load, in_order))

        machine.spawn(body)
        machine.spawn(body)

        def check() -> None:
            assert [machine.peek(cell) for cell in cells] == [4, 3]

        return check

    result = explore(program, "random", schedules=50, vehicle=vehicle)

    assert (result.failure, result.schedules) == (None, 50)
    version = tuple(int(part) for part in metadata.version("greenlet").split(".")[:3])
    assert version >= (3, 5, 3)
