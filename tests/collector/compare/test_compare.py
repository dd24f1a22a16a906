"""Comparing designs: the counts of a run, what is made of them, what is said where nothing happened, the command."""

from __future__ import annotations

import json
import re
import signal
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from collector import heaps
from collector.commands.compare import MOST_STEPPED
from collector.commands.status import INTERRUPTED
from collector.compare import stepped, threads
from collector.compare.comparison import Comparison, Place, Point, Spread, points
from collector.compare.counting import Counting
from collector.compare.figures import MEASURES, STEPPED, THREADS, Figures, imbalance
from collector.compare.setup import Setup
from collector.designs.design import Design
from collector.designs.registry import DESIGNS, SEED
from collector.report.designs import brief, comparepage, head, record, rows, text, whole
from collector.run import main
from collector.runtime import CollectorM
from mutator.phase import GCmark
from tests.worlds import Bench


if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

    from collector.heaps import Graph, Limits

SETUP = Setup(heaps.read("synthetic:random,n=60"), mutators=2, helpers=1, cycles=1, programs=("pushpop", "hider"))
FIGURES = Figures(
    barriers=100,
    barrier_operations=200,
    barrier_failures=10,
    operations=50,
    failures=5,
    scanned=1100,
    concurrent=1000,
    stopped=20,
    longest=15,
    shares=(60, 30, 30),
    handoffs=3,
    assisted=40,
    buffers=4,
    wbufsize=256,
    pops=125,
    flaps=25,
    waited=30,
    time=100,
    ms=3,
    delays=(1, 2, 30),
)


def measured(figures: Figures) -> dict[tuple[str, str], float | None]:
    """Every measure, by name and unit."""
    return {(measure.name, measure.unit): measure.of(figures) for measure in MEASURES}


def test_measures_of_given_figures() -> None:
    """Worked out by hand."""
    assert measured(FIGURES) == {
        ("list operations", "a barrier"): 2,
        ("failed CAS", "1000 barriers"): 100,
        ("list operations", "an object scanned"): 50 / 1100,
        ("failed CAS", "1000 objects scanned"): 5000 / 1100,
        ("failed CAS", "1000 list operations"): 60,
        ("scanned while stopped", "% of objects"): 2,
        ("longest stop", "objects"): 15,
        ("greying to scanning, median", "steps"): 2,
        ("greying to scanning, mean", "steps"): 11,
        ("in getfull", "% of all Ms' time"): 10,
        ("buffers", "made"): 4,
        ("buffers", "kB"): 1,
        ("flapping", "% of pops"): 20,
        ("imbalance of markers", "busiest / mean"): 1.5,
    }


def test_what_did_not_happen_is_no_measure_and_is_said() -> None:
    """No barrier, no ratio; a helper that scanned nothing is told."""
    nothing = replace(FIGURES, barriers=0, shares=(9, 0), concurrent=0, delays=())

    assert measured(nothing)["list operations", "a barrier"] is None
    assert measured(nothing)["greying to scanning, mean", "steps"] is None
    assert nothing.missing == ["no barrier ran", "no concurrent cycle scanned anything", "no helper marked"]
    assert not FIGURES.missing
    assert imbalance((100,)) is None
    assert imbalance((9, 10)) is None


def test_counts_of_barriers_and_of_buffers_that_come_back() -> None:
    """Step by step, in a world of its own: a barrier's operations, and a pop of what this M pushed last."""
    parent = DESIGNS["parent"]
    world = Bench(type("Counted", (Counting, parent.applied(CollectorM)), {}), wbufsize=parent.wbufsize)
    world.phase(GCmark)
    m, other = (world.start(each) for each in world.mutators)
    assert isinstance(m, Counting)

    for _ in range(3):
        m.shade(world.leaf())
    assert (m.barriers, m.barrier_attempts, m.barrier_failures, m.pops, m.flaps) == (3, 5, 0, 2, 2)
    b = m.poppartial(504)
    m.putfull(b, 358)
    m.putempty(m.getempty(359), 496)
    assert m.popfull(504) == b
    assert (m.barrier_attempts, m.cas_attempts, m.pops, m.flaps) == (5, 9, 4, 3)
    del other


