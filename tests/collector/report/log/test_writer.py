"""The log as it is written: every event, rotated and packed, and where the disk is full."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from argparse import ArgumentParser, ArgumentTypeError
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from threading import Event as Flag
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest
from loguru import logger

from collector.commands.stressoptions import add_arguments, plan
from collector.report.atomicwrite import Replacement
from collector.report.log.database import Logfile
from collector.report.log.rotation import rotation
from collector.report.log.writer import COMPRESSIONS, SCHEMA, EventLog, LogError
from collector.run import main
from workbuf.events import FIELDS, FULL, Event
from workbuf.recorder import Record


if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[4]
HEADER: dict[str, Any] = {"seed": 1, "python": "3.x", "command": "x", "threads": ["gc", "a", "b"]}
SMALL = ["--heap", "synthetic:random,n=300,m=600,seed=1", "--cycles", "1", "--mutators", "2", "--quiet"]


def written(path: Path, records: list[Record], **options: Any) -> None:  # noqa: ANN401  EventLog's
    """Write a log."""
    log = EventLog(path, lambda b: f"wbuf{b}", HEADER, **options)
    log.events(records)
    log.event("end", dropped=0)
    log.close()


@pytest.fixture(name="warnings")
def _warnings() -> Iterator[list[str]]:
    """What loguru is told meanwhile, by anybody but the log itself."""
    said: list[str] = []
    handler = logger.add(said.append, format="{message}", filter=lambda record: "json" not in record["extra"])
    yield said
    logger.remove(handler)


def puts(n: int) -> list[Record]:
    """`n` puts."""
    return [Record(1000 + i, 1, Event.PUT, i % 5, 358, FULL) for i in range(n)]


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


@pytest.mark.parametrize("name", ["run.log", "log"])
@pytest.mark.parametrize("packed", [None, *COMPRESSIONS])
def test_a_rotated_log_is_read_as_one(tmp_path: Path, packed: str | None, name: str) -> None:
    """Every part begins with the schema; together they are the log, and one of them by itself can be read."""
    path = tmp_path / name
    written(path, puts(100), rotation="2 KB", compression=packed)
    parts = sorted(tmp_path.iterdir())

    assert len(parts) > 5
    assert packed is None or sum(part.suffix == f".{packed}" for part in parts) == len(parts) - 1
    with Logfile.open(str(path)) as log:
        assert log.about.ended
        assert [t for (t,) in log.db.execute("SELECT t FROM events ORDER BY id")] == list(range(100))
    with Logfile.open(str(next(part for part in parts if part != path))) as log:
        assert 0 < log.db.execute("SELECT COUNT(*) FROM events").fetchone()[0] < 100


def test_parts_of_another_run_are_left_alone(tmp_path: Path) -> None:
    """A log that lay there before, under the same name, was rotated too."""
    path = tmp_path / "run.log"
    for n in (100, 40):
        written(path, puts(n), rotation="2 KB")

    with Logfile.open(str(path)) as log:
        assert log.db.execute("SELECT COUNT(*) FROM events").fetchone() == (40,)


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
        capture_output=True, text=True, check=False, cwd=ROOT, timeout=100,
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


REFUSED = [
    "0 seconds",
    "-1 days",
    "10000000 years",
    "1 B",
    "foo",
    "",
    "25:00",
    "NaN MB",
    "1e400 GB",
    "0.5 s",
    "100 YB",
    "\u00b2 MB",
]


@pytest.mark.parametrize("when", REFUSED)
def test_a_rotation_that_cannot_be_is_refused_before_the_heap_is_read(
    when: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line, with what would do."""
    monkeypatch.setattr("collector.heaps.read", lambda *_: pytest.fail("the heap was read"))
    with pytest.raises(SystemExit) as left:
        main([*SMALL, "--log", str(tmp_path / "log"), f"--log-rotation={when}"])

    assert left.value.code == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert 'say "100 MB"' in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("when", "means"),
    [
        ("100 MB", 10**8),
        ("4 KB", 4000),
        ("1 KiB", None),
        ("1 MiB", 1 << 20),
        ("0.5 GB", 5 * 10**8),
        ("10 minutes", timedelta(minutes=10)),
        ("1 Week", timedelta(weeks=1)),
        ("1 second", timedelta(seconds=1)),
        ("18:00", "18:00"),
        ("Monday at 12:00", "monday at 12:00"),
        ("daily", "daily"),
    ],
)
def test_what_a_rotation_means(when: str, means: object, tmp_path: Path) -> None:
    """And loguru takes every one of them."""
    if means is None:
        with pytest.raises(ArgumentTypeError):
            rotation(when)
    else:
        assert rotation(when) == means
        written(tmp_path / "log", puts(3), rotation=rotation(when))


def parted(folder: Path, packed: str | None = None) -> tuple[Path, list[Path]]:
    """A log in parts: its path, and those before it by number."""
    path = folder / "run.log"
    written(path, puts(100), rotation="2 KB", compression=packed)
    return path, sorted(file for file in folder.iterdir() if file != path)


def counted(path: Path) -> int:
    """Events in a log."""
    with Logfile.open(str(path)) as log:
        (count,) = log.db.execute("SELECT COUNT(*) FROM events").fetchone()
        return int(count)


