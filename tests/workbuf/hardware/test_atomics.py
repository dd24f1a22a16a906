"""Real threads on shared words: however they interleave, every update takes effect once and whole."""

from __future__ import annotations

import sys
from collections import Counter
from importlib.util import find_spec
from typing import TYPE_CHECKING, NamedTuple

import pytest

from workbuf.hardware.machine import HardwareMachine
from workbuf.machine import WORD


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from workbuf.machine import Port


ROUNDS = {"fast": 2000, "public": 60} | ({"compiled": 8000} if find_spec("workbuf.hardware.compiled") else {})
"""Operations of each thread: as many as take about the same time."""
ATTEMPTS = 50
"""Runs within which a fault must show that shows in every other one."""


@pytest.fixture(autouse=True)
def _often() -> Iterator[None]:
    """A GIL that changes hands as often as it can, where there is one."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


class Contest(NamedTuple):
    """Threads that all work on the same words, and how many of their updates are missing afterwards.

    `sound` and `torn` do one update each, number `i` of thread `me`, at cell `a`: with the atomic, and with a load and a
    store where the atomic should be.  `missing` counts, given what every update returned.
    """

    sound: Callable[[Port, int, int, int], int]
    torn: Callable[[Port, int, int, int], int]
    missing: Callable[[list[int], list[int], int], int]

    def lost(self, update: Callable[[Port, int, int, int], int], binding: str, threads: int) -> int:
        """Updates missing after one run."""
        rounds = ROUNDS[binding]
        machine = HardwareMachine(binding=binding)
        a = machine.alloc(rounds // WORD + 1, "shared")
        returned: list[list[int]] = [[] for _ in range(threads)]

        def body(port: Port) -> None:
            mine = returned[port.index]
            for i in range(rounds):
                mine.append(update(port, a, port.index, i))

        for _ in range(threads):
            machine.spawn(body)
        machine.run()
        assert machine.binding == binding
        words = [machine.peek(a + i) for i in range(rounds // WORD + 1)]
        return self.missing(words, [v for mine in returned for v in mine], rounds)


def add(port: Port, a: int, me: int, i: int) -> int:
    """Count up."""
    del me, i
    return port.xadd(a, 1)


def torn_add(port: Port, a: int, me: int, i: int) -> int:
    """Count up, in two steps."""
    del me, i
    v = port.load(a)
    port.store(a, v + 1)
    return v + 1


def missing_counts(words: list[int], returned: list[int], rounds: int) -> int:
    """Every count from 1 on is returned to exactly one thread."""
    del words, rounds
    return len(returned) - len(set(returned))


def cas_add(port: Port, a: int, me: int, i: int) -> int:
    """Count up by compare-and-swap."""
    del me, i
    while True:
        v = port.load(a)
        if port.cas(a, v, v + 1):
            return v + 1


def torn_cas_add(port: Port, a: int, me: int, i: int) -> int:
    """The same with a compare and a swap."""
    del me, i
    while True:
        v = port.load(a)
        if port.load(a) == v:
            port.store(a, v + 1)
            return v + 1


def swap(port: Port, a: int, me: int, i: int) -> int:
    """Leave a token that nobody else has and take the one that is there."""
    return port.xchg(a, (me << 32) + i + 1)


def torn_swap(port: Port, a: int, me: int, i: int) -> int:
    """The same in two steps."""
    v = port.load(a)
    port.store(a, (me << 32) + i + 1)
    return v


def missing_tokens(words: list[int], returned: list[int], rounds: int) -> int:
    """Every token, the first 0 too, was taken by one thread, or is still there."""
    del rounds
    taken = Counter([*returned, words[0]])
    return sum(taken.values()) - len(taken)


def mark(port: Port, a: int, me: int, i: int) -> int:
    """Set bit `me` of byte `i`: the byte is shared with the other threads, its word with seven other bytes."""
    port.or8(a * WORD + i, 1 << me)
    return 0


def torn_mark(port: Port, a: int, me: int, i: int) -> int:
    """The same by way of the whole word."""
    v = port.load(a + i // WORD)
    port.store(a + i // WORD, v | 1 << me + i % WORD * 8)
    return 0


def missing_marks(words: list[int], returned: list[int], rounds: int) -> int:
    """Every thread's bit is set in every byte."""
    del rounds
    return len(returned) - sum(word.bit_count() for word in words)


CONTESTS = [
    pytest.param(Contest(add, torn_add, missing_counts), id="xadd"),
    pytest.param(Contest(cas_add, torn_cas_add, missing_counts), id="cas"),
    pytest.param(Contest(swap, torn_swap, missing_tokens), id="xchg"),
    pytest.param(Contest(mark, torn_mark, missing_marks), id="or8"),
]


@pytest.mark.race
@pytest.mark.parametrize("contest", CONTESTS)
@pytest.mark.parametrize("threads", [2, 4])
@pytest.mark.parametrize("binding", ROUNDS)
def test_threads_lose_nothing(contest: Contest, threads: int, binding: str) -> None:
    """However threads interleave, each update takes effect once and whole, through every binding."""
    assert contest.lost(contest.sound, binding, threads) == 0


@pytest.mark.race
@pytest.mark.parametrize("contest", CONTESTS)
def test_updates_in_two_steps_are_seen_to_be_lost(contest: Contest) -> None:
    """The contests above tell an atomic from a load and a store, so their silence means something."""
    assert any(contest.lost(contest.torn, "fast", 4) for _ in range(ATTEMPTS))
