"""Scenarios of stress: each drives its mechanism, says so by a number, and says when it did not."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from collector import heaps
from collector.commands import stressnamed
from collector.commands.stressnamed import NAMES
from collector.run import main
from collector.scenarios.harvestrace import LoadStore
from collector.stress.mechanisms import MECHANISMS
from collector.stress.primitives.barrier import BARRIER, Draining
from collector.stress.primitives.harvest import HARVEST, Harvesting
from collector.stress.primitives.lfstack import LFSTACK, Contest
from collector.stress.primitives.registry import PRIMITIVES
from collector.stress.primitives.rounds import Settings, run
from collector.stress.run import Plan, Stress, StressM
from workbuf.getfull import Getfull
from workbuf.lfstack import Lfstack


if TYPE_CHECKING:
    from pathlib import Path

    from collector.stress.primitives.rounds import Outcome, Primitive

CYCLES = {"finalizers": 10, "harvests": 1, "gogcoff": 1}
"""Of a short run, where it is not three."""
RUNS = 100
"""Short ones at most, until one has driven its mechanism: one that meets a busy machine may not come to it."""
LONG = 200.0
"""Seconds within which a planted fault has to show that shows within one."""


def failing(primitive: Primitive, seed: int, countbits: int = 19) -> Outcome:
    """A run to the first failure.  Delays before atomics and posts: without them a busy machine may hide it for long."""
    return run(primitive, Settings(seed, countbits=countbits, jitter=0.1), LONG, LONG, lambda: None)


@pytest.mark.parametrize("name", PRIMITIVES)
def test_a_primitive_is_driven(name: str, seed: int) -> None:
    """Without a violation, and above its least number."""
    for run_seed in range(seed, seed + RUNS):
        outcome = run(PRIMITIVES[name], Settings(run_seed, jitter=0.01), 0.5, LONG, lambda: None)
        assert outcome.failure is None
        assert outcome.rounds > 0
        if PRIMITIVES[name].number(outcome.counts) > 0:
            break

    assert PRIMITIVES[name].number(outcome.counts) > 0


class TestFaults:
    """Each primitive's check sees one."""

    def test_an_aba_on_hardware(self, seed: int) -> None:
        """Without a push count two threads pop one node, or a node is lost."""
        assert "an ABA on hardware" in str(failing(LFSTACK, seed, countbits=0).failure)

    def test_a_stack_that_hands_a_node_out_twice(self, seed: int) -> None:
        """A pop by a load and a store."""

        class LoadStorePop(Lfstack):
            def lfstackpop(self, head: int) -> int:
                top = self.port.load(head)
                node: int = self.topof(top)
                if node:
                    self.port.store(head, self.port.hint(node))
                return node

            def topof(self, top: int) -> int:
                return (top >> 19 << 3) // 8

        broken = replace(LFSTACK, round=lambda settings: Contest(settings, LoadStorePop))
        assert failing(broken, seed).failure is not None

    def test_a_barrier_that_ends_early(self, seed: int) -> None:
        """It waits for one participant less."""

        class EndsEarly(Getfull):
            def getfull(self, entry: int) -> int:
                b = self.popfull(entry)
                if not b:
                    self.port.xadd(self.work_nwait, 1)
                return b

        broken = replace(BARRIER, round=lambda settings: Draining(settings, EndsEarly))
        assert "told that all is done when" in str(failing(broken, seed).failure)

    def test_a_harvest_by_load_and_store(self, seed: int) -> None:
        """A buffer gets two owners."""
        broken = replace(HARVEST, round=lambda settings: Harvesting(settings, LoadStore))
        assert failing(broken, seed).failure is not None

    def test_a_round_that_hangs(self, seed: int) -> None:
        """Ends, and says so."""

        class Waits(Getfull):
            def getfull(self, entry: int) -> int:
                b = super().getfull(entry)
                return b or self.getfull(entry)

        broken = replace(BARRIER, round=lambda settings: Draining(settings, Waits))
        outcome = run(broken, Settings(seed), LONG, 0.5, lambda: None)
        assert "has not ended after 0.5 s" in str(outcome.failure)


