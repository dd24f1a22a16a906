"""Where a thread keeps a value between its steps: a global, a generator, a handled exception; what C code holds is named."""

from __future__ import annotations

import contextlib
import functools
from typing import TYPE_CHECKING

import pytest

from collector.explore import SteppedMachine
from collector.explore.state.capture import Capture
from tests.collector.explore.state.captures import STEPS, captures
from workbuf.throw import Throw


if TYPE_CHECKING:
    from collections.abc import Iterator

    from collector.explore.state.capture import Captured
    from tests.collector.explore.state.captures import Body
    from workbuf.machine import Port

COUNT = 0
COUNTS: list[int] = []


def helper() -> None:
    """Changes what its module keeps."""
    COUNTS.append(1)


def in_a_global(port: Port, x: int) -> None:
    """Counts in a name of the module."""
    global COUNT  # noqa: PLW0603  that is what it is about
    COUNT = 0
    while True:
        COUNT += 1
        port.load(x)


def in_a_helpers_global(port: Port, x: int) -> None:
    """A function that it calls does."""
    COUNTS.clear()
    while True:
        helper()
        port.load(x)


def in_a_handled_exception(port: Port, x: int) -> None:
    """Nothing has the exception but the interpreter, until it is raised again."""
    k = 0
    while True:
        try:
            raise ValueError(k)  # noqa: TRY301  here, so that this frame handles it
        except ValueError:
            k = 0
            port.load(x)
            try:
                raise
            except ValueError as error:
                k = error.args[0] + 1
        port.load(x)


def in_a_comprehension(port: Port, x: int) -> None:
    """The list that is being made."""
    [port.load(x) for _ in range(STEPS)]


def in_generators(port: Port, x: int) -> None:
    """One goes by another."""

    def inner() -> Iterator[int]:
        for _ in range(STEPS):
            yield port.load(x)

    def outer() -> Iterator[int]:
        yield from inner()

    for _ in outer():
        port.load(x)


def in_a_with(port: Port, x: int) -> None:
    """A context that takes steps on its way in and out."""

    @contextlib.contextmanager
    def context() -> Iterator[None]:
        port.load(x)
        yield
        port.load(x)

    for _ in range(STEPS):
        with context():
            port.load(x)


def in_special_methods(port: Port, x: int) -> None:
    """An object that is being made, and one that is indexed."""

    class Reader:
        def __init__(self) -> None:
            self.v = port.load(x)
            port.load(x)

        def __getitem__(self, _k: int) -> int:
            return port.load(x)

    for _ in range(STEPS):
        reader = Reader()
        assert reader[1] == reader[2] == reader.v


@pytest.mark.parametrize(
    "body",
    [
        in_a_global,
        in_a_helpers_global,
        in_a_handled_exception,
        in_a_comprehension,
        in_generators,
        in_a_with,
        in_special_methods,
        functools.partial(lambda times, port, x: [port.load(x) for _ in range(times)], STEPS),
    ],
)
def test_where_it_is_kept_does_not_matter(body: Body) -> None:
    """Every step is another state, and the same on the next run, though the interpreter has specialised the code by then."""
    first, second = captures(body)

    assert first == second
    assert not any(captured.opaque for captured in first)
    assert len({captured.written for captured in first}) == len(first) == STEPS


def waits_in_a_loop(port: Port, x: int) -> None:
    """The iterator around the wait stands still."""
    for _ in range(3):
        while not port.load(x):
            pass


def forgets(port: Port, x: int) -> None:
    """What it has read is overwritten before it is read again."""
    k = 0
    while True:
        k = port.now()
        port.load(x)
        assert port.index == 0, f"an assertion that pytest rewrites does not look at {x}"
        k = 0
        x += k


def asks_any(port: Port, x: int) -> None:
    """`any` keeps nothing but the generator."""
    while True:
        any(port.load(x) for _ in range(3))


def throws(port: Port, x: int) -> None:
    """What was caught is gone."""
    while True:
        with contextlib.suppress(Throw):
            port.unlock(x)


@pytest.mark.parametrize(("body", "states"), [(waits_in_a_loop, 1), (forgets, 1), (asks_any, 3), (throws, 1)])
def test_what_acts_alike_is_one_state(body: Body, states: int) -> None:
    """However often it has been there."""
    first, second = captures(body)

    assert first == second
    assert not any(captured.opaque for captured in first)
    assert (
        len({captured.written for captured in first}) <= states + 1
    )  # on the first way round what is dead may be unset


def sums(port: Port, x: int) -> None:
    """A sum so far is in C."""
    sum(port.load(x) for _ in range(5))


def maps(port: Port, x: int) -> None:
    """A list that is being made by C."""
    list(map(port.load, [x] * 5))


def sorts(port: Port, x: int) -> None:
    """What a sort has done so far."""
    sorted(range(5), key=lambda _: port.load(x))


@pytest.mark.parametrize(("body", "name"), [(sums, "sum"), (maps, "list"), (sorts, "sorted")])
def test_c_code_that_calls_back_is_opaque(body: Body, name: str) -> None:
    """What it holds meanwhile is in no frame; neither of the thread that runs nor of one that waits."""
    machine = SteppedMachine()
    capture = Capture(machine)
    found: list[Captured] = []

    def pick(_i: int) -> int:
        found.append(capture.take())
        return machine.runnable[-1]

    try:
        machine.begin()
        x = machine.word(0, "x")
        machine.spawn(lambda port: body(port, x))
        machine.spawn(lambda port: port.load(x))
        machine.run(pick, lambda _i, _n: 0)
    finally:
        machine.close()

    assert {captured.opaque for captured in found} == {(f"t0 keeps what {name} holds while it calls back",)}
