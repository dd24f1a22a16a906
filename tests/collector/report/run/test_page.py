"""The page of a run, and its charts."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from collector import heaps
from collector.report.run.charts import BOTTOM, HEIGHT, TOP, Series, bars, lines, ticks
from collector.report.run.page import figures, runpage
from collector.report.run.summary import Summary
from collector.run import main
from collector.runtime import Config
from collector.stress.run import Plan, Stress


if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def run() -> Stress:
    """A short real run."""
    plan = Plan(
        config=Config(mutators=2, helpers=1, wbufsize=112),
        programs=("rewire", "channel"),
        cycles=3,
        period=0.02,
        seed=5,
    )
    made = Stress(plan, heaps.read("synthetic:random,n=3000,m=6000,seed=1"))
    made.run()
    return made


def embedded(made: str) -> dict[str, Any]:
    """The data that stands in a page."""
    found = re.search(r'id="data">(.*?)</script>', made, re.DOTALL)
    assert found
    data: dict[str, Any] = json.loads(found[1])
    return data


def numbers(attribute: str, element: str, made: str) -> list[float]:
    """An attribute of every such element."""
    return [float(value) for value in re.findall(rf'<{element} [^>]*\b{attribute}="([\d.]+)"', made)]


def test_the_figures_are_those_of_the_cycles(run: Stress) -> None:
    """What is drawn adds up to what the run counted."""
    made = figures(run.reports)
    total, last = run.tally(), run.reports[-1].tally

    assert [record["cycle"] for record in made] == [report.stats.number for report in run.reports]
    assert sum(record["cas_attempts"] for record in made) == last.cas_attempts <= total.cas_attempts
    assert sum(record["migrations"] for record in made) == last.migrations <= total.migrations
    for record, report in zip(made, run.reports, strict=True):
        stamps = report.stats.stamps
        parts = record["pause_before_ms"] + record["mark_ms"] + record["pause_markterm_ms"]
        assert parts == pytest.approx((stamps["t4"] - stamps["sweepterm"]) / 1e6)
        assert record["concurrent"] or record["stopped_percent"] == 100
        assert 0 <= record["stopped_percent"] <= 100


def test_the_page_tells_how_it_ended(run: Stress) -> None:
    """All held; or what failed, escaped, and not one word of success."""
    summary = Summary.of(run, "3.x", 1.0, None)
    good = runpage(run.reports, summary, "none", "the command")
    bad = runpage(run.reports, summary, "none", "the command", "lost: <b>", "more\nthe rest & more")

    assert 'class="verdict good">ok: ' in good
    assert "What failed" not in good
    assert 'class="verdict bad">lost: &lt;b&gt;</span>' in bad
    assert "the rest &amp; more" in bad
    assert "ok: " not in bad
    assert 'class="verdict bad">interrupted' in runpage(run.reports, replace(summary, interrupted=True), "", "")
    for made in (good, bad):
        assert "{{" not in made
        assert not re.search(r"https?:|src=|<link|@import|url\(", made)


def test_a_run_without_a_cycle_has_a_page(run: Stress) -> None:
    """It failed before the first one ended, say: no charts, and what failed."""
    made = runpage([], Summary.of(run, "3.x", 1.0, None), "none", "the command", "thrown", "thrown")

    assert "<svg" not in made
    assert "thrown" in made


def test_stress_writes_the_page_and_both_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--html` and `--gctrace`: the lines alternate, and the page holds the same cycles."""
    file = tmp_path / "run.html"
    words = ["--heap", "synthetic:random,n=1000,m=2000,seed=1", "--cycles", "2", "--mutators", "2"]

    assert main(["stress", *words, "--gctrace", "--html", str(file)]) == 0
    said = [line for line in capsys.readouterr().out.splitlines() if re.match(r"gc ?\d", line)]
    assert [" ms clock, " in line for line in said] == [False, True] * (len(said) // 2)
    assert [re.match(r"gc(\d+)", line)[1] for line in said[::2]] == [  # type: ignore[index]
        str(record["cycle"]) for record in embedded(file.read_text())["cycles"]
    ]


class TestCharts:
    """What is drawn is what was given."""

    @pytest.mark.parametrize("top", [0.003, 0.4, 1, 3, 7, 9.9, 40, 99.5, 100, 1234, 5e6])
    def test_a_scale_is_round_and_just_enough(self, top: float) -> None:
        """Equal steps of 1, 2, 2.5 or 5 times a power of ten, the last at the top or above by less than a half."""
        scale = ticks(top)

        assert scale[0] == 0
        assert top <= scale[-1] * (1 + 1e-9) <= 2.5 * top
        assert len({round((b - a) / scale[1], 6) for a, b in pairwise(scale)}) == 1
        assert float(f"{scale[1]:e}".partition("e")[0]) in (1, 2, 2.5, 5)

    def test_bars_are_as_high_as_their_values(self) -> None:
        """Stacked, so the second begins where the first ends."""
        made = bars("t", "ms", ["1", "2"], [Series("a", [10, 0]), Series("b", [30, 40])])
        whole = HEIGHT - BOTTOM - TOP

        assert numbers("height", "rect", made) == pytest.approx([whole / 4, whole * 3 / 4, 0, whole], abs=0.06)
        assert "<title>cycle 1, b: 30 ms</title>" in made

    def test_a_line_passes_through_its_values(self) -> None:
        """A dot each, 0 at the foot and the largest at the top."""
        made = lines("t", "%", ["1", "2", "3"], [Series("a", [0, 100, 50])])

        assert numbers("cy", "circle", made) == pytest.approx(
            [HEIGHT - BOTTOM, TOP, (HEIGHT - BOTTOM + TOP) / 2], abs=0.06
        )

    def test_what_was_not_measured_has_no_mark(self) -> None:
        """Neither a bar nor a dot: 0 would be a claim."""
        some = [Series("a", [10, None, 20])]

        assert bars("t", "ms", ["1", "2", "3"], some).count("<rect") == 2
        made = lines("t", "ms", ["1", "2", "3"], some)
        assert numbers("cy", "circle", made) == pytest.approx([(HEIGHT - BOTTOM + TOP) / 2, TOP], abs=0.06)
        assert len(re.findall(r"[\d.]+,[\d.]+", made)) == 2, "the line's points"

    def test_many_cycles_have_few_labels(self) -> None:
        """And no bar is wider than its place."""
        made = bars("t", "ms", [str(i) for i in range(200)], [Series("a", [1.0] * 200)])

        assert len(re.findall(r'text-anchor="middle"', made)) <= 8
        assert max(numbers("width", "rect", made)) < 366 / 200
