"""What ends a run that does not end by itself: the watchdog, the last resort, and every way in which a worker may die."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import sysconfig
from pathlib import Path
from threading import Thread
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

import pytest

from collector.report.log.database import Logfile
from collector.report.log.writer import EventLog
from collector.run import main
from collector.stress.interrupts import Interrupts
from collector.stress.run import Plan, Stress
from collector.stress.watchdog import LastResort
from workbuf.events import FULL, Event
from workbuf.hardware import threads
from workbuf.hardware.parking import Parking
from workbuf.hardware.starting import StartedThread
from workbuf.recorder import Record


if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[3]
GIL = not sysconfig.get_config_var("Py_GIL_DISABLED")
SMALL = ["--heap", "synthetic:random,n=400", "--cycles", "2", "--period", "0.03", "--mutators", "2"]
PLANTED = '''
import faulthandler, os, sys, time

from collector.report.log.writer import EventLog
from collector.run import main
from mutator.programs.program import Program
from mutator.programs.registry import PROGRAMS


class Deep(Program):
    """Blocks in C for ever, with the mutexes of all places, those where others sleep among them."""

    name = "deep"

    def run(self, m):
        time.sleep(0.3)
        for cell in range(200):
            m.port.parking.at(-cell)
        for place in list(m.port.parking._places.values()):
            place.mutex.acquire()
        os.read(os.pipe()[0], 1)


class Pressed(Program):
    """Raises what no program should."""

    name = "pressed"

    def run(self, m):
        raise KeyboardInterrupt


class Leaving(Program):
    name = "leaving"

    def run(self, m):
        sys.exit(0)


class Crashing(Program):
    name = "crashing"

    def run(self, m):
        for _ in range(2000):
            m.poll()
            m.new(16, 1)
        faulthandler._sigsegv()


def full(self, *numbers):
    raise MemoryError


for program in (Deep, Pressed, Leaving, Crashing):
    PROGRAMS[program.name] = program
if sys.argv[1] == "full":
    EventLog._tail = full
if sys.argv[1] == "clumsy":
    EventLog._tail = None
sys.exit(main(sys.argv[2:]))
'''


def run(*words: str, fault: str = "") -> subprocess.CompletedProcess[str]:
    """A run with what is planted, to its end."""
    return subprocess.run(
        [sys.executable, "-c", PLANTED, fault, *words],
        capture_output=True, text=True, check=False, cwd=ROOT, timeout=200,
    )  # fmt: skip


def events(path: Path) -> int:
    """How many there are in a log."""
    with Logfile.open(str(path)) as log:
        (count,) = log.db.execute("SELECT COUNT(*) FROM events").fetchone()
        return int(count)


def test_a_worker_that_blocks_in_c_with_a_mutex_held(tmp_path: Path) -> None:
    """The run ends as hung, every stack is there, and so is the log."""
    path = tmp_path / "log"

    done = run(*SMALL, "--programs", "pushpop,deep", "--patience", "3", "--log", str(path))

    assert done.returncode == 1, done.stderr
    assert done.stdout.splitlines()[-1].startswith("failed: ")
    assert "in thread the watchdog:" in done.stderr
    stack = done.stderr.partition("deep1 does not end:\n")[2]
    assert re.search(r'  File "<string>", line \d+, in run\n', stack), done.stderr
    assert events(path) > 0


@pytest.mark.parametrize(("program", "name"), [("pressed", "KeyboardInterrupt"), ("leaving", "SystemExit")])
def test_a_worker_is_ended_by_what_is_no_error(program: str, name: str) -> None:
    """That is the worker's failure, and neither an interrupt nor the run's success."""
    done = run(*SMALL, "--programs", f"pushpop,{program}")

    assert done.returncode == 1, done.stderr
    assert done.stdout.splitlines()[-1].startswith(f"failed: crash: Died: {name} raised in a worker")
    assert f"in thread {program}1:" in done.stderr


def test_a_crash_of_the_interpreter_leaves_stacks_and_a_log(tmp_path: Path) -> None:
    """By a signal; the log can be read as far as it goes."""
    path = tmp_path / "log"

    done = run(
        "--heap", "none", "--seconds", "60", "--mutators", "2", "--programs", "pushpop,crashing", "--log", str(path)
    )

    assert done.returncode == -signal.SIGSEGV, done.stderr
    assert "Fatal Python error: Segmentation fault" in done.stderr
    if GIL:
        assert done.stderr.count("Thread 0x") >= 2
    else:  # faulthandler shows no other threads there: it cannot stop them
        assert "most recent call first" in done.stderr
    assert events(path) >= 0


def test_no_memory_while_writing_ends_with_a_summary(tmp_path: Path) -> None:
    """Status 2: the system lacks something, nothing was violated."""
    done = run(*SMALL, "--log", str(tmp_path / "log"), "--json", str(tmp_path / "json"), fault="full")

    assert done.returncode == 2, done.stderr
    assert "owner migrations" in done.stdout
    assert "out of memory" in done.stderr
    assert json.loads((tmp_path / "json").read_text())["lost"] == 0


def test_a_fault_of_the_main_thread_is_no_violation(tmp_path: Path) -> None:
    """Status 70; the summary is there, and what to report."""
    done = run(*SMALL, "--log", str(tmp_path / "log"), fault="clumsy")

    assert done.returncode == 70, done.stderr
    assert "a fault of this program" in done.stderr


@pytest.mark.parametrize("started", [0, 1, 4])
def test_too_few_threads(started: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """One line, status 2, and the number that would do."""
    left = [started]

    class Scarce(StartedThread):
        def start(self) -> None:
            if not left[0]:
                raise RuntimeError("can't start new thread")
            left[0] -= 1
            super().start()

    monkeypatch.setattr(threads, "StartedThread", Scarce)

    assert main([*SMALL, "--helpers", "2", "--quiet"]) == 2

    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert f"5 threads are needed and the system has started {started}: " in err


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_a_main_thread_that_is_stuck_in_the_log(tmp_path: Path) -> None:
    """Nobody reads it: the run ends all the same, with every stack."""
    path = tmp_path / "log"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        words = ["--heap", "synthetic:random,n=4000,m=8000", "--seconds", "60", "--period", "0.01", "--patience", "4"]
        done = run(*words, "--log", str(path))
    finally:
        os.close(reader)

    assert done.returncode == 2, done.stderr
    assert "the main thread has stood still for " in done.stderr
    assert done.stderr.count("Thread 0x") >= 4
    assert "does an output take nothing?" in done.stderr


def resort(beats: Callable[[], int], **limits: float) -> tuple[Interrupts, list[int]]:
    """A last resort over a run that is not going on, until it leaves or some seconds are over: with which status."""
    left: list[int] = []
    interrupts = Interrupts()
    of = Stress(Plan(seconds=0.1))
    if limits.pop("asked", 0):
        interrupts.count = 1
    with LastResort(of, beats, interrupts, leave=left.append, **limits):
        until = monotonic() + (100 if interrupts.count else 3)
        while not left and monotonic() < until:
            sleep(0.05)
    return interrupts, left


def test_the_last_resort_leaves_when_an_interrupt_is_not_heeded(capfd: pytest.CaptureFixture[str]) -> None:
    """Though the main thread does this and that: its end has a limit."""
    _, left = resort(lambda: int(monotonic() * 1e9), patience=60.0, end=0.3, asked=1)

    assert left == [130]
    assert "has not ended within 0.3 s" in capfd.readouterr().err


def test_the_last_resort_waits_for_who_gets_anywhere() -> None:
    """As long as it does."""
    _, left = resort(lambda: int(monotonic() * 1e9), patience=1.0)

    assert left == []


def test_an_abort_does_not_wait_for_a_mutex() -> None:
    """The others are notified; who holds one for ever is passed over."""
    parking = Parking()
    held, free = parking.at(8), parking.at(16)
    woken = []

    def sleeper() -> None:
        with free.mutex:
            free.wait()
        woken.append(1)

    thread = Thread(target=sleeper)
    thread.start()
    while not free.waiting:
        sleep(0.01)
    with held.mutex:
        while thread.is_alive():
            parking.rouse()
            thread.join(0.05)

    assert woken


def puts(n: int) -> list[Record]:
    """`n` puts."""
    return [Record(1000 + i, 1, Event.PUT, i % 5, 358, FULL) for i in range(n)]


HEADER: dict[str, Any] = {"seed": 1, "python": "3.x", "command": "x", "threads": ["gc", "a", "b"]}


@pytest.mark.parametrize("slices", [0, 2, 99])
def test_an_end_in_a_hurry_takes_the_newest_events_first(
    slices: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many as there is time for, in their order; the others are counted."""
    path = tmp_path / "log"
    log = EventLog(path, lambda b: f"wbuf{b}", HEADER)
    monkeypatch.setattr("collector.report.log.writer.SLICE", 10)
    clock = iter(range(1000))
    monkeypatch.setattr("collector.report.log.writer.monotonic", lambda: next(clock))

    left = log.newest(puts(95), slices)
    log.close()

    assert left == max(95 - 10 * slices, 0)
    lines = [json.loads(line) for line in path.read_text().splitlines()[1:]]
    # Where the others were, each thread has an event that says so.
    lost = [line for line in lines if line["event"] == "lost"]
    assert [line["m"] for line in lost] == (HEADER["threads"] if left else [])
    assert [line["t"] for line in lines[len(lost) :]] == [1000 + i for i in range(left, 95)]


def test_what_is_not_written_is_counted(tmp_path: Path) -> None:
    """The log of a run that was interrupted says how many events it lacks, and has those of its last cycles."""
    path, words = tmp_path / "log", ["--heap", "synthetic:random,n=4000,m=8000", "--seconds", "60", "--period", "0.01"]
    with subprocess.Popen(
        [sys.executable, "-m", "collector.run", *words, "--log", str(path), "--log-compression", "xz"],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    ) as process:  # fmt: skip
        assert process.stdout
        for _ in range(3):
            process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        process.stdout.read()

    assert process.returncode == 130
    with Logfile.open(str(path)) as log:
        assert log.about.ended
        cycles = log.db.execute("SELECT COUNT(*) FROM cycles").fetchone()[0]
        ends = log.db.execute("SELECT COUNT(*) FROM events WHERE event = 'cycle_end'").fetchone()[0]
        # A cycle is reported before the world starts again, and ends after that: the signal may come in between.
        assert abs(ends - cycles) <= 1
