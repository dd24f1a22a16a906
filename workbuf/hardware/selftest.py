"""The self-test of the atomics: compares each binding with the public one and selects the fastest that agrees.

`trials` lists every operation with values at which carries, signs and widths could go wrong.  Both bindings perform it
on the same scratch word.  Return value, word and neighbouring words must be equal.  It takes some ten milliseconds, once
a process.  A binding that cannot be made, or differs anywhere, is not used: the run goes on
through the public classes, and a warning says why.

The trials are sequential.  That the operations are atomic too is taken from the library; the tests with real threads
look for it.
"""

from __future__ import annotations

from functools import cache
from itertools import product
from mmap import PAGESIZE, mmap
from typing import TYPE_CHECKING, NamedTuple

from loguru import logger

from workbuf.hardware.binding import BindingError, Compiled, Fast, Operations, Public, required
from workbuf.machine import MASK64, WORD


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from workbuf.hardware.binding import Binding


class Trial(NamedTuple):
    """One operation on the word at cell `CELL`, which holds `before`."""

    operation: str
    before: int
    args: tuple[int, ...]


CELL = 2
"""The scratch cell of a trial; its neighbours must stay as they are."""
NEIGHBOUR = 0x5AA55AA55AA55AA5
VALUES = (0, 1, (1 << 32) - 1, 1 << 32, 1 << 63, MASK64 - 1, MASK64, 0x0123456789ABCDEF)
DELTAS = (0, 1, -1, 1 << 63, -(1 << 63), MASK64)


def trials() -> Iterator[Trial]:
    """Every operation, with values at which carries, signs and widths would go wrong."""
    for v in VALUES:
        yield Trial("load", v, (CELL,))
        yield from (Trial("xadd", v, (CELL, delta)) for delta in DELTAS)
        yield from (Trial("or8", v, (CELL * WORD + i, mask)) for i, mask in ((0, 0), (0, 0x81), (3, 0xFF), (7, 0x10)))
    for v, w in product(VALUES, (0, MASK64, 0x0123456789ABCDEF)):
        yield Trial("store", v, (CELL, w))
        yield Trial("xchg", v, (CELL, w))
        yield Trial("cas", v, (CELL, v, w))
        yield Trial("cas", v, (CELL, v ^ 1, w))
        yield Trial("cas", v, (CELL, v ^ 1 << 63, w))


def outcome(operations: Operations, memory: mmap, trial: Trial) -> tuple[int | None, list[int]]:
    """What the operation returns, and the scratch word between its neighbours afterwards."""
    words = memoryview(memory).cast("Q")
    words[CELL - 1] = words[CELL + 1] = NEIGHBOUR
    words[CELL] = trial.before
    returned: int | None = getattr(operations, trial.operation)(*trial.args)
    return returned, words[CELL - 1 : CELL + 2].tolist()


def disagreement(one: Binding, other: Binding) -> str | None:
    """The first trial that ends differently in two bindings, as a line of text, or None."""
    memory = mmap(-1, PAGESIZE)
    ones, others = one.bind(memory), other.bind(memory)
    for trial in trials():
        expected, seen = outcome(others, memory, trial), outcome(ones, memory, trial)
        if seen != expected:
            return f"{trial}: {one.name} gives {seen}, {other.name} {expected}"
    return None


@cache
def proven(make: Callable[[], Binding]) -> Binding:
    """The binding that `make` makes, if it agrees with the public one; raises BindingError otherwise.  Once a process."""
    binding = make()
    differs = disagreement(binding, Public())
    if differs:
        raise BindingError(f"the {binding.name} binding is wrong here: {differs}")
    return binding


BINDINGS: dict[str, Callable[[], Binding]] = {"compiled": Compiled, "fast": Fast, "public": Public}
"""The quickest first; the last one is right by construction."""
AUTO = "auto"
"""Asks for the quickest that there is."""


def select(wanted: str, bindings: Mapping[str, Callable[[], Binding]] = BINDINGS) -> Binding:
    """The binding called `wanted`, or the next one where it will not do; `auto` is the quickest that agrees.

    A warning says why where it is not the one wanted.  That the compiled one is not built is no reason for one.
    Raises Shortage where the atomics package is not installed.
    """
    required()
    names = list(bindings)
    if wanted not in (AUTO, *names):
        raise ValueError(f"no binding is called {wanted!r}: there are {AUTO}, {', '.join(names)}")
    for name in names if wanted == AUTO else names[names.index(wanted) :]:
        if name == Public.name:
            break
        try:
            return proven(bindings[name])
        except BindingError as error:
            if wanted != AUTO or name != Compiled.name:
                logger.warning("atomics do not go through the binding called {}: {}", name, error)
    return Public()
