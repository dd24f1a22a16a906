"""Ctrl-C and SIGTERM: status 130, one line, and what there is so far is kept."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from collector.run import main


ROOT = Path(__file__).parents[2]
RUN = [sys.executable, "-m", "collector.run"]


@pytest.mark.parametrize(
    "signals",
    [[signal.SIGINT], [signal.SIGTERM], [signal.SIGINT, signal.SIGINT]],
    ids=lambda signals: " ".join(number.name for number in signals),
)
def test_interrupted(tmp_path: Path, signals: list[signal.Signals]) -> None:
    """Status 130, and what there is so far is whole: the table, the summary, the log, the timeline."""
    out, events, trace = tmp_path / "out.json", tmp_path / "events.jsonl", tmp_path / "trace.json"
    words = ["--heap", "synthetic:random,n=400", "--seconds", "50", "--period", "0.03"]
    command = [*RUN, *words, "--json", str(out), "--log", str(events), "--trace", str(trace)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        before = [process.stdout.readline() for _ in range(3)]
        for number in signals:
            process.send_signal(number)
        stdout, stderr = process.communicate(timeout=200)

    assert process.returncode == 130, stderr
    assert [line.split("(")[0] for line in before[1:]] == ["gc1", "gc2"]
    assert stderr == "collector.run: interrupted\n"
    assert "owner migrations" in stdout
    assert "ok:" not in stdout
    summary = json.loads(out.read_text())
    assert summary["interrupted"] is True
    assert summary["cycles"] >= 2
    assert summary["violations"] == 0
    lines = [json.loads(line) for line in events.read_text().splitlines()]
    assert lines[0]["schema"] == "workbuf-log"
    assert lines[-1]["event"] == "end"
    assert json.loads(trace.read_text())


def test_interrupted_while_loading(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Status 130; there is nothing to keep."""

    def read(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("collector.heaps.read", read)

    assert main(["stress"]) == 130
    assert capsys.readouterr() == ("", "collector.run: interrupted\n")


def test_interrupted_before_the_command_is_there() -> None:
    """What takes its time to import is imported where Ctrl-C is expected."""
    early = "import collector.run, sys; print(*(m for m in sys.modules if m.startswith(('loguru', 'rich', 'cffi'))))"
    done = subprocess.run([sys.executable, "-c", early], cwd=ROOT, capture_output=True, text=True, check=True)

    assert done.stdout == "\n", "imported before anything could be caught"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    "program",
    [
        pytest.param(("-m", "collector"), id="collector"),
        pytest.param(("-m", "collector.run"), id="collector.run"),
        pytest.param(("-c", "from collector.__main__ import program; program()"), id="workbuf"),
    ],
)
def test_an_interrupt_while_the_command_line_is_imported(program: tuple[str, str], number: signal.Signals) -> None:
    """Status 130 and no traceback, as later; the interpreter itself says what it is importing."""
    command = [sys.executable, "-X", "importtime", *program, "museum"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        next(line for line in process.stderr if "collector.commands.usage" in line)
        process.send_signal(number)
        said = process.stderr.read()

    assert process.returncode == 130
    assert "Traceback" not in said
    assert "interrupted" in said
