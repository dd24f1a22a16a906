"""Misuse of the machine speaks: one line that says what to do, and where in the program."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from collector.explore import SteppedMachine, explore, replay
from collector.explore.claim import Kind
from collector.explore.machine.misuse import Hung
from collector.explore.strategies import NAMED
from workbuf.machine import MASK64, Pause


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from workbuf.machine import Port

STRATEGIES = ("portfolio", "dpor", "stateful", "exhaustive")


def refused(program: Callable[[SteppedMachine], Any], strategy: str = "portfolio", **options: Any) -> str:  # noqa: ANN401
    """The program is refused, in this file; what is said."""
    result = explore(program, strategy, **options)
    assert result.claim.kind is Kind.REFUSED, result
    assert result.failure is None
    assert not result.exhausted
    assert result.claim.where.startswith(f"{__file__}:"), result.claim
    assert "\n" not in result.statement
    return result.claim.reason


@pytest.mark.parametrize("said", [False, 0, "yes", [], 3.5])
def test_a_check_that_returns_something(said: object) -> None:
    """It was meant to assert."""

    def program(machine: SteppedMachine) -> Callable[[], object]:
        x = machine.word(0, "x")
        machine.spawn(lambda port: port.store(x, 1))
        return lambda: said

    assert f"the check returned {said!r}" in refused(program)


@pytest.mark.parametrize("said", [None, True])
def test_a_check_that_may(said: object) -> None:
    """Nothing, or that it holds."""

    def program(machine: SteppedMachine) -> Callable[[], object]:
        machine.spawn(lambda port: port.store(machine.word(0), 1))
        return lambda: said

    assert explore(program).claim.kind is Kind.PROVED


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


def bodies() -> Iterator[tuple[str, Callable[..., Any], str]]:
    """What a body does wrong, and what is said of it."""

    async def later(port: Port) -> None:
        port.check()

    def generator(port: Port) -> Iterator[int]:
        yield port.load(1)

    yield "no port", lambda: None, "cannot be called with a port"
    yield "two ports", lambda _a, _b: None, "cannot be called with a port"
    yield "async", later, "async or a generator"
    yield "generator", generator, "async or a generator"
    yield "exit", lambda _port: sys.exit(3), "sys.exit in a body"
    yield "text", lambda port: port.store(1, "hello"), "a word is an integer"
    yield "float", lambda port: port.xadd(1, 0.5), "a word is an integer"
    yield "nothing", lambda port: port.cas(1, None, 1), "a word is an integer"
    yield "an address in a text", lambda port: port.load("x"), "an address one of a cell"
    yield "a plain text", lambda port: port.words.__setitem__(1, "x"), "a word is an integer"
    yield "a pause of no kind", lambda port: port.pause("usleep", 1), "pause('usleep')"
    yield "a pause of another", lambda port: port.pause(9, 1), "pause(9)"
    yield "no choice", lambda port: port.choose(0), "nothing to choose"
    yield "a fraction of a choice", lambda port: port.choose(2.0), "choose(2.0)"
    yield "an operand too few", lambda port: port.cas(1, 1), "cas is called as port.cas(a, old, new)"
    yield "an operand too many", lambda port: port.load(1, 1), "load is called as port.load(a)"
    yield "a pause of nothing", lambda port: port.pause(), "pause is called as port.pause(kind, n)"
    yield "no operation", lambda port: port.laod(1), "a port has no laod"


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize(("body", "said"), [pytest.param(b, s, id=name) for name, b, s in bodies()])
def test_bodies(body: Callable[..., Any], said: str, strategy: str) -> None:
    """Whatever the strategy, and whatever was done before."""

    def program(machine: SteppedMachine) -> None:
        x = machine.word(0, "x")
        machine.spawn(lambda port: port.load(x))
        machine.spawn(body)

    assert said in refused(program, strategy)


def caught() -> Iterator[tuple[str, Callable[[Any, int], object]]]:
    """Misuse by operation, at a cell x."""
    yield "store", lambda port, x: port.store(x, "hello")
    yield "post", lambda port, x: port.post(x, 0.5)
    yield "xchg", lambda port, x: port.xchg(x, None)
    yield "cas", lambda port, x: port.cas(x, 0, "1")
    yield "xadd", lambda port, x: port.xadd(x, 1.0)
    yield "or8", lambda port, x: port.or8(x * 8, "1")
    yield "words", lambda port, x: port.words.__setitem__(x, "hello")
    yield "load", lambda port, _x: port.load("x")
    yield "lock", lambda port, _x: port.lock("x")
    yield "sleep", lambda port, _x: port.sleep(None)


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("plain_points", [False, True])
@pytest.mark.parametrize("misuse", [pytest.param(misuse, id=name) for name, misuse in caught()])
def test_misuse_that_the_body_catches(
    misuse: Callable[[Any, int], object], strategy: str, *, plain_points: bool
) -> None:
    """Its own `except Exception` does not hide it."""

    def program(machine: SteppedMachine) -> None:
        x = machine.word(0, "x")

        def body(port: Port) -> None:
            with suppress(Exception):
                misuse(port, x)

        machine.spawn(body)
        machine.spawn(lambda port: port.load(x))

    assert "a word is an integer" in refused(program, strategy, plain_points=plain_points)


def endless(machine: SteppedMachine, how: str) -> Callable[[Port], object]:
    """A body that goes on for ever without a loop."""
    x = machine.word(0, "x")

    def recursing(port: Port) -> None:
        port.load(x)
        recursing(port)

    def spawning(port: Port) -> None:
        port.spawn(spawning)

    return recursing if how == "recursion" else spawning


@pytest.mark.parametrize("vehicle", ["greenlets", "threads"])
@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("how", ["recursion", "spawning"])
def test_a_body_without_end(how: str, strategy: str, vehicle: str) -> None:
    """It is refused before Python's stack is full."""
    assert how in refused(lambda machine: machine.spawn(endless(machine, how)), strategy, vehicle=vehicle)


