"""explore, replay and scenarios on the command line."""

from __future__ import annotations

import json
import os
import re
import signal
from contextlib import suppress
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING

import pytest

from collector.catalogue.entries import entries
from collector.commands.status import OK, USAGE, VIOLATION
from collector.explore.token import Token
from collector.run import main
from collector.scenarios.registry import SCENARIOS
from collector.scenarios.scenario import Scenario, Variant


if TYPE_CHECKING:
    from pathlib import Path

    from collector.explore import SteppedMachine
    from collector.explore.program import Program

    Capture = pytest.CaptureFixture[str]


def found(tmp_path: Path, scenario: str) -> Path:
    """A file with the token of the scenario's failure."""
    file = tmp_path / "token"
    assert main(["explore", scenario, "--token", str(file)]) == VIOLATION
    return file


def test_what_explore_prints_replays(tmp_path: Path, capsys: Capture) -> None:
    """The command it ends with prints the same steps and the same failure, from the token as from its file."""
    file = found(tmp_path, "aba")
    said = capsys.readouterr().out
    steps = said[said.index("step  popper") : said.index("\n\n1 preemption;")]
    command = next(line for line in said.splitlines() if line.startswith("replay it with: "))

    assert main(command.split()[-2:]) == VIOLATION
    one = capsys.readouterr().out
    assert main(["replay", str(file), "--vehicle", "threads"]) == VIOLATION
    assert capsys.readouterr().out == one
    assert steps in one
    assert one.endswith("failed: check: a node is lost or in two places\n")


def test_replay_tells_who_had_which_buffer(tmp_path: Path, capsys: Capture) -> None:
    """Every change of owner, with the list and the entry number decoded; the last owners both claim it."""
    file = found(tmp_path, "latedecrement")
    capsys.readouterr()

    main(["replay", str(file)])
    said = capsys.readouterr().out
    history = said[said.index("who had which buffer") :].splitlines()
    begin = history.index("wbuf1:")

    told = [line.split(maxsplit=1)[1] for line in history[begin + 1 : begin + 3]]
    who = told[0].split()[0]
    assert who in {"m0", "m1"}  # they do the same
    assert told == [
        f"{who} now owns wbuf1, off the empty list (getempty in handoff, 915)",
        f"{who} gives wbuf1 up, for the full list (putfull in handoff, 942)",
    ]


def test_a_livelock_is_told_once_round(tmp_path: Path, capsys: Capture) -> None:
    """The trace of thousands of turns is the way in and the circle."""
    file = found(tmp_path, "noreset")
    capsys.readouterr()

    assert main(["replay", str(file)]) == VIOLATION
    said = capsys.readouterr().out

    assert len(said.splitlines()) < 50
    assert "-- and from here on, for ever" in said


def test_a_token_of_another_version_says_so(tmp_path: Path, capsys: Capture) -> None:
    """It is replayed all the same."""
    token = Token.decode(found(tmp_path, "aba").read_text())
    assert token.about == {"scenario": "aba", "variant": "failing", "version": token.about["version"]}
    capsys.readouterr()

    assert main(["replay", replace(token, about={**token.about, "version": "0.0.1"}).encode()]) == VIOLATION
    assert "warning: the token was made by version 0.0.1, this is " in capsys.readouterr().out


def test_a_mended_program_passes_and_shows_its_steps(tmp_path: Path, capsys: Capture) -> None:
    """Replayed on the fixed variant, the schedule is another one; the steps taken are printed."""
    token = Token.decode(found(tmp_path, "aba").read_text())
    capsys.readouterr()

    assert main(["replay", replace(token, about={**token.about, "variant": "fixed"}).encode()]) == OK
    said = capsys.readouterr().out
    assert "warning: diverged: " in said
    assert "cas work.full node2#1 fails" in said


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["replay", "rubbish"], "a token of this version begins with 's2.'", id="no token"),
        pytest.param(["replay", "s1.AAAA"], "the checksum does not match", id="checksum"),
        pytest.param(["replay", Token().encode()], "the token names no scenario", id="no scenario"),
        pytest.param(
            ["explain", Token(about={"test": "test_it.py::test_it[2]"}).encode()],
            "python -m pytest 'test_it.py::test_it[2]' --race-replay TOKEN, with --race-html DIR for a page",
            id="a test's",
        ),
        pytest.param(
            ["replay", Token(about={"scenario": "gone", "variant": "failing"}).encode()],
            "no scenario 'gone'; there are aba",
            id="a scenario that is gone",
        ),
        pytest.param(["explore", "abba"], "no scenario 'abba' (did you mean aba?); there are aba", id="scenario"),
        pytest.param(["explore", "aba", "--variant", "x"], "has no variant 'x'; there are failing, ", id="variant"),
    ],
)
def test_refused_in_a_line(arguments: list[str], message: str, capsys: Capture) -> None:
    """What cannot be meant ends with status 2 and says what there is."""
    assert main(arguments) == USAGE
    said = capsys.readouterr()
    assert message in said.err + said.out
    assert len((said.err + said.out).splitlines()) == 1