@pytest.mark.parametrize("design", DESIGNS.values(), ids=DESIGNS)
def test_a_stepped_run_is_the_same_again(design: Design) -> None:
    """And something happened in it, of all that is counted."""
    first, again = (stepped.run(design, SETUP) for _ in range(2))
    other = stepped.run(design, replace(SETUP, seed=2))

    assert first == again != other
    assert set(first.missing) <= {"no helper marked"}
    assert len(first.delays) > SETUP.graph.objects
    assert first.waited > 0


def test_a_run_on_real_threads(seed: int) -> None:
    """The same counts but the delays; a helper may have come too late to a heap of this size."""
    figures = threads.run(DESIGNS["parent"], replace(SETUP, seed=seed, cycles=2))

    assert set(figures.missing) <= {"no helper marked"}
    assert figures.barrier_operations > figures.barriers
    assert figures.delays == ()


class Loses(CollectorM):
    """A design that harvests nothing."""

    def harvestwbufs(self) -> int:
        """What is in the caches stays there."""
        return 0


@pytest.mark.parametrize("machine", [STEPPED, THREADS])
def test_a_design_that_loses_work_fails(machine: str) -> None:
    """The audits judge these runs, too; the others go on."""
    broken = Design("broken", "never", ("-",), "Loses.", Loses)
    made = Comparison(machine, "designs", [broken, SEED], [Point("", SETUP)], 1)

    assert len(list(made.perform())) == 2
    (told,) = made.failed
    assert told.startswith(f"{machine} broken, seed 1: ")
    assert "still holds" in told
    assert made.spread(MEASURES[0], Place("", "broken")) is None
    assert made.spread(MEASURES[0], Place("", "seed"))


def comparison(*values: tuple[int, int]) -> Comparison:
    """Of the seed and the parent, with so many operations in barriers of each, a pair a seed."""
    made = Comparison(STEPPED, "sizes", list(DESIGNS.values()), points("sizes", SETUP, {})[:1], len(values))
    for name, at in (("seed", 0), ("parent", 1)):
        made.runs[Place("128", name)] = {
            seed: replace(FIGURES, barrier_operations=pair[at]) for seed, pair in enumerate(values, 1)
        }
    return made


def test_ratios_are_those_of_pairs() -> None:
    """The median and the range of the runs' ratios, and none where the base counted nothing."""
    made = comparison((100, 200), (50, 200), (0, 100))

    assert made.spread(MEASURES[0], Place("128", "parent")) == Spread(2, 1, 2)
    assert made.ratio(MEASURES[0], Place("128", "parent")) == Spread(3, 2, 4)
    assert comparison((0, 1)).ratio(MEASURES[0], Place("128", "parent")) is None


def test_a_pair_is_of_one_seed() -> None:
    """Where a design's run failed, those of the seeds behind it are not put over another seed's."""
    made = comparison((100, 200), (50, 200), (10, 50))
    del made.runs[Place("128", "parent")][1], made.runs[Place("128", "seed")][2]

    assert made.ratio(MEASURES[0], Place("128", "parent")) == Spread(5, 5, 5)
    (parent,) = (run for run in record(made)["runs"] if run["design"] == "parent")
    assert [figures["seed"] for figures in parent["figures"]] == [2, 3]


def test_the_table_has_the_base_first() -> None:
    """Then the other, with its ratio; and in Markdown the same."""
    made = comparison((100, 200), (50, 200))

    assert head(made)[:5] == ("measure", "for", "bytes in a buffer", "seed", "parent")
    first = next(rows(made))
    assert first[:5] == ("list operations", "a barrier", "128", "0.75 (0.5-1)", "2, x 3 (2-4)")
    assert f"| {' | '.join(first)} |" in text([made])
    assert [brief(x) for x in (0, 1234.5, 12.345, 0.00012, 6.56e-05)] == ["0", "1234", "12.3", "0.00012", "0.00007"]
    assert re.findall(r"[ -]", whole("0.75 (0.5-1), x 3 (2-4)")) == [" "]


