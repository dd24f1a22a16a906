"""What is said on stdout and stderr: escaped, and to whom it may be said no longer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from collector.report.streams import Guarded, Streams, escaped, oneline, withcontrols
from collector.run import main


if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).parents[3]
RUN = [sys.executable, "-m", "collector.run"]
SMALL = ["--heap", "synthetic:random,n=400", "--cycles", "1"]
HOSTILE = "\x1b[31mred\x07\u202egnirts\x9b\ud800\x7f"
SHOWN = r"\x1b[31mred\x07\u202egnirts\x9b\ud800\x7f"


def ended(shell: str, *words: str, limit: int = 200) -> subprocess.CompletedProcess[str]:
    """The command within a line of shell, where it is "$@"."""
    return subprocess.run(
        ["/bin/bash", "-o", "pipefail", "-c", shell, "bash", *RUN, *words],
        capture_output=True, text=True, check=False, cwd=ROOT, timeout=limit,
    )  # fmt: skip


def test_what_does_not_print_is_an_escape() -> None:
    """Control characters, bidirectional marks, lone surrogates; letters of any script, lines and tabs stay."""
    assert escaped(HOSTILE) == SHOWN
    assert escaped("größe\t中文\n") == "größe\t中文\n"
    assert oneline("a\nb\tc") == r"a\nb\tc"


def test_a_stream_escapes_all_but_what_draws() -> None:
    """A progress bar's own control characters go through a stream of its own."""
    to = StringIO()
    Guarded(to).write(HOSTILE)
    assert to.getvalue() == SHOWN
    Guarded(to, controls=True).write("\x1b[2K")
    assert to.getvalue() == f"{SHOWN}\x1b[2K"


def test_while_entered_print_escapes(capsys: pytest.CaptureFixture[str]) -> None:
    """And afterwards the streams are what they were."""
    before = sys.stdout
    with Streams():
        print(HOSTILE)  # noqa: T201
        print(HOSTILE, file=sys.stderr)  # noqa: T201
        assert withcontrols() is not sys.stdout
    assert sys.stdout is before
    assert withcontrols() is before
    assert capsys.readouterr() == (f"{SHOWN}\n", f"{SHOWN}\n")


def test_what_the_encoding_lacks_is_an_escape_too() -> None:
    """A terminal in the C locale."""
    done = subprocess.run(
        [sys.executable, "-c", "from collector.report.streams import Streams\nwith Streams(): print('größe')"],
        capture_output=True, check=True, cwd=ROOT, env=os.environ | {"PYTHONIOENCODING": "ascii"},
    )  # fmt: skip

    assert done.stdout == b"gr\\xf6\\xdfe\n"


@pytest.mark.parametrize(
    "words",
    [
        ["--heap", f"no{HOSTILE[:-2]}\nsuch"],
        ["--programs", f"no{HOSTILE[:-2]}\nsuch"],
        [f"--no{HOSTILE[:-2]}\nsuch"],
        ["inspect", f"no{HOSTILE[:-2]}\nsuch"],
        ["replay", f"no{HOSTILE[:-2]}\nsuch"],
        ["explain", f"no{HOSTILE[:-2]}\nsuch"],
        ["explore", f"no{HOSTILE[:-2]}\nsuch"],
        ["scenarios", "--json", f"no{HOSTILE[:-2]}\nsuch/file"],
    ],
    ids=lambda words: words[0][:9],
)
def test_names_in_complaints_are_escaped(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """One line, without a control character or a mark."""
    try:
        status: object = main(words)
    except SystemExit as left:
        status = left.code
    out, err = capsys.readouterr()

    assert (status, out, err.count("\n")) == (2, "", 1)
    assert err[:-1].isprintable()
    assert "gnirts" in err


def test_a_logs_names_are_escaped(tmp_path: Path) -> None:
    """Threads, commands and failures of a log that somebody else made."""
    path = tmp_path / "log"
    name = HOSTILE.replace("\ud800", "")
    header = {"schema": "workbuf-log", "version": 1, "command": name, "python": "3\nfake: 1", "threads": [name]}
    failure = {"event": "failure", "error": name, "text": f"one\n{name}"}
    path.write_text("\n".join(map(json.dumps, (header, failure))) + "\n")

    for question in ("summary", "violations"):
        done = ended('"$@"', "inspect", str(path), question)
        assert done.returncode == 0, done.stderr
        assert done.stdout.replace("\n", "").isprintable()
        assert "gnirts" in done.stdout
        assert "\nfake" not in done.stdout


OUTPUTS = pytest.mark.parametrize(
    ("words", "status"),
    [(["stress", *SMALL], 0), (["explore", "aba"], 1), (["scenarios"], 0)],
    ids=["stress", "explore failing", "scenarios"],
)


@OUTPUTS
@pytest.mark.parametrize(
    ("shell", "short", "says"),
    [
        pytest.param('"$@" | true', False, "", id="a reader that leaves"),
        pytest.param('"$@" | head -n 1', False, "", id="a reader of one line"),
        pytest.param('"$@" >&-', False, "", id="stdout closed"),
        pytest.param('"$@" 2>&-', False, "", id="stderr closed"),
        pytest.param('"$@" 2>/dev/full', False, "", id="stderr full"),
        pytest.param('"$@" <&-', False, "", id="stdin closed"),
        pytest.param('"$@" <&- >&- 2>&-', False, "", id="all closed"),
        pytest.param('"$@" >/dev/full', True, "stdout: cannot write: No space left on device", id="stdout full"),
    ],
)
def test_the_status_is_the_runs_and_its_files_are_there(
    tmp_path: Path,
    words: Sequence[str],
    status: int,
    shell: str,
    short: bool,  # noqa: FBT001
    says: str,
) -> None:
    """Whatever became of the streams.  An answer that nobody got because the disk is full is no success."""
    out = tmp_path / "out.json"

    done = ended(shell, *words, "--json", str(out))

    assert done.returncode == (status or 2 * short), done.stderr
    assert done.stderr == (says and f"collector.run: {says}\n")
    assert isinstance(json.loads(out.read_text()), dict)


def test_a_closed_stdout_does_not_become_the_log(tmp_path: Path) -> None:
    """The first file that is opened would get its number, and what is printed would go there."""
    path = tmp_path / "log"

    done = ended('"$@" >&- 2>&-', *SMALL, "--log", str(path))

    assert done.returncode == 0
    assert [json.loads(line) for line in path.read_text().splitlines()]


def test_help_that_nobody_got_is_no_success() -> None:
    """A full disk under `--help >file`; its reader may leave."""
    done = ended('"$@" >/dev/full', "--help")
    assert (done.returncode, done.stderr) == (2, "collector.run: stdout: cannot write: No space left on device\n")
    assert ended('"$@" | true', "--help").returncode == 0


@pytest.mark.parametrize("columns", ["-5", "0", "1", "7", "x", "9" * 20])
@pytest.mark.parametrize("words", [["explore", "aba"], ["explain", "K-3"], ["scenarios"]], ids=lambda words: words[0])
def test_any_width_of_a_terminal(words: list[str], columns: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also one that is narrower than a margin."""
    monkeypatch.setenv("COLUMNS", columns)

    assert main(words) == (words == ["explore", "aba"])


def test_a_librarys_settings_are_not_ours() -> None:
    """Loguru refuses to be imported with a wrong one."""
    done = ended('LOGURU_AUTOINIT=x LOGURU_LEVEL=nosuch "$@"', *SMALL)
    assert (done.returncode, done.stderr) == (0, "")