def test_a_run_killed_while_it_packs_a_part(tmp_path: Path) -> None:
    """The last file is gone, and the packed one holds nothing yet, or half: everything is there."""
    path, parts = parted(tmp_path)
    path.rename(parts[-1].with_name("run.2999-01-01_00-00-00_000001.log"))
    whole = gzip.compress(parts[-1].read_bytes())
    for begun in (b"", whole[: len(whole) // 2]):
        Path(f"{parts[-1]}.gz").write_bytes(begun)
        assert counted(path) == 100


@pytest.mark.parametrize("packed", [None, "gz"])
def test_a_part_that_is_gone_is_said(tmp_path: Path, packed: str | None, capsys: pytest.CaptureFixture[str]) -> None:
    """What is there is counted."""
    path, parts = parted(tmp_path, packed)
    parts[2].unlink()

    assert main(["inspect", str(path)]) == 0

    assert f"(part 3 of {len(parts) + 1} is missing)" in capsys.readouterr().out
    assert 50 < counted(path) < 100


def test_a_part_that_was_cut_short_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The others are read to their ends."""
    path, parts = parted(tmp_path, "gz")
    parts[1].write_bytes(parts[1].read_bytes()[:-40])

    assert main(["inspect", str(path)]) == 0

    assert "was cut short at line" in capsys.readouterr().out
    assert 50 < counted(path) < 100


def test_a_packed_log_is_found_by_its_own_name(tmp_path: Path) -> None:
    """Run.log has become run.log.gz."""
    written(tmp_path / "run.log", puts(10), compression="gz")

    assert not (tmp_path / "run.log").exists()
    assert counted(tmp_path / "run.log") == 10


def test_a_part_is_never_without_its_first_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the file gets its name it has it already; a log that lay there before stays until then."""
    path = tmp_path / "run.log"
    path.write_text("before")
    seen: list[str] = []
    replace = Replacement.replace

    def looking(self: Replacement) -> None:
        seen.append(path.read_text())
        replace(self)
        seen.append(path.read_text())

    monkeypatch.setattr(Replacement, "replace", looking)
    written(path, puts(1))

    before, after = seen
    assert before == "before"
    assert json.loads(after)["part"] == 1
    assert after.endswith("\n")


@pytest.mark.parametrize("packed", ["gz", "xz"])
def test_a_log_that_is_being_written_rotated_and_packed_can_be_read(tmp_path: Path, packed: str) -> None:
    """Whenever it is looked at there is an answer, never fewer events than before, and nothing missing."""
    path = tmp_path / "run.log"
    log = EventLog(path, lambda b: f"wbuf{b}", HEADER, rotation="3 KB", compression=packed)
    done = Flag()

    def write() -> None:
        for record in puts(3000):
            log.events([record])
        log.close()
        done.set()

    writer = Thread(target=write)
    writer.start()
    counts = []
    try:
        while not done.is_set():
            with Logfile.open(str(path)) as found:
                counts.append(found.db.execute("SELECT COUNT(*) FROM events").fetchone()[0])
                assert not found.about.missing
    finally:
        writer.join()

    assert counts == sorted(counts)
    assert counts
    assert counted(path) == 3000


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


@pytest.mark.parametrize("packed", [None, "gz"])
def test_a_log_by_a_link_is_rotated_and_the_link_stays(tmp_path: Path, packed: str | None) -> None:
    """The parts lie beside the file, and are found by the link."""
    there, link = tmp_path / "there", tmp_path / "run.log"
    there.mkdir()
    link.symlink_to(there / "a.log")
    written(link, puts(100), rotation="2 KB", compression=packed)

    assert link.is_symlink()
    assert sorted(tmp_path.iterdir()) == [link, there]
    assert len(list(there.glob("a*.log*"))) > 5
    with Logfile.open(str(link)) as log:
        assert log.db.execute("SELECT COUNT(*) FROM events").fetchone() == (100,)
        assert (log.about.ended, log.about.missing) == (True, [])


def test_stdout_is_not_rotated(tmp_path: Path) -> None:
    """Also where it goes to a file: a link such as /dev/stdout would be renamed, for everybody."""
    with (tmp_path / "out").open("w") as out:
        words = [sys.executable, "-m", "collector.run", *SMALL, "--log", "link", "--log-rotation", "5 KB"]
        (tmp_path / "link").symlink_to("/proc/self/fd/1")
        done = subprocess.run(
            words,
            cwd=tmp_path,
            stdout=out,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
        )

    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "only a regular file of its own can be rotated or compressed" in done.stderr
    assert (tmp_path / "link").is_symlink()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "out"]


@pytest.mark.parametrize("name", ["run.gz", "run.log.xz", "run.bz2"])
def test_a_log_is_what_it_holds_not_what_it_is_called(tmp_path: Path, name: str) -> None:
    """A plain log by a packed one's name, and a packed one by a plain name."""
    written(tmp_path / name, puts(10))
    written(tmp_path / "packed", puts(20), compression=COMPRESSIONS[0])
    (tmp_path / f"packed.{COMPRESSIONS[0]}").rename(tmp_path / "plain.log")

    for path, count in ((name, 10), ("plain.log", 20)):
        with Logfile.open(str(tmp_path / path)) as log:
            assert log.db.execute("SELECT COUNT(*) FROM events").fetchone() == (count,)