def test_scenarios_are_listed(tmp_path: Path, capsys: Capture) -> None:
    """All of them, each variant with what must be found, for people and for programs."""
    file = tmp_path / "list.json"

    assert main(["scenarios", "--json", str(file)]) == OK
    said = capsys.readouterr().out
    listed = json.loads(file.read_text())["scenarios"]

    assert set(listed) == set(SCENARIOS)
    for name, scenario in SCENARIOS.items():
        assert f"{name}: {scenario.title}" in said
        assert listed[name]["variants"] == {which: variant.fails for which, variant in scenario.variants.items()}


def test_bugs_are_listed(tmp_path: Path, capsys: Capture) -> None:
    """Every known bug, with the scenarios that show it."""
    file = tmp_path / "bugs.json"

    assert main(["scenarios", "--bugs", "--json", str(file)]) == OK
    said = capsys.readouterr().out
    listed = json.loads(file.read_text())["bugs"]

    assert set(listed) == {name for name in entries() if name[0] in "KO"}
    shown = [name for name, scenario in SCENARIOS.items() if "O-24" in scenario.bugs]
    assert listed["O-24"]["scenarios"] == shown
    assert "latedecrement" in shown
    assert re.search(r"^O-24 +fault +The barrier needs a closed world +latedecrement\b", said, re.MULTILINE)


def interrupting(at: int) -> Program:
    """A program that passes, and sends this process a Ctrl-C when it is set up for the `at`-th time."""
    times = count(1)

    def program(machine: SteppedMachine) -> None:
        x = machine.word(0, "x")
        for _ in range(6):
            machine.spawn(lambda port: port.xadd(x, 1))
        if next(times) == at:
            os.kill(os.getpid(), signal.SIGINT)

    return program


def test_ctrl_c_gives_the_partial_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    """Status 130; what was run so far is claimed, printed and written, and it is no proof."""
    variant = Variant(interrupting(at=20))
    scenario = Scenario("long", "A long one", (), {"failing": variant})
    monkeypatch.setattr("collector.commands.variants.SCENARIOS", {"long": scenario})
    out = tmp_path / "out.json"

    assert main(["explore", "long", "--strategy", "random", "--json", str(out)]) == 130

    said, complaint = capsys.readouterr()
    assert complaint == "collector.run: interrupted\n"
    assert "ok:" not in said
    written = json.loads(out.read_text())
    assert f"\ninterrupted: {written['schedules']} schedules by random passed, which is no proof" in said
    assert 1 < written["schedules"] <= 20  # a program is also set up to compare runs
    assert (written["interrupted"], written["claim"]["kind"]) == (True, "sampled")


MISTAKES = """
import sys

def exits(machine):
    x = machine.word(0, "x")
    machine.spawn(lambda port: port.store(x, 1))
    return lambda: sys.exit(0)

def raises(machine):
    raise ValueError("mine")

def asks(machine):
    machine.word()
"""


@pytest.mark.parametrize("options", [(), ("--json", "-")])
def test_a_check_that_exits(options: tuple[str, ...], tmp_path: Path, capsys: Capture) -> None:
    """It does not end the command with its own status: the program is refused, at that line."""
    file = tmp_path / "mistakes.py"
    file.write_text(MISTAKES)

    assert main(["explore", f"{file}:exits", *options]) == USAGE

    assert f"{file}:7: sys.exit in a check" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "said"),
    [("raises", "10: the set-up raises ValueError: mine"), ("asks", "13: the set-up raises TypeError: ")],
)
def test_a_set_up_that_raises(name: str, said: str, tmp_path: Path, capsys: Capture) -> None:
    """It is the program's mistake, at its line, and none of ours; in a replay, too."""
    file = tmp_path / "mistakes.py"
    file.write_text(MISTAKES)
    token = Token(about={"scenario": f"{file}:{name}", "variant": "", "version": ""})

    for command in (["explore", f"{file}:{name}"], ["replay", token.encode()]):
        assert main(command) == USAGE
        assert f"{file}:{said}" in capsys.readouterr().err


def test_processes_share_a_search(tmp_path: Path, capsys: Capture) -> None:
    """And leave a checkpoint: the same command finds that there is nothing left."""
    command = ["explore", "aba", "--variant", "fixed", "--strategy", "dpor", "--require", "proved", "--jobs", "2"]
    command += ["--checkpoint", str(tmp_path / "proof.db")]

    assert main(command) == OK
    first = capsys.readouterr().out
    assert "equivalent to one of the 33 that were run" in first
    assert main(command) == OK
    assert "going on from" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--strategy", "stateful", "--jobs", "2"], "--strategy stateful cannot be split"),
        (["--jobs", "0"], "0 is too small"),
        (["--checkpoint", "-"], "standard output does not do"),
    ],
)
def test_a_search_that_cannot_be_shared(options: list[str], complaint: str, capsys: Capture) -> None:
    """In a line."""
    with suppress(SystemExit):
        assert main(["explore", "aba", *options]) == USAGE
    assert complaint in capsys.readouterr().err


def test_a_checkpoint_of_something_else(tmp_path: Path, capsys: Capture) -> None:
    """It is not overwritten."""
    file = tmp_path / "other.db"
    file.write_text("something else, and long enough to be read" * 20, encoding="ascii")

    assert main(["explore", "aba", "--checkpoint", str(file)]) == USAGE
    assert "no checkpoint" in capsys.readouterr().err
    assert file.read_text(encoding="ascii").startswith("something else")
