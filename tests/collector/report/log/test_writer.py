"""The log as it is written: every event, packed, and where the disk is full."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from argparse import ArgumentParser
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from loguru import logger

from collector.commands.stressoptions import add_arguments, plan
from collector.report.log.database import Logfile
from collector.report.log.writer import COMPRESSIONS, SCHEMA, EventLog, LogError
from collector.run import main
from tests.collector.report.log.writing import HEADER, ROOT, SMALL, counted, puts, written
from workbuf.events import FIELDS, Event
from workbuf.recorder import Record


if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(name="warnings")
def _warnings() -> Iterator[list[str]]:
    """What loguru is told meanwhile, by anybody but the log itself."""
    said: list[str] = []
    handler = logger.add(said.append, format="{message}", filter=lambda record: "json" not in record["extra"])
    yield said
    logger.remove(handler)


@pytest.mark.parametrize("kind", Event)
def test_every_event_is_a_line_with_its_fields(kind: Event, tmp_path: Path) -> None:
    """Each field that the vocabulary names is there under its name, and comes back from the tables."""
    path = tmp_path / "log"
    written(path, [Record(5, 1, kind, 1, 1, 1)])
    first, line, end = map(json.loads, path.read_text().splitlines())
    names = {"buffer": "wbuf"}
    fields = {names.get(name, name) for name in FIELDS[kind] if name} | ({"site"} if "entry" in FIELDS[kind] else set())

    assert first["schema"] == SCHEMA
    assert end == {"event": "end", "dropped": 0}
    assert line["event"] == kind.name.lower()
    assert line["m"] == "a"
    assert set(line) == {"t", "m", "event", *fields}
    with Logfile.open(str(path)) as log:
        assert log.db.execute("SELECT t, m, event FROM events").fetchall() == [(0, "a", kind.name.lower())]


def test_a_stop_says_for_whom_it_waited(tmp_path: Path) -> None:
    """By name, from the set of numbers."""
    written(tmp_path / "log", [Record(5, 0, Event.STOP, 2, 0b110, 0)])

    assert json.loads((tmp_path / "log").read_text().splitlines()[1])["waitedfor"] == ["a", "b"]


def test_a_log_packed_whole_is_read(tmp_path: Path) -> None:
    """Without rotation it is packed at the end; cut short, its last line is torn."""
    written(tmp_path / "run.log", puts(1000), compression="gz")
    packed = tmp_path / "run.log.gz"
    with Logfile.open(str(packed)) as log:
        assert log.db.execute("SELECT COUNT(*) FROM events").fetchone() == (1000,)
    whole = packed.read_bytes()
    packed.write_bytes(whole[: len(whole) // 2])

    with Logfile.open(str(packed)) as log:
        assert log.about.torn
        assert 0 < log.db.execute("SELECT COUNT(*) FROM events").fetchone()[0] < 1000


@pytest.mark.parametrize(("words", "keeps"), [([], False), (["--log", "x"], True), (["--trace", "x"], True)])
def test_who_asks_for_the_events_gets_every_one(words: list[str], keeps: bool) -> None:  # noqa: FBT001
    """A long cycle has more than the flight recorder keeps by itself."""
    parser = ArgumentParser()
    add_arguments(parser)
    asked = plan(parser.parse_args(words))

    assert asked.events == keeps
    assert (asked.ring >= 1 << 20) == keeps


def test_the_log_has_all_that_the_recorder_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its cycles end, its buffers' new owners are as many as the run's migrations, and nothing fell out."""
    path, out = tmp_path / "log", tmp_path / "out.json"

    assert main([*SMALL, "--log", str(path), "--json", str(out)]) == 0
    summary = json.loads(out.read_text())
    with Logfile.open(str(path)) as log:
        counts = dict(log.db.execute("SELECT event, COUNT(*) FROM events GROUP BY event").fetchall())
        moved = log.db.execute("SELECT COUNT(*) FROM holds WHERE came IS NOT NULL AND before <> m").fetchone()[0]
        assert log.about.dropped == 0
    assert counts["cycle"] == counts["cycle_end"] == summary["cycles"]
    assert counts["new"] == summary["buffers"]
    assert moved == summary["migrations"]
    assert f"migrations {moved}" in capsys.readouterr().out


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_is_said_once(warnings: list[str]) -> None:
    """However many events there are."""
    written(Path("/dev/full"), puts(5000))

    assert warnings == ["/dev/full: the log ends early: No space left on device\n"]