@pytest.mark.parametrize("name", MECHANISMS)
def test_a_mechanism_is_driven(name: str, seed: int) -> None:
    """Runs of a few cycles, none with a violation, and one has a number that is more than nothing."""
    chosen = MECHANISMS[name]
    number = 0.0
    for run_seed in range(seed, seed + RUNS):
        plan = replace(chosen.planned(Plan(seed=run_seed, dawdle=0.01)), cycles=CYCLES.get(name, 3) + 1)
        run = Stress(plan, heaps.read(chosen.heap), chosen.m(StressM))
        run.run()
        number = chosen.number(run)
        if number > 0:
            break

    assert number > 0
    assert chosen.driven(number, 0)


@pytest.mark.parametrize(("factor", "status"), [(1e-9, 0), (1e9, 3)])
def test_a_mechanism_that_was_driven_or_not(
    factor: float,
    status: int,
    seed: int,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """If not: status 3 and one line; nothing failed."""
    monkeypatch.setattr(stressnamed, "DEFAULT_S", 0.2)
    monkeypatch.setitem(MECHANISMS, "stops", replace(MECHANISMS["stops"], factor=factor))
    file = tmp_path / "out.json"
    words = ["stress", "stops", "--seconds", "0.2", "--quiet", "--seed", str(seed), "--json", str(file)]

    assert main(words) == status

    out, err = capsys.readouterr()
    assert out.splitlines()[-1].startswith("ok: ")
    assert re.search(r"^driven +[\d.]+ stops a second; [\d.]+ in the default run$", out, re.MULTILINE)
    said = json.loads(file.read_text())
    assert (said["scenario"], said["driven"]) == ("stops", status == 0)
    if status:
        assert re.fullmatch(r".* stops was not driven: .* in the default run; no violation\n", err)


def test_a_primitive_that_was_not_driven(
    seed: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same."""
    monkeypatch.setitem(PRIMITIVES, "barrier", replace(BARRIER, least=1e9))

    assert main(["stress", "barrier", "--seconds", "0.1", "--seed", str(seed)]) == 3

    assert "barrier was not driven" in capsys.readouterr().err


def test_a_violation_is_status_1(seed: int, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """With the command that runs it again, and in the summary."""
    file = tmp_path / "out.json"
    words = ["stress", "lfstack", "--count-bits", "0", "--jitter", "0.1", "--seconds", str(LONG)]

    assert main([*words, "--seed", str(seed), "--json", str(file)]) == 1

    out, err = capsys.readouterr()
    assert out.splitlines()[-1].startswith("failed: lfstack: violation (aba)")
    assert out.splitlines()[-2].endswith(": python -m collector.run explore aba")
    assert ("driven" in out) == (not re.search(r"^rounds +1 in", out, re.MULTILINE))
    assert f"seed {seed}" in err
    assert json.loads(file.read_text())["violations"] == 1


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("nosuch", "no stress scenario 'nosuch'"),
        ("handoff", "did you mean handoffs?"),
        ("handoffs --gogc 5 --heap none", "leave out --heap, --gogc"),
        ("barrier --plant uncounted --log x", "leave out --plant, --log"),
        ("barrier --count-bits 3", "--count-bits is of the scenario lfstack"),
        ("--programs finalizers,finalizerchains", "name one of them"),
    ],
)
def test_bad_usage(words: str, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One line, status 2."""
    assert main(["stress", *words.split()]) == 2

    err = capsys.readouterr().err
    assert says in err
    assert err.count("\n") == 1


def test_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    """Every name, with what it is for."""
    assert main(["stress", "--list"]) == 0
    out = capsys.readouterr().out
    assert all(re.search(rf"^{name} +\S", out, re.MULTILINE) for name in NAMES)
