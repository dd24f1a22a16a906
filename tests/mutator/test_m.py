"""The finished M: its random numbers and its life; and an M that has no collector."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import pytest

from mutator.fastrand import FASTRAND_SEED
from mutator.heap import Heap
from mutator.m import M
from mutator.world import GDEAD, GRUNNING, PIDLE, PRUNNING, P, World
from workbuf.hardware.machine import HardwareMachine
from workbuf.throw import Throw


if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.worlds import Bench


def fastrand(x: int) -> Iterator[int]:
    """Go's sequence by its description: double modulo 2**32, and if bit 31 is set then, xor the polynomial."""
    while True:
        x = 2 * x % 2**32
        if x >= 2**31:
            x ^= 0x88888EEF
        yield x


def test_fastrand1_is_gos_sequence(bench: Bench) -> None:
    """Of the M's own seed; bit 31 of what comes out is always 0."""
    m = bench.gcm
    m.fastrand = FASTRAND_SEED
    numbers = [m.fastrand1() for _ in range(1000)]

    assert numbers == list(islice(fastrand(0x49F6428A), 1000))
    assert numbers[:2] == [0x93EC8514 ^ 0x88888EEF, 2 * (0x93EC8514 ^ 0x88888EEF)]
    assert max(numbers) < 1 << 31


def test_every_m_draws_its_own_numbers(bench: Bench) -> None:
    """Its number goes into the seed, the port's seed too."""
    draws = [[m.fastrand1() for _ in range(8)] for m in (bench.gcm, *bench.mutators, *bench.helpers)]

    assert all(a != b for at, a in enumerate(draws) for b in draws[:at])


def test_a_seed_that_comes_to_0_is_replaced(bench: Bench) -> None:
    """0 would stay 0 for ever."""
    port = type("Port", (), {"__getattr__": lambda _, name: getattr(bench.port, name)})()
    port.seed = -FASTRAND_SEED

    m = bench.again(bench.gcm, through=port)

    assert m.fastrand == FASTRAND_SEED


def test_mstart_runs_a_program_from_getting_the_p_to_giving_it_up(bench: Bench) -> None:
    """Meanwhile the goroutine runs; afterwards it is dead and the P idle."""
    m = bench.mutators[0]
    seen: list[tuple[int, int, int]] = []

    m.mstart(lambda m: seen.append((m.readgstatus(m.curg), bench.peek(m.ownp + P.status), m.p)))

    assert seen == [(GRUNNING, PRUNNING, m.ownp)]
    assert (m.readgstatus(m.curg), bench.peek(m.ownp + P.status), m.p) == (GDEAD, PIDLE, 0)


@pytest.mark.parametrize(
    ("hook", "text"), [("shade", "no collector"), ("gchelpwork", "no collector"), ("gcphasework", "no collector")]
)
def test_a_mutator_alone_has_no_collector(hook: str, text: str) -> None:
    """The calls that go up end here; only gogc may be called, and does nothing."""
    machine = HardwareMachine(words=1 << 18)
    world = World.make(machine, Heap.allocate(machine, 1 << 16, page_size=1024), markfor=0, ms=1, gs=1)
    m = M(machine.boot(), world, world.newm("m0"))
    m.gogc(0)

    with pytest.raises(Throw, match=text):
        getattr(m, hook)(*() if hook == "gchelpwork" else (0,))