def test_a_disk_that_fills_up_costs_the_log_and_not_the_run(tmp_path: Path) -> None:
    """The run has its verdict, one line and the status say how the log has not ended, and what was written can be read."""
    path = tmp_path / "run.log"
    command = [sys.executable, "-m", "collector.run", *SMALL, "--log", str(path)]
    done = subprocess.run(
        ["/bin/bash", "-c", 'ulimit -f 16; exec "$@"', "bash", *command],
        capture_output=True, text=True, check=False, cwd=ROOT, timeout=200,
    )  # fmt: skip

    assert done.returncode == 2, done.stderr
    assert done.stdout.splitlines()[-1].startswith("ok: ")
    assert done.stderr == f"WARNING {path}: the log ends early: File too large\n"
    with Logfile.open(str(path)) as log:
        assert log.about.torn
        assert not log.about.ended


@pytest.mark.parametrize(
    ("path", "options", "complaint"),
    [
        ("run.log", {"rotation": "now and then"}, "--log-rotation now and then"),
        ("/dev/null", {"compression": "gz"}, "only a regular file"),
        (".", {}, "cannot write the log"),
    ],
)
def test_what_cannot_be_done_is_said(tmp_path: Path, path: str, options: dict[str, str], complaint: str) -> None:
    """Before anything is run."""
    with pytest.raises(LogError, match=complaint):
        EventLog(tmp_path / path, str, HEADER, **options)


def test_a_files_name_may_have_braces(tmp_path: Path) -> None:
    """Loguru puts times into names; here a name is a name."""
    written(tmp_path / "{time}.log", puts(1))

    assert (tmp_path / "{time}.log").is_file()


def test_the_parts_are_what_their_names_say(tmp_path: Path) -> None:
    """Gz is gzip's format: zcat and jq read it."""
    written(tmp_path / "run.log", puts(3), compression="gz")

    assert len(gzip.decompress((tmp_path / "run.log.gz").read_bytes()).splitlines()) == 5


def test_a_packed_log_is_found_by_its_own_name(tmp_path: Path) -> None:
    """Run.log has become run.log.gz."""
    written(tmp_path / "run.log", puts(10), compression="gz")

    assert not (tmp_path / "run.log").exists()
    assert counted(tmp_path / "run.log") == 10


def test_reading_leaves_nothing_behind_when_it_is_killed(tmp_path: Path) -> None:
    """Killed at any moment; what is there afterwards is the log, and a kept database that is whole or none."""
    path = tmp_path / "run.log"
    written(path, puts(8000))
    script = f"from collector.report.log import database as d; d.KEPT_FROM = 1; d.Logfile.open({str(path)!r})"
    for wait in (0.05, 0.3, 0.4, 0.5, 0.6, 0.8):
        with subprocess.Popen([sys.executable, "-c", script], cwd=ROOT) as reader:
            with suppress(subprocess.TimeoutExpired):
                reader.wait(wait)
            reader.kill()
        left = {file.name for file in tmp_path.iterdir()}
        assert left <= {"run.log", "run.log.sqlite"}
        (tmp_path / "run.log.sqlite").unlink(missing_ok=True)


@pytest.mark.parametrize("name", ["run.gz", "run.log.xz", "run.bz2"])
def test_a_log_is_what_it_holds_not_what_it_is_called(tmp_path: Path, name: str) -> None:
    """A plain log by a packed one's name, and a packed one by a plain name."""
    written(tmp_path / name, puts(10))
    written(tmp_path / "packed", puts(20), compression=COMPRESSIONS[0])
    (tmp_path / f"packed.{COMPRESSIONS[0]}").rename(tmp_path / "plain.log")

    for path, count in ((name, 10), ("plain.log", 20)):
        with Logfile.open(str(tmp_path / path)) as log:
            assert log.db.execute("SELECT COUNT(*) FROM events").fetchone() == (count,)
