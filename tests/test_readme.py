"""The README does what it says: its commands run, its program runs, its picture is the real one."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest


ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
SAMPLES = ROOT / "tests" / "heaps"
STAND_INS = {
    "FILE": str(SAMPLES / "go119-small-nogc.heapdump.gz"),
    "BEFORE": str(SAMPLES / "go119-pair-small.heapdump.before.gz"),
    "AFTER": str(SAMPLES / "go119-pair-small.heapdump.after.gz"),
}
SHORT = {"python -m collector.run": ["--heap", "synthetic:random,n=500,m=1000,seed=1", "--cycles", "1"]}
"""What is added to a command that would take its ten seconds."""
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}
FAILS = (
    "explore latedecrement",
    "explain latedecrement",
    "explore aba --token",
    "replay aba.token",
    "explain aba.token",
)
"""Commands that end with status 1, because they find what they look for."""
WALK = README.partition("## A walk")[2].partition("\n## ")[0]


def commands(text: str) -> list[str]:
    """Every `python -m collector.run ...` of the text's sh blocks that stands by itself, comments off."""
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    lines = [line.partition("#")[0].strip() for block in blocks for line in block.splitlines()]
    return [line for line in dict.fromkeys(lines) if line.startswith("python -m collector.run") and "TOKEN" not in line]


def status(command: str) -> int:
    """What a command of the README ends with."""
    found = command.removeprefix("python -m collector.run ")
    return int(found.startswith(FAILS) and "fixed" not in found)


@pytest.fixture(name="place", scope="module")
def _place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the commands run."""
    return tmp_path_factory.mktemp("readme")


def run(command: str, place: Path) -> subprocess.CompletedProcess[str]:
    """The command with this interpreter."""
    words = [STAND_INS.get(word, word) for word in shlex.split(command)[1:]]
    words += SHORT.get(command, [])
    if "--heap FILE" in command:
        words += ["--cycles", "1"]
    return subprocess.run(
        [sys.executable, *words], capture_output=True, text=True, timeout=120, check=False, cwd=place, env=ENVIRONMENT
    )


@pytest.mark.parametrize("command", commands(README.replace(WALK, "")))
def test_a_command_of_the_readme_runs(command: str, place: Path) -> None:
    """Status 0, or 1 where it is meant to find something, and a verdict as the last line."""
    done = run(command, place)

    assert done.returncode == status(command), done.stderr
    assert done.stderr == ""


def test_the_walk_can_be_pasted(tmp_path: Path) -> None:
    """From run to inspect to replay, one after the other in one folder: what one writes, the next reads."""
    said = {}
    for command in commands(WALK):
        done = run(command, tmp_path)
        assert done.returncode == status(command), (command, done.stderr)
        assert done.stderr == "", command
        said[command.removeprefix("python -m collector.run ")] = done.stdout

    assert {file.name for file in tmp_path.iterdir()} >= {"run.log", "run.json", "run.html", "aba.token", "aba.html"}
    assert "wbuf" in said["inspect run.log who-held 100us"]
    assert "drainworkbuf" in said["inspect run.log wbuf 3"]
    assert json.loads((tmp_path / "run.json").read_text())["traceEvents"]
    assert "<svg" in (tmp_path / "run.html").read_text()
    assert "a node is lost or in two places" in said["explain aba.token"]


def test_the_picture_of_the_page_is_there_and_small() -> None:
    """A PNG, where the README looks for it; scripts/pictures.py --readme makes it."""
    (name,) = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", README)
    picture = (ROOT / name).read_bytes()

    assert picture.startswith(b"\x89PNG\r\n")
    assert len(picture) < 200_000


def test_the_picture_is_what_explore_prints(place: Path) -> None:
    """The shrunk ABA schedule in the README, but for the lines that draw the list."""
    printed = run("python -m collector.run explore aba", place).stdout
    picture = re.search(r"```\n(step  popper.*?)```", README, re.DOTALL)

    assert picture is not None
    steps = [line.rstrip() for line in printed.splitlines() if "full: " not in line]
    for line in picture[1].splitlines():
        assert line in steps


def test_a_token_replays_as_the_readme_says(place: Path) -> None:
    """What explore prints as a command does what it did."""
    printed = run("python -m collector.run explore latedecrement", place).stdout
    command = re.search(r"replay it with: (python .*)", printed)

    assert command is not None
    again = run(command[1], place)
    assert again.returncode == 1
    assert "the mark ended early" in again.stdout


def test_the_programs_of_the_readme_say_what_it_says(capsys: pytest.CaptureFixture[str]) -> None:
    """The python blocks run as they stand, one after the other: a lost update is found, a history is proved."""
    finds, proves = re.findall(r"```python\n(from collector.*?)```", README, re.DOTALL)
    namespace: dict[str, object] = {}

    exec(finds, namespace)  # noqa: S102  that is the point
    assert "store x := 1" in capsys.readouterr().out
    exec(proves, namespace)  # noqa: S102
    assert capsys.readouterr().out.startswith("Every interleaving")


def test_the_pytest_test_of_the_readme_is_exhausted(tmp_path: Path) -> None:
    """It is collected, for two threads and for three, and every interleaving passes."""
    block = re.search(r"```python\n(import pytest.*?)```", README, re.DOTALL)
    assert block is not None
    (tmp_path / "test_it.py").write_text(block[1])

    command = [sys.executable, "-m", "pytest", "-p", "collector.explore.plugin", "--race-report", "test_it.py"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, env=ENVIRONMENT)

    assert done.returncode == 0, done.stdout
    assert re.findall(r"test_counter\[(\d)\] +dpor +(\d+) .* exhausted", done.stdout) == [("2", "2"), ("3", "6")]
