"""Inputs are never written over, outputs are whole or what was there before."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from collector.commands.files import Output
from collector.report.atomicwrite import NAMELESS, replacing
from collector.run import main


if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[3]
RUN = [sys.executable, "-m", "collector.run"]
SMALL = ["--heap", "synthetic:random,n=400", "--cycles", "1", "--quiet"]
HEAP = Path(__file__).parents[2] / "heaps" / "node20-small.heapsnapshot.gz"
INPUTS = [
    pytest.param(["stress", "--heap"], ["--log", "--html", "--json", "--trace"], id="stress"),
    pytest.param(["heap"], ["--json"], id="heap"),
    pytest.param(["referee", str(HEAP)], ["--json"], id="referee"),
    pytest.param(["inspect"], ["--json"], id="inspect"),
    pytest.param(["replay"], ["--json", "--html"], id="replay"),
    pytest.param(["explain"], ["--json"], id="explain"),
]


def twice(path: Path, link: Path) -> None:
    """A link to a link."""
    between = link.with_name("between")
    between.symlink_to(path)
    link.symlink_to(between)


LINKS: dict[str, Callable[[Path, Path], object]] = {
    "itself": lambda path, link: path.rename(link),
    "hard": lambda path, link: link.hardlink_to(path),
    "symbolic": lambda path, link: link.symlink_to(path),
    "two symbolic": twice,
}


@pytest.mark.parametrize("words", [["stress", "--heap"], ["inspect"], ["hunt"], ["replay"], ["referee", str(HEAP)]])
def test_an_input_without_a_name(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """As of a variable of the shell that is empty."""
    assert main([*words, ""]) == 2
    assert capsys.readouterr().err.endswith(": the name is empty, name a file\n")


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize(("words", "options"), INPUTS)
def test_an_input_is_never_written_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], options: list[str], link: str
) -> None:
    """Whatever leads there: status 2, one line before anything is read, every byte as it was."""
    path, other = tmp_path / "input", tmp_path / "other"
    path.write_bytes(b"what was there")
    LINKS[link](path, other)
    path = path if path.exists() else other
    for option in options:
        assert main([*words, str(path), option, str(other)]) == 2
        out, err = capsys.readouterr()
        assert (out, err.count("\n")) == ("", 1)
        assert f"{option} " in err
        assert "which is read: give the output a file of its own" in err
    assert path.read_bytes() == b"what was there"


@pytest.mark.parametrize(
    "words",
    [
        ["stress", *SMALL, "--log", "A", "--json", "A"],
        ["stress", *SMALL, "--trace", "A", "--html", "B"],
        ["replay", "s1.x", "--json", "A", "--html", "B"],
        ["explore", "aba", "--token", "A", "--json", "B"],
    ],
    ids=lambda words: f"{words[0]} {words[-1]}",
)
@pytest.mark.parametrize("there", [False, True])
def test_no_two_outputs_share_a_file(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    there: bool,  # noqa: FBT001
) -> None:
    """By one name, or by a link; whether it is there already or not."""
    monkeypatch.chdir(tmp_path)
    if there:
        Path("A").write_text("before")
    Path("B").symlink_to("A")

    assert main(words) == 2

    assert "give each a file of its own" in capsys.readouterr().err
    assert Path("A").exists() == there
    assert not there or Path("A").read_text() == "before"


def test_a_refused_run_leaves_no_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is looked at before the run is not made by the looking."""
    out = tmp_path / "out"

    assert main(["heap", str(tmp_path / "none"), "--json", str(out)]) == 2

    assert capsys.readouterr().err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("path", ["", "x" * 300, "no/such/place", "."])