def test_the_page_has_a_chart_for_each_measure() -> None:
    """Self-contained."""
    made = comparison((100, 200))
    page = comparepage([made], "Python", "the command", "2 runs")

    assert page.count("<svg") == len(MEASURES)
    assert "the command" in page
    assert 'class="verdict good"' in page
    assert "{{" not in page
    assert "http" not in page.replace("http://www.w3.org", "")


def test_the_page_says_what_is_not_in_its_charts() -> None:
    """A design without a value has no mark; what was not measured and what failed is told, and the verdict is not good."""
    made = comparison((100, 200))
    made.measures = MEASURES[:1]
    made.points = points("sizes", SETUP, {})[:1]
    place = Place("128", "parent")
    assert comparepage([made], "", "", "").count("<circle") == 2
    made.runs[place][1] = replace(FIGURES, barriers=0)

    page = comparepage([made], "", "", "")

    assert page.count("<circle") == 1
    assert "not measured: stepped 128 parent: no barrier ran" in page
    assert 'class="verdict "' in page
    made.failed.append("stepped 128 go1.5, seed 1: <lost>")
    page = comparepage([made], "", "", "")
    assert "failed: stepped 128 go1.5, seed 1: &lt;lost&gt;" in page
    assert 'class="verdict bad"' in page


def test_the_axes() -> None:
    """One thing varies at a time."""
    sizes = [point.setup.wbufsize for point in points("sizes", SETUP, {})]
    ms = [(point.setup.mutators, point.setup.helpers) for point in points("ms", SETUP, {})]
    graphs = [point.setup.graph for point in points("heaps", SETUP, {"a": SETUP.graph})]

    assert sizes == [128, 256, 512, 1024, 2048, 4096]
    assert ms == [(1, 1), (2, 2), (4, 4), (8, 8), (16, 16), (32, 31), (64, 31)]
    assert graphs == [SETUP.graph]
    assert points("designs", SETUP, {}) == [Point("", SETUP)]


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A table, and all figures as JSON, Markdown and a page with the command that measures them again."""
    small = [
        "--mutators",
        "2",
        "--helpers",
        "1",
        "--cycles",
        "1",
        "--seeds",
        "1",
        "--on",
        "stepped",
        "--heap",
        "synthetic:random,n=90",
    ]
    files = {kind: tmp_path / f"out.{kind}" for kind in ("json", "html", "markdown")}
    written = [word for kind, path in files.items() for word in (f"--{kind}", str(path))]

    assert main(["compare", "parent", "seed", *small, *written]) == 0

    out = capsys.readouterr().out
    assert "stepped: parent, seed, 1 seed;" in out
    assert "behind x the ratio to seed's, seed by seed" in out
    assert "2 runs in" in out
    (made,) = json.loads(files["json"].read_text())["comparisons"]
    assert made["base"] == "seed"
    assert {run["design"] for run in made["runs"]} == {"parent", "seed"}
    assert all(run["figures"][0]["barriers"] > 0 for run in made["runs"])
    assert "compare parent seed --axis=designs --on=stepped" in files["html"].read_text()
    assert files["markdown"].read_text().startswith("Stepped:\n\n| measure | for | seed | parent |")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["grandparent"], "no 'grandparent' (did you mean parent?)"),
        (["--axis", "sizes", "--workbuf", "256"], "--workbuf: --axis sizes varies it"),
        (["--workbuf", "100"], "size of Workbuf is suboptimal"),
        (["--heap", "cpython", "--heap", "cpython"], "--heap: 2 heaps need --axis heaps"),
        (["--heap", "synthetic:list,n=30000", "--on", "stepped"], "say --on threads"),
        (["--programs", "channel"], "channel blocks"),
        (["--programs", "nothing"], "no 'nothing'"),
        (
            ["--programs", "pushpop,,rewire"],
            "'pushpop,,rewire': between two commas, or beside one, a program is missing",
        ),
        (["--programs", "rewire,pushpop", "--mutators", "1"], "--programs: 2 for 1 mutator, each of which runs one"),
        (["--axis", "ms", "--points", "1,,8"], "'1,,8': between two commas, or beside one, a point is missing"),
        (["--axis", "ms", "--mutators", "3"], "--mutators: --axis ms varies it"),
        (["--axis", "ms", "--helpers", "0"], "--helpers: --axis ms varies it"),
        (["--points", "8"], "--points: --axis designs has none"),
        (["--axis", "ms", "--points", "1,3"], "--points 3: there are 1, 2, 4, 8, 16, 32, 64"),
        (["--heap", "no such file"], "no such file"),
    ],
)
def test_bad_usage_is_a_line(words: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Status 2."""
    try:
        status = main(["compare", *words])
    except SystemExit as left:
        status = int(str(left.code))
    assert status == 2
    err = capsys.readouterr().err
    assert says in err
    assert err.count("\n") == 1


