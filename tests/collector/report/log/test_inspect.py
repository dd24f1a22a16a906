"""The log read back: its tables, its questions, its refusals."""

from __future__ import annotations

import json
import os
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from collector.report.log import database as logfile
from collector.report.log.database import Logfile
from collector.report.log.parts import LogfileError
from collector.report.log.writer import SCHEMA, VERSION
from collector.run import main


if TYPE_CHECKING:
    from collections.abc import Callable

HEADER = {
    "schema": SCHEMA,
    "version": VERSION,
    "seed": 7,
    "python": "3.11",
    "command": "x",
    "threads": ["gc", "a", "b"],
}
LIFE = [
    {"t": 1000, "m": "gc", "event": "cycle", "number": 1, "forced": 0},
    {"t": 2000, "m": "a", "event": "get", "wbuf": "wbuf1", "entry": 359, "site": "s", "list": "empty"},
    {"t": 9000, "m": "a", "event": "put", "wbuf": "wbuf1", "entry": 358, "site": "s", "list": "full"},
    {"t": 10000, "m": "b", "event": "get", "wbuf": "wbuf1", "entry": 504, "site": "s", "list": "full"},
    {"t": 10500, "m": "b", "event": "cached", "wbuf": "wbuf1"},
    {"t": 900_000, "m": "gc", "event": "harvested", "wbuf": "wbuf1", "owner": 2, "nobj": 3},
    {"t": 901_000, "m": "gc", "event": "put", "wbuf": "wbuf1", "entry": 947, "site": "s", "list": "full"},
    {
        "event": "gctrace",
        "cycle": 1,
        "line": "gc 1",
        "objects": 9,
        "reachable": 8,
        "marked": 8,
        "floating": 0,
        "seconds": 1,
    },
    {"event": "end", "dropped": 4},
]


@pytest.fixture(name="write")
def _write(tmp_path: Path) -> Callable[..., str]:
    """Writes a log of the given lines, with `tail` behind them, and returns its path."""

    def write(lines: list[dict[str, Any]], tail: str = "") -> str:
        path = tmp_path / "log"
        path.write_text("".join(json.dumps(line) + "\n" for line in lines) + tail)
        return str(path)

    return write


@pytest.fixture(name="log")
def _log(write: Callable[..., str]) -> str:
    return write([HEADER, *LIFE])


def answer(path: str, *words: str, tmp_path: Path) -> list[list[Any]]:
    """The rows that inspect writes as JSON."""
    out = tmp_path / "answer.json"
    assert main(["inspect", path, *words, "--json", str(out)]) == 0
    rows: list[list[Any]] = json.loads(out.read_text())["rows"]
    return rows


def test_a_buffers_life_names_every_owner(log: str, tmp_path: Path) -> None:
    """From get to put is one hold; a harvest moves the buffer to the collector."""
    life = answer(log, "wbuf", "1", tmp_path=tmp_path)

    assert [(row[0], row[1], row[2]) for row in life] == [
        ("1 us", "7 us", "a"),
        ("9 us", "890 us", "b"),
        ("899 us", "1 us", "gc"),
    ]
    assert life[0][3].startswith("359: greyobject")
    assert life[1][4] == "still held, or harvested"


def test_who_held_leaves_shorter_holds_out(log: str, tmp_path: Path) -> None:
    """Only the cached buffer stayed for longer than 100 us."""
    assert [row[3] for row in answer(log, "who-held", "100us", tmp_path=tmp_path)] == ["b"]
    assert len(answer(log, "who-held", "1us", tmp_path=tmp_path)) == 3
    assert "?" not in {cell for row in answer(log, "who-held", "1us", tmp_path=tmp_path) for cell in row}


def test_contention_counts_gets_after_another_m(log: str, tmp_path: Path) -> None:
    """One get from full, of a buffer that the other M had last."""
    rows = answer(log, "contention", tmp_path=tmp_path)

    assert ["gets from full", 1, "1 of a buffer that another M had last"] in rows
    assert ["gets from empty", 1, "0 of a buffer that another M had last"] in rows


