"""Arbitrary programs with one mistake in the use of the machine, and what has to be said of it, and where.

The mistake is made in every schedule.  What is expected follows from which one it is and from the line that it is on.
"""

# ruff: noqa: ANN401, D103  the mistakes' names say what they are

from __future__ import annotations

import sys
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.collector.explore.arbitrary import Plant, Scene, program_of, shape


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import CodeType

    from collector.explore import Result, SteppedMachine
    from tests.collector.explore.programs import Program
    from workbuf.machine import Port

BASE = "load store cas xadd xchg lock"
"""Lines that do no harm."""


class Expected(NamedTuple):
    """What has to be claimed."""

    kind: str
    """`refused`, or `failed:` and the kind of the failure."""
    says: str
    """Part of the reason, or of the failure's message."""
    where: str
    """`file:line`."""
    hangs: bool = False
    """It takes the watchdog to end it."""


class Mistaken(NamedTuple):
    """A program with a mistake."""

    name: str
    program: Program
    expected: Expected


THREADS: dict[str, tuple[Callable[[Scene], object], str, str]] = {}
"""What a thread does wrong; the kind of claim; what is said."""
HANGING: dict[str, tuple[Callable[[Scene], object], str, str]] = {}
"""The same, for what never comes to a step."""
BODIES: dict[str, tuple[Callable[[], Any], str]] = {}
"""A body that is none, in a function that makes it; what is said."""
CHECKS: dict[str, tuple[Callable[[SteppedMachine, int], Any], str, str]] = {}
"""The same of checks."""


def wrong(kind: str, says: str, among: dict[str, Any] = THREADS) -> Callable[[Callable[..., object]], Any]:
    """A mistake, on the last line of a function."""

    def add(do: Callable[..., object]) -> Callable[..., object]:
        among[do.__name__] = do, kind, says
        return do

    return add


WORD = "a word is an integer"
OWN_PORT = "another thread's port"


@wrong("refused", WORD)
def stores_a_text(scene: Scene) -> None:
    scene.port.store(scene.x, "hello")  # type: ignore[arg-type]


@wrong("refused", WORD)
def adds_a_fraction(scene: Scene) -> None:
    scene.port.xadd(scene.x, 0.5)  # type: ignore[arg-type]


@wrong("refused", WORD)
def expects_nothing(scene: Scene) -> None:
    scene.port.cas(scene.x, None, 1)  # type: ignore[arg-type]


@wrong("refused", WORD)
def exchanges_a_list(scene: Scene) -> None:
    scene.port.xchg(scene.x, [1])  # type: ignore[arg-type]


@wrong("refused", WORD)
def stores_a_text_plainly(scene: Scene) -> None:
    scene.port.words[scene.x] = "hello"  # type: ignore[assignment]


@wrong("refused", "an address one of a cell")
def loads_from_a_text(scene: Scene) -> None:
    scene.port.load("x")  # type: ignore[arg-type]


@wrong("refused", "pause('usleep')")
def pauses_by_a_text(scene: Scene) -> None:
    scene.port.pause("usleep", 1)  # type: ignore[arg-type]


@wrong("refused", "pause(9)")
def pauses_by_a_number(scene: Scene) -> None:
    scene.port.pause(9, 1)  # type: ignore[arg-type]


@wrong("refused", "nothing to choose")
def chooses_of_none(scene: Scene) -> None:
    scene.port.choose(0)


@wrong("refused", "machine.peek")
def peeks(scene: Scene) -> None:
    scene.machine.peek(scene.x)


@wrong("refused", "machine.poke")
def pokes(scene: Scene) -> None:
    scene.machine.poke(scene.x, 1)


@wrong("refused", "machine.spawn")
def spawns_by_the_machine(scene: Scene) -> None:
    scene.machine.spawn(lambda port: port.load(scene.x))


@wrong("refused", OWN_PORT)
def loads_by_the_port_of_another(scene: Scene) -> None:
    scene.machine.ports[not scene.port.index].load(scene.x)


@wrong("refused", OWN_PORT)
def locks_by_the_port_of_another(scene: Scene) -> None:
    scene.machine.ports[not scene.port.index].lock(scene.x)


@wrong("refused", OWN_PORT)
def adds_by_the_port_of_another(scene: Scene) -> None:
    scene.machine.ports[not scene.port.index].xadd(scene.x, 1)


@wrong("refused", "sys.exit in a body")
def exits(_scene: Scene) -> None:
    sys.exit(3)


@wrong("failed:exception", "ZeroDivisionError")
def divides_by_zero(_scene: Scene) -> None:
    print(1 / 0)  # noqa: T201  it does not get to that


@wrong("failed:assertion", "it does not hold")
def asserts(scene: Scene) -> None:
    assert scene.words < 0, "it does not hold"


ADDRESSES = {"nil": 0, "a negative address": -1, "an address behind the last": 1_000, "a wild address": 1 << 63}
OPERANDS = {
    "load": (),
    "hint": (),
    "store": (1,),
    "xadd": (1,),
    "cas": (0, 1),
    "xchg": (1,),
    "lock": (),
    "sleep": (),
    "wake": (),
}


def astray(operation: str, address: int) -> Callable[[Scene], object]:
    def do(scene: Scene) -> None:
        getattr(scene.port, operation)(address, *OPERANDS[operation])

    return do


