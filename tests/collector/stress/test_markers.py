"""Markers: the helpers that a run is given come to its marks, and what each scanned is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from collector import heaps
from collector.audit.violation import Violation
from collector.gc import CycleStats
from collector.run import main
from collector.runtime import Config
from collector.stress.markers import IDLE, idle, marks, missing, said
from collector.stress.run import Plan, Stress, StressM
from collector.stress.survivors import Keep, KeepingM
from workbuf.events import Event


if TYPE_CHECKING:
    from workbuf.recorder import Record


HEAPS = Path(__file__).parents[2] / "heaps"
PAIR = [str(HEAPS / f"go119-pair-small.heapdump.{which}.gz") for which in ("before", "after")]


def plan(helpers: int, **config: Any) -> Plan:  # noqa: ANN401
    """Two stopped collections and no mutator; every event is kept."""
    sizes = Config(mutators=0, helpers=helpers, arena=1 << 26, **config)
    return Plan(sizes, (), cycles=2, concurrent=False, events=True, ring=1 << 18)


@pytest.mark.parametrize("helpers", [0, 1, 2, 5])
def test_all_helpers_come_to_every_stopped_mark(helpers: int) -> None:
    """With no mutator that has a P there are idle Ps; each marker's count is what its own events say."""
    run = Stress(plan(helpers), heaps.read("synthetic:random,n=3000,m=9000"))
    events: list[Record] = []
    run.run(lambda report: events.extend(report.events))
    events += run.recorder.drain()

    assert [report.stats.nproc for report in run.reports] == [helpers + 1] * 2
    ends = [record.a for record in sorted(events) if record.kind == Event.HELP_END]
    for report in run.reports:
        stats = report.stats
        assert sum(stats.scanned) == stats.scanned_after - stats.scanned_markterm > 0
        assert sorted(stats.scanned[1:]) == sorted(ends[:helpers])
        del ends[:helpers]
    assert not ends


@pytest.mark.parametrize(("config", "nproc"), [({"ncpu": 2}, 2), ({"gomaxprocs": 1}, 1), ({"gomaxprocs": 9}, 4)])
def test_ps_and_processors_bound_the_markers(config: dict[str, int], nproc: int) -> None:
    """As they bound them in Go; fewer helpers are then asked for, and the run is in order."""
    run = Stress(plan(3, **config), heaps.read("synthetic:random,n=300"))
    run.run()

    assert {report.stats.nproc for report in run.reports} == {nproc}


class Alone(StressM):
    """Planted: an M for which no helper is ever there."""

    def gcprocs(self) -> int:
        """Go's formula where there is one P."""
        return 1


def test_helpers_that_do_not_come_fail_the_run() -> None:
    """The first cycle says how many came and how many were asked for."""
    run = Stress(plan(2), heaps.read("synthetic:random,n=300"), Alone)

    with pytest.raises(
        Violation, match="1 of the 3 markers that were asked for came to mark termination of cycle 1"
    ) as found:
        run.run()

    assert found.value.kind == "markers"
    assert [report.stats.nproc for report in run.reports] == [1]


def test_helpers_that_do_not_come_fail_every_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Planted: gcprocs is 1.  What names helpers fails, though every mark is right."""
    monkeypatch.setattr(KeepingM, "gcprocs", lambda _: 1)
    out = tmp_path / "out.json"

    assert main(["heap", PAIR[0], "--mark", "--json", str(out)]) == 1
    printed = capsys.readouterr().out
    assert "1 of the 3 markers that were asked for came" in printed
    assert "failed: " in printed
    assert json.loads(out.read_text())["lost"] == 0

    assert main(["referee", *PAIR, "--json", str(out)]) == 1
    runs = json.loads(out.read_text())["runs"]
    assert [name for name, run in runs.items() if run["violation"]] == [name for name in runs if "helpers" in name]
    assert {run["missing"] for run in runs.values()} == {0}

    assert main(["heap", PAIR[0], "--mark", "--helpers", "0"]) == 0


def test_summaries_name_the_markers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`nproc` and `marks` in the JSON of heap, referee and stress, the same in their tables."""
    out = tmp_path / "out.json"

    assert main(["heap", PAIR[0], "--mark", "--json", str(out)]) == 0
    figures = json.loads(out.read_text())
    assert figures["nproc"] == 3
    assert [mark["nproc"] for mark in figures["marks"]] == [3, 3]
    assert f"markers    {said(figures['marks'][0]['scanned'])}" in capsys.readouterr().out

    assert main(["referee", *PAIR, "--helpers", "4", "--json", str(out)]) == 0
    figures = json.loads(out.read_text())
    assert [run["nproc"] for run in figures["runs"].values()] == [1, 5, 5, 5]
    assert figures["nproc"] == 5
    assert figures["marks"] == [mark for run in figures["runs"].values() for mark in run["marks"]]

    words = ["--heap", "synthetic:random,n=500", "--mutators", "0", "--cycles", "1", "--helpers", "1", "--seed", "1"]
    assert main([*words, "--json", str(out)]) == 0
    figures = json.loads(out.read_text())
    assert (figures["nproc"], len(figures["marks"])) == (2, figures["cycles"])
    assert {len(mark["scanned"]) for mark in figures["marks"]} == {2}
    assert "helpers scanned" in capsys.readouterr().out


def test_a_heap_without_anything_to_share_is_no_parallel_mark(capsys: pytest.CaptureFixture[str]) -> None:
    """One object that is scanned by one marker: the helpers came, and if it was not one of them this is said."""
    kept = Keep(plan(1), graph := heaps.read("synthetic:list,n=1")).result(graph)

    assert not kept.violation
    assert [stats.nproc for stats in kept.cycles] == [2, 2]
    assert [sum(stats.scanned) for stats in kept.cycles] == [0, 0]
    assert main(["heap", "synthetic:list,n=1", "--mark"]) == 0
    assert f"3 scanned 0 + 0 + 0 ({IDLE})" in capsys.readouterr().out


def test_fewer_ps_than_mutators_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """One line that says how many there must be."""
    assert main(["--mutators", "4", "--gomaxprocs", "4"]) == 2
    assert "5 or more" in capsys.readouterr().err


def test_words() -> None:
    """What is missing, what is idle, how it is said."""
    stats = CycleStats(number=7, nproc=2, scanned=[5, 0])

    assert missing(stats, 2) == missing(stats, 1) == ""
    assert missing(stats, 3) == "2 of the 3 markers that were asked for came to mark termination of cycle 7"
    assert [idle(scanned) for scanned in ([5], [5, 0], [5, 0, 0], [5, 0, 1], [0, 3])] == [
        False,
        True,
        True,
        False,
        False,
    ]
    assert (said([5]), said([5, 0, 1])) == ("1 scanned 5", "3 scanned 5 + 0 + 1")
    assert marks([stats]) == {"nproc": 2, "marks": [{"nproc": 2, "scanned": [5, 0]}]}
    assert marks([]) == {"nproc": 0, "marks": []}
