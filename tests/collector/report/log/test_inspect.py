"""The log read back: its tables, its questions, two logs side by side."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from collector.report.log.database import Logfile
from collector.run import main
from tests.collector.report.log.logs import HEADER, LIFE, answer
from workbuf.events import Event


if TYPE_CHECKING:
    from collections.abc import Callable


def test_a_buffers_life_names_every_owner(log: str, tmp_path: Path) -> None:
    """From get to put is one hold; a harvest moves the buffer to the collector."""
    life = answer(log, "wbuf", "1", tmp_path=tmp_path)

    assert [(row[0], row[1], row[2]) for row in life] == [
        ("1 us", "7 us", "a"),
        ("9 us", "890 us", "b"),
        ("899 us", "1 us", "gc"),
    ]
    assert life[0][3].startswith("359: greyobject")
    assert life[1][4] == "the harvest"
    assert life[2][3] == "the harvest"


@pytest.mark.parametrize(
    ("lines", "ends"),
    [
        (LIFE[:4], "still held when the log ends"),
        (LIFE[:5], "still in its cache when the log ends"),
        ([*LIFE[:4], {**LIFE[3], "t": 20_000, "m": "a"}], "unknown: another get follows, and no put"),
        (LIFE[:6], "the harvest"),
    ],
)
def test_how_a_hold_without_a_put_ended(
    write: Callable[..., str], tmp_path: Path, lines: list[dict[str, object]], ends: str
) -> None:
    """The log knows: whether another event follows, and which."""
    assert answer(write([HEADER, *lines]), "wbuf", "1", tmp_path=tmp_path)[1][4] == ends


def test_a_put_whose_get_is_not_in_the_log(write: Callable[..., str], tmp_path: Path) -> None:
    """It says so; that there was a harvest would be said by an event."""
    assert answer(write([HEADER, *LIFE[2:]]), "wbuf", "1", tmp_path=tmp_path)[0][3] == "not in the log"


def test_who_held_leaves_shorter_holds_out(log: str, tmp_path: Path) -> None:
    """Only the cached buffer stayed for longer than 100 us."""
    assert [row[3] for row in answer(log, "who-held", "100us", tmp_path=tmp_path)] == ["b"]
    assert len(answer(log, "who-held", "1us", tmp_path=tmp_path)) == 3
    assert "?" not in {cell for row in answer(log, "who-held", "1us", tmp_path=tmp_path) for cell in row}


def test_an_answer_without_rows_says_so(log: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Headings alone look like something broken."""
    for question in (["who-held", "1000s"], ["--sql", "SELECT t FROM events WHERE m = 'nobody'"]):
        assert main(["inspect", log, *question]) == 0
        assert capsys.readouterr().out.splitlines()[1:] == ["(none)"]


def test_contention_counts_gets_after_another_m(log: str, tmp_path: Path) -> None:
    """One get from full, of a buffer that the other M had last."""
    rows = answer(log, "contention", tmp_path=tmp_path)

    assert ["gets from full", 1, "1 of a buffer that another M had last"] in rows
    assert ["gets from empty", 1, "0 of a buffer that another M had last"] in rows


def test_a_caches_owner_is_named(log: str, tmp_path: Path) -> None:
    """As every thread is."""
    assert [row[5] for row in answer(log, "cycle", "1", tmp_path=tmp_path)] == [
        "number: 1, forced: 0",
        "owner: b, nobj: 3",
    ]


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


def test_every_kind_of_event_is_explained(log: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A log and its summary name kinds, which are words of the protocol."""
    assert main(["inspect", log, "tables"]) == 0

    _, _, told = capsys.readouterr().out.partition("Kinds of events")
    names = {line.strip().partition("(")[0]: line.partition(")")[2].strip() for line in told.splitlines()[2:]}
    assert list(names) == [kind.name.lower() for kind in Event]
    assert all(names.values())


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


def test_an_interrupted_run_did_not_fail(write: Callable[..., str], capsys: pytest.CaptureFixture[str]) -> None:
    """Neither the summary nor the other questions say so, and there is nothing to hunt."""
    cut = {"event": "failure", "error": "KeyboardInterrupt", "text": ""}
    path = write([HEADER, {"t": 1000, "m": "a", "event": "syscall"}, cut, {"event": "end", "dropped": 0}])

    assert [main(["inspect", path, *words]) for words in ([], ["check"], ["violations"])] == [0, 0, 0]
    said = capsys.readouterr().out
    assert "ended        interrupted, without a violation" in said
    assert "(the run was interrupted)" in said
    assert "no violation in this log" in said
    assert "failed" not in said
    assert main(["hunt", path]) == 2
    assert "the run was interrupted" in capsys.readouterr().err


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


def test_of_a_violation_the_last_events_are_shown(write: Callable[..., str], tmp_path: Path) -> None:
    """As many as are asked for, and the failure whole."""
    path = write([HEADER, *LIFE, {"event": "failure", "error": "Throw", "text": "one\ntwo"}])
    rows = answer(path, "violations", "--most", "2", tmp_path=tmp_path)

    assert [row[5] for row in rows[:2]] == ["one", "two"]
    assert [row[3] for row in rows[2:]] == ["harvested", "put"]


@pytest.mark.parametrize("question", [["m", "gc"], ["--sql", "SELECT t FROM events WHERE m = 'gc'"]])
def test_rows_are_left_out_only_if_there_are_more(
    log: str, capsys: pytest.CaptureFixture[str], question: list[str]
) -> None:
    """The collector has three events."""
    said = []
    for most in ("2", "3", str((1 << 63) - 2)):
        assert main(["inspect", log, *question, "--most", most]) == 0
        said.append(capsys.readouterr().out.splitlines()[-1])

    assert said[0] == "(the first 2 rows; --most N for more)"
    assert not any(line.startswith("(") for line in said[1:])


def test_the_answer_in_json_is_json(log: str, tmp_path: Path) -> None:
    """A blob as SQL writes it; what JSON has no number for as text."""
    rows = answer(log, "--sql", "SELECT x'00ff', 9e999, -9e999, NULL, 1.5", tmp_path=tmp_path)

    assert rows == [["X'00ff'", "inf", "-inf", None, 1.5]]


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
        assert log.db.execute("SELECT COUNT(*) FROM cycles").fetchone() == (2,)
        assert log.db.execute(overlapping).fetchone() == (0,)


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

    assert main(["inspect", str(one), "--against", str(other), "--from", "1s"]) == 2
    assert f"--from, --to: {one} has no event there" in capsys.readouterr().err
    assert main(["inspect", str(one), "--against", str(other), "--json", str(other)]) == 2
    assert "that is the other log, which is read" in capsys.readouterr().err


@pytest.mark.parametrize("words", ["wbuf 1", "--m gc", "--buffer 1", "--entry 3", "--sql SELECT"])
def test_what_a_comparison_does_not_take(words: str, log: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Questions, and filters that name something of one run."""
    assert main(["inspect", log, *words.split(), "--against", log]) == 2
    assert "it compares whole runs" in capsys.readouterr().err
