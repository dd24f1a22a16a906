"""What a program raises: its failure, wherever that happens, and never the explorer's end."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from collector.explore import SteppedMachine, explore, replay
from tests.collector.explore.misuse.refusals import STRATEGIES, refused


if TYPE_CHECKING:
    from collections.abc import Callable

    from workbuf.machine import Port


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("status", [0, 3])
@pytest.mark.parametrize("where", ["set-up", "check", "invariant"])
def test_exit_outside_of_the_threads(where: str, status: int, strategy: str) -> None:
    """Nothing that the program does ends the explorer."""

    def program(machine: SteppedMachine) -> Callable[[], None]:
        x = machine.word(0, "x")
        if where == "set-up":
            sys.exit(status)
        if where == "invariant":
            machine.invariant(lambda: sys.exit(status))
        machine.spawn(lambda port: port.store(x, 1))

        def check() -> None:
            if where == "check":
                sys.exit(status)

        return check

    assert f"sys.exit in a {where}" in refused(program, strategy)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_an_invariant_that_raises(strategy: str) -> None:
    """What is no assertion is the program's failure, too; its body's `except` does not see it."""

    def program(machine: SteppedMachine) -> None:
        x = machine.word(0, "x")

        def invariant() -> None:
            if machine.peek(x):
                raise KeyError("k")

        def body(port: Port) -> None:
            with suppress(Exception):
                port.store(x, 1)
                port.load(x)

        machine.invariant(invariant)
        machine.spawn(body)

    failure = explore(program, strategy).failure

    assert failure is not None
    assert (failure.kind, failure.message) == ("exception", "KeyError: 'k'")
    assert replay(failure.schedule, program).failure


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_body_that_raises_no_exception(strategy: str) -> None:
    """GeneratorExit is none to Python, and is the program's failure."""

    def program(machine: SteppedMachine) -> None:
        x = machine.word(0, "x")

        def body(port: Port) -> None:
            port.load(x)
            raise GeneratorExit

        machine.spawn(body)

    failure = explore(program, strategy).failure

    assert failure is not None
    assert (failure.kind, failure.message) == ("exception", "GeneratorExit")


def test_own_functions_called_wrongly() -> None:
    """A function of the program that is called like an operation is its own failure."""

    def program(machine: SteppedMachine) -> None:
        def cas(_a: int) -> None:
            pass

        machine.spawn(lambda _port: cas())  # type: ignore[call-arg]

    failure = explore(program).failure

    assert failure is not None
    assert failure.kind == "exception"
    assert "missing 1 required" in failure.message


class Cancelled(BaseException):
    """As asyncio has one, and trio."""


@pytest.mark.parametrize("error", [Cancelled("too late"), pytest.fail.Exception("too late")], ids=["own", "pytest's"])
@pytest.mark.parametrize("where", ["body", "check", "invariant"])
def test_what_is_no_exception_is_raised(where: str, error: BaseException) -> None:
    """It is the program's all the same, in the one schedule in which it happens."""

    def program(machine: SteppedMachine) -> Callable[[], None]:
        x, y = machine.word(0, "x"), machine.word(0, "y")

        def complain(*, late: int) -> None:
            if late:
                raise error

        machine.spawn(lambda port: port.store(x, 1))
        machine.spawn(lambda port: port.store(y, port.load(x)))
        if where == "invariant":
            machine.invariant(lambda: complain(late=machine.peek(y)))
        if where == "body":
            machine.spawn(lambda port: complain(late=port.load(y)))
        return lambda: complain(late=where == "check" and machine.peek(y))

    result = explore(program, "dpor")

    assert result.failure is not None
    assert "too late" in result.failure.message
    assert result.claim.where.startswith(f"{__file__}:")


@pytest.mark.parametrize("show", ["view", "formatter"])
def test_a_view_that_raises_hides_nothing(show: str) -> None:
    """The failure is what matters."""

    def program(machine: SteppedMachine) -> Callable[[], None]:
        x = machine.word(0, "x")
        machine.spawn(lambda port: port.store(x, 1))
        if show == "view":
            machine.view("share", lambda: 1 // (1 - machine.peek(x)))
        else:
            machine.formatter = lambda _cell, v: str(1 // (v - 1))

        def check() -> None:
            assert not machine.peek(x), "stored"

        return check

    result = explore(program, "dpor")

    assert result.failure is not None
    assert "stored" in result.failure.message
    assert "(ZeroDivisionError)" in str(result.failure.trace)


def test_a_long_message_is_cut() -> None:
    """It says so."""

    def program(machine: SteppedMachine) -> Callable[[], None]:
        machine.spawn(lambda port: port.load(machine.word(0)))

        def check() -> None:
            raise AssertionError("x" * 1_000_000)

        return check

    result = explore(program, "dpor")

    assert result.failure is not None
    assert result.failure.message.endswith("... (1000000 characters)")
    assert len(str(result.failure.trace)) < 50_000