def test_an_output_that_cannot_be_is_refused(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Before anything is done; its name and why."""
    assert main(["scenarios", "--json", path]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert f"--json {path}: cannot write: " in err


def test_a_link_stays_a_link_and_a_mode_a_mode(tmp_path: Path) -> None:
    """Only the content is new."""
    path, link = tmp_path / "file", tmp_path / "link"
    path.write_text("old")
    path.chmod(0o640)
    link.symlink_to(path)

    assert main(["scenarios", "--json", str(link)]) == 0

    assert link.is_symlink()
    assert path.read_text().startswith("{")
    assert path.stat().st_mode & 0o777 == 0o640
    assert sorted(file.name for file in tmp_path.iterdir()) == ["file", "link"]


@pytest.mark.parametrize("words", [["explore", "aba"], ["explain", "aba"]], ids=lambda words: words[0])
def test_a_failure_stays_a_failure_where_its_files_cannot_be_written(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Status 1, the verdict is printed, and a line says which file is not there."""
    assert main([*words, "--json", "/dev/full"]) == 1
    said = f"collector.run {words[0]}: --json /dev/full: cannot write: No space left on device\n"
    assert capsys.readouterr().err == said


def test_nothing_found_and_nothing_written_is_no_success(capsys: pytest.CaptureFixture[str]) -> None:
    """Status 2."""
    assert main(["scenarios", "--json", "/dev/full"]) == 2
    assert "/dev/full" in capsys.readouterr().err


def test_a_disk_that_fills_up_leaves_the_old_file(tmp_path: Path) -> None:
    """And nothing beside it."""
    path = tmp_path / "page.html"
    path.write_text("old")
    limited = ["/bin/bash", "-c", 'ulimit -f 8; exec "$@"', "bash", *RUN]
    done = subprocess.run(
        [*limited, "stress", *SMALL, "--html", str(path)],
        capture_output=True, text=True, check=False, cwd=ROOT, timeout=200,
    )  # fmt: skip

    assert done.returncode == 2, done.stderr
    assert done.stdout.splitlines()[-1].startswith("ok: ")
    assert done.stderr == f"collector.run stress: --html {path}: cannot write: File too large\n"
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_where_no_new_file_may_be_the_old_one_is_written(tmp_path: Path) -> None:
    """A folder that takes no files: the file that is there is written all the same."""
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    path = tmp_path / "out"
    path.write_text("old")
    tmp_path.chmod(0o500)
    try:
        assert main(["scenarios", "--json", str(path)]) == 0
        assert path.read_text().startswith("{")
    finally:
        tmp_path.chmod(0o700)


def test_stdout_may_be_named_as_a_file() -> None:
    """The answer comes behind what was printed."""
    done = subprocess.run(
        [*RUN, "scenarios", "--json", "/dev/stdout"],
        capture_output=True, text=True, check=False, cwd=ROOT, timeout=200,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert '"scenarios": {' in done.stdout


@pytest.mark.skipif(not NAMELESS, reason="no files without a name here")
def test_a_new_file_gets_its_name_in_one_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed at any moment, whoever writes it leaves no other name behind."""
    monkeypatch.setattr(Path, "replace", None)

    with replacing(tmp_path / "new") as file:
        file.write(b"whole")
        assert list(tmp_path.iterdir()) == []

    assert [path.name for path in tmp_path.iterdir()] == ["new"]
    assert (tmp_path / "new").read_bytes() == b"whole"


@pytest.mark.parametrize("option", ["--heap", "--json", "--trace"])
def test_the_log_is_not_packed_into_a_file_of_another_option(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str
) -> None:
    """`run.log.gz` is no option's value, and is written all the same."""
    packed = tmp_path / "run.log.gz"
    packed.write_text("before")
    log = ["--log", str(tmp_path / "run.log"), "--log-compression", "gz"]

    assert main(["stress", "--cycles", "1", "--quiet", *log, option, str(packed)]) == 2

    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert f"packed into {packed}, which is that of {option}" in err
    assert (sorted(tmp_path.iterdir()), packed.read_text()) == ([packed], "before")


def test_a_folder_that_is_not_there_is_no_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With a slash at its end it was meant as a folder."""
    assert main(["scenarios", "--json", f"{tmp_path}/out/"]) == 2
    assert "cannot write: Is a directory" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("words", [["--json", "/dev/stdout"], ["--log", "/dev/stderr"]], ids=lambda words: words[0])
def test_stdout_that_is_a_file_gets_both(tmp_path: Path, words: list[str]) -> None:
    """What is written to it by its name and what is printed stand one behind the other."""
    path = tmp_path / "out"
    with path.open("w") as out:
        done = subprocess.run([*RUN, *SMALL, *words], cwd=ROOT, stdout=out, stderr=out, check=False)

    lines = path.read_text().splitlines()
    assert done.returncode == 0
    assert "objects loaded" in lines[0]
    assert lines[-1].startswith("ok: ")
    if words[0] == "--json":
        begin, end = lines.index("{"), lines.index("}")
        assert json.loads("\n".join(lines[begin : end + 1]))["lost"] == 0
    else:
        said = [json.loads(line) for line in lines if line.startswith("{")]
        assert (said[0]["schema"], said[-1]["event"]) == ("workbuf-log", "end")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
@pytest.mark.parametrize("option", ["--json", "--log"])
def test_a_pipe_that_nobody_reads_is_not_waited_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str
) -> None:
    """Opening it would wait for ever; one line, status 2."""
    os.mkfifo(tmp_path / "pipe")

    assert main(["stress", *SMALL, option, str(tmp_path / "pipe")]) == 2

    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "nobody reads it: start its reader first" in err


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_a_pipe_that_nobody_writes_to_holds_no_token(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is no empty file; one line, status 2."""
    os.mkfifo(tmp_path / "pipe")

    assert main(["replay", str(tmp_path / "pipe")]) == 2

    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "nobody writes to this pipe" in err


def test_a_folder_that_goes_while_the_run_lasts_costs_the_output(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A line, and the mark that makes the status 2."""
    output = Output(tmp_path / "gone" / "out")
    output.option = "--json"

    output.writejson({})

    assert output.failed
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert err.endswith(": cannot write: No such file or directory\n")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
@pytest.mark.parametrize("what", ["pipe", "/dev/zero", "/dev/null"])
@pytest.mark.parametrize("command", [("inspect",), ("hunt",), ("heap",), ("campaign",), ("replay",), ("explain",)])
def test_what_has_no_end_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: tuple[str], what: str
) -> None:
    """A pipe without a writer, devices: one line."""
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")

    assert main([*command, what]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "save it to a file first" in line or "no token" in line or "a token of this version" in line


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_a_token_comes_through_a_pipe(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As of a process substitution."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)  # a writer does not wait either
    writer = os.open(pipe, os.O_WRONLY)
    os.write(writer, b"s2.nothing\n")
    os.close(writer)

    assert main(["replay", str(pipe)]) == 2
    assert "s2.nothing" in capsys.readouterr().err
    os.close(reader)
