"""The command line of the stress run, from outside: exit statuses, what is printed, what is written."""

from __future__ import annotations

import json
import os
import pty
import re
import shlex
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from collector.run import main
from workbuf.events import Event


ROOT = Path(__file__).parents[2]
RUN = [sys.executable, "-m", "collector.run"]
SMALL = ["--heap", "synthetic:random,n=400", "--cycles", "2", "--period", "0.03"]

PLANTED = '''
import sys

from collector.run import main
from mutator.programs.program import Program
from mutator.programs.registry import PROGRAMS
from mutator.world import MRECORD
from workbuf.throw import Throw


class Deaf(Program):
    name = "deaf"

    def run(self, m):
        while True:
            m.port.check()


class Clumsy(Program):
    name = "clumsy"

    def run(self, m):
        for _ in range(20):
            m.poll()
            m.new(16, 1)
        raise KeyError("no such thing")


class Careless(Program):
    """Puts a buffer that lies on a list."""

    name = "careless"

    def run(self, m):
        m.poll()
        b = m.getempty(359)
        m.putempty(b, 496)
        m.putempty(b, 496)


for program in (Deaf, Clumsy, Careless):
    PROGRAMS[program.name] = program
sys.exit(main(sys.argv[1:]))
'''


def run(*words: str, planted: bool = False) -> subprocess.CompletedProcess[str]:
    """The command, to its end."""
    command = [sys.executable, "-c", PLANTED] if planted else RUN
    return subprocess.run([*command, *words], cwd=ROOT, capture_output=True, text=True, check=False, timeout=200)


def status(words: list[str]) -> int | str | None:
    """What the command would leave with, in this process."""
    try:
        return main(words)
    except SystemExit as left:  # argparse's way out
        return left.code


def log(path: Path) -> list[dict[str, Any]]:
    """The lines of a log, every one of them JSON."""
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_run_in_which_everything_held(tmp_path: Path) -> None:
    """Status 0, a gctrace line for each cycle, the table, `ok:`; the summary and the log beside it; stderr silent."""
    out, events = tmp_path / "out.json", tmp_path / "events.jsonl"

    done = run(*SMALL, "--json", str(out), "--log", str(events), "--seed", "11")

    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert re.match(r"synthetic:random,n=400: 400 objects loaded in .* s; 4 mutators, 2 helpers, seed 11, ", lines[0])
    assert [line.split("(")[0] for line in lines if line.startswith("gc")] == ["gc1", "gc2"]
    assert [line.endswith(" (forced)") for line in lines if line.startswith("gc")] == [False, True]
    assert re.fullmatch(r"ok: 2 cycles, lost 0, leaked 0, violations 0, migrations \d+, seed 11", lines[-1])

    summary = json.loads(out.read_text())
    wanted = "cycles mutators helpers objects reachable marked lost floating freed violations buffers buffers_leaked"
    wanted += " migrations cas_attempts cas_failures handoffs nwait_max stw_share wall_s seed python"
    assert set(wanted.split()) <= set(summary)
    assert [summary[name] for name in ("cycles", "mutators", "helpers", "seed")] == [2, 4, 2, 11]
    assert [summary[name] for name in ("lost", "violations", "buffers_leaked")] == [0, 0, 0]
    assert summary["reachable"] <= summary["marked"] <= summary["objects"]
    assert summary["cas_attempts"] > summary["cas_failures"]
    assert summary["nwait_max"] == 3
    assert 0 < summary["stw_share"] <= 1
    assert sys.version.split()[0].rstrip("+") in summary["python"]

    header, *rest = log(events)
    assert (header["schema"], header["version"], header["seed"]) == ("workbuf-log", 1, 11)
    assert header["threads"] == ["gc", "rewire0", "pushpop1", "hider2", "finalizers3", "helper0", "helper1"]
    assert "--seed 11" in header["command"]
    kinds = {line["event"] for line in rest}
    assert kinds <= {event.name.lower() for event in Event} | {"gctrace", "end"}
    assert {"new", "get", "put", "cycle", "phase", "root", "gctrace"} <= kinds
    assert [line["cycle"] for line in rest if line["event"] == "gctrace"] == [1, 2]
    assert {line["m"] for line in rest if "m" in line} <= set(header["threads"])


