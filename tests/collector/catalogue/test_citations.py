"""What is cited is in the catalogue: every id, every one of Go's commits, in code, data, tests, scripts and README."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from collector.catalogue.entries import ID, Bug, corrections, entries


if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[3]
FOLDERS = ("workbuf", "mutator", "collector", "tests", "scripts", ".ci")
SUFFIXES = {".py", ".toml", ".md", ".js", ".css", ".html", ".yml", ""}

CITATION = re.compile(
    r"""
    \b (?P<id> [KO]-\d+[a-z]? | [IWS][1-9]\d? ) \b          # S101 and its like, of three digits, are a linter's
    | \b (?P<commit> (?=\d*[a-f])(?=[a-f]*\d) [0-9a-f]{10} ) \b
    | (?P<document> go[-]spec | (?<!\d{4},\ ) \b[Ss]ections?\ \d | \N{SECTION SIGN} )
    """,
    re.VERBOSE,
)
SEED = "a15818fed303"


def files() -> Iterator[Path]:
    """Everything that people read, but for the licence and this project's samples."""
    yield from (
        file for file in ROOT.iterdir() if file.is_file() and file.suffix in SUFFIXES and file.name != "LICENSE"
    )
    for folder in FOLDERS:
        for file in (ROOT / folder).rglob("*"):
            if file.is_file() and file.suffix in SUFFIXES and "__pycache__" not in file.parts:
                yield file


def unresolved(text: str) -> list[str]:
    """The citations in `text` that lead nowhere."""
    known = entries()
    commits = {commit.id for entry in known.values() if isinstance(entry, Bug) for commit in entry.commits}
    found = []
    for match in CITATION.finditer(text):
        ok = match["id"] in known if match["id"] else match["commit"] in commits if match["commit"] else False
        if not ok:
            found.append(match[0])
    return found


def test_every_citation_resolves() -> None:
    """Or the test says where it stands."""
    wrong = [
        f"{file.relative_to(ROOT)}:{number}: {what}"
        for file in files()
        for number, line in enumerate(file.read_text("utf-8").splitlines(), 1)
        for what in unresolved(line)
    ]

    assert wrong == []


def test_many_are_seen() -> None:
    """The search does find the citations that there are."""
    seen = [m["id"] for file in files() for m in CITATION.finditer(file.read_text("utf-8")) if m["id"]]

    assert len(seen) > 300
    assert len(set(seen)) > 80


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        (f"as in K-{99}", [f"K-{99}"]),
        (f"K-1, O-{28}; I{16} and W{19}, S{30}.", [f"O-{28}", f"I{16}", f"W{19}", f"S{30}"]),
        (f"K-{19}d, K-19b", [f"K-{19}d"]),
        ("see go" + "-spec.md I3", ["go" + "-spec"]),
        ("the table of section" + " 3", ["section" + " 3"]),
        ("Go's " + "deadbeef" + "99", ["deadbeef" + "99"]),
        ("41dbcc19ef; noqa: S101; Herlihy and Wing 1990, section" + " 3.3; 1234567890", []),
    ],
)
def test_a_planted_citation_is_flagged(text: str, wrong: list[str]) -> None:
    """An id that is no entry, a document that is not here, a commit that no entry has."""
    assert unresolved(text) == wrong


def test_ids_run_without_a_gap() -> None:
    """From 1 in each letter, and a part (K-19b) follows what it is a part of."""
    for letter in "IKOSW":
        numbers = [int(match[2]) for name in entries() if name[0] == letter and (match := ID.fullmatch(name))]
        assert sorted(set(numbers)) == list(range(1, max(numbers) + 1))
        assert numbers == sorted(numbers)


def test_modules_that_correct_say_so() -> None:
    """Each module that a correction names cites one of its ids, and its commits are among those of its entries."""
    for correction in corrections():
        bugs = [entry for name in correction.ids if isinstance(entry := entries()[name], Bug)]
        assert set(correction.commits) <= {commit.id for bug in bugs for commit in bug.commits}, correction
        for module in correction.where:
            text = (ROOT / module).read_text("utf-8")
            assert any(re.search(rf"\b{name}\b", text) for name in correction.ids), (module, correction.ids)
