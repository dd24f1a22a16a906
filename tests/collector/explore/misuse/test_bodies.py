"""Bodies: what a thread cannot ask of its port or of the machine is refused, whatever the strategy."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from tests.collector.explore.misuse.refusals import STRATEGIES, refused
from workbuf.machine import Pause


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from collector.explore import SteppedMachine
    from workbuf.machine import Port


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
    yield (
        "a pause of nothing",
        lambda port: port.pause(),
        "pause is called as port.pause(kind, n), with a kind of workbuf.machine.Pause",
    )
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


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("what", ["invariant", "spawn"])
def test_what_belongs_to_the_set_up(what: str, strategy: str) -> None:
    """A thread begins no other but by its port, and what holds, holds from the start."""

    def program(machine: SteppedMachine) -> None:
        x = machine.word(0, "x")

        def body(port: Port) -> None:
            port.load(x)
            calls: dict[str, Callable[[], object]] = {
                "invariant": lambda: machine.invariant(lambda: None),
                "spawn": lambda: machine.spawn(body),
            }
            calls[what]()

        machine.spawn(body)

    assert f"machine.{what} while threads run" in refused(program, strategy)


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


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize(
    "use",
    [
        lambda port, x: port.load(x),
        lambda port, x: port.choose(x),
        lambda port, _: port.pause(Pause.PROCYIELD, 1),
        lambda port, x: port.words[x],
        lambda port, x: port.words.__setitem__(x, 2),
    ],
    ids=["load", "choose", "pause", "plain read", "plain write"],
)
def test_another_threads_port(strategy: str, use: Callable[[Port, int], object]) -> None:
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
            use(ports[0], x)

        machine.spawn(first)
        machine.spawn(second)

    assert "another thread's port" in refused(program, strategy)


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize(("change", "given"), [("append", ["second"]), ("pop", []), ("clear", [])])
def test_a_name_for_no_thread(strategy: str, change: str, given: list[str]) -> None:
    """There are as many names as threads."""

    def program(machine: SteppedMachine) -> None:
        x = machine.word(1, "x")

        def body(port: Port) -> None:
            port.load(x)
            getattr(machine.names, change)(*given)
            port.load(x)

        machine.spawn(body)

    assert "machine.names has a name for each thread" in refused(program, strategy)


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


OPERATIONS: dict[str, tuple[Callable[[Port, int], object], str]] = {
    "pause, a number": (lambda port, _x: port.pause(1, 1), "pause(1): workbuf.machine has Pause.PROCYIELD"),  # type: ignore[arg-type]
    "pause, how long": (lambda port, _x: port.pause(Pause.OSYIELD, -1), "it takes how long"),
    "pause, a text": (lambda port, _x: port.pause(Pause.OSYIELD, "1"), "it takes how long"),  # type: ignore[arg-type]
    "sysalloc, a text": (lambda port, _x: port.sysalloc("2"), "sysalloc: "),  # type: ignore[arg-type]
    "sysalloc, fewer than none": (lambda port, _x: port.sysalloc(-2), "a piece has 0 to"),
    "sysalloc, everything": (lambda port, _x: port.sysalloc(1 << 40), "a piece has 0 to"),
    "fill, fewer than none": (lambda port, x: port.fill(x, -1, 0), "fill of -1 cells"),
    "hints, no number": (lambda port, x: port.hints(x, 1.0), "hints of 1.0 cells"),  # type: ignore[arg-type]
    "leaves": (lambda _port, _x: exit(), "sys.exit in a body"),  # noqa: PLR1722  what is tried
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_what_operations_do_not_take(name: str) -> None:
    """No failure of ours, and no proof."""
    does, says = OPERATIONS[name]

    def program(machine: SteppedMachine) -> None:
        x = machine.word(0, "x")
        machine.spawn(lambda port: (port.load(x), does(port, x)))

    assert says in refused(program)