def test_filters_cut_by_time_thread_and_entry(log: str, tmp_path: Path) -> None:
    """A thread's events, from a time on."""
    assert len(answer(log, "m", "b", tmp_path=tmp_path)) == 2
    assert len(answer(log, "m", "2", "--from", "9.2us", tmp_path=tmp_path)) == 1
    assert len(answer(log, "m", "b", "--entry", "504", tmp_path=tmp_path)) == 1


def test_filters_cut_a_buffers_life_and_the_holds(log: str, tmp_path: Path) -> None:
    """By thread, by an entry it came or went by, by the time a hold reaches into."""
    assert [row[2] for row in answer(log, "wbuf", "1", "--m", "b", tmp_path=tmp_path)] == ["b"]
    assert [row[2] for row in answer(log, "wbuf", "1", "--entry", "947", tmp_path=tmp_path)] == ["gc"]
    assert [row[2] for row in answer(log, "wbuf", "1", "--to", "8.5us", tmp_path=tmp_path)] == ["a"]
    assert [row[3] for row in answer(log, "who-held", "1us", "--from", "10us", tmp_path=tmp_path)] == ["b", "gc"]
    assert ["gets from full", 1, "1 of a buffer that another M had last"] in answer(
        log, "contention", "--from", "9us", tmp_path=tmp_path
    )
    assert not [row for row in answer(log, "contention", "--to", "0.5us", tmp_path=tmp_path) if "gets" in str(row[0])]


def test_the_log_itself_is_no_place_for_the_answer(log: str, capsys: pytest.CaptureFixture[str]) -> None:
    """It would be gone."""
    assert main(["inspect", log, "--json", log]) == 2
    assert "that is the log" in capsys.readouterr().err
    assert main(["inspect", log]) == 0


