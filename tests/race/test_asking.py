"""The race programs of who asks whom: each finds the mutants that it was written for, and the protocol passes it."""

from __future__ import annotations

import pytest

from collector.explore import explore
from collector.mutation.mutants import every, found
from collector.mutation.programs import RACES


SCHEDULES = 100
MUTANTS = {
    "background": (
        "collector/cycle.py Cycle.gogc: drop `port.wake(self.runtime + RUNTIME.bggc_note)`",
        "collector/cycle.py Cycle.waitwork: drop `return asked`",
        "collector/cycle.py Cycle.background: drop `self.gcwork(force)`",
        "collector/cycle.py Cycle.background: drop `self.port.store(self.working, 0)`",
    ),
    "counted-twice": ("collector/helper.py Helper.gchelper: plain `port.xadd(work + WORK.ndone, 1)`",),
    "lyingdown": ("collector/helper.py Helper.helpgc: drop `words[sched + SCHED.nmidle] -= 1`",),
    "scansitself": ("collector/stackscan.py StackScan.stopg: drop `port.post(gp + G.preemptscan, 1)`",),
    "asleep": ("collector/cycle.py Cycle.gcscan_m: drop `port.post(other + G.gcscanvalid, 0)`",),
    "asleep-stopped": (
        "collector/cycle.py Cycle.gcwork: drop `port.post(gp + G.gcscanvalid, 0)`",
        "collector/gc.py MarkTermination.gc: negate `eager`",
    ),
    "neighbours": ("collector/grey.py Grey.checkmark: plain `self.port.or8(hbits, CHECKMARKED)`",),
}
"""By program, mutants that nothing else finds soon."""


@pytest.mark.parametrize(("name", "mutant"), [(name, each) for name, those in MUTANTS.items() for each in those])
def test_a_mutant_is_found(monkeypatch: pytest.MonkeyPatch, name: str, mutant: str, seed: int) -> None:
    """And the function is what it was afterwards."""
    changed = every([mutant.split(maxsplit=1)[0]])[mutant]
    live = found(changed.file, changed.function)
    monkeypatch.setattr(live, "__code__", live.__code__)
    changed.plant()

    assert explore(RACES[name].program(), schedules=SCHEDULES, seed=seed).failure is not None


@pytest.mark.parametrize("name", MUTANTS)
def test_the_protocol_passes(name: str, seed: int) -> None:
    """With races being failures."""
    result = explore(RACES[name].program(), schedules=SCHEDULES, seed=seed)

    assert result.failure is None, result.failure
