"""Addresses are shown by name, in whatever form a program keeps them; numbers that look like one are not."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING

import pytest

from collector.explore import explore, replay
from collector.explore.replay import Replay
from collector.explore.token import Token
from workbuf.machine import Pause


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine
    from workbuf.machine import Port

FORMS: dict[str, tuple[Callable[[int], int], str]] = {
    "itself": (lambda a: a, "node"),
    "a cell of it": (lambda a: a + 1, "node"),
    "the next cell": (lambda a: 2 + a, "next"),
    "back": (lambda a: a + 2 - 2, "node"),
    "byte address": (lambda a: a * 8, "node"),
    "byte address of a cell": (lambda a: a * 8 + 16, "next"),
    "aligned": (lambda a: (a * 8 + 17) & -8, "next"),
    "cell of a byte address": (lambda a: a * 8 // 8, "node"),
    "marked": (lambda a: a * 8 | 1, "node#1"),
    "mark removed": (lambda a: (a * 8 | 1) & ~1, "node"),
    "packed": (lambda a: a << 16 | 3, "node#3"),
    "packed, and counted on": (lambda a: (a << 16 | 3) + 1, "node#4"),
    "unpacked": (lambda a: (a << 16 | 3) >> 16, "node"),
    "count": (lambda a: (a << 16 | 3) & 0xFFFF, "3"),
    "count above": (lambda a: a | 5 << 32, "node+0x500000000"),
    "count above, unpacked": (lambda a: (a | 5 << 32) % (1 << 32), "node"),
    "count above, alone": (lambda a: (a + (5 << 32)) >> 32, "5"),
    "multiplied": (lambda a: a * 3, "9"),
    "distance": (lambda a: (a + 1) - a, "1"),
    "outside": (lambda a: a + 1000, "1003"),
    "a number": (int, "3"),
}


@pytest.mark.parametrize("form", FORMS)
def test_forms_of_an_address(form: str) -> None:
    """What a program makes of an address, it stores, and reads it again."""
    made, shown = FORMS[form]

    def program(machine: SteppedMachine) -> Callable[[], None]:
        x = machine.word(0, "x")
        machine.word(0, "y")
        node = machine.alloc(2, "node", ("below", "value"))
        machine.alloc(1, "next")

        def body(port: Port) -> None:
            port.store(x, made(node))
            port.load(x)

        machine.spawn(body)

        def check() -> None:
            assert machine.peek(x) < 0

        return check

    failure = explore(program, "dpor").failure

    assert failure is not None
    assert f"store x := {shown}\n" in failure.trace
    assert f"load x = {shown}\n" in failure.trace


def test_memory_taken_without_a_name() -> None:
    """Pieces are nodes by order of allocation, until somebody gives them a name."""

    def program(machine: SteppedMachine) -> None:
        top = machine.word(0, "top")

        def body(port: Port) -> None:
            first, second, third = port.sysalloc(1), port.sysalloc(2), port.sysalloc(1)
            port.label(third, 1, "guard")
            for node in (first, second, second + 1, third):
                port.store(top, node)
            raise AssertionError

        machine.spawn(body)

    failure = explore(program, "dpor").failure

    assert failure is not None
    assert [line.partition(":= ")[2] for line in failure.trace.splitlines() if ":=" in line] == [
        "node1", "node2", "node2[1]", "guard",
    ]  # fmt: skip


def test_a_livelock_is_recognised_with_addresses_in_it() -> None:
    """The state holds them in memory, variables and the cells that a thread has read."""

    def program(machine: SteppedMachine) -> None:
        top = machine.word(0, "top")
        node = machine.alloc(1, "node")

        def body(port: Port) -> None:
            while True:
                below = port.xchg(top, node << 8)
                port.xchg(top, below)
                port.pause(Pause.PROCYIELD, 1)

        machine.spawn(body)
        machine.spawn(body)

    failure = explore(program).failure

    assert failure is not None
    assert failure.kind == "livelock"
    again = replay(failure.schedule, program).failure
    assert again is not None
    assert again.kind == "livelock"
    assert again.trace == failure.trace
    assert "xchg top := node#0" in again.trace


def test_a_recorded_schedule_takes_the_same_steps() -> None:
    """An address is an int wherever a program looks."""

    def program(machine: SteppedMachine) -> None:
        a = machine.word(0, "a")

        def body(port: Port) -> None:
            known = {a: "found", (a, 1): "pair"}
            assert (known[int(a)], known[int(a), 1], f"{a}", [0, 7][a]) == ("found", "pair", "1", 7)
            assert (2 - a, a / 1, -a, a**2, divmod(a, 2), a * 1.5, "x" * a) == (1, 1.0, -1, 1, (0, 1), 1.5, "x")
            port.store(a, copy(a))

        machine.spawn(body)

    assert explore(program, "dpor").exhausted
    again = Replay(Token(), program)
    assert again.fault is None
    assert "store a := a" in again.trace
