"""explain, and replay's page, on the command line."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from collector.explore.token import Token
from collector.run import OK, USAGE, VIOLATION, main


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

    assert "m1 lets others go first; m0 goes on." in said
    assert "is left before its next step, the " in said
    assert re.search(r"cannot replace .* is there, because m\d changed it at step \d+", said)


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