THREADS |= {
    f"{operation} of {what}": (astray(operation, address), "failed:throw", "fault")
    for what, address in ADDRESSES.items()
    for operation in OPERANDS
}


@wrong("refused", "no step", HANGING)
def spins_on_a_plain_read_of_what_nobody_writes(scene: Scene) -> None:
    while not scene.port.words[scene.x + scene.words + 1]: ...  # fmt: skip


@wrong("refused", "no step", HANGING)
def loops(_scene: Scene) -> None:
    while True: ...  # fmt: skip


def body(says: str) -> Callable[[Callable[[], Any]], Any]:
    def add(make: Callable[[], Any]) -> Callable[[], Any]:
        BODIES[make.__name__] = make, says
        return make

    return add


@body("cannot be called with a port")
def takes_no_port() -> Any:
    def made() -> None: ...

    return made


@body("cannot be called with a port")
def takes_two_ports() -> Any:
    def made(_port: Port, _another: Port) -> None: ...

    return made


@body("async or a generator")
def is_async() -> Any:
    async def made(port: Port) -> None:
        port.check()

    return made


@body("async or a generator")
def is_a_generator() -> Any:
    def made(port: Port) -> Iterator[int]:
        yield port.load(1)

    return made


@wrong("refused:first", "the check returned False", CHECKS)
def returns_whether_it_holds(machine: SteppedMachine, x: int) -> Any:
    def made() -> object:
        return machine.peek(x) > 1 << 62

    return made


@wrong("refused:first", "the check returned 'fine'", CHECKS)
def returns_a_text(_machine: SteppedMachine, _x: int) -> Any:
    def made() -> object:
        return "fine"

    return made


@wrong("refused", "a check looks with machine.peek", CHECKS)
def loads_in_the_check(machine: SteppedMachine, x: int) -> Any:
    def made() -> None:
        machine.ports[0].load(x)

    return made


@wrong("refused", "there is no cell", CHECKS)
def peeks_at_nil(machine: SteppedMachine, _x: int) -> Any:
    def made() -> None:
        machine.peek(0)

    return made


@wrong("failed:check", "no such value", CHECKS)
def fails(machine: SteppedMachine, x: int) -> Any:
    def made() -> None:
        assert machine.peek(x) > 1 << 62, "no such value"

    return made


@wrong("failed:exception", "KeyError", CHECKS)
def raises(machine: SteppedMachine, x: int) -> Any:
    def made() -> object:
        return dict[int, int]()[machine.peek(x)]

    return made


def code(function: Callable[..., object]) -> CodeType:
    """The code of the function `made` in it, or its own."""
    own: CodeType = function.__code__
    return next((const for const in own.co_consts if getattr(const, "co_name", "") == "made"), own)


def last(function: Callable[..., object]) -> str:
    """`file:line` of its last line."""
    found = code(function)
    return f"{found.co_filename}:{max(line for _, _, line in found.co_lines() if line)}"


def first(function: Callable[..., object]) -> str:
    """`file:line` of its first line."""
    found = code(function)
    return f"{found.co_filename}:{found.co_firstlineno}"


NAMES = [*THREADS, *BODIES, *CHECKS, "returns no check", "no thread", *HANGING]


def mistaken(name: str, seed: int) -> Mistaken:
    """An arbitrary program with the mistake of that name."""
    form = shape(seed, BASE.split())
    rng = Random(seed)
    thread = rng.randrange(len(form.threads))
    plain = program_of(form)
    found = THREADS.get(name) or HANGING.get(name)
    if found:
        do, kind, says = found
        plant = Plant(thread, rng.randint(0, len(form.threads[thread])), do)
        return Mistaken(name, program_of(form, plant), Expected(kind, says, last(do), hangs=name in HANGING))
    if name in BODIES:
        make, says = BODIES[name]

        def with_body(machine: SteppedMachine) -> None:
            plain(machine)
            machine.spawn(make())

        return Mistaken(name, with_body, Expected("refused", says, first(make)))
    if name in CHECKS:
        check, kind, says = CHECKS[name]

        def with_check(machine: SteppedMachine) -> Any:
            plain(machine)
            return check(machine, 1)

        at = first if kind.endswith(":first") else last
        return Mistaken(name, with_check, Expected(kind.removesuffix(":first"), says, at(check)))
    returned = rng.choice((5, "check", True, [1]))

    def made(machine: SteppedMachine) -> Any:
        plain(machine)
        return returned

    def without_threads(machine: SteppedMachine) -> Any:
        x = machine.word(seed, "x")
        return fails(machine, x)

    if name == "no thread":
        return Mistaken(name, without_threads, Expected("failed:check", "no such value", last(fails)))
    return Mistaken(name, made, Expected("refused", "a program returns its check", first(made)))


def misjudged(expected: Expected, result: Result) -> str:
    """What is wrong with what is claimed; empty if it is as expected."""
    failure = result.failure
    kind = f"failed:{failure.kind}" if failure else str(result.claim.kind)
    said = failure.message if failure else result.claim.reason
    where = result.claim.where
    if kind != expected.kind or expected.says not in said or where != expected.where or "\n" in result.statement:
        return f"{kind} {said!r} at {where}; expected {expected.kind} {expected.says!r} at {expected.where}"
    return ""
