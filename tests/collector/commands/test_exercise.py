"""Exercises: the code with the bug fails, the solution is proved, and so is nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from collector.exercises import EXERCISES
from collector.run import main


if TYPE_CHECKING:
    from pathlib import Path

WRONG = {
    "cache": [
        ("port.xchg(self.slot, 0)", "0", "nobody took the buffer"),
        ("port.xchg(self.slot, 0)", "port.load(self.slot)", "are somewhere"),
        ("port.xchg(self.slot, buffer)", "port.store(self.slot, buffer) or 0", "are somewhere"),
    ],
    "termination": [
        ("port.load(self.waiting) == self.workers", "not port.load(self.boxes)", "told that all is done"),
        ("port.load(self.waiting) == self.workers", "port.load(self.waiting) > self.workers", "livelock"),
        ("    port.xadd(self.waiting, 1)\n            if", "    pass\n            if", "livelock"),
    ],
}
"""In the solution, what to put in whose place, and what the judge then says."""


@pytest.mark.parametrize("name", EXERCISES)
def test_the_way_through(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The code is written, fails, and is solved by the solution."""
    file, html = tmp_path / "attempt.py", tmp_path / "attempt.html"
    command = ["exercise", name, "--file", str(file), "--html", str(html)]

    assert main(command) == 0
    assert file.read_text() == EXERCISES[name].start
    assert main(command) == 1
    assert "\nnot yet: " in capsys.readouterr().out
    assert "<html" in html.read_text()

    assert main(["exercise", name, "--solution"]) == 0
    said = capsys.readouterr().out
    assert said.endswith(EXERCISES[name].solved)
    file.write_text(EXERCISES[name].solved)
    assert main(command) == 0
    assert capsys.readouterr().out.endswith(f"\nsolved: {name}\n")


@pytest.mark.parametrize(
    ("name", "right", "wrong", "says"), [(n, *case) for n, cases in WRONG.items() for case in cases]
)
def test_an_attempt_that_is_wrong_otherwise(
    name: str, right: str, wrong: str, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Is not taken for a solution."""
    solved = EXERCISES[name].solved
    assert right in solved
    file = tmp_path / "attempt.py"
    file.write_text(solved.replace(right, wrong))

    assert main(["exercise", name, "--file", str(file)]) == 1

    assert says in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("x = 1\n", "has no class Cache"),
        ("class Cache:\n    x = y\n", "attempt.py:2: NameError"),
        ("class Cache\n", "attempt.py:1: "),
    ],
)
def test_a_file_that_is_no_attempt(text: str, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line, status 2."""
    file = tmp_path / "attempt.py"
    file.write_text(text)

    assert main(["exercise", "cache", "--file", str(file)]) == 2

    err = capsys.readouterr().err
    assert says in err
    assert err.count("\n") == 1


def test_list_and_hints(capsys: pytest.CaptureFixture[str]) -> None:
    """Every exercise; as many hints as are asked for."""
    assert main(["exercise"]) == 0
    said = capsys.readouterr().out
    assert all(name in said for name in EXERCISES)
    assert len(EXERCISES) >= 2

    assert main(["exercise", "cache", "--hint", "2"]) == 0
    assert [line[:2] for line in capsys.readouterr().out.splitlines()] == ["1.", "2."]
