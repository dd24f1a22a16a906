"""Tokens and replays: a failing schedule is told again, step by step the same."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from collector.explore import explore, replay
from collector.explore.machine.fault import Fault
from collector.explore.program import new_machine
from collector.explore.shrink import Shrinker
from collector.explore.token import Token
from collector.scenarios.registry import SCENARIOS
from tests.collector.explore import programs
from workbuf.machine import Pause


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine
    from workbuf.machine import Port


def plain_increments(machine: SteppedMachine) -> None:
    """Two threads increment a word, with nothing that orders them: a race, told with both stacks."""
    x = machine.word(0, "x")

    def increments(port: Port) -> None:
        port.words[x] += 1

    for _ in range(2):
        machine.spawn(increments)


FAULTY = {
    "lost update": programs.lost_update(),
    "ABA": programs.treiber(tagged=False),
    "late": programs.barrier(2, 1, late=True),
    "deadlock": programs.two_locks(ordered=False),
    "race": plain_increments,
}


class TestTokens:
    """A schedule as text."""

    def test_it_comes_back(self) -> None:
        """All that a token holds."""
        token = Token(
            ((0, 1), (3, ~1 - 2), (200, 5), (100_000, 0)),
            steps=100_200,
            digest=0xDEADBEEF,
            plain_points=True,
            races=True,
            limit=50_000,
            muted=(2,),
            left_out=(0, 300),
            about={"scenario": "lfstack", "parameters": {"count": 0}},
        )

        assert Token.decode(token.encode()) == token

    def test_it_is_short(self) -> None:
        """A preemption costs a few characters."""
        failure = explore(programs.treiber(tagged=False)).failure

        assert failure is not None
        assert len(failure.schedule) < 30

    @pytest.mark.parametrize(
        ("text", "complaint"),
        [
            ("", "begins with"),
            ("x9.AAAA", "begins with"),
            ("s1.A", "copied whole"),
            ("s1.AAAAAAAA", "checksum"),
            ("s1.ä", "copied whole"),
        ],
    )
    def test_what_is_no_token_is_refused(self, text: str, complaint: str) -> None:
        """In one line."""
        with pytest.raises(ValueError, match=complaint) as caught:
            replay(text, programs.counter())

        assert "\n" not in str(caught.value)

    def test_a_cut_or_mistyped_token_is_refused(self) -> None:
        """Any one character makes a difference."""
        text = Token(((1, 1), (5, 0)), steps=9).encode()
        for at in range(3, len(text)):
            other = text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :]
            with pytest.raises(ValueError, match=r"token"):
                Token.decode(other)
            with pytest.raises(ValueError, match=r"token"):
                Token.decode(text[:at])

    def test_a_token_of_the_format_before_replays_or_is_refused(self) -> None:
        """Its failure is the same if its steps are; else one line says that they are not."""
        program = programs.treiber(tagged=False)
        failure = explore(program).failure
        assert failure is not None
        old = replace(Token.decode(failure.schedule), format=1)
        assert old.encode().startswith("s1.")
        assert Token.decode(old.encode()) == old

        again = replay(old.encode(), program).failure

        assert again is not None
        assert (again.trace, again.schedule) == (failure.trace, old.encode())
        with pytest.raises(
            ValueError, match=r"an s1 token that no longer replays .*: find the failure again"
        ) as caught:
            replay(old.encode(), programs.treiber(tagged=True))
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", FAULTY)
@pytest.mark.parametrize("shrink", [True, False])
def test_a_failure_replays_identically(name: str, seed: int, *, shrink: bool) -> None:
    """On both vehicles, whichever strategy found it: the same failure, trace and all."""
    program = FAULTY[name]
    for strategy in ("urw", "pos", "exhaustive", "dpor"):
        found = explore(program, strategy, seed=seed, shrink=shrink).failure
        if found is None:
            continue
        for vehicle in ("greenlets", "threads"):
            again = replay(found.schedule, program, vehicle=vehicle)

            assert again.failure == found
            assert again.warnings == []


@pytest.mark.parametrize("name", FAULTY)
def test_both_vehicles_explore_the_same_schedules(name: str, seed: int) -> None:
    """A search on operating-system threads finds the same at the same place; how far each is shrunk, the clock decides."""
    one = explore(FAULTY[name], seed=seed, schedules=3000, shrink=False)
    other = explore(FAULTY[name], seed=seed, schedules=3000, shrink=False, vehicle="threads")

    assert (one.failure, one.schedules, one.steps) == (other.failure, other.schedules, other.steps)


def test_a_changed_program_is_noticed() -> None:
    """The replay says that it took other steps, or where it could not go on."""
    failure = explore(programs.treiber(tagged=False)).failure
    assert failure is not None

    other = replay(failure.schedule, programs.treiber(tagged=True))
    assert other.failure is None
    assert other.warnings[0].startswith("diverged: the schedule took 15 steps, not the 12")

    elsewhere = replay(Token(((1, 7),), steps=3).encode(), programs.lost_update())
    assert "wants thread 7 to go" in elsewhere.warnings[0]

    renamed = replay(failure.schedule, programs.treiber(tagged=False))
    assert renamed.warnings == []


def test_values_are_replayed() -> None:
    """What `choose` returned is part of the schedule."""

    def program(machine: SteppedMachine) -> None:
        def body(port: Port) -> None:
            values = [port.choose(5) for _ in range(3)]
            assert values != [1, 4, 0]

        machine.spawn(body)

    failure = explore(program, "dpor").failure
    assert failure is not None
    assert replay(failure.schedule, program).failure == failure
    assert "choose 5 = 4" in failure.trace


def test_a_token_replays_in_another_process() -> None:
    """Nothing that differs from process to process is part of a schedule."""
    failure = explore(programs.barrier(2, 1, late=True), "urw", schedules=20_000).failure
    assert failure is not None
    script = (
        "from collector.explore import replay\n"
        "from tests.collector.explore.programs import barrier\n"
        f"print(replay({failure.schedule!r}, barrier(2, 1, late=True)).failure.trace)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout.rstrip() == failure.trace


@pytest.mark.parametrize("error", [AssertionError, ValueError], ids=["assertion", "exception"])
def test_no_address_of_an_object_is_told(error: type[Exception]) -> None:
    """What shows an object by its repr says the same on every run."""

    def program(machine: SteppedMachine) -> None:
        def body(port: Port) -> None:
            port.load(machine.word(0))
            raise error(f"where False = {body}()\n{[object()]} at 0x10")

        machine.spawn(body)

    failure = explore(program).failure
    assert failure is not None
    assert "<function test_no_address_of_an_object_is_told.<locals>.program.<locals>.body>" in failure.message
    assert failure.trace.endswith("\n[<object object>] at 0x10")


class TestTraces:
    """What a reader sees."""

    def test_columns(self) -> None:
        """A column per thread; names and values."""
        failure = explore(programs.treiber(tagged=False), "exhaustive").failure
        assert failure is not None

        assert failure.trace.splitlines() == [
            "step  popper            recycler",
            "   0  load head = 1",
            "   1  load next[1] = 2",
            "   2                    load head = 1",
            "   3                    load next[1] = 2",
            "   4                    cas head 1 := 2",
            "   5                    load head = 2",
            "   6                    load next[2] = 3",
            "   7                    cas head 2 := 3",
            "   8                    load head = 3",
            "   9                    post next[1] := 3",
            "  10                    cas head 3 := 1",
            "  11  cas head 1 := 2",
            *failure.trace.splitlines()[13:],
        ]
        assert "check: " in failure.trace

    def test_views_and_formats_are_the_programs(self) -> None:
        """A view is shown after each step that has changed it, values as the program would have them."""

        def program(machine: SteppedMachine) -> Callable[[], None]:
            x = machine.word(0, "x")
            machine.view("x is", lambda: "up" if machine.peek(x) else "down")
            machine.formatter = lambda _a, v: f"<{v}>"
            machine.spawn(lambda port: (port.load(x), port.store(x, 1), port.pause(Pause.OSYIELD, 2)))

            def check() -> None:
                assert machine.peek(x) == 0

            return check

        failure = explore(program).failure
        assert failure is not None
        lines = failure.trace.splitlines()
        assert "   0  load x = <0>" in lines
        assert "   1  store x := <1>" in lines
        assert "(osyield 2)" in failure.trace
        assert sum("x is: up" in line for line in lines) == 1


class TestShrinking:
    """Of the schedules that fail in the same way, a simple one."""

    @pytest.mark.parametrize(("name", "preemptions"), [("lost update", 1), ("ABA", 1), ("late", 3), ("deadlock", 1)])
    def test_as_few_preemptions_as_it_takes(self, name: str, preemptions: int, seed: int) -> None:
        """From a random schedule."""
        result = explore(FAULTY[name], "random", seed=seed, schedules=50_000)

        assert result.failure is not None
        assert result.failure.preemptions == preemptions
        before, after, runs = result.shrunk
        assert preemptions <= after <= before
        assert runs > 0

    def test_a_thread_that_has_nothing_to_do_with_it_is_left_out(self, seed: int) -> None:
        """It takes no step in the trace; the others do."""

        def program(machine: SteppedMachine) -> None:
            x, y = machine.word(0, "x"), machine.word(0, "y")

            def victim(port: Port) -> None:
                assert port.load(x) == port.load(x), "x changed"

            machine.spawn(victim, "victim")
            machine.spawn(lambda port: port.store(x, 1), "writer")
            machine.spawn(lambda port: [port.xadd(y, 1) for _ in range(4)], "bystander")

        failure = explore(program, "random", seed=seed).failure
        assert failure is not None
        assert failure.message == "x changed"
        assert "xadd" not in failure.trace
        assert "store x" in failure.trace

    def test_items_that_have_nothing_to_do_with_it_are_left_out(self, seed: int) -> None:
        """What a program declares optional goes too, with the values chosen there; what the failure needs stays."""

        def program(machine: SteppedMachine) -> None:
            x, y = machine.word(0, "x"), machine.word(0, "y")
            reads = machine.optional([y, x, y])
            writes = machine.optional([y, x, y, y])

            def victim(port: Port) -> None:
                for cell in reads:
                    assert port.load(cell) == port.load(cell) or cell == y, "x changed"

            def writer(port: Port) -> None:
                for cell in writes:
                    port.xadd(cell, 1 + port.choose(3))

            machine.spawn(victim, "victim")
            machine.spawn(writer, "writer")

        failure = explore(program, "random", seed=seed).failure
        assert failure is not None
        assert Token.decode(failure.schedule).left_out == (0, 3, 5, 6)
        assert " y " not in failure.trace
        assert failure.steps == 5  # load, choose and its value, xadd, load
        for vehicle in ("greenlets", "threads"):
            assert replay(failure.schedule, program, vehicle=vehicle).failure == failure

    @pytest.mark.parametrize(("name", "variant", "most"), [("latedecrement", "failing3", 6), ("yuasa", "failing", 1)])
    def test_stretches_of_a_thread_are_brought_together(self, name: str, variant: str, most: int) -> None:
        """Leaving deviations out, one by one or in groups, stops at ten and more preemptions of these."""
        program = SCENARIOS[name].variants[variant].program

        for seed in range(3):
            failure = explore(program, "random", seed=seed).failure
            assert failure is not None
            assert failure.preemptions <= most, failure.trace

    def test_it_stays_the_same_failure(self, seed: int) -> None:
        """A shorter schedule that fails otherwise is no shrunk schedule."""

        def program(machine: SteppedMachine) -> None:
            x = machine.word(0, "x")

            def body(port: Port) -> None:
                mine = port.xadd(x, 1)
                assert mine != 3, "third"
                assert mine == 1 or port.load(x) != 2, "second"

            for _ in range(3):
                machine.spawn(body)

        found = {
            failure.message
            for strategy in ("random", "urw", "pos")
            for k in range(4)
            if (failure := explore(program, strategy, seed=seed + k, shrink=False).failure)
        }
        for strategy in ("random", "urw", "pos"):
            for k in range(4):
                raw = explore(program, strategy, seed=seed + k, shrink=False).failure
                small = explore(program, strategy, seed=seed + k).failure
                assert raw is not None
                assert small is not None
                assert (raw.kind, raw.message) == (small.kind, small.message)
        assert found


def test_shrinking_ends_with_its_budget() -> None:
    """Nothing is cut out of ten thousand deviations any more when there is no time to try what is left."""

    def program(machine: SteppedMachine) -> None:
        x = machine.word(0, "x")
        machine.spawn(lambda port: port.load(x))

    machine = new_machine()
    shrinker = Shrinker(machine, program, (), Fault("check", "no"), seconds=0)
    deviations = [(k, 0) for k in range(10_000)]

    try:
        assert shrinker.fewer_deviations(deviations) == deviations
        assert shrinker.runs < 10
    finally:
        machine.close()
