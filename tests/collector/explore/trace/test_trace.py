"""A schedule in columns: as wide as the terminal, with names instead of addresses, and with what races."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from collector.explore import explore
from collector.explore.replay import Replay
from collector.explore.token import Token
from collector.explore.trace import trace as tracing
from collector.explore.trace.shorten import repeats
from collector.explore.trace.step import Step, Value
from tests.collector.report.schedules import replayed, step
from workbuf.machine import MASK64, Pause


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine
    from workbuf.machine import Port


@pytest.mark.parametrize("width", [80, 110])
@pytest.mark.parametrize(("name", "variant"), [("latedecrement", "failing3"), ("pless", "failing"), ("aba", "failing")])
def test_it_is_as_wide_as_the_terminal_and_breaks_between_words(name: str, variant: str, width: int) -> None:
    """The same words in the same order as on an endless line."""
    schedule = replayed(name, variant).schedule
    wide, narrow = (tracing.trace(schedule, n).splitlines() for n in (1000, width))

    assert max(map(len, narrow)) <= width
    assert [word for line in narrow for word in line.split() if word != "--"] == " ".join(wide).split()


def test_columns_that_do_not_fit_become_one() -> None:
    """Every line then says whose it is."""

    def program(machine: SteppedMachine) -> None:
        x = machine.word(0, "a_cell_with_a_long_name")
        for i in range(6):
            machine.spawn(lambda port: port.xadd(x, 1), f"thread{i}")

    lines = tracing.trace(Replay(Token(), program).schedule, 80).splitlines()

    assert lines == ["step", *(f"{i:4d}  thread{i}: xadd a_cell_with_a_long_name +1 = {i + 1}" for i in range(6))]


def test_values_are_those_of_cells() -> None:
    """Unsigned, whatever the operand was."""

    def program(machine: SteppedMachine) -> None:
        x = machine.word(0, "x")

        def body(port: Port) -> None:
            port.store(x, -1)
            port.cas(x, -1, -2)
            port.words[x] = -3

        machine.spawn(body)

    steps = Replay(Token(), program).schedule.steps
    values = [(act.expected, act.wrote) for shown in steps for act in (shown, *shown.notes) if act.wrote]

    assert values == [
        (None, Value(MASK64)),
        (Value(MASK64), Value(MASK64 - 1)),
        (None, Value(MASK64 - 2)),
    ]


def test_step_numbers_do_not_skip() -> None:
    """A value that was chosen has a place in the trail, and no number."""

    def program(machine: SteppedMachine) -> None:
        x = machine.word(0, "x")
        machine.spawn(lambda port: (port.choose(3), port.store(x, port.choose(2)), port.load(x)), "t")

    schedule = Replay(Token(), program).schedule

    assert [step.number for step in schedule.steps] == [-1, 0, 1, 2, 3]
    assert [step.place for step in schedule.steps] == [-1, 0, 2, 4, 5]


@pytest.mark.parametrize("first", ["read", "write"])
def test_the_plain_accesses_that_race_are_in_it(first: str) -> None:
    """Both, at the steps that the race report names; other plain accesses are not."""

    def program(machine: SteppedMachine) -> None:
        x, y, z = machine.word(0, "x"), machine.word(0, "y"), machine.alloc(2, "z")

        def one(port: Port) -> None:
            port.store(y, 1)
            port.words[z] = 5
            if first == "read":
                assert port.words[x] == 0
            else:
                port.words[x] = 7

        def other(port: Port) -> None:
            port.load(z + 1)
            port.words[x] = 8

        machine.spawn(one, "one")
        machine.spawn(other, "other")

    failure = explore(program, "dpor").failure
    assert failure is not None
    assert failure.kind == "race"
    assert failure.record is not None
    racing = [note for step in failure.record.steps for note in step.told]

    assert {(note.op, note.racing) for note in racing} == {(first, True), ("write", True)}
    assert f"race: {first} x" in failure.trace
    assert "race: write x := 8" in failure.trace
    assert "z[0]" not in failure.trace


def test_values_that_are_addresses_are_shown_by_their_names() -> None:
    """Pointers into the heap, buffers' entries, spans."""
    text = replayed("pless").trace

    assert "h_spans[0] = span0" in text
    assert "data[0] = arena[0]" in text


def test_what_repeats_is_found_whatever_its_numbers_are() -> None:
    """Turns of one step and of two, three times at least; where anything else comes of it, it is no repetition."""

    def turns(threads: str, **more: Any) -> list[Step]:  # noqa: ANN401
        return [step(i, int(t), **more) for i, t in enumerate(threads)]

    assert list(repeats(turns("100000"))) == [(2, 6, 1)]
    assert list(repeats(turns("01010101012"))) == [(2, 10, 2)]
    assert not list(repeats(turns("0011")))
    assert not list(repeats([step(i, saw=Value(i)) for i in range(9)]))


def test_what_lies_between_steps_changes_none() -> None:
    """A step's record is its own operation's, whatever the thread does before its next one."""

    def program(machine: SteppedMachine) -> None:
        x = machine.alloc(4, "x")

        def body(port: Port) -> None:
            port.fill(x, 2, 9)
            port.load(x)
            port.fill(x, 3, 7)
            port.words[x] = port.words[x + 1]
            port.pause(Pause.OSYIELD, 1)
            port.xadd(x, -2)
            port.cas(x, 4, 6)
            port.or8(x * 8 + 1, 2)

        machine.spawn(body, "t")

    lines = tracing.trace(Replay(Token(), program).schedule).splitlines()

    assert [line[6:] for line in lines[1:]] == [
        "load x[0] = 9",
        "(osyield 1)",
        "xadd x[0] -2 = 5",
        "cas x[0] 4 fails: is 5",
        "or8 x[0] byte 1 |= 0x2",
    ]


def test_a_slice_of_the_memory_is_no_cell() -> None:
    """Where races are not looked for it is not refused, and a schedule with one can be told."""

    def program(machine: SteppedMachine) -> Callable[[], None]:
        x = machine.word(0, "x")
        seen: list[object] = []

        def reads(port: Port) -> None:
            port.load(x)
            seen.append(port.words[x : x + 1])  # type: ignore[index]

        machine.spawn(reads)
        machine.spawn(lambda port: port.store(x, 1))

        def check() -> None:
            assert seen == [[0]]

        return check

    failure = explore(program, "dfs", races=False).failure
    assert failure is not None
    assert [step.op for step in failure.record.steps if step.op != "start"] == ["store", "load"]
    assert explore(program, "dfs").claim.kind == "refused"
