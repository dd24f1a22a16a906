"""scripts/bench: lines that say what they are, and measurements that fail where there was nothing to measure."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from collector import heaps
from scripts.bench import marking, pairs
from scripts.bench.__main__ import PARTS
from scripts.bench.rows import BenchError, Row, inturn


ROOT = Path(__file__).parents[1]
SMALL = "synthetic:random,n=500,m=1300,seed=1"


def test_a_line_says_whether_its_aim_is_met() -> None:
    """At the median."""
    assert Row("a", "b", [1.0, 1.2, 9.0], 1.0, "ns", most=1.5).aim == "<= 1.5"
    assert Row("a", "b", [1.0, 1.6, 1.7], 1.0, "ns", most=1.5).aim == "<= 1.5 missed"
    assert Row("a", "b", [0.7, 0.9], 1.0, "ns", least=0.8).aim == ">= 0.8"
    assert Row("a", "b", [0.7, 0.8], 1.0, "ns", least=0.8).aim == ">= 0.8 missed"


def test_sides_are_measured_in_turn() -> None:
    """Each is first in some round."""
    order: list[str] = []

    def side(name: str) -> float:
        order.append(name)
        return 1.0

    inturn(2, {"a": lambda: side("a"), "b": lambda: side("b")})

    assert order == ["a", "b", "b", "a"]


def test_a_plain_marker_that_marks_something_else_ends_the_bench(monkeypatch: pytest.MonkeyPatch) -> None:
    """The floor is no floor if it does less."""
    graph = heaps.read(SMALL)
    assert marking.mark(graph).plain > 0
    monkeypatch.setattr(marking, "plain", lambda *_: None)

    with pytest.raises(BenchError, match="the plain marker has not marked"):
        marking.mark(graph)


def test_two_markers_of_which_one_has_marked_next_to_nothing_end_the_bench(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are not two."""
    cost = marking.Cost(1.0, 1.0, [1.0, 1.0], 1.0, [500, 3], dict.fromkeys(("nprocyield", "nosyield", "nsleep"), 0))
    monkeypatch.setattr(marking, "mark", lambda *_, **__: cost)

    with pytest.raises(BenchError, match="one has scanned 3 of 503"):
        marking.two(heaps.read(SMALL), "random", 1)


def test_every_part_is_there() -> None:
    """With its lines."""
    assert all(callable(import_module(f"scripts.bench.{part}").rows) for part in PARTS)


def test_a_part_prints_its_lines_and_writes_them(tmp_path: Path) -> None:
    """The interpreter, the number of processors and the clock are in each."""
    path = tmp_path / "bench.json"
    command = [sys.executable, "-m", "scripts.bench", "recorder", "--rounds", "1", "--json", str(path)]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)

    rows = json.loads(path.read_text(encoding="utf-8"))["rows"]
    assert [row["work"] for row in rows] == ["a mark, recorder on", "an event, recorder on"]
    assert all(row["nproc"] and row["python"] and row["clock"] == "processor" for row in rows)
    assert all(row["work"] in done.stdout for row in rows)


@pytest.mark.parametrize("arguments", [["nosuch"], ["lists", "nosuch"], [".", "--only", "nosuch"], ["--rounds", "0"]])
def test_what_there_is_not_is_refused_in_one_line(arguments: list[str]) -> None:
    """Before anything is measured."""
    command = [sys.executable, "-m", "scripts.bench", *arguments]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("python -m scripts.bench: error: ")


def test_two_checkouts_are_run_by_turns() -> None:
    """Against itself a checkout is as fast, about."""
    figures = pairs.compare(ROOT, 1, "three-node stack proved")

    assert [row["workload"] for row in figures["rows"]] == ["three-node stack proved"]
