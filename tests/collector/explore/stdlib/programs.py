"""Programs that use the classes of `threaded`, and what DPOR says of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from collector.explore import explore
from collector.explore.claim import Kind
from collector.explore.stdlib import load
from tests.collector.explore.stdlib import threaded


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import Result, SteppedMachine
    from collector.explore.program import Program


NAME = threaded.__name__


def of(*bodies: Callable[[Any], object], make: Callable[[Any], Any], check: Callable[[Any], object] = bool) -> Program:
    """Each of `bodies` in a thread, on what `make` makes of the module; `check` looks at that when all have ended."""

    def program(machine: SteppedMachine) -> Callable[[], object]:
        thing = make(load(machine, NAME))
        for body in bodies:

            def thread(_port: object, body: Callable[[Any], object] = body) -> None:
                body(thing)

            machine.spawn(thread)

        def last() -> None:
            check(thing)

        return last

    return program


def account(*calls: str) -> Program:
    """Withdrawals, each by a thread."""

    def check(thing: Any) -> None:  # noqa: ANN401
        assert thing.balance >= 0, "overdrawn"

    bodies = [lambda thing, call=call: getattr(thing, call)(60) for call in calls]
    return of(*bodies, make=lambda module: module.Account(100), check=check)


def proved(program: Program) -> Result:
    """It is, by DPOR."""
    result = explore(program, "dpor", seconds=60)
    assert result.claim.kind is Kind.PROVED, str(result)
    return result


def line_of(text: str) -> int:
    """Where that stands in the module for the first time."""
    with open(threaded.__file__, encoding="utf-8") as file:  # noqa: PTH123
        return next(number for number, line in enumerate(file, 1) if text in line)