def test_a_long_chain_of_threads() -> None:
    """Each is spawned by the one before, and that ends."""

    def program(machine: SteppedMachine) -> None:
        def body(port: Port) -> None:
            if port.index < 99:
                port.spawn(body)

        machine.spawn(body)

    assert explore(program).claim.kind is Kind.PROVED


@pytest.mark.parametrize("what", ["kill", "optional"])
def test_the_machine_misused_in_a_set_up(what: str) -> None:
    """What it cannot serve is refused where it is asked for."""

    def program(machine: SteppedMachine) -> None:
        machine.spawn(lambda port: port.load(machine.word(0)), "one")
        if what == "kill":
            machine.kill("nobody")
        else:
            machine.optional(iter([1, 2]))  # type: ignore[arg-type]

    assert what in refused(program)


def test_a_state_that_raises() -> None:
    """It is called by the search for states, and is the program's."""

    def program(machine: SteppedMachine) -> None:
        x = machine.word(0, "x")
        machine.state(lambda: 1 // 0)
        for _ in range(2):
            machine.spawn(lambda port: port.store(x, 1))

    assert "raises ZeroDivisionError" in refused(program, "stateful")


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


@pytest.mark.parametrize("what", ["peek", "poke", "spawn"])
def test_the_machine_in_a_body(what: str) -> None:
    """A thread has its port for that."""

    def program(machine: SteppedMachine) -> None:
        x = machine.word(0, "x")

        def body(port: Port) -> None:
            port.load(x)
            if what == "peek":
                machine.peek(x)
            elif what == "poke":
                machine.poke(x, 1)
            else:
                machine.spawn(body)

        machine.spawn(body)

    assert f"machine.{what}" in refused(program)


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


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("operation", ["load", "choose"])
def test_another_threads_port(strategy: str, operation: str) -> None:
    """Every thread has its own."""

    def program(machine: SteppedMachine) -> None:
        x = machine.word(1, "x")
        ports: list[Port] = []

        def first(port: Port) -> None:
            ports.append(port)
            port.load(x)
            port.load(x)

        def second(port: Port) -> None:
            port.load(x)
            getattr(ports[0], operation)(x)

        machine.spawn(first)
        machine.spawn(second)

    assert "another thread's port" in refused(program, strategy)


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


@pytest.mark.parametrize("vehicle", ["greenlets", "threads"])
@pytest.mark.parametrize("how", ["pure", "plain"])
def test_a_body_that_comes_to_no_step(how: str, vehicle: str) -> None:
    """The watchdog ends it, and says where it was."""

    def program(machine: SteppedMachine) -> None:
        x = machine.word(0, "x")

        def body(port: Port) -> None:
            port.load(x)
            turns = 0
            while port.words[x] == 0 if how == "plain" else turns >= 0:
                turns += 1

        machine.spawn(body)

    assert "no step" in refused(program, seconds=0.5, vehicle=vehicle, races=False)


def test_a_body_that_catches_everything() -> None:
    """It swallows what ends its thread where the schedule is cut short, and that is said."""

    def program(machine: SteppedMachine) -> None:
        x = machine.word(0, "x")

        def waiting(port: Port) -> None:
            while True:
                try:
                    if port.load(x):
                        return
                    port.pause(Pause.PROCYIELD, 1)
                except BaseException:  # noqa: BLE001, S110  the mistake
                    pass

        machine.spawn(waiting)
        machine.spawn(lambda port: port.store(x, 1))

    assert "swallows the exception by which the machine ends a thread" in refused(program, "stateful", seconds=0.5)


@pytest.mark.parametrize("where", ["set-up", "check", "invariant"])
def test_a_loop_outside_of_the_threads(where: str) -> None:
    """That is the program's, too."""

    def loop(_machine: object = None) -> None:
        while True:
            pass

    def program(machine: SteppedMachine) -> Callable[[], object] | None:
        x = machine.word(0, "x")
        machine.spawn(lambda port: port.load(x))
        if where == "set-up":
            loop()
        return loop if where == "check" else None

    invariants = [loop] if where == "invariant" else []

    assert "no step" in refused(program, seconds=0.5, races=False, invariants=invariants)


HANGING = """
from collector.explore.strategies.walk import RandomWalk

class Hanging(RandomWalk):
    def begin(self, machine):
        pick, draw = super().begin(machine)

        def hanging(i):
            while len(machine.trail) == 2:
                pass
            return pick(i)

        return hanging, draw
"""
"""A strategy that never picks a third step."""


@pytest.mark.parametrize("vehicle", ["greenlets", "threads"])
def test_a_hang_of_the_explorer_is_not_the_programs(vehicle: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an internal error, and says where."""
    space: dict[str, Any] = {"__name__": "hanging", "__package__": "collector.explore.strategies"}
    exec(compile(HANGING, "hanging.py", "exec"), space)  # noqa: S102  as a module of the explorer's
    monkeypatch.setitem(NAMED, "hanging", space["Hanging"])

    def program(machine: SteppedMachine) -> None:
        x = machine.word(0, "x")
        for _ in range(2):
            machine.spawn(lambda port: (port.xadd(x, 1), port.xadd(x, 1)))

    with pytest.raises(Hung, match=r"no step for seconds, at hanging\.py:\d+: the explorer is at fault"):
        explore(program, "hanging", seconds=0.5, vehicle=vehicle)


@pytest.mark.parametrize("strategy", sorted(NAMED))
def test_any_number_of_threads(strategy: str) -> None:
    """A hundred, some of them spawned by others."""

    def program(machine: SteppedMachine) -> Callable[[], None]:
        x = machine.word(0, "x")

        def parent(port: Port) -> None:
            for _ in range(30):
                port.spawn(lambda child: child.xadd(x, 1))

        machine.spawn(parent)
        for _ in range(80):
            machine.spawn(lambda port: port.xadd(x, 1))

        def check() -> None:
            assert machine.peek(x) == 110

        return check

    assert explore(program, strategy, schedules=3, seconds=5).claim.passed
