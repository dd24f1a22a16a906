"""Checks and invariants: what they return, take and call is refused where it means nothing, and what they may do is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from collector.explore import SteppedMachine, explore
from collector.explore.claim import Kind
from tests.collector.explore.misuse.refusals import STRATEGIES, refused
from workbuf.machine import Pause


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from workbuf.machine import Port


@pytest.mark.parametrize("said", [False, 0, "yes", [], 3.5])
def test_a_check_that_returns_something(said: object) -> None:
    """It was meant to assert."""

    def program(machine: SteppedMachine) -> Callable[[], object]:
        x = machine.word(0, "x")
        machine.spawn(lambda port: port.store(x, 1))
        return lambda: said

    assert f"the check returned {said!r}" in refused(program)


async def later() -> None:
    """Says nothing before it is awaited."""


def generator() -> Iterator[None]:
    """Says nothing before it is gone through."""
    yield


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("never", [later, generator])
def test_a_program_a_check_and_an_invariant_of_which_nothing_runs(never: Callable[[], object]) -> None:
    """Python makes something of a call that has still to be run."""

    def checked(machine: SteppedMachine) -> Callable[[], object]:
        machine.spawn(lambda port: port.store(machine.word(0), 1))
        return never

    def guarded(machine: SteppedMachine) -> None:
        machine.invariant(never)
        machine.spawn(lambda port: port.store(machine.word(0), 1))

    assert "the program is async or a generator" in refused(lambda _machine: never())
    assert "the check is async or a generator" in refused(checked)
    assert "the invariant is async or a generator" in refused(guarded)


@pytest.mark.parametrize("said", [None, True])
def test_a_check_that_may(said: object) -> None:
    """Nothing, or that it holds."""

    def program(machine: SteppedMachine) -> Callable[[], object]:
        machine.spawn(lambda port: port.store(machine.word(0), 1))
        return lambda: said

    assert explore(program).claim.kind is Kind.PROVED


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("said", [False, 0, "yes", 3.5])
def test_an_invariant_that_returns_something(said: object, strategy: str) -> None:
    """It was meant to assert, too."""

    def program(machine: SteppedMachine) -> None:
        x = machine.word(0, "x")
        machine.invariant(lambda: said)
        machine.spawn(lambda port: port.store(x, 1))

    assert f"the invariant returned {said!r}" in refused(program, strategy)


def test_an_invariant_that_is_passed_returns_something() -> None:
    """The same as one that the program has given."""

    def program(machine: SteppedMachine) -> None:
        machine.spawn(lambda port: port.store(machine.word(0), 1))

    assert "the invariant returned False" in refused(program, invariants=[lambda _machine: False])


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("what", ["check", "invariant"])
def test_what_takes_an_argument(what: str, strategy: str) -> None:
    """Nothing is passed to it."""

    def program(machine: SteppedMachine) -> Callable[..., object] | None:
        x = machine.word(0, "x")
        machine.spawn(lambda port: port.store(x, 1))
        if what == "invariant":
            machine.invariant(lambda _it: None)  # type: ignore[misc,arg-type]
        return (lambda _machine: None) if what == "check" else None

    assert f"the {what} cannot be called: " in refused(program, strategy)


@pytest.mark.parametrize("returned", [5, "check", True])
def test_a_program_that_returns_no_check(returned: object) -> None:
    """But something else."""

    def program(machine: SteppedMachine) -> object:
        machine.spawn(lambda port: port.check())
        return returned

    assert "a program returns its check" in refused(program)


def test_no_check_is_a_note() -> None:
    """Where memory was written; it is no error."""

    def program(machine: SteppedMachine) -> None:
        x = machine.word(0, "x")
        machine.spawn(lambda port: port.store(x, 1))

    result = explore(program)

    assert result.claim.kind is Kind.PROVED
    assert result.notes == ["nothing was checked at the end: the program returns no check"]


def test_views_and_invariants_may_look() -> None:
    """Threads stand still for them."""

    def program(machine: SteppedMachine) -> Callable[[], None]:
        x = machine.word(0, "x")
        machine.view("x", lambda: machine.peek(x))
        machine.state(lambda: machine.peek(x))
        machine.invariant(lambda: machine.peek(x) >= 0)
        for _ in range(2):
            machine.spawn(lambda port: port.xadd(x, 1))

        def check() -> None:
            assert machine.peek(x) == 3

        return check

    for strategy in STRATEGIES:
        failure = explore(program, strategy).failure
        assert failure is not None
        assert failure.kind == "check"


@pytest.mark.parametrize("operation", ["load", "lock", "pause"])
def test_a_port_in_a_check(operation: str) -> None:
    """A check looks with machine.peek."""

    def program(machine: SteppedMachine) -> Callable[[], None]:
        x = machine.word(0, "x")
        ports: list[Port] = []
        machine.spawn(lambda port: (ports.append(port), port.load(x)))

        def check() -> None:
            if operation == "pause":
                ports[0].pause(Pause.OSYIELD, 1)
                ports[0].load(x)
            else:
                getattr(ports[0], operation)(x)

        return check

    assert "a check looks with machine.peek" in refused(program)


@pytest.mark.parametrize("cell", [0, -1, 50])
def test_no_such_cell_in_a_check(cell: int) -> None:
    """A check looks at cells that there are."""

    def program(machine: SteppedMachine) -> Callable[[], object]:
        machine.spawn(lambda port: port.load(machine.word(0)))

        def check() -> None:
            assert machine.peek(cell) == 0

        return check

    assert f"there is no cell {cell}" in refused(program)


def test_a_check_without_threads_fails() -> None:
    """As any other."""

    def program(machine: SteppedMachine) -> Callable[[], None]:
        x = machine.word(0, "x")

        def check() -> None:
            assert machine.peek(x) == 1

        return check

    for strategy in STRATEGIES:
        failure = explore(program, strategy, schedules=50).failure
        assert failure is not None
        assert failure.kind == "check"


CHECKING: dict[str, tuple[Callable[[SteppedMachine, Port, int], object], str]] = {
    "words": (lambda _machine, port, x: port.words[x], "a port is used while no thread runs"),
    "words, written": (lambda _machine, port, x: port.words.__setitem__(x, 1), "a port is used while no thread runs"),
    "now": (lambda _machine, port, _x: port.now(), "a port is used while no thread runs"),
    "spawn": (lambda machine, _port, _x: machine.spawn(lambda port: port.load(1)), "when all threads have ended"),
    "poke": (lambda machine, _port, x: machine.poke(x, 1), "machine.poke when threads have run"),
}


@pytest.mark.parametrize("races", [True, False])
@pytest.mark.parametrize("name", CHECKING)
def test_what_a_check_does_not_do(name: str, races: bool) -> None:  # noqa: FBT001
    """It looks, with machine.peek."""
    does, says = CHECKING[name]

    def program(machine: SteppedMachine) -> Callable[[], None]:
        x, ports = machine.word(0, "x"), []

        def body(port: Port) -> None:
            ports.append(port)
            port.load(x)

        machine.spawn(body)

        def check() -> None:
            does(machine, ports[0], x)

        return check

    assert says in refused(program, "dpor", races=races)
