"""`replay TOKEN --pdb`: in front of a step, in the thread that takes it."""

from __future__ import annotations

import io
import re
import sys
from typing import TYPE_CHECKING

import pytest

from collector.explore import explore
from collector.run import main
from collector.scenarios.registry import SCENARIOS


if TYPE_CHECKING:
    Capture = pytest.CaptureFixture[str]


@pytest.fixture(name="token", scope="module")
def _token() -> str:
    """Of aba's failure, whose step 5 is the pusher's."""
    failure = explore(
        SCENARIOS["aba"].variants["failing"].program, seed=1, about={"scenario": "aba", "variant": "failing"}
    )
    assert failure.failure
    return failure.failure.schedule


def talk(monkeypatch: pytest.MonkeyPatch, capsys: Capture, lines: list[str], *words: str) -> tuple[int, str]:
    """The exit status and what is printed when these lines come from a pipe."""
    monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{line}\n" for line in lines)))
    status = main(["replay", *words])
    out, err = capsys.readouterr()
    return status, out + err


@pytest.mark.parametrize("vehicle", ["greenlets", "threads"])
def test_in_front_of_a_step(vehicle: str, token: str, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    """In the thread that takes it, with its callers' frames and values, and memory by name as it is there."""
    lines = ["where", "p head", "up", "p sorted(locals())", "memory node2", "memory no such", "threads", "continue"]
    status, said = talk(monkeypatch, capsys, lines, token, "--pdb", "5", "--vehicle", vehicle)
    answers = re.split(r"\(Pdb\) ", said)

    assert status == 1
    assert answers[0].startswith("step 5: pusher: load work.full\n> ")
    assert re.search(
        r"aba\.py\(\d+\)pusher\(\)\n.*\n> .*lfstack\.py\(\d+\)lfstackpop\(\)\n-> old = load\(head\)", answers[1]
    )
    assert answers[2].splitlines()[1].isdecimal()
    assert "pusher()" in answers[3]
    assert "'held'" in answers[4] or "'me'" in answers[4]
    assert re.search(r"node2\.next +node1#0", answers[5])  # the pusher has popped node2, and not pushed it again
    assert "no cell is called 'no such'" in answers[6]
    assert re.search(r" +popper +cas work\.full\n\* +pusher +load work\.full\n", answers[7])
    assert answers[8].rstrip().endswith("failed: check: a node is lost or in two places")


def test_step_next_and_until_go_by_the_schedule(token: str, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    """To the next step, to this thread's next, to step N; then to the end."""
    lines = ["step", "until 3", "until 2", "break 3", "next", "quit"]
    status, said = talk(monkeypatch, capsys, lines, token, "--pdb")

    assert status == 1
    assert re.findall(r"^step (\d+: \w+)", said, re.MULTILINE) == ["0: popper", "1: popper", "3: pusher", "4: pusher"]
    assert "*** until N: a step behind 3" in said
    assert "*** not in a schedule" in said


def test_next_stays_in_the_thread(token: str, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    """Whatever the others do meanwhile."""
    _, said = talk(monkeypatch, capsys, ["next", "next", "continue"], token, "--pdb")

    assert re.findall(r"^step (\d+: \w+)", said, re.MULTILINE) == ["0: popper", "1: popper", "11: popper"]


def test_what_goes_wrong_in_a_command_is_no_failure(
    token: str, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """The command is carried out in the program's thread, which has not raised it."""
    status, said = talk(monkeypatch, capsys, [f"until {'9' * 5000}", "continue"], token, "--pdb")

    assert status == 1
    assert "*** ValueError: Exceeds the limit" in said
    assert said.endswith("failed: check: a node is lost or in two places\n")


def test_a_step_that_there_is_not(token: str, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    """One line, status 2."""
    status, said = talk(monkeypatch, capsys, [], token, "--pdb", "99")

    assert status == 2
    assert "--pdb 99: the schedule has no such step; the last is 11" in said


def test_nobody_to_ask(token: str, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    """Without a stdin (`<&-`) Python has none: one line, and no failure of the program."""
    monkeypatch.setattr(sys, "stdin", None)

    assert main(["replay", token, "--pdb"]) == 2
    assert capsys.readouterr() == (
        "",
        "collector.run replay: --pdb: stdin is closed: give it a terminal, or a file of commands\n",
    )


def test_what_is_no_text(token: str, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    """A line of other bytes is no command; the next one is read."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\xff\xfe\ncontinue\n"), "utf-8"))

    assert main(["replay", token, "--pdb"]) == 1
    assert "(Pdb) continue\n" in capsys.readouterr().out
