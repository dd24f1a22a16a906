"""What is no log, and questions that a log cannot answer, are refused in a line; forged lines cost nothing."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from collector.report.log.database import Logfile
from collector.report.log.lines import LogfileError
from collector.run import main
from tests.collector.report.log.logs import HEADER, LIFE, answer


if TYPE_CHECKING:
    from collections.abc import Callable


def test_the_log_itself_is_no_place_for_the_answer(log: str, capsys: pytest.CaptureFixture[str]) -> None:
    """It would be gone."""
    assert main(["inspect", log, "--json", log]) == 2
    assert "that is the log" in capsys.readouterr().err
    assert main(["inspect", log]) == 0


@pytest.mark.parametrize(
    ("lines", "tail", "complaint"),
    [
        pytest.param([], "", "line 1", id="empty"),
        pytest.param([{"a": 1}], "", "line 1", id="another file"),
        pytest.param([{**HEADER, "version": 99}], "", "version 99", id="another version"),
        pytest.param([{**HEADER, "threads": 3}], "", "line 1", id="no threads"),
        pytest.param([HEADER], "nonsense\n" + json.dumps(LIFE[0]) + "\n", "line 2", id="broken in the middle"),
        pytest.param([HEADER, {"t": 1, "m": "gc"}, *LIFE], "", "line 2", id="no event"),
        pytest.param([HEADER, LIFE[0], {**LIFE[1], "t": "soon"}], "", "line 3", id="no time"),
        pytest.param([HEADER, {**LIFE[1], "wbuf": [1]}], "", "line 2", id="no buffer"),
        pytest.param([HEADER, {**LIFE[0], "m": {}}], "", "line 2", id="no thread"),
        pytest.param([HEADER, LIFE[0], {**LIFE[0], "t": 1 << 80}], "", "line 3", id="no 64 bits"),
        pytest.param([HEADER, {**LIFE[0], "t": 1e400}, *LIFE], "", "line 2", id="no number"),
        pytest.param([HEADER, {**LIFE[0], "m": "\ud800"}, *LIFE], "", "line", id="half a surrogate"),
        pytest.param([{**HEADER, "threads": ["\ud800"]}], "", "line 1", id="half a surrogate for a thread"),
        pytest.param([HEADER, {**LIFE[0], "waitedfor": 5}, *LIFE], "", "line 2", id="waited for a number"),
        pytest.param([HEADER, {"event": "end", "dropped": "x"}], "", "line 2", id="dropped no number"),
        pytest.param([HEADER, *LIFE, HEADER, *LIFE], "", f"line {len(LIFE) + 2}: another log begins", id="two logs"),
        pytest.param([HEADER], f"{'[' * 100_000}\n{{}}\n", "line 2", id="nested deep"),
        pytest.param([HEADER], f'{{"t": {"9" * 5000}}}\n{{}}\n', "line 2", id="5000 digits"),
    ],
)
def test_what_is_no_log_is_refused_in_a_line(
    write: Callable[..., str],
    lines: list[dict[str, Any]],
    tail: str,
    complaint: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Status 2, the file, the line and the reason."""
    path = write(lines, tail)

    assert main(["inspect", path]) == 2

    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert path in said[0]
    assert complaint in said[0]


