"""The commands over real heaps: heap, heap --mark, referee, and stress --heap."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from collector.keep import Keep, KeepingM
from collector.run import main


SAMPLES = Path(__file__).parent.parent / "heaps"
BEFORE = SAMPLES / "go119-pair-small.heapdump.before.gz"
AFTER = SAMPLES / "go119-pair-small.heapdump.after.gz"


def summary(words: list[str], out: Path) -> tuple[int, dict[str, Any]]:
    """Run a command with --json: its status and what it wrote."""
    status = main([*words, "--json", str(out)])
    return status, json.loads(out.read_text())


@pytest.mark.parametrize("sample", sorted(path.name for path in SAMPLES.glob("*.gz")))
def test_every_sample_is_marked_as_the_oracles_say(sample: str, tmp_path: Path) -> None:
    """The marks of our threads are what a traversal of the file's own graph reaches."""
    status, figures = summary(["heap", str(SAMPLES / sample), "--mark"], tmp_path / "out.json")

    assert status == 0
    assert (figures["lost"], figures["wrongly_marked"]) == (0, 0)
    assert figures["marked"] == figures["reachable"] > 0


def test_a_heap_is_described(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The table for people and the figures for programs agree."""
    status, figures = summary(["heap", "synthetic:list,n=500,seed=3"], tmp_path / "out.json")

    assert status == 0
    assert (figures["objects"], figures["edges"], figures["depth"], figures["longest_chain"]) == (500, 499, 499, 500)
    assert "500" in capsys.readouterr().out


def test_go_is_the_referee(tmp_path: Path) -> None:
    """Over the Go 1.19 pair nothing is missing in any of the four runs."""
    status, verdict = summary(["referee", str(BEFORE), str(AFTER)], tmp_path / "out.json")

    assert status == 0
    assert (verdict["missing"], verdict["extra"], verdict["new"], verdict["kept"]) == (0, 0, 4, 8238)
    assert verdict["cycles"] == len(verdict["runs"]) == 4


def test_a_lost_object_is_a_violation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Planted: one object whose mark is not noted.  The referee names its address."""
    note = Keep.note

    def forget(self: Keep, m: KeepingM) -> None:
        note(self, m)
        assert self.marks is not None
        self.marks[self.marks.index(1)] = 0

    monkeypatch.setattr(Keep, "note", forget)

    status, verdict = summary(["referee", str(BEFORE), str(AFTER)], tmp_path / "out.json")

    assert status == 1
    assert verdict["missing"] == 1
    assert hex(verdict["missing_at"][0]) in capsys.readouterr().out
    assert main(["heap", str(BEFORE), "--mark"]) == 1


def test_a_real_heap_survives_its_mutators(tmp_path: Path, seed: int) -> None:
    """Stress over a Go dump, rewired meanwhile."""
    words = ["--heap", str(BEFORE), "--cycles", "2", "--programs", "rewire,hider", "--quiet", "--seed", str(seed)]
    status, figures = summary(words, tmp_path / "out.json")

    assert status == 0
    assert figures["reachable"] > 1000
    assert (figures["lost"], figures["violations"], figures["buffers_leaked"]) == (0, 0, 0)


@pytest.mark.parametrize(
    "words",
    [
        ["heap", "/nowhere/at/all"],
        ["heap", "synthetic:cube"],
        ["referee", str(BEFORE), str(SAMPLES / "node20-small.heapsnapshot.gz")],
        ["--heap", str(Path(__file__))],
        ["heap", "synthetic:list,n=100000,size=1000000", "--mark"],
    ],
)
def test_what_cannot_be_read_is_one_line(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Status 2, one line, no traceback."""
    assert main(words) == 2

    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert "expected" in said[0]
