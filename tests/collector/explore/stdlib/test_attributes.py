"""Attributes of loaded classes are words of the machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from collector.explore import explore, replay
from collector.explore.stdlib import load
from tests.collector.explore.stdlib import threaded
from tests.collector.explore.stdlib.programs import NAME, account, of, proved


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine
    from workbuf.machine import Port


class TestAttributes:
    """Those of the module's objects."""

    def test_what_a_lock_orders(self) -> None:
        proved(account("withdraw", "withdraw"))

    def test_a_race_names_the_line(self) -> None:
        """Of the source as it is."""
        failure = explore(account("hasty", "hasty")).failure
        assert failure is not None
        assert failure.kind == "race"
        assert "Account.balance" in failure.message
        assert failure.where.startswith(f"{threaded.__file__}:")

    @pytest.mark.parametrize("vehicle", ["greenlets", "threads"])
    def test_as_steps(self, vehicle: str) -> None:
        """What comes of it is found, with the line where the schedule goes wrong, and replays."""
        program = account("hasty", "hasty")
        failure = explore(program, plain_points=True, races=False, vehicle=vehicle).failure
        assert failure is not None
        assert failure.message == "overdrawn"
        assert "Account.lock" in str(failure.trace)
        again = replay(failure.schedule, program)
        assert again.failure is not None
        assert again.failure.message == "overdrawn"

    def test_a_list_that_nobody_guards(self) -> None:
        """To fetch it counts as a write, unless it is named."""
        program = of(lambda log: log.say("a"), lambda log: log.say("b"), make=lambda module: module.Log())
        assert "write of Log.lines (a list) by" in str(explore(program).failure)

        def unwatched(machine: SteppedMachine) -> None:
            log = load(machine, NAME, unwatched=("lines",)).Log()
            for line in "ab":

                def says(_port: object, line: str = line) -> None:
                    log.say(line)

                machine.spawn(says)

        assert explore(unwatched).failure is None

    def test_what_is_changed_after_it_was_handed_over(self) -> None:
        """No word tells what is within a list."""

        def program(machine: SteppedMachine) -> Callable[[], None]:
            ledger, x, found = load(machine, NAME).Ledger(), machine.word(0, "x"), []

            def puts(port: Port) -> None:
                line: list[str] = []
                ledger.put(line)
                port.load(x)
                line.append("late")

            def reads(port: Port) -> None:
                line = ledger.last()
                port.load(x)
                found.append(None if line is None else line[:])

            machine.spawn(puts)
            machine.spawn(reads)

            def check() -> None:
                assert found != [[]], "read before it was changed"

            return check

        assert explore(program, "exhaustive", shrink=False).failure is not None
        for bound in (None, 9):
            result = explore(program, "dpor", preemptions=bound, shrink=False)
            assert result.failure or "share line, and no step orders" in result.statement, str(result)

    def test_lists_under_locks_of_their_own(self) -> None:
        proved(
            of(
                lambda two: (two[0].put([]), two[0].put([]), two[1].put([])),
                lambda two: (two[2].put([]), two[2].put([]), two[1].put([])),
                make=lambda module: [module.Ledger() for _ in range(3)],
            )
        )