@pytest.mark.parametrize("command", ["inspect LOG check", "hunt LOG"])
def test_an_event_that_is_not_known_is_named_with_its_line(
    write: Callable[..., str], command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A later version's, say; whoever only looks at a log takes it as it is."""
    path = write([HEADER, {**LIFE[0], "event": "nosuch"}, *LIFE])
    name, *words = (path if word == "LOG" else word for word in command.split())

    assert main([name, *words]) == 2
    assert capsys.readouterr().err == (
        f"collector.run {name}: {path}: line 2: no event of a log: 'nosuch' is not there, or is not known\n"
    )
    assert main(["inspect", path]) == 0


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    """A database, a picture: no log."""
    (tmp_path / "log").write_bytes(bytes(range(256)))
    with pytest.raises(LogfileError, match="not text"):
        Logfile.open(str(tmp_path / "log"))


def test_a_missing_file_and_a_directory_are_refused(tmp_path: Path) -> None:
    """No traceback, the path in the text."""
    for path in (tmp_path, tmp_path / "none"):
        with pytest.raises(LogfileError, match=str(path)):
            Logfile.open(str(path))


@pytest.mark.parametrize(
    "words",
    [
        ["wbuf"],
        ["m", "nobody"],
        ["m", "\u00b2"],
        ["m", "9" * 5000],
        ["cycle", "x"],
        ["cycle", "\u00b2"],
        ["cycle", "9" * 5000],
        ["check", "this"],
        ["check", "--from", "0s"],
        ["check", "--m", ""],
        ["--m", ""],
        ["--buffer", ""],
        ["--sql", ""],
        ["summary", "3"],
        ["summary", "--from", "2ms", "--to", "1ms"],
        ["who-held", "fast"],
        ["who-held", f"{'9' * 400}s"],
        ["summary", "--from", "99999999999s"],
        ["summary", "--to", f"{'9' * 400}ns"],
        ["summary", "--most", "9" * 30],
        ["summary", "--entry", "9" * 30],
    ],
    ids=lambda words: " ".join(words)[:24],
)
def test_a_question_without_its_object_is_refused(
    log: str, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """One line, status 2."""
    assert ended(["inspect", log, *words]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.parametrize("command", ["inspect", "inspect check", "inspect violations", "inspect wbuf 1", "hunt"])
def test_two_logs_in_one_file_are_refused(
    write: Callable[..., str], command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """By whatever reads it, in the same line: where the second begins."""
    path = write([HEADER, *LIFE, HEADER, *LIFE])
    name, *words = command.split()

    assert main([name, path, *words]) == 2
    assert capsys.readouterr().err == (
        f"collector.run {name}: {path}: line {len(LIFE) + 2}: another log begins here, and a file holds one:"
        " cut it in two before this line\n"
    )


def ended(words: list[str]) -> int | str | None:
    """The status; argparse leaves by an exception."""
    try:
        return main(words)
    except SystemExit as left:
        return left.code


def test_a_log_without_events_is_not_compared(log: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And that is not because of --from or --to."""
    other = tmp_path / "other"
    other.write_text(json.dumps(HEADER) + "\n")

    assert main(["inspect", log, "--against", str(other)]) == 2
    assert capsys.readouterr().err == f"collector.run inspect: {other} has no event to compare\n"


def test_a_log_by_a_long_name_or_of_strange_bytes(
    write: Callable[..., str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Too long is one line; bytes that are no text are a name all the same, and so is one that leaves no room beside it."""
    assert main(["inspect", "x" * 300]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    for name in ("x" * 255, os.fsdecode(b"\xff\xfe\x1b.log")):
        path = tmp_path / name
        Path(write([HEADER, *LIFE])).rename(path)
        assert main(["inspect", str(path)]) == 0


def test_an_answer_never_goes_into_a_part_or_the_kept_database(
    write: Callable[..., str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """They are read, too."""
    path = Path(write([HEADER, *LIFE]))
    part = tmp_path / "log.2026-01-01_00-00-00_000001"
    part.write_text(json.dumps(HEADER) + "\n")
    for file in (part, Path(f"{path}.sqlite")):
        before = file.read_bytes() if file.exists() else b""
        assert main(["inspect", str(path), "--json", str(file)]) == 2
        assert "give the output a file of its own" in capsys.readouterr().err
        assert (file.read_bytes() if file.exists() else b"") == before


def test_a_buffer_or_cycle_that_is_not_there_is_said(log: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Which there are; no empty table."""
    for words, says in (
        (["wbuf", "7"], "wbuf '7': no such buffer: 1 to 1"),
        (["contention", "--buffer", "9"], "--buffer '9': no such buffer: 1 to 1"),
        (["cycle", "3"], "cycle 3: no such cycle: 1 to 1"),
    ):
        assert main(["inspect", log, *words]) == 2
        assert capsys.readouterr() == ("", f"collector.run inspect: {says}\n")


@pytest.mark.parametrize("part", [10**9, 10**30])
def test_a_forged_number_of_parts_costs_nothing(
    write: Callable[..., str], capsys: pytest.CaptureFixture[str], part: int
) -> None:
    """The first that are missing are named."""
    assert main(["inspect", write([{**HEADER, "part": part}, *LIFE])]) == 0
    assert f"(part 1, 2, 3, 4, 5, 6, 7, 8, 9 of {part} is missing)" in capsys.readouterr().out


@pytest.mark.parametrize("waitedfor", [[{}], [[]], [None, 1, "a"]])
def test_whom_a_forged_stop_waited_for(write: Callable[..., str], tmp_path: Path, waitedfor: list[object]) -> None:
    """Whatever it names is counted by what it looks like."""
    path = write([HEADER, {"t": 1, "m": "gc", "event": "stop", "waitedfor": waitedfor}])
    said = [row[0] for row in answer(path, "contention", tmp_path=tmp_path)]
    assert [f"stops that waited for {name}" for name in map(str, waitedfor)] == [x for x in said if "stops that" in x]


@pytest.mark.parametrize("words", [["--buffer", "\ud800"], ["wbuf", "\udcff"], ["m", "\ud800"], ["--m", "\ud800"]])
def test_half_a_surrogate_is_no_name(log: str, words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """A shell passes bytes that are no text like this."""
    assert main(["inspect", log, *words]) == 2
    assert capsys.readouterr().err.count("\n") == 1