@pytest.mark.parametrize(("slow", "cut"), [(0.0, 1), (1e9, 0)])
def test_a_slow_machine_takes_a_part_of_its_heap(
    slow: float, cut: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And says so; a fast one takes all."""
    monkeypatch.setattr("collector.commands.stressexecution.SLOW_S", {True: slow, False: slow})
    monkeypatch.setattr("collector.commands.stressexecution.ENOUGH", 1000)

    assert main(["--seconds", "0.1", "--mutators", "1", "--quiet", "--max-objects", "2000"]) == 0

    said = capsys.readouterr().out.splitlines()
    assert ("cut from" in said[0]) == cut
    assert (said[cut].startswith("cpython: 1000 objects loaded")) == cut


def test_stress_is_the_command_that_is_meant_when_none_is_named() -> None:
    """The same options with its name."""
    done = run("stress", *SMALL, "--quiet", "--mutators", "1", "--programs", "longlist")

    assert (done.returncode, done.stderr) == (0, "")
    assert not [line for line in done.stdout.splitlines() if re.match(r"gc\d", line)]
    assert done.stdout.splitlines()[-1].startswith("ok: 2 cycles")


def test_what_runs_it_again_is_what_was_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Word for word, also where a file is called as the command is."""
    monkeypatch.chdir(tmp_path)
    words = ["stress", "lfstack", "--seconds", "0.1", "--json", "stress", "--seed", "3"]
    monkeypatch.setattr(sys, "argv", ["run", *words])

    assert main(words) in (0, 3)
    assert json.loads(Path("stress").read_text())["command"] == shlex.join(["python", "-m", "collector.run", *words])


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--nonsense"], "unrecognized arguments: --nonsense"),
        (["nosuch"], "'nosuch'"),
        (["--mutators", "two"], "'two' is not a whole number"),
        (["--mutators", "-1"], "-1 is too small"),
        (["--mutators", "99999999"], "99999999 is too large, 128 or less is allowed"),
        (["--helpers", "129"], "129 is too large"),
        (["--cycles", "0"], "0 is too small"),
        (["--seconds", "nan"], "nan is not greater than 0"),
        (["--jitter", "2"], "2 is not between 0 and 1"),
        (["--atomics", "none"], "'none'"),
        (["--programs", "rewire,nosuch"], "--programs: 'nosuch' is no program; there are rewire, "),
        (["--programs", ","], "--programs: name at least one program"),
        (["--programs", ""], "--programs: name at least one program"),
        (
            ["--programs", "rewire,,hider"],
            "--programs: 'rewire,,hider': between two commas, or beside one, a program is",
        ),
        (["--programs", "rewire,"], "--programs: 'rewire,': between two commas, or beside one, a program is missing"),
        (["--programs", "rewire,hider", "--mutators", "1"], "--programs: 2 for 1 mutator, each of which runs one: "),
        (["--programs", "rewire,hider,rewire,hider,rewire"], "--programs: 5 for 4 mutators, "),
        (["--programs", "rewire", "--mutators", "0"], "--programs: 1 for 0 mutators, "),
        (["stress", ""], "argument NAME: it is empty: say which, or leave it out"),
        (["stress", "--plant", ""], "argument --plant: it is empty"),
        (["campaign", "spec.toml", "--cluster", ""], "argument --cluster: it is empty"),
        (["--workbuf", "100"], "--workbuf 100: size of Workbuf is suboptimal"),
        (["--gogc", "much"], "--gogc much: a whole number of percent, or off"),
        (["--gogc", "99999999999999999999"], "--gogc 99999999999999999999: at most 2147483647, or off"),
        (["--heap", "synthetic:ring"], "synthetic:ring: expected one of list, "),
        (["--heap", "no/such/file"], "no/such/file"),
        (["--log", "no/such/dir/log"], "--log no/such/dir/log: cannot write: No such file or directory"),
        (["--json", "no/such/dir/json"], "--json no/such/dir/json: cannot write: No such file or directory"),
    ],
    ids=lambda case: " ".join(case) if isinstance(case, list) else "",
)
def test_bad_usage_is_one_line_and_status_2(
    words: list[str], says: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What, where, and as a rule what to do; nothing on stdout, and no traceback."""
    monkeypatch.setattr(sys, "argv", ["run", *words])

    left = status(words)

    out, err = capsys.readouterr()
    assert (left, out) == (2, "")
    assert says in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    "content", [b"", b"no heap at all\n", b"go1.7 heap dump\n\x06\x01", b"\x1f\x8b\x08\x00rubbish"], ids=ascii
)
def test_a_file_that_is_no_heap_is_one_line_and_status_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    """The file, the byte, what was expected and what was found."""
    path = tmp_path / "heap"
    path.write_bytes(content)

    status = main(["--heap", str(path), "--cycles", "1"])

    out, err = capsys.readouterr()
    assert (status, out) == (2, "")
    assert f"{path}: " in err
    assert err.count("\n") == 1


def test_a_directory_is_no_log() -> None:
    """Said before the run, not after it."""
    done = run(*SMALL, "--log", str(ROOT))

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"collector.run stress: --log {ROOT}: cannot write: Is a directory\n"


def test_a_mutator_that_raises(tmp_path: Path) -> None:
    """Status 1; which thread and what; the seed and the command; the table and the log are there all the same."""
    out, events = tmp_path / "out.json", tmp_path / "events.jsonl"

    words = [*SMALL, "--programs", "pushpop,clumsy", "--mutators", "2", "--log", str(events), "--json", str(out)]
    done = run(*words, "--seed", "5", planted=True)

    assert done.returncode == 1, done.stderr
    assert done.stdout.splitlines()[-1] == "failed: crash: KeyError: 'no such thing'"
    assert "in thread clumsy1:\nKeyError: 'no such thing'" in done.stderr
    assert re.search(r'  File "<string>", line \d+, in run\n', done.stderr), done.stderr
    assert "seed 5; run it again with: python -m collector.run stress " in done.stderr
    assert "Traceback" not in done.stderr
    summary = json.loads(out.read_text())
    assert (summary["violations"], summary["interrupted"]) == (1, False)
    header, *rest = log(events)
    assert header["schema"] == "workbuf-log"
    assert "failure" in {line["event"] for line in rest}
    assert "clumsy1" in header["threads"]


def test_a_throw_comes_with_the_buffers_history() -> None:
    """Status 1; Go's two lines; the four entries of the history decoded."""
    done = run(*SMALL, "--programs", "careless", "--mutators", "1", planted=True)

    assert done.returncode == 1, done.stderr
    assert done.stdout.splitlines()[-1] == "failed: throw: logput: put not legal"
    assert "in thread careless0:\nruntime:logput fails log entry= 496 b.log[0]= 496 b.log[1]= 359 " in done.stderr
    assert "fatal error: logput: put not legal" in done.stderr
    assert "  log[0] 496: drainworkbuf, putempty: to empty" in done.stderr
    assert "  log[1] 359: greyobject (its buffer was full), getempty: from empty, or new" in done.stderr


def test_a_run_that_hangs() -> None:
    """Status 1 when the patience is used up; every thread's stack; the world could not be stopped."""
    done = run(*SMALL, "--programs", "pushpop,deaf", "--mutators", "2", "--patience", "3", planted=True)

    assert done.returncode == 1, done.stderr
    assert re.match(r"failed: hang: no progress for .* seconds? ", done.stdout.splitlines()[-1])
    for thread in ("gc:", "pushpop0:", "deaf1:", "helper0:"):
        assert f"\n{thread}" in done.stderr
    assert "in stoptheworld" in done.stderr
    assert "what happened last, by the flight recorder (us before the end):\n  " in done.stderr


@pytest.mark.parametrize("option", ["--log", "--json", "--trace", "--html"])
def test_a_disk_that_is_full(option: str) -> None:
    """One line, status 2; the run's table and its verdict stand."""
    done = run(*SMALL, "--quiet", option, "/dev/full")

    assert done.returncode == 2
    assert done.stdout.splitlines()[-1].startswith("ok: 2 cycles")
    assert done.stderr.count("\n") == 1
    assert "/dev/full: " in done.stderr
    assert done.stderr.endswith("No space left on device\n")


def test_a_disk_that_is_full_hides_no_violation() -> None:
    """Status 1, as without."""
    done = run(*SMALL, "--programs", "clumsy", "--mutators", "1", "--json", "/dev/full", planted=True)

    assert done.returncode == 1
    assert done.stdout.splitlines()[-1] == "failed: crash: KeyError: 'no such thing'"


def test_on_a_terminal_there_is_a_bar() -> None:
    """Which says what is being done, is gone in the end, and loses no line."""
    screen, terminal = pty.openpty()
    with subprocess.Popen(
        [*RUN, *SMALL, "--cycles", "6"], cwd=ROOT, stdout=terminal, env=os.environ | {"TERM": "xterm", "COLUMNS": "400"}
    ) as process:
        os.close(terminal)
        shown = b""
        with suppress(OSError):  # what a terminal says when its other end is closed
            while part := os.read(screen, 1 << 16):
                shown += part
    os.close(screen)

    assert process.returncode == 0
    text = shown.decode()
    assert "\u2501" in text
    assert re.search(r"collecting: cycle \d, (off|scan|mark|marktermination) ", text)
    assert re.findall(r"gc(\d)\(", text) == list("123456")
    assert text.rstrip().splitlines()[-1].startswith("ok: 6 cycles")


def test_a_reader_that_goes_away() -> None:
    """`| head -1` is no failure."""
    reading, writing = os.pipe()
    with subprocess.Popen([*RUN, *SMALL], cwd=ROOT, stdout=writing, stderr=subprocess.PIPE, text=True) as process:
        os.close(writing)
        os.close(reading)
        _, stderr = process.communicate(timeout=200)

    assert (process.returncode, stderr) == (0, "")


@pytest.mark.parametrize(
    ("error", "left", "says"),
    [
        (OSError(24, "Too many open files", "some/file"), 2, "collector.run: some/file: Too many open files\n"),
        (MemoryError(), 2, "collector.run heap: cpython: does not fit into memory: take a smaller heap\n"),
        (KeyError("x\n"), 70, "collector.run: a fault of this program, not of what it was given: KeyError('x\\n')\n"),
        (AssertionError(), 70, "collector.run: a fault of this program, not of what it was given: AssertionError()\n"),
    ],
    ids=lambda case: type(case).__name__ if isinstance(case, BaseException) else "",
)
def test_what_no_command_catches(
    error: Exception, left: int, says: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the system lacks is one line and status 2; a fault of ours says what to report, and is no violation."""

    def broken(*_: object) -> None:
        raise error

    monkeypatch.setattr("collector.heaps.read", broken)

    assert main(["heap", "cpython"]) == left
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(says)
    assert ("Traceback (most recent call last)" in err and "command: python -m collector.run heap cpython" in err) == (
        left == 70
    )


@pytest.mark.parametrize("how", [{"PYTHONOPTIMIZE": "1"}, {"PYTHONOPTIMIZE": "2"}])
def test_no_verdict_without_assertions(how: dict[str, str]) -> None:
    """Scenarios check by assert statements: under -O each of them would pass."""
    words = [*RUN, "explore", "aba"]
    process = subprocess.run(
        words, cwd=ROOT, env={**os.environ, **how}, capture_output=True, text=True, check=False, timeout=200
    )

    assert (process.returncode, process.stdout) == (2, "")
    assert process.stderr.startswith("collector.run explore: Python runs with -O")
    assert process.stderr.count("\n") == 1
