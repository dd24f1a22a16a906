"""Memory: addresses outside fault and integers wrap as on hardware; locks and notes may be written by steps, not plainly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from collector.explore import SteppedMachine, explore, replay
from collector.explore.claim import Kind
from tests.collector.explore.misuse.refusals import STRATEGIES, refused
from workbuf.machine import MASK64


if TYPE_CHECKING:
    from collections.abc import Callable

    from workbuf.machine import Port


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("how", ["lock freed", "lock taken", "note woken"])
def test_locks_and_notes_that_other_operations_write(how: str, strategy: str) -> None:
    """Who waits goes as soon as the word allows it, and no sooner."""

    def program(machine: SteppedMachine) -> Callable[[], object]:
        x, inside = machine.word(0, "x"), machine.word(0, "inside")

        def critical(port: Port) -> None:
            assert port.xadd(inside, 1) == 1
            port.xadd(inside, -1)

        def storing(port: Port) -> None:
            port.lock(x)
            critical(port)
            port.store(x, 0)

        def locking(port: Port) -> None:
            port.lock(x)
            critical(port)
            port.unlock(x)

        def exchanging(port: Port) -> None:
            if port.cas(x, 0, 9):
                critical(port)
                port.store(x, 0)

        bodies: dict[str, list[Callable[[Port], object]]] = {
            "lock freed": [storing, storing, locking],
            "lock taken": [locking, exchanging],
            "note woken": [lambda port: port.sleep(x), lambda port: port.store(x, 1)],
        }
        for body in bodies[how]:
            machine.spawn(body)
        return lambda: None

    result = explore(program, strategy)

    assert result.failure is None
    assert result.exhausted


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize(
    ("how", "says"),
    [("freed", "the lock was freed by a plain write"), ("woken", "the note was woken by a plain write")],
)
def test_locks_and_notes_that_are_written_plainly(how: str, says: str, strategy: str) -> None:
    """Nobody is told who waits, which would look like a deadlock."""

    def program(machine: SteppedMachine) -> None:
        x = machine.word(how == "freed", "x")

        def waiting(port: Port) -> None:
            if how == "freed":
                port.lock(x)
            else:
                port.sleep(x)

        def late(port: Port) -> None:
            port.load(x)
            port.words[x] = how == "woken"

        machine.spawn(waiting)
        machine.spawn(late)

    assert says in refused(program, strategy)


@pytest.mark.parametrize("address", [0, -1, -3, 100, 1 << 63])
@pytest.mark.parametrize("write", [False, True])
@pytest.mark.parametrize("plain_points", [False, True])
def test_plain_addresses_outside(address: int, *, write: bool, plain_points: bool) -> None:
    """The same fault, and the token shows it again."""

    def program(machine: SteppedMachine) -> None:
        machine.alloc(4, "x")

        def body(port: Port) -> None:
            if write:
                port.words[address] = 1
            else:
                port.words[address]

        machine.spawn(body)

    failure = explore(program, plain_points=plain_points).failure

    assert failure is not None
    assert (failure.kind, failure.message) == ("throw", "fault")
    again = replay(failure.schedule, program).failure
    assert again is not None
    assert (again.kind, again.message) == ("throw", "fault")


def test_a_plain_word_wraps_in_a_replay_too() -> None:
    """To the 64 bits that it had when the token was made."""

    def program(machine: SteppedMachine) -> Callable[[], None]:
        x = machine.word(0, "x")
        machine.spawn(lambda port: port.words.__setitem__(x, -1))

        def check() -> None:
            assert machine.peek(x) != MASK64

        return check

    failure = explore(program).failure

    assert failure is not None
    assert replay(failure.schedule, program).failure


@pytest.mark.parametrize("address", [0, -1, -100, 1_000, 1 << 63])
@pytest.mark.parametrize("operation", ["load", "hint", "lock", "sleep", "wake"])
def test_addresses_outside(operation: str, address: int) -> None:
    """Go's fault, as on hardware."""

    def program(machine: SteppedMachine) -> None:
        machine.word(7, "x")
        machine.spawn(lambda port: getattr(port, operation)(address))

    failure = explore(program).failure

    assert failure is not None
    assert (failure.kind, failure.message) == ("throw", "fault")


@pytest.mark.parametrize("value", [-1, 1 << 64, (1 << 70) + 5, -(1 << 65)])
def test_integers_wrap(value: int) -> None:
    """At 64 bits, as on hardware."""

    def program(machine: SteppedMachine) -> Callable[[], None]:
        x, y, z, w = (machine.word(0) for _ in range(4))

        def body(port: Port) -> None:
            port.store(x, value)
            port.xchg(y, value)
            port.cas(z, 0, value)
            port.words[w] = value

        machine.spawn(body)

        def check() -> None:
            assert [machine.peek(a) for a in (x, y, z, w)] == [value & MASK64] * 4

        return check

    assert explore(program).claim.kind is Kind.PROVED
