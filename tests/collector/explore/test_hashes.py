"""The order of sets and hashes of texts, which are others in every process, forbid a proof; sets themselves do not."""

# ruff: noqa: ANN401, D103  the programs' names say what they are

from __future__ import annotations

import heapq
from collections import deque
from typing import TYPE_CHECKING, Any

import pytest

from collector.explore import explore
from tests.collector.explore.test_verdicts import told


if TYPE_CHECKING:
    from collections.abc import Callable

    from workbuf.machine import Port

    Body = Callable[[Port, int], Any]

NAMES = {"a", "b", "c"}
digest = hash
STRATEGIES = ("portfolio", "dpor", "stateful", "exhaustive")


def digest_of() -> None:
    pass


class Plain:
    """An object without a name."""

    v = 1


class Named:
    """An object whose hash comes from its name."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Named) and self.name == other.name

    def __hash__(self) -> int:
        return hash(self.name)


def gone_through(port: Port, x: int) -> None:
    for i, name in enumerate(NAMES):
        port.store(x + i, ord(name))


def made_and_gone_through(port: Port, x: int) -> None:
    names = set()
    names.add("a")
    names.add("b")
    for name in names:
        port.store(x, ord(name))


def a_constant(port: Port, x: int) -> None:
    for name in {"a", "b"}:  # noqa: PLC0208
        port.store(x, ord(name))


def objects(port: Port, x: int) -> None:
    for i, each in enumerate({Named("a"), Named("b")}):
        port.store(x + i, ord(each.name))


DEPENDING: dict[str, Body] = {
    "gone through": gone_through,
    "made, and gone through": made_and_gone_through,
    "a constant": a_constant,
    "of objects": objects,
    "a list of it": lambda port, x: port.store(x, ord(list(NAMES)[0])),  # noqa: RUF015
    "unpacked": lambda port, x: port.store(x, ord([*NAMES][0])),  # noqa: RUF015
    "its first": lambda port, x: port.store(x, ord(next(iter(NAMES)))),
    "any of it": lambda port, x: port.store(x, ord(set(NAMES).pop())),
    "joined": lambda port, x: port.store(x, ord("".join(NAMES)[0])),
    "the first of the shortest": lambda port, x: port.store(x, ord(max(NAMES, key=len))),
    "in an order that leaves it": lambda port, x: port.store(x, ord(sorted(NAMES, key=len)[1])),
    "a deque of it": lambda port, x: port.store(x, ord(deque(NAMES)[0])),
    "what a function of the library takes": lambda port, x: port.store(x, ord(heapq.nlargest(1, NAMES, len)[0])),
    "a hash by its method": lambda port, x: port.store(x, "a".__hash__() & 7),
    "a hash of nothing": lambda port, x: port.store(x, hash(None) & 7),
    "a hash": lambda port, x: port.store(x, hash("a") & 7),
    "a hash by another name": lambda port, x: port.store(x, digest("a") & 7),
    "an address": lambda port, x: port.store(x, len(repr(Plain()))),
    "an address in a text": lambda port, x: port.store(x, len(f"{Plain()}")),
    "a function's address": lambda port, x: port.store(x, len(repr(digest_of))),
    "one in a list": lambda port, x: port.store(x, len(str([Plain()]))),
    "in the order of texts": lambda port, x: port.store(x, min([Plain(), Plain()], key=repr).v),
    "in the order of hashes": lambda port, x: port.store(x, min(["a", "b"], key=hash) == "a"),
}


def sorted_first(port: Port, x: int) -> None:
    for i, name in enumerate(sorted(NAMES)):
        port.store(x + i, ord(name))


def numbers(port: Port, x: int) -> None:
    for v in {1, 2, 3}:  # noqa: PLC0208
        port.store(x, v)
    for v, _ in {(1, 2), (2, 3)}:
        port.store(x, v)


def a_dictionary(port: Port, x: int) -> None:
    for v in {"a": 1, "b": 2}.values():
        port.store(x, v)


def as_sets(port: Port, x: int) -> None:
    got = {Named("a"), Named("b")}
    port.store(x, len(got) + (Named("a") in got) + (got <= {Named("a")}))


INDEPENDENT: dict[str, Body] = {
    "sorted": sorted_first,
    "numbers": numbers,
    "a dictionary": a_dictionary,
    "as sets": as_sets,
    "a member": lambda port, x: port.store(x, int("a" in NAMES)),
    "how many": lambda port, x: port.store(x, len(NAMES)),
    "the least": lambda port, x: port.store(x, ord(min(NAMES))),
    "a hash of a number": lambda port, x: port.store(x, hash(3)),
    "texts of numbers": lambda port, x: port.store(x, len("".join(map(str, [1, 2])))),
}


def program_of(body: Body) -> Any:
    """One thread does that, the other looks."""

    def program(machine: Any) -> None:
        x = machine.alloc(3, "x")
        machine.spawn(lambda port: body(port, x))
        machine.spawn(lambda port: port.load(x))

    return program


@pytest.mark.parametrize("name", DEPENDING)
def test_what_the_process_decides_is_not_proved(name: str) -> None:
    """It is named, with its line."""
    for strategy in STRATEGIES:
        result = explore(program_of(DEPENDING[name]), strategy)

        assert result.claim.kind in {"undecided", "refused"}, told(result)
        if result.claim.kind == "undecided":
            assert "differs from process to process" in result.statement or "address of an object" in result.statement
            assert result.claim.where.startswith(f"{__file__}:"), told(result)


@pytest.mark.parametrize("name", INDEPENDENT)
def test_sets_as_such_cost_no_proof(name: str) -> None:
    """Nor do sets of numbers."""
    for strategy in STRATEGIES:
        result = explore(program_of(INDEPENDENT[name]), strategy)

        assert result.claim.kind == "proved", told(result)


def test_the_check_counts_too() -> None:
    """It is the program's."""

    def program(machine: Any) -> Any:
        x = machine.word(0, "x")
        machine.spawn(lambda port: port.store(x, 1))

        def check() -> None:
            first, *_ = NAMES
            assert first in NAMES

        return check

    assert "the order of a set" in explore(program, "dpor").statement
