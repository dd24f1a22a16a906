"""How a thread may read a cell three times while C code holds what it has read so far, in no variable and on no stack."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, arg-type, return-value"
# ruff: noqa: ANN001, ANN202, D103, PLC3002, UP031  each takes its own way

from __future__ import annotations

import functools
import itertools
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from collections.abc import Callable

    from workbuf.machine import Port

    Read = Callable[[int], int]


class Reading:
    """Reads when it is asked for something."""

    def __init__(self, read: Read) -> None:
        self.read = read

    def __str__(self) -> str:
        return str(self.read(0))

    def __call__(self, k: int) -> int:
        return self.read(k)

    def __eq__(self, other: object) -> bool:
        return self.read(0) == other

    __hash__ = None  # type: ignore[assignment]

    def keys(self) -> str:
        return "abc"

    def __getitem__(self, _key: str) -> int:
        return self.read(0)


class Read3:
    """Reads when it is made."""

    def __init__(self, read: Read) -> None:
        self.found = read(0)


def unpacked(read: Read) -> list[int]:
    a, b, c = (read(k) for k in range(3))
    return [a, b, c]


def starred(read: Read) -> list[int]:
    a, *b = (read(k) for k in range(3))
    return [a, *b]


CALLING: dict[str, Callable[[Read], Any]] = {
    "a list display": lambda read: [*(read(k) for k in range(3))],
    "a tuple display": lambda read: [*(*(read(k) for k in range(3)),)],
    "a set display": lambda read: (lambda found: [int(k in found) for k in (1, 2, 3)])(
        {*(read(k) * (k + 1) for k in range(3))}
    ),
    "arguments": lambda read: (lambda *given: [*given])(*(read(k) for k in range(3))),
    "arguments by name": lambda read: (lambda **given: [*given.values()])(**Reading(read)),
    "a dictionary display": lambda read: [*{**Reading(read)}.values()],
    "unpacking": unpacked,
    "unpacking with a star": starred,
    "map": lambda read: [*map(read, range(3))],
    "map over an object": lambda read: list(map(Reading(read), range(3))),
    "map over a class": lambda read: [each.found for each in map(Read3, [read] * 3)],
    "zip": lambda read: [
        k for pair in zip((read(0) for _ in "ab"), (read(0) for _ in "ab"), strict=True) for k in pair
    ][:3],
    "chain": lambda read: [*itertools.chain((read(k) for k in range(2)), (read(k) for k in range(1)))],
    "tuple": lambda read: [*tuple(read(k) for k in range(3))],
    "join": lambda read: [int(k) for k in "".join(str(read(k)) for k in range(3))],
    "formatting": lambda read: [int(k) for k in "%s%s%s" % (Reading(read), Reading(read), Reading(read))],
    "comparing lists": lambda read: [0, 1, 0] if [Reading(read)] * 3 == [0, 1, 0] else [],
    "reduce": lambda read: functools.reduce(lambda found, k: [*found, read(k)], range(3), []),
}
"""What holds it; each returns the three in order."""


def calling(run: Callable[[Read], Any]) -> Callable[[Any], Callable[[], None]]:
    """The check fails if it read a 1 in the middle of two zeros, in the middle of the other's two stores."""

    def program(machine):
        x, found = machine.word(0, "x"), []

        def reader(port: Port) -> None:
            found.append(run(lambda _k: port.load(x)))

        def writer(port: Port) -> None:
            port.store(x, 1)
            port.store(x, 0)

        machine.spawn(reader)
        machine.spawn(writer)

        def check() -> None:
            assert found != [[0, 1, 0]]

        return check

    return program