def test_sql_reads_and_does_not_write(log: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The tables are the user's to ask, not to change."""
    assert answer(log, "--sql", "SELECT COUNT(*) FROM events", tmp_path=tmp_path) == [[7]]
    assert main(["inspect", log, "--sql", "DELETE FROM events"]) == 2
    assert main(["inspect", log, "--sql", "SELEKT"]) == 2

    said = capsys.readouterr().err.splitlines()
    assert len(said) == 2
    assert "not authorized" in said[0]


def test_the_summary_says_what_is_missing(log: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Events that fell out of the rings are counted."""
    assert main(["inspect", log]) == 0

    assert "4 more fell out of the rings" in capsys.readouterr().out


def test_a_torn_last_line_is_said_and_skipped(write: Callable[..., str], capsys: pytest.CaptureFixture[str]) -> None:
    """A killed run leaves half a line."""
    path = write([HEADER, *LIFE], tail='{"t": 12')

    assert main(["inspect", path]) == 0
    assert "line 11, the last, is torn" in capsys.readouterr().out
    with Logfile.open(path) as log:
        assert log.db.execute("SELECT COUNT(*) FROM events").fetchone() == (7,)


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


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    """A database, a picture: no log."""
    (tmp_path / "log").write_bytes(bytes(range(256)))
    with pytest.raises(LogfileError, match="not text"):
        Logfile.open(str(tmp_path / "log"))


def test_a_run_that_was_killed_is_not_called_a_success(
    write: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    """The log has no last line; one that ended says that it did, and one that failed what it failed of."""
    said = []
    for lines in (LIFE[:-1], LIFE, [*LIFE[:-1], {"event": "failure", "error": "Throw", "text": "a\nlast"}]):
        assert main(["inspect", write([HEADER, *lines])]) == 0
        said += [line for line in capsys.readouterr().out.splitlines() if line.startswith("ended")]

    assert ["killed" in line for line in said] == [True, False, False]
    assert said[1].endswith("without a violation")
    assert said[2].endswith("last")


def test_violations_show_what_failed_and_what_came_before(write: Callable[..., str], tmp_path: Path) -> None:
    """Every line of the failure, then the last events."""
    path = write([HEADER, *LIFE, {"event": "failure", "error": "Throw", "text": "one\ntwo"}])
    rows = answer(path, "violations", tmp_path=tmp_path)

    assert [row[5] for row in rows[:2]] == ["one", "two"]
    assert [row[3] for row in rows[2:]] == [line["event"] for line in LIFE[:7]]


def test_a_large_logs_database_is_kept_until_the_log_changes(
    write: Callable[..., str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The second question does not read the lines again; a log written anew is read anew, and a spoilt database too."""
    monkeypatch.setattr(logfile, "KEPT_FROM", 1)
    read: list[object] = []
    load = logfile.load
    monkeypatch.setattr(logfile, "load", lambda *given: read.append(given) or load(*given))
    path = write([HEADER, *LIFE])

    assert main(["inspect", path]) == 0
    first = capsys.readouterr().out
    assert "kept as" in first
    assert main(["inspect", path]) == 0
    assert capsys.readouterr().out == first[: first.index("(kept")]
    assert len(read) == 1

    write([HEADER, *LIFE, *LIFE[:1]])
    assert main(["inspect", path]) == 0
    assert len(read) == 2
    Path(f"{path}.sqlite").write_text("no database")
    assert main(["inspect", path]) == 0
    assert len(read) == 3
    assert [file.name for file in Path(path).parent.iterdir()] == ["log", "log.sqlite"]


def test_where_nothing_can_be_kept_it_is_read_each_time(
    write: Callable[..., str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A folder that takes no file, or a full disk: the answer is the same."""
    monkeypatch.setattr(logfile, "KEPT_FROM", 1)
    path = write([HEADER, *LIFE])
    (tmp_path / "log.sqlite").mkdir()

    with Logfile.open(path) as log:
        assert log.kept is None
        assert log.db.execute("SELECT COUNT(*) FROM events").fetchone() == (7,)


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


def ended(words: list[str]) -> int | str | None:
    """The status; argparse leaves by an exception."""
    try:
        return main(words)
    except SystemExit as left:
        return left.code


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


def test_the_answer_in_json_is_json(log: str, tmp_path: Path) -> None:
    """A blob as SQL writes it; what JSON has no number for as text."""
    rows = answer(log, "--sql", "SELECT x'00ff', 9e999, -9e999, NULL, 1.5", tmp_path=tmp_path)

    assert rows == [["X'00ff'", "inf", "-inf", None, 1.5]]


@pytest.mark.parametrize("flip", [0, 60, 68, 100, 5000, 9000])
def test_a_kept_database_that_was_touched_is_made_anew(
    write: Callable[..., str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], flip: int
) -> None:
    """One bit of it, wherever."""
    monkeypatch.setattr(logfile, "KEPT_FROM", 1)
    path = write([HEADER, *LIFE])
    assert main(["inspect", path, "m", "b"]) == 0
    first = capsys.readouterr().out.partition("(kept")[0]
    kept = bytearray(Path(f"{path}.sqlite").read_bytes())
    kept[flip] ^= 1
    Path(f"{path}.sqlite").write_bytes(kept)

    assert main(["inspect", path, "m", "b"]) == 0

    assert capsys.readouterr().out.partition("(kept")[0] == first


def test_forged_tables_are_not_believed(
    write: Callable[..., str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Somebody has changed a row."""
    monkeypatch.setattr(logfile, "KEPT_FROM", 1)
    path = write([HEADER, *LIFE])
    assert answer(path, "--sql", "SELECT COUNT(*) FROM events", tmp_path=tmp_path) == [[7]]
    with sqlite3.connect(f"{path}.sqlite") as db:
        db.execute("DELETE FROM events")
    db.close()

    assert answer(path, "--sql", "SELECT COUNT(*) FROM events", tmp_path=tmp_path) == [[7]]


def test_a_log_of_the_same_size_and_time_is_another_log(
    write: Callable[..., str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What counts is what stands in it."""
    monkeypatch.setattr(logfile, "KEPT_FROM", 1)
    path = write([HEADER, *LIFE])
    status = Path(path).stat()
    assert answer(path, "m", "b", tmp_path=tmp_path)[0][1] == "b"
    Path(path).write_text(Path(path).read_text().replace('"b"', '"c"'))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))

    assert answer(path, "m", "c", tmp_path=tmp_path)[0][1] == "c"


def test_a_database_of_somebody_elses_is_left_alone(
    write: Callable[..., str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It has the name by chance."""
    monkeypatch.setattr(logfile, "KEPT_FROM", 1)
    path = write([HEADER, *LIFE])
    with sqlite3.connect(f"{path}.sqlite") as db:
        db.execute("CREATE TABLE mine(x)")
    db.close()
    before = Path(f"{path}.sqlite").read_bytes()

    assert len(answer(path, "m", "b", tmp_path=tmp_path)) == 2

    assert Path(f"{path}.sqlite").read_bytes() == before


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


def test_a_real_runs_log_is_read_back(tmp_path: Path, seed: int) -> None:
    """Every get and put of a run is there, and every buffer's holds alternate."""
    path = tmp_path / "log"
    options = ["--heap", "synthetic:random,n=300,m=600,seed=1", "--cycles", "2", "--quiet", "--seed", str(seed)]

    assert main(["stress", *options, "--log", str(path)]) == 0

    overlapping = """
    SELECT COUNT(*) FROM (SELECT began, LAG(ended) OVER (PARTITION BY wbuf ORDER BY began) AS before FROM holds
                          WHERE began IS NOT NULL) WHERE before > began
    """
    with Logfile.open(str(path)) as log:
        counts = dict(log.db.execute("SELECT event, COUNT(*) FROM events GROUP BY event").fetchall())
        assert log.about.dropped == 0
        assert counts["get"] > 0
        assert log.db.execute("SELECT COUNT(*) FROM cycles").fetchone() == (3,)
        assert log.db.execute(overlapping).fetchone() == (0,)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
@pytest.mark.parametrize("what", ["pipe", "/dev/zero"])
def test_what_has_no_end_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], what: str
) -> None:
    """A pipe without a writer, a device."""
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")

    assert main(["inspect", what]) == 2
    assert "a device, a pipe or a socket: save it to a file first" in capsys.readouterr().err


STOPS = [
    HEADER,
    {"t": 0, "m": "gc", "event": "cycle", "number": 1, "forced": 0},
    *(
        {"t": t, "m": "gc", "event": event}
        for begin, pause in ((1_000, 100), (5_000, 300), (9_000, 200))
        for t, event in ((begin, "stop"), (begin + pause, "start"))
    ),
    {"t": 9_500, "m": "a", "event": "handoff"},
    {"t": 9_600, "m": "gc", "event": "stop"},
    {"t": 10_000, "m": "gc", "event": "cycle_end"},
    {"event": "end", "dropped": 0},
]


def test_two_logs_side_by_side(write: Callable[..., str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each pause is from a stop to its start, one that has no end is none; percentiles by nearest rank; each log once."""
    one = Path(write([HEADER, *LIFE])).rename(tmp_path / "one")
    other = Path(write(STOPS)).rename(tmp_path / "other")
    out = tmp_path / "out.json"

    assert main(["inspect", str(one), "--against", str(other), "--json", str(out)]) == 0

    found = json.loads(out.read_text())["figures"]
    assert found["pauses, audits included"] == [0, 3]
    assert [found[f"pause, {what}"] for what in ("median", "90 %", "99 %", "longest")] == [
        [None, 200],
        [None, 300],
        [None, 300],
        [None, 300],
    ]
    assert found["stopped"] == [0, 6]
    assert found["time"] == [900_000, 10_000]
    assert found["handoffs"] == [0, 1]
    assert (found["gets from full"], found["gets from empty"]) == ([1, 0], [1, 0])
    assert found["of a buffer that another M had"] == [50, None]
    said = capsys.readouterr().out
    assert "x 0.01" in said
    assert "6.0 %" in said

    assert main(["inspect", str(other), "--against", str(other), "--from", "4us", "--json", str(out)]) == 0
    assert json.loads(out.read_text())["figures"]["pauses, audits included"] == [2, 2]


@pytest.mark.parametrize("words", ["wbuf 1", "--m gc", "--buffer 1", "--entry 3", "--sql SELECT"])
def test_what_a_comparison_does_not_take(words: str, log: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Questions, and filters that name something of one run."""
    assert main(["inspect", log, *words.split(), "--against", log]) == 2
    assert "it compares whole runs" in capsys.readouterr().err


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


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_a_pipe_of_the_caches_name_is_not_waited_for(
    write: Callable[..., str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It stays, and the log is read."""
    monkeypatch.setattr(logfile, "KEPT_FROM", 1)
    path = write([HEADER, *LIFE])
    os.mkfifo(f"{path}.sqlite")

    assert len(answer(path, "m", "b", tmp_path=tmp_path)) == 2

    assert Path(f"{path}.sqlite").is_fifo()
