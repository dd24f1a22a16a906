"""The three pauses: what each asks of the system, and that each notices an abort."""

from __future__ import annotations

import time

import pytest

from workbuf.hardware import pauses
from workbuf.hardware.machine import HardwareMachine
from workbuf.machine import Aborted, Pause


@pytest.fixture(name="asked")
def _asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, float]]:
    """What the pauses ask for, instead of getting it."""
    asked: list[tuple[str, float]] = []
    monkeypatch.setattr(pauses, "spin", lambda n: asked.append(("spin", n)))
    monkeypatch.setattr(pauses, "sched_yield", lambda: asked.append(("yield", 0)))
    monkeypatch.setattr(time, "sleep", lambda seconds: asked.append(("sleep", seconds)))
    return asked


@pytest.mark.parametrize(
    ("kind", "what"),
    [(Pause.PROCYIELD, ("spin", 30)), (Pause.OSYIELD, ("yield", 0)), (Pause.USLEEP, ("sleep", 30e-6))],
)
def test_each_pause_asks_for_its_own(kind: Pause, what: tuple[str, float], asked: list[tuple[str, float]]) -> None:
    """A procyield gives nothing away, osyield the processor for once, usleep for so many microseconds."""
    HardwareMachine(words=8).boot().pause(kind, 30)

    assert asked == [what]


@pytest.mark.parametrize("kind", Pause)
def test_each_pause_notices_an_abort(kind: Pause) -> None:
    """After whatever it waited for."""
    machine = HardwareMachine(words=8)
    port = machine.boot()
    port.pause(kind, 1)
    machine.abort()

    with pytest.raises(Aborted):
        port.pause(kind, 1)


def test_a_usleep_lasts_as_long_as_it_says() -> None:
    """At least."""
    port = HardwareMachine(words=8).boot()
    began = time.monotonic()

    port.pause(Pause.USLEEP, 3000)

    assert time.monotonic() - began >= 0.003
