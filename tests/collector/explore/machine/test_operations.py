"""What the operations of a port do to the memory, also where a builtin calls them."""

from __future__ import annotations

from importlib import metadata
from typing import TYPE_CHECKING

import pytest

from collector.explore import SteppedMachine, explore
from collector.explore.machine.plainpoints import PlainPoints
from tests.collector.explore.machine.schedules import run
from workbuf.machine import MASK64


if TYPE_CHECKING:
    from collections.abc import Callable

    from workbuf.machine import Port


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
