"""Tables and progress on a terminal: nothing is broken inside a word, and what is left is told."""

from __future__ import annotations

import io
import sys
from random import Random

import pytest

from collector.report.progress import Progress
from collector.report.tables import flowed, table


class Terminal(io.StringIO):
    """A stdout that says it is a terminal."""

    def isatty(self) -> bool:
        """It is."""
        return True


@pytest.mark.parametrize("columns", [80, 50])
@pytest.mark.parametrize("seed", range(10))
def test_no_word_of_a_table_is_broken_where_all_fit(seed: int, columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every word is in one line, and no line is wider than the terminal."""
    monkeypatch.setenv("COLUMNS", str(columns))
    rng = Random(seed)
    words = [[["w" * rng.randrange(1, 11) for _ in range(rng.randrange(9))] for _ in range(4)] for _ in range(6)]

    lines = table([[" ".join(cell) for cell in row] for row in words]).splitlines()

    assert max(map(len, lines)) <= columns
    assert sorted(" ".join(lines).split()) == sorted(word for row in words for cell in row for word in cell)


def test_a_word_too_long_for_a_line_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """The line is not; and a hyphen is no place to break at where the word fits."""
    monkeypatch.setenv("COLUMNS", "40")

    lines = table([("a", "x" * 100), ("b", "one-two three-four five-six seven-eight")]).splitlines()

    assert max(map(len, lines)) <= 40
    assert "".join("".join(lines[:3]).split()).count("x") == 100
    assert {"one-two", "three-four", "five-six", "seven-eight"} <= set(" ".join(lines).split())


def test_text_flows_on_a_terminal_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line for a program stays one line."""
    monkeypatch.setenv("COLUMNS", "40")
    text = "ok: every interleaving was run, and passed, as was to be shown\nsecond line"
    assert flowed(text) == text

    monkeypatch.setattr(sys, "stdout", Terminal())
    assert flowed(text).splitlines() == [
        "ok: every interleaving was run, and",
        "passed, as was to be shown",
        "second line",
    ]


def test_progress_tells_elapsed_and_remaining(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of schedules and seconds, what ends first says how much is done."""
    out = Terminal()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setenv("COLUMNS", "120")
    with Progress("exploring", total=1000, seconds=10.0) as progress:
        assert progress.bar
        progress.rate(100, 5.0, "pct")
        assert progress.bar.tasks[0].completed == 500
        progress.rate(900, 6.0, "pct", "about half")
        assert progress.bar.tasks[0].completed == 900

    assert "pct: 150/s, about half" in out.getvalue()
    assert "elapsed," in out.getvalue()
    assert "left" in out.getvalue()