def test_what_was_not_measured_is_said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Where no barrier ran there is nothing to say of barriers: status 3."""
    monkeypatch.setattr(stepped, "run", lambda *_: replace(FIGURES, barriers=0))

    assert main(["compare", "seed", "--seeds", "1", "--on", "stepped"]) == 3
    assert "not measured: stepped seed: no barrier ran" in capsys.readouterr().out


def test_an_interrupt_ends_the_runs_of_both_machines(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of 20 one is made; what there is is told, and its page says so."""

    def run(*_: object) -> Figures:
        signal.raise_signal(signal.SIGINT)
        return FIGURES

    for machine in (stepped, threads):
        monkeypatch.setattr(machine, "run", run)
    page = tmp_path / "page.html"

    assert main(["compare", "--seeds", "2", "--html", str(page)]) == INTERRUPTED

    assert "interrupted after 1 of 20 runs" in capsys.readouterr().out
    assert re.search(r'class="verdict bad">1 run in \d+ s, 0 failed, interrupted<', page.read_text())


@pytest.mark.parametrize("machine", [stepped, threads])
def test_an_interrupt_ends_a_run(machine: ModuleType) -> None:
    """Long before it would end by itself: a run of a large heap takes minutes on the stepped machine."""
    calls = iter(range(4))

    def ticked() -> None:
        if next(calls) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        machine.run(DESIGNS["go1.5"], replace(SETUP, cycles=1000), ticked)


def test_heaps_of_one_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Both are measured, under their whole names; and none is overwritten."""
    monkeypatch.setattr(stepped, "run", lambda *_: FIGURES)
    monkeypatch.setattr(heaps, "read", lambda *_: SETUP.graph)
    dumps = [tmp_path / folder / "app.dump" for folder in "ab"]
    for dump in dumps:
        dump.parent.mkdir()
        dump.write_text("a heap")
    words = ["compare", "seed", "--seeds", "1", "--on", "stepped", "--axis", "heaps"]
    words += [f"--heap={dump}" for dump in dumps]

    assert main(words) == 0
    assert "2 runs in" in capsys.readouterr().out
    assert main([*words, f"--json={dumps[1]}"]) == 2
    assert "that is the heap, which is read" in capsys.readouterr().err
    assert dumps[1].read_text() == "a heap"


def test_the_command_on_the_page_has_the_limits(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """So that the same heap is read again; and Python's own heap is read once, with the least of them."""
    bounds = []

    def read(source: str, _progress: object, limits: Limits) -> Graph:
        assert source == "cpython"
        bounds.append(limits.objects)
        return SETUP.graph

    monkeypatch.setattr(stepped, "run", lambda *_: FIGURES)
    monkeypatch.setattr(heaps, "read", read)
    page = tmp_path / "page.html"
    for objects in (50, 1 << 20):
        words = ["--heap", "cpython", "--max-objects", str(objects), "--html", str(page)]
        assert main(["compare", "seed", "--seeds", "1", "--on", "stepped", *words]) == 0
        assert f" --max-objects={objects} " in page.read_text()

    assert bounds == [50, MOST_STEPPED]
