"""What a program keeps in Python is part of its state, whatever it is; what cannot be looked into is named."""

from __future__ import annotations

import array
import collections
import dataclasses
import enum
import functools
import itertools
import random
import threading
import types
from typing import TYPE_CHECKING, cast

import pytest

from collector.explore import SteppedMachine
from collector.explore.state import walk
from collector.explore.state.capture import Capture
from collector.explore.state.objects import cached
from tests.collector.explore.state.captures import STEPS, captures


if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.collector.explore.state.captures import Body
    from workbuf.machine import Port


class Plain:
    """Attributes in a dictionary."""

    k = 0


class Slotted:
    """Attributes in slots."""

    __slots__ = ("__weakref__", "k")

    def __init__(self) -> None:
        self.k = 0


@dataclasses.dataclass
class Data:
    """A dataclass."""

    k: int = 0


@dataclasses.dataclass(slots=True)
class SlottedData:
    """One with slots."""

    k: int = 0


class Extended(list[int]):
    """A builtin with more to it."""


class Colour(enum.Enum):
    """Members are told by name."""

    RED = 1
    BLUE = 2


def more(v: object) -> None:
    """Count in an attribute."""
    v.k = getattr(v, "k", 0) + 1  # type: ignore[attr-defined]


def longer(v: collections.deque[int]) -> None:
    """Add an element."""
    v.append(1)


def counted(v: dict[int, int]) -> None:
    """Add a key."""
    v[len(v)] = 1


def closed_over() -> Callable[[], None]:
    """A function that changes what it closes over."""
    kept: list[int] = []
    return lambda: kept.append(1)


KEPT: dict[str, tuple[Callable[[], object], Callable[..., object]]] = {
    "attribute": (Plain, more),
    "slot": (Slotted, more),
    "dataclass": (Data, more),
    "dataclass with slots": (SlottedData, more),
    "namespace": (lambda: types.SimpleNamespace(k=0), more),
    "attribute of a class": (lambda: type("C", (), {"k": 0}), more),
    "attribute of a function": (lambda: lambda: 0, more),
    "list": (list, longer),
    "subclass of list": (Extended, longer),
    "deque": (collections.deque, longer),
    "bytearray": (bytearray, longer),
    "array": (lambda: array.array("q"), longer),
    "set": (set, lambda v: v.add(len(v))),
    "dictionary": (dict, counted),
    "ordered dictionary": (collections.OrderedDict, counted),
    "default dictionary": (lambda: collections.defaultdict(int), counted),
    "counter": (collections.Counter, lambda v: v.update("a")),
    "exception": (lambda: ValueError(0), lambda v: setattr(v, "args", (v.args[0] + 1,))),
    "nested": (lambda: {"a": [({"b": [0]},)]}, lambda v: v["a"][0][0]["b"].append(1)),
    "partial": (lambda: functools.partial(print, []), lambda v: v.args[0].append(1)),
    "bound method of a builtin": (lambda: [].append, lambda v: v(1)),
    "closure": (closed_over, lambda v: v()),
    "generator of numbers": (lambda: random.Random(1), lambda v: v.random()),
    "list iterator": (lambda: iter([1] * 80), next),
    "range iterator": (lambda: iter(range(80)), next),
    "dictionary iterator": (lambda: iter(dict.fromkeys(range(80))), next),
    "set iterator": (lambda: iter(set(range(80))), next),
    "string iterator": (lambda: iter("a" * 80), next),
    "count": (itertools.count, next),
    "repeat": (lambda: itertools.repeat(None, 80), next),
    "zip": (lambda: zip(range(80), range(80), strict=True), next),
    "map": (lambda: map(str, range(80)), next),
    "enumerate": (lambda: enumerate("a" * 80), next),
    "reversed": (lambda: reversed([1] * 80), next),
    "generator": (lambda: (i for i in range(80)), next),
    "cache without a bound": (
        lambda: functools.cache(abs),
        lambda v: v(len(cast("list[dict[int, int]]", cached(v))[0])),
    ),
}


