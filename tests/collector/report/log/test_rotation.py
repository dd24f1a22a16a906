"""A log in parts: when it is rotated, and that it is read as one while it grows, packed, linked, cut short."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from argparse import ArgumentTypeError
from datetime import timedelta
from pathlib import Path
from threading import Event as Flag
from threading import Thread

import pytest

from collector.report.atomicwrite import Replacement
from collector.report.log.database import Logfile
from collector.report.log.rotation import rotation
from collector.report.log.writer import COMPRESSIONS, EventLog
from collector.run import main
from tests.collector.report.log.writing import HEADER, ROOT, SMALL, counted, puts, written


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
