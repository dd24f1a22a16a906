"""Jitter: where threads dawdle, and that nothing else changes."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

import pytest

from workbuf.hardware import jitter
from workbuf.hardware.machine import HardwareMachine


if TYPE_CHECKING:
    from workbuf.machine import Port


@pytest.fixture(name="waits")
def _waits(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The waits as they are made: the turns of a spin, -1 for a sched_yield, -2 for a sleep."""
    waits: list[int] = []
    monkeypatch.setattr(jitter, "spin", waits.append)
    monkeypatch.setattr(jitter, "sched_yield", lambda: waits.append(-1))
    monkeypatch.setattr(jitter, "sleep", lambda _: waits.append(-2))
    return waits


def drive(machine: HardwareMachine, turns: int = 200) -> int:
    """A counter driven through every atomic; returns its last value."""
    port, a = machine.boot(), machine.word(0)
    for _ in range(turns):
        port.store(a, port.load(a) & ~1)
        port.or8(a * 8, 1)
        assert port.cas(a, port.xchg(a, port.load(a)), port.load(a))
        port.xadd(a, 2)
    return machine.peek(a)


def test_results_are_the_same_with_jitter() -> None:
    """Every operation still does what it does."""
    assert drive(HardwareMachine(jitter=0.5)) == drive(HardwareMachine())


def test_the_seed_decides_who_dawdles_where(waits: list[int]) -> None:
    """The same seed draws the same waits, another seed others; both kinds of wait occur."""
    drawn = []
    for seed in (1, 1, 2):
        drive(HardwareMachine(jitter=0.3, seed=seed))
        drawn.append(tuple(waits))
        waits.clear()

    assert drawn[0] == drawn[1] != drawn[2]
    assert {-1, -2} <= set(drawn[0])
    assert 0 <= max(drawn[0]) <= jitter.SPIN_MAX


@pytest.mark.parametrize(("share", "low", "high"), [(0.0, 0, 0), (0.25, 300, 500), (1.0, 1400, 1400)])
def test_the_share_decides_how_often(share: float, low: int, high: int, waits: list[int]) -> None:
    """Of the 1400 atomics but or8 none, about a quarter, or every one (seeds are fixed, so the count is too)."""
    drive(HardwareMachine(jitter=share))

    assert low <= len(waits) <= high


def test_marks_are_set_without_delay() -> None:
    """There are too many of them, and whoever sets one first changes nothing."""
    plain, late = HardwareMachine(binding="fast").boot(), HardwareMachine(binding="fast", jitter=1.0).boot()

    assert late.or8.__qualname__ == plain.or8.__qualname__


def test_without_jitter_nothing_is_wrapped() -> None:
    """The port's atomics are the binding's own closures, so jitter that is not asked for costs nothing."""
    plain, late = HardwareMachine(binding="fast").boot(), HardwareMachine(binding="fast", jitter=0.1).boot()

    assert plain.cas.__qualname__ == "Fast.bind.<locals>.cas"
    assert late.cas.__qualname__ != plain.cas.__qualname__


@pytest.mark.parametrize("share", [-0.1, 1.5])
def test_a_share_that_is_none_is_refused(share: float) -> None:
    """Between 0 and 1."""
    with pytest.raises(ValueError, match=f"between 0 and 1, not {share}"):
        HardwareMachine(jitter=share)


def test_threads_have_several_shares_in_turn(waits: list[int]) -> None:
    """With shares 1 and 0 every other thread comes late to everything, to a post as well."""
    machine = HardwareMachine(jitter=(1.0, 0.0))
    a, alone = machine.word(0), Lock()
    late: list[tuple[int, int]] = []

    def body(port: Port) -> None:
        with alone:
            waits.clear()
            port.post(a, 1)
            late.append((port.index % 2, len(waits)))

    for _ in range(4):
        machine.spawn(body)
    machine.run()

    assert sorted(late) == [(0, 1), (0, 1), (1, 0), (1, 0)]
