"""How the threads of a schedule end: by a throw, an error, an abort, a kill, a broken invariant."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from collector.explore import SteppedMachine, explore
from tests.collector.explore.machine.schedules import run
from workbuf.machine import Aborted
from workbuf.throw import Throw


if TYPE_CHECKING:
    from collections.abc import Callable

    from workbuf.machine import Port


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
        assert "test_ends.py:" in fault.where

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
