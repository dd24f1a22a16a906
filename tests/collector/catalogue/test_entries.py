"""The catalogue's entries: whole, true of the files they name, and of the scenarios there are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from collector.catalogue.entries import Bug, Experiment, Statement, corrections, entries, extent, identifier, nearest
from collector.faults import FAULTS
from collector.report.entries import KINDS, corrections_table
from collector.scenarios.registry import SCENARIOS, showing
from scripts.corrections_table import BEGIN, END, PAGE, written


ROOT = Path(__file__).parents[3]
NO_BUG = f"K-{99}"
"""Written so that the search for citations does not find it."""


def cited(name: str, file: str) -> bool:
    """Does that file cite that id, or a range of invariants that it is in?"""
    text = (ROOT / file).read_text("utf-8")
    spans = re.findall(r"\bI(\d+)(?:-| to )I(\d+)\b", text)
    within = name[0] == "I" and any(int(low) <= int(name[1:]) <= int(high) for low, high in spans)
    return within or re.search(rf"\b{name}\b", text) is not None


@pytest.mark.parametrize("name", [name for name, entry in entries().items() if isinstance(entry, Statement)])
def test_what_guards_and_tests_a_statement_cites_it(name: str) -> None:
    """So the files named are there, and whoever reads one is led to the entry."""
    entry = entries()[name]
    assert isinstance(entry, Statement)

    assert entry.tests
    assert [file for file in (*entry.guards, *entry.tests) if not cited(name, file)] == []


@pytest.mark.parametrize("name", [name for name, entry in entries().items() if isinstance(entry, Bug)])
def test_a_bug_says_what_is_done_about_it_and_what_shows_it(name: str) -> None:
    """What the project does, or what the default corrects; a scenario, or why there is none, and not both."""
    entry = entries()[name]
    assert isinstance(entry, Bug)

    assert entry.kind in KINDS
    assert entry.here or entry.correction
    assert bool(showing(name)) != bool(entry.unshown)


def test_what_is_corrected_is_in_the_seed() -> None:
    """Each id is an entry's, and in one correction only."""
    ids = [name for correction in corrections() for name in correction.ids]

    assert len(set(ids)) == len(ids)
    for name in ids:
        entry = entries()[name]
        assert isinstance(entry, Bug)
        assert entry.seed


@pytest.mark.parametrize("name", SCENARIOS)
def test_what_a_scenario_is_about_is_known(name: str) -> None:
    """Entries of the catalogue, issues of one of them, or a proposal of Go's."""
    bugs = SCENARIOS[name].bugs
    issues = {f"#{issue}" for bug in bugs if isinstance(entry := entries().get(bug), Bug) for issue in entry.issues}

    assert [bug for bug in bugs if bug not in entries() and bug not in issues and bug != "17503"] == []


@pytest.mark.parametrize("name", FAULTS)
def test_what_a_planted_fault_is_like_is_known(name: str) -> None:
    """Entries of the catalogue."""
    assert [bug for bug in FAULTS[name].bugs if not isinstance(entries().get(bug), Bug)] == []


def test_experiments_name_bugs_that_exist() -> None:
    """By their ids."""
    for entry in entries().values():
        if isinstance(entry, Experiment):
            assert all(isinstance(entries()[bug], Bug) for bug in entry.bugs), entry.id


@pytest.mark.parametrize(
    ("text", "name"),
    [("K-3", "K-3"), ("k3", "K-3"), ("i-7", "I7"), ("W11", "W11"), ("k-19B", "K-19b"), (NO_BUG, NO_BUG)]
    + [(text, "") for text in ("aba", "K", "K-", "x1", "17503", "K-1 ")],
)
def test_ids_are_read_as_people_write_them(text: str, name: str) -> None:
    """With and without hyphen, in either case; whether there is such an entry is another question."""
    assert identifier(text) == name


def test_the_nearest_ids_are_of_the_same_letter() -> None:
    """For an id that is no entry."""
    assert nearest(NO_BUG) == ["K-33", "K-32", "K-31"]
    assert extent("W5") == "W1 to W18"


def test_the_guides_table_is_the_catalogues() -> None:
    """`python -m scripts.corrections_table` would change nothing."""
    text = PAGE.read_text("utf-8")

    assert corrections_table() in text
    assert written(text) == text


def test_a_changed_table_is_written_anew() -> None:
    """The script replaces what stands between its two marks, and nothing else."""
    assert written(f"a\n{BEGIN}\nold\n{END}\nb\n") == f"a\n{BEGIN}\n\n{corrections_table()}\n\n{END}\nb\n"
    with pytest.raises(SystemExit, match="the marks of the table are missing"):
        written("no marks")
