"""The README does what it says: its commands run, its programs run, its picture is the real one."""

from __future__ import annotations

import json
import re
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest

from collector.run import main
from tests.documents import HEAPS, Walk, blocks, plain


ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
SHORT = {"python -m collector.run": "--heap synthetic:random,n=500,m=1000,seed=1 --cycles 2"}
"""What is added to a command that would take its ten seconds."""


def ours(page: str) -> str:
    """The page with those lines of its `sh` blocks that run an installed project: not make's, uv's or pip's."""
    return re.sub(r"^(?:make |\.venv/|python3 ).*\n", "", page, flags=re.MULTILINE)


@pytest.fixture(name="walk")
def _walk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Walk:
    """In a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["run"])
    return Walk(capsys, HEAPS, SHORT)


def test_the_readme_can_be_pasted(walk: Walk) -> None:
    """One command after the other in one folder: what one writes, the next reads; git ignores what they leave behind."""
    walk.through(ours(README))

    assert {file.name for file in Path().iterdir()} >= {"run.log", "run.json", "run.html", "aba.token", "aba.html"}
    patterns = [
        line.strip("/") for line in (ROOT / ".gitignore").read_text("utf-8").splitlines() if line[:1] not in ("", "#")
    ]
    assert [
        file.name for file in Path().iterdir() if not any(fnmatch(file.name, pattern) for pattern in patterns)
    ] == []
    assert json.loads(Path("run.json").read_text("utf-8"))["traceEvents"]
    assert "<svg" in Path("run.html").read_text("utf-8")
    assert "store x := 1" in walk.said
    assert "alive by " in walk.said
    assert "ok: missing 0" in walk.said


def test_what_a_run_prints_is_what_the_readme_shows(walk: Walk) -> None:
    """Each line of the excerpt, but for its numbers."""
    (shown,) = [text for kind, text in blocks(README) if not kind and text.startswith("gc")]
    walk.command("python -m collector.run")

    printed = {plain(line) for line in walk.said.splitlines()}
    assert [line for line in shown.splitlines() if line != "..." and plain(line) not in printed] == []


def test_the_picture_of_the_page_is_there_and_small() -> None:
    """A PNG, where the README looks for it; scripts/pictures.py --readme makes it."""
    (name,) = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", README)
    picture = (ROOT / name).read_bytes()

    assert picture.startswith(b"\x89PNG\r\n")
    assert len(picture) < 200_000


def test_the_schedule_is_what_explore_prints(capsys: pytest.CaptureFixture[str]) -> None:
    """The shrunk ABA schedule in the README, line by line."""
    (shown,) = [text for kind, text in blocks(README) if not kind and text.startswith("step")]
    assert main(["explore", "aba"]) == 1

    printed = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    begin = printed.index(shown.splitlines()[0])
    assert printed[begin:][: len(shown.splitlines())] == shown.splitlines()


def test_a_token_replays_as_explore_says(walk: Walk) -> None:
    """What explore prints as a command does what it did."""
    walk.command("python -m collector.run explore latedecrement  # status 1")
    command = re.search(r"replay it with: (python .*)", walk.said)

    assert command is not None
    walk.said = ""
    walk.command(f"{command[1]}  # status 1")
    assert "the mark ended early" in walk.said


def test_the_pytest_test_of_the_readme_is_exhausted(walk: Walk) -> None:
    """It is collected, for two threads and for three, and every interleaving passes."""
    (block,) = [text for kind, text in blocks(README) if kind == "python" and text.startswith("import pytest")]
    Path("test_it.py").write_text(block, "utf-8")

    walk.command("python -m pytest --race-report test_it.py")

    assert re.findall(r"test_counter\[(\d)\] +dpor +(\d+) .* exhausted", walk.said) == [("2", "2"), ("3", "6")]


def test_every_script_that_is_named_is_there() -> None:
    """In the table of what measures what."""
    table = README.partition("| script |")[2].partition("\n\n")[0]
    names = re.findall(r"`(\w+)`", table)

    assert len(names) > 10
    scripts = {
        path.stem for path in (ROOT / "scripts").iterdir() if path.suffix == ".py" or (path / "__main__.py").exists()
    }
    assert [name for name in names if name not in scripts] == []


def test_the_readme_stays_short_and_points_to_the_guide() -> None:
    """About two hundred lines; what does not fit is in the guide."""
    assert len(README.splitlines()) < 240
    for topic in ("protocol", "testing", "reports", "heaps", "speed", "project"):
        assert f"guide {topic}`" in README
