"""GenMC's own tests, rebuilt, and how many executions GenMC expects of each under sequential consistency.

The counts are those of tests/correct in GenMC's repository (expected.sc.*.in; with instruction-level and symmetry
reductions off, where the test says so): litmus tests first, then its synthetic programs by size.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from tests.collector.explore.authors import adds, both, lastzero, reads, threads, writes


if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.collector.explore.authors import Body
    from tests.collector.explore.programs import Program
    from workbuf.machine import Port

X, Y, Z = range(3)


def adds_to(*cells: int, by: int = 1) -> Body:
    """Atomic additions."""

    def body(port: Port, x: Sequence[int]) -> None:
        for cell in cells:
            port.xadd(x[cell], by)

    return body


def swaps(cell: int, old: int, new: int) -> Body:
    """A compare-and-swap, once."""

    def body(port: Port, x: Sequence[int]) -> None:
        port.cas(x[cell], old, new)

    return body


def exchanges(cell: int, v: int) -> Body:
    """An exchange."""

    def body(port: Port, x: Sequence[int]) -> None:
        port.xchg(x[cell], v)

    return body


def copies(source: int, to: int, plus: int = 0) -> Body:
    """A load, and a store of what was read."""

    def body(port: Port, x: Sequence[int]) -> None:
        port.store(x[to], port.load(x[source]) + plus)

    return body


def if_set(cell: int, then: Body) -> Body:
    """A load, and more if it was not 0."""

    def body(port: Port, x: Sequence[int]) -> None:
        if port.load(x[cell]):
            then(port, x)

    return body


def casdep(port: Port, x: Sequence[int]) -> None:
    """What a compare-and-swap expects and leaves behind depends on a load."""
    a = port.load(x[X])
    if not port.cas(x[Y], a, 1):
        a = 2
    port.store(x[Z], a)


def dekker(port: Port, x: Sequence[int], mine: int) -> None:
    """Raises a flag, and goes in if the other's is down."""
    port.store(x[1 - mine], 1)
    if not port.load(x[mine]):
        port.store(x[Z], mine)
        assert port.load(x[Z]) == mine, "both are in"


def coa(n: int) -> Program:
    """Two threads that write and read one word, and n that each write two others."""
    left = both(writes((X, 1)), reads(Y, X))
    right = both(writes((X, 2)), reads(Z, X))
    return threads(3, left, right, *(writes((Y, i), (Z, i)) for i in range(1, n + 1)))


def casw(n: int) -> Program:
    """A compare-and-swap and a store by each."""
    return threads(1, *(both(swaps(X, 0, 1), writes((X, i + 3))) for i in range(n)))


COUNTS: dict[str, tuple[Program, int]] = {
    "CoRR0": (threads(1, writes((X, 1)), reads(X), reads(X)), 4),
    "CoRR1": (threads(1, writes((X, 1)), writes((X, 2)), reads(X, X), reads(X)), 36),
    "CoRR2": (threads(1, writes((X, 1)), writes((X, 2)), reads(X, X), reads(X, X)), 72),
    "IRIWish": (threads(2, writes((X, 1)), copies(X, Y), reads(X, Y), reads(Y, X)), 27),
    "LB+incMPs": (
        threads(
            4,
            both(reads(X), adds_to(2)),
            both(adds_to(2), writes((Y, 1))),
            both(reads(Y), adds_to(3)),
            both(adds_to(3), writes((X, 1))),
        ),
        15,
    ),
    "MP2": (threads(4, writes((0, 1), (2, 1), (1, 1), (3, 1)), reads(1, 0), reads(3, 2)), 9),
    "RMWFix": (threads(2, if_set(Y, adds_to(X, X)), adds_to(X), writes((Y, 42))), 4),
    "WWmerge1": (threads(2, reads(X, Y), writes((X, 1), (X, 2)), both(writes((Y, 1)), reads(X))), 15),
    "WWmerge2": (threads(2, reads(X, Y), writes((X, 2)), both(writes((Y, 1)), reads(X))), 7),
    "Z6.U": (threads(2, writes((X, 1), (Y, 1)), both(adds_to(Y), reads(Y)), both(writes((Y, 3)), reads(X))), 18),
    "cii": (threads(1, swaps(X, 1, 2), adds, adds), 6),
    "inc2w": (threads(1, adds, writes((X, 4)), adds_to(X, by=2)), 6),
    "relseq": (threads(2, writes((X, 1), (Y, 1), (Y, 2)), exchanges(Y, 3), reads(Y, X)), 16),
    "casdep": (threads(3, casdep, writes((Y, 2))), 2),
    "small0": (threads(1, reads(X), both(reads(X), writes((X, 1))), writes((X, 2))), 9),
    "ori": (threads(2, both(adds, writes((Y, 1))), swaps(X, 0, 1), if_set(Y, writes((X, 4)))), 5),
    "fr+w+w+w+reads": (threads(1, *(writes((X, v)) for v in (1, 2, 3)), reads(X, X, X, X)), 210),
    "N-writers": (threads(1, *(writes((X, v)) for v in range(5)), reads(X)), 720),
    "CoA(1)": (coa(1), 15),
    "CoA(2)": (coa(2), 130),
    "binc(3)": (threads(2, *[adds_to(X, Y)] * 3), 36),
    "cinc(2)": (threads(3, *[adds_to(X, Y, Z)] * 2), 8),
    "cinc(3)": (threads(3, *[adds_to(X, Y, Z)] * 3), 216),
    "cas(4)": (threads(1, *(swaps(X, 0, i + 1) for i in range(4))), 4),
    "casrot(4)": (threads(1, *(swaps(X, i, i + 1) for i in range(4))), 14),
    "casrot(7)": (threads(1, *(swaps(X, i, i + 1) for i in range(7))), 523),
    "casw(3)": (casw(3), 66),
    "dekker_f": (threads(3, partial(dekker, mine=0), partial(dekker, mine=1)), 3),
    "inc(3)": (threads(1, *(copies(X, X, plus=1 << i) for i in range(3))), 36),
    "rw(3)": (threads(1, *(both(reads(X), writes((X, i))) for i in range(3))), 36),
    "wainc(4)": (threads(1, writes((X, 42)), *[adds] * 4), 120),
    "wcas(5)": (threads(1, writes((X, 2)), *[swaps(X, 2, 3)] * 5), 81),
}
"""A program and GenMC's count."""

LONGER: dict[str, tuple[Program, int]] = {
    "inc+inc+RR+W+RR": (threads(1, adds, adds, reads(X, X), writes((X, 42)), reads(X, X)), 600),
    "lastzero(10)": (lastzero(10), 3328),
    "CoA(3)": (coa(3), 2028),
    "CoA(4)": (coa(4), 49776),
    "binc(4)": (threads(2, *[adds_to(X, Y)] * 4), 576),
    "cinc(4)": (threads(3, *[adds_to(X, Y, Z)] * 4), 13824),
    "casrot(9)": (threads(1, *(swaps(X, i, i + 1) for i in range(9))), 8597),
    "casw(4)": (casw(4), 1200),
    "casw(5)": (casw(5), 32880),
    "inc(4)": (threads(1, *(copies(X, X, plus=1 << i) for i in range(4))), 576),
    "rw(4)": (threads(1, *(both(reads(X), writes((X, i))) for i in range(4))), 576),
    "wcas(9)": (threads(1, writes((X, 2)), *[swaps(X, 2, 3)] * 9), 2305),
}
"""The same, of those that take seconds: `scripts.literature` runs them."""
