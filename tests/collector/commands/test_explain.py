"""explain, and replay's page, on the command line."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from collector.catalogue.entries import entries
from collector.commands.status import OK, USAGE, VIOLATION
from collector.explore.token import Token
from collector.run import main


if TYPE_CHECKING:
    from pathlib import Path


def test_a_scenarios_name_explains_its_failure(capsys: pytest.CaptureFixture[str]) -> None:
    """Every step is a numbered sentence, every switch says who is left where, and the end what failed."""
    status = main(["explain", "aba"])
    said = capsys.readouterr().out
    words = " ".join(said.split())

    assert status == VIOLATION
    assert re.findall(r"^ *(\d+)\. (\w+) (\w+)", said, re.MULTILINE)[:3] == [
        ("0", "popper", "reads"),
        ("1", "popper", "reads"),
        ("2", "pusher", "reads"),
    ]
    assert "   0. popper reads work.full: node2, count 0.\n" in said
    assert "popper is left before its next step, the cas of work.full; pusher goes on. 2." in words
    assert "Now full is node1 -> node0.\n" in said
    assert "That is the failure, check: a node is lost or in two places\n" in said


def test_waiting_is_told_from_being_left(capsys: pytest.CaptureFixture[str]) -> None:
    """A thread that pauses lets others go first; one that was preempted is left standing."""
    main(["explain", "latedecrement"])
    said = " ".join(capsys.readouterr().out.split())  # lines are as wide as the terminal

    assert re.search(r"(m0 lets others go first; m1|m1 lets others go first; m0) goes on", said)
    assert "is left before its next step, the " in said


def test_a_token_explains_its_own_schedule(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """The token that the explanation names leads to the same explanation, from a file as well."""
    main(["explain", "aba"])
    first = capsys.readouterr().out
    file = tmp_path / "token"
    file.write_text(first.split()[-3])
    records = tmp_path / "records.json"

    assert main(["explain", str(file), "--json", str(records)]) == VIOLATION
    assert capsys.readouterr().out == first
    assert json.loads(records.read_text())["fault"]["message"] == "a node is lost or in two places"


def test_nothing_to_explain_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    """A variant that does not fail ends with status 0."""
    assert main(["explain", "noreset", "--variant", "fixed"]) == OK
    assert capsys.readouterr().out.endswith("ok: there is no failure to explain\n")


def test_a_schedule_that_passes_is_explained_too(capsys: pytest.CaptureFixture[str]) -> None:
    """The default schedule of a scenario that needs a switch to fail: nothing failed."""
    token = Token(about={"scenario": "aba", "variant": "failing"}).encode()

    assert main(["explain", token]) == OK
    assert "Nothing failed." in capsys.readouterr().out


@pytest.mark.parametrize("command", ["explain", "replay"])
def test_a_long_token_that_is_none_is_a_line(capsys: pytest.CaptureFixture[str], command: str) -> None:
    """Longer than any file's name may be, it is still looked at as a token."""
    assert main([command, "s1." + "A" * 400]) == USAGE
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "checksum" in said


def test_replay_writes_the_page(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """`--html` writes one whole page with the schedule in it."""
    main(["explain", "aba"])
    token = capsys.readouterr().out.split()[-3]
    file = tmp_path / "aba.html"

    assert main(["replay", token, "--html", str(file)]) == VIOLATION
    made = file.read_text()
    assert made.startswith("<!DOCTYPE html>")
    assert "{{" not in made
    assert '"cas work.full node2#0 := node1#0"' in made


def test_a_page_that_cannot_be_written_is_a_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Said before anything is replayed."""
    assert main(["replay", "s1.x", "--html", str(tmp_path / "no" / "page.html")]) == USAGE
    assert capsys.readouterr().err.startswith("collector.run replay: --html ")


class TestEntry:
    """explain of an id of the catalogue."""

    def test_a_bug(self, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
        """What happens, Go's issue and commit, what is done about it, the scenario; for programs too."""
        file = tmp_path / "entry.json"

        assert main(["explain", "K-1", "--json", str(file)]) == OK
        said = " ".join(capsys.readouterr().out.split())
        entry = json.loads(file.read_text())

        assert said.startswith("K-1: A write barrier by a thread without a P")
        assert "#10098" in said
        assert "41dbcc19ef (CL 7504)" in said
        assert "a barrier without a P throws" in said
        assert "python -m collector.run explain pless" in said
        assert "pless" in entry["scenarios"]
        assert {"id": "41dbcc19ef", "cl": 7504} in entry["commits"]
        assert entry["correction"]["where"] == ["mutator/writebarrier.py"]

    def test_a_bug_that_is_a_planted_fault(self, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
        """The command that runs with it, or why no stress run sees it; its name for programs."""
        file = tmp_path / "entry.json"

        assert main(["explain", "K-16", "--json", str(file)]) == OK
        assert "python -m collector.run stress --plant send-unshaded\n" in capsys.readouterr().out
        assert json.loads(file.read_text())["faults"] == ["send-unshaded"]
        assert main(["explain", "O-15"]) == OK
        assert "harvest-by-store: a stress run does not see it: " in capsys.readouterr().out

    def test_an_invariant_names_who_guards_it(self, capsys: pytest.CaptureFixture[str]) -> None:
        """In either case, with or without a hyphen."""
        assert main(["explain", "i7"]) == OK
        assert "collector/audit/buffers.py" in capsys.readouterr().out

    def test_every_entry_can_be_told(self, capsys: pytest.CaptureFixture[str]) -> None:
        """Each begins with its id and title."""
        for name, entry in entries().items():
            assert main(["explain", name]) == OK
            assert capsys.readouterr().out.startswith(f"{name}: {entry.title}\n")

    @pytest.mark.parametrize(("letter", "extent"), [("K-", "K-1 to K-33"), ("I", "I1 to I15"), ("S", "S1 to S29")])
    def test_an_id_that_is_none_is_a_line(self, capsys: pytest.CaptureFixture[str], letter: str, extent: str) -> None:
        """It says which ids there are."""
        assert main(["explain", f"{letter}{99}"]) == USAGE
        said = capsys.readouterr()
        assert said.out == ""
        assert said.err.startswith(f"collector.run explain: no entry {letter}{99}; there are {extent}; near it: ")
        assert said.err.count("\n") == 1