HELD: object = None
"""What the program of the test below keeps in a global."""


@pytest.mark.parametrize("where", ["local", "global"])
@pytest.mark.parametrize("name", KEPT)
def test_every_change_is_another_state(name: str, where: str) -> None:
    """And it is the same state on the next run."""
    make, change = KEPT[name]

    def in_a_local(port: Port, x: int) -> None:
        kept = make()
        while True:
            change(kept)
            port.load(x)

    def in_a_global(port: Port, x: int) -> None:
        global HELD  # noqa: PLW0603  that is what it is about
        HELD = make()
        while True:
            change(HELD)
            port.load(x)

    first, second = captures(in_a_local if where == "local" else in_a_global)

    assert first == second
    assert not any(captured.opaque for captured in first)
    assert len({captured.written for captured in first}) == len(first) == STEPS


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (threading.Lock, "lock"),
        (threading.Event, "lock"),
        (threading.local, "_local"),
        (lambda: memoryview(bytearray(8)), "memoryview"),
        (lambda: functools.lru_cache(abs), "_lru_cache_wrapper"),
        (lambda: {Plain(), Plain()}, "a set whose order depends on where its objects lie"),
    ],
)
def test_what_cannot_be_looked_into_is_named(make: Callable[[], object], name: str) -> None:
    """With the thread that keeps it."""

    def body(port: Port, x: int) -> None:
        kept = make()
        for _ in range(3):
            port.load(x)
        del kept

    for captured in captures(body)[0][:3]:
        assert captured.written == b""
        assert captured.opaque[0].startswith("t0 keeps ")
        assert name in captured.opaque[0]


def test_a_new_class_of_an_object_in_a_global_is_another_state() -> None:
    """Its attributes stay the same."""

    def body(port: Port, x: int) -> None:
        global HELD  # noqa: PLW0603  that is what it is about
        HELD = Plain()
        while True:
            HELD.__class__ = Plain if isinstance(HELD, Data) else Data  # type: ignore[assignment]
            port.load(x)

    first, second = captures(body)

    assert first == second
    assert len({captured.written for captured in first}) == 2


@pytest.fixture
def written() -> Callable[[object], bytes]:
    """What is written of one object."""
    machine = SteppedMachine()
    machine.begin()
    capture = Capture(machine)
    return lambda v: capture.take([v]).written


def test_what_is_shared_is_told_from_copies(written: Callable[[object], bytes]) -> None:
    """Two lists that are equal are not one list twice; and a circle ends."""
    one: list[object] = [0]
    round_: list[object] = []
    round_.append(round_)

    assert written([one, one]) != written([[0], [0]]) == written([[0], [0]])
    assert written(round_) != written([[]])


def test_values_are_told_apart_that_python_calls_equal(written: Callable[[object], bytes]) -> None:
    """By type and sign."""
    values = [
        1,
        1.0,
        True,
        -0.0,
        0.0,
        0,
        False,
        "1",
        b"1",
        None,
        Colour.RED,
        Colour.BLUE,
        (1,),
        (True,),
        [1],
        {1},
        {1: 1},
    ]

    assert len({written(v) for v in values}) == len(values)


def test_what_is_too_large_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """And not walked again: a capture takes a bounded time, and says less."""
    monkeypatch.setattr(walk, "MOST", 1_000)

    def body(size: int) -> Body:
        kept = [[i] for i in range(size)]

        def loads(port: Port, x: int) -> None:
            for k in range(4):
                port.load(x + 0 * kept[k][0])

        return loads

    small, large = captures(body(50)), captures(body(500))

    assert all(not captured.opaque for run in small for captured in run)
    assert [captured.opaque for run in large for captured in run] == [("t0 keeps more than 1,000 values",)] * 8
