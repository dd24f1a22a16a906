"""The database kept beside a large log: used while it is the log's, made anew when touched, nobody else's overwritten."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from collector.report.log import database as logfile
from collector.report.log.database import Logfile
from collector.run import main
from tests.collector.report.log.logs import HEADER, LIFE, answer


if TYPE_CHECKING:
    from collections.abc import Callable


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
