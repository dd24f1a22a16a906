"""Several stress runs in a row: the seeds go up, the first that fails ends them, and it can be run again alone."""

from __future__ import annotations

import json
import re
import shlex
import sys
from typing import TYPE_CHECKING

from collector.run import main


if TYPE_CHECKING:
    from pathlib import Path

    import pytest

TRIES = 1000
"""Of a run that fails only if threads meet: the first that does is enough."""
SMALL = "--heap synthetic:random,n=500,m=1000 --cycles 1 --period 0.03 --quiet --mutators 1"


def test_repeat_takes_one_seed_after_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As many runs as were asked for; the files are the last one's."""
    words = [*SMALL.split(), "--seed", "7", "--repeat", "3", "--json", str(tmp_path / "out.json")]
    monkeypatch.setattr(sys, "argv", ["run", *words])

    assert main(words) == 0

    assert re.findall(r"^ok: .* seed (\d+)$", capsys.readouterr().out, re.MULTILINE) == ["7", "8", "9"]
    assert json.loads((tmp_path / "out.json").read_text())["seed"] == 9


def test_until_failure_ends_with_the_first_that_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Status 1; the command that it prints is of that run alone."""
    words = [*SMALL.split(), "--plant", "putfull-unlogged", "--seed", "7", "--until-failure"]
    monkeypatch.setattr(sys, "argv", ["run", *words])

    assert main(words) == 1

    out, err = capsys.readouterr()
    last = out.count(" objects loaded in ") - 1
    assert out.splitlines()[-1].startswith("failed: ")
    again = re.search(r"run it again with: python -m collector\.run (.*)", err)
    assert again is not None
    assert again[1].endswith(f"--repeat 1 --seed {7 + last}")
    for _ in range(TRIES):  # the same draws, but not the same meetings of threads
        status = main(shlex.split(again[1]))
        assert capsys.readouterr().out.count(" objects loaded in ") == 1
        if status == 1:
            break
    assert status == 1


def test_all_programs_are_not_repeated(capsys: pytest.CaptureFixture[str]) -> None:
    """`--all` is a series of its own."""
    assert main(["--all", "--repeat", "2"]) == 2
    assert "leave out" in capsys.readouterr().err
