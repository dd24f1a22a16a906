"""Files that are given for results or a checkpoint, and are something else: a line, status 2, and nothing is changed."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from collector.campaign.checkpoint import Checkpoint, CheckpointError
from collector.campaign.split import Split
from collector.campaign.store import Store, StoreError
from collector.campaign.task import Outcome, Task
from collector.commands.status import OK, USAGE
from collector.run import main
from tests.collector.campaign.searched import of


if TYPE_CHECKING:
    from pathlib import Path


def text(path: Path) -> None:
    """Of somebody."""
    path.write_text("something else, long enough to be read as a database" * 9, encoding="ascii")


def anothers(path: Path) -> None:
    """A database of another program, of which the version is 1, too."""
    with closing(sqlite3.connect(path)) as db:
        db.executescript("PRAGMA user_version = 1; CREATE TABLE theirs(x); INSERT INTO theirs VALUES (1)")


def empty(path: Path) -> None:
    """A database of another program that is still empty."""
    with closing(sqlite3.connect(path)) as db:
        db.executescript("PRAGMA application_id = 7")


def broken(path: Path) -> None:
    """A database of which only the beginning is there."""
    anothers(path)
    path.write_bytes(path.read_bytes()[:5000])


def results(path: Path) -> None:
    """Of a campaign."""
    with Store(str(path)) as store:
        store.plan([Task("explore", "one", {})], "code")


def checkpoint(path: Path) -> None:
    """Of a search."""
    Checkpoint(str(path), {"seed": 1}).close()


def of_another_version(path: Path) -> None:
    """Results, or a checkpoint, of the future."""
    with closing(sqlite3.connect(path)) as db:
        db.executescript("PRAGMA user_version = 99")


@pytest.mark.parametrize("made", [text, anothers, empty, broken, results, checkpoint])
def test_what_is_not_ours_is_refused_and_left_as_it_is(made: object, tmp_path: Path) -> None:
    """As results, and as a checkpoint."""
    path = tmp_path / "file"
    made(path)  # type: ignore[operator]
    before = path.read_bytes()
    if made is not results:
        with pytest.raises(StoreError, match=f"^{path}: "):
            Store(str(path))
    if made is not checkpoint:
        with pytest.raises(CheckpointError, match=f"^{path}: "):
            Checkpoint(str(path), {"seed": 1})

    assert path.read_bytes() == before


def test_another_version_is_refused(tmp_path: Path) -> None:
    """Of either."""
    for made, error, again in (
        (results, StoreError, Store),
        (checkpoint, CheckpointError, lambda path: Checkpoint(path, {"seed": 1})),
    ):
        path = tmp_path / made.__name__
        made(path)
        of_another_version(path)
        with pytest.raises(error, match="of this version; give them a file of their own"):
            again(str(path))


@pytest.mark.parametrize("kind", ["pipe", "folder", "device", "nowhere"])
def test_the_commands_say_so_in_a_line(kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And do not wait."""
    specification = tmp_path / "spec.toml"
    specification.write_text('[[explore]]\nprograms = ["aba:fixed"]\n', encoding="ascii")
    path = {"device": "/dev/zero", "nowhere": str(tmp_path / "no" / "file")}.get(kind, str(tmp_path / kind))
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        os.mkdir(path)  # noqa: PTH102  a name
    for words in (
        ["explore", "aba", "--variant", "fixed", "--checkpoint", path],
        ["campaign", str(specification), "--results", path],
    ):
        assert main(words) == USAGE
        said = capsys.readouterr().err
        assert path in said
        assert said.count("\n") == 1


def test_a_disk_that_is_full_ends_a_campaign_and_keeps_what_was_done(tmp_path: Path) -> None:
    """The task that could not be written is done again, with the rest."""
    path = str(tmp_path / "results.db")
    tasks = [Task("explore", str(number), {"number": number}) for number in range(9)]
    with Store(path) as store:
        todo = store.plan(tasks, "code")
        store.finish(todo[0][0], Outcome("proved"))
        (pages,) = store.db.execute("PRAGMA page_count").fetchone()
        store.db.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(StoreError, match="database or disk is full; what was finished is kept"):
            store.finish(todo[1][0], Outcome("proved", more={"printed": "x" * 20_000}))
    with Store(path) as store:
        left = store.plan(tasks, "code")

        assert left == todo[1:]
        for key, _ in left:
            store.finish(key, Outcome("proved"))

        assert store.verdicts() == {("explore", "proved"): 9}


def test_a_disk_that_is_full_does_not_end_a_search(tmp_path: Path) -> None:
    """A note says that the checkpoint is an old one; it is whole."""
    path = str(tmp_path / "checkpoint")
    search = Split(of("aba", "fixed", "dfs", 300), 1)
    with closing(Checkpoint(path, {"seed": 1})) as file:
        (pages,) = file.db.execute("PRAGMA page_count").fetchone()
        file.db.execute(f"PRAGMA max_page_count = {pages}")
        search.result.notes.append("x" * 20_000)
        search.saved = lambda so_far: file.save(so_far, now=True)
        result = search.run(None)

        assert result.schedules == 300
        assert f"{path} could not be written (database or disk is full)" in result.notes[-1]
    with closing(Checkpoint(path, {"seed": 1})) as file:
        assert not file.restore(Split(of("aba", "fixed", "dfs", 300), 1))


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_file_that_may_not_be_written(tmp_path: Path) -> None:
    """Also one of ours."""
    path = tmp_path / "results.db"
    results(path)
    path.chmod(0o400)
    with pytest.raises(StoreError, match="readonly"):
        Store(str(path))


def test_a_checkpoint_that_was_changed_is_refused(tmp_path: Path) -> None:
    """In a line, as a command; it does not begin again by itself."""
    path = tmp_path / "checkpoint"
    words = [sys.executable, "-m", "collector.run", "explore", "aba", "--variant", "fixed", "--strategy", "dfs"]
    words += ["--schedules", "200", "--checkpoint", str(path)]
    assert subprocess.run(words, capture_output=True, check=False).returncode == OK
    with closing(sqlite3.connect(path)) as db:
        db.execute("UPDATE left SET value = '[1, 2'")
        db.commit()
    done = subprocess.run(words, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr.count("\n")) == (USAGE, 1)
    assert f"--checkpoint {path}: it cannot be read" in done.stderr
