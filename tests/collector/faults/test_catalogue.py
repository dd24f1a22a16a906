"""The catalogue of planted faults: that each is one, has a name and a sentence, and can be put into a run."""

from __future__ import annotations

import subprocess
import sys

import pytest

from collector.faults import FAULTS, Fault
from collector.run import main
from collector.stress.run import StressM


def run(*words: str) -> subprocess.CompletedProcess[str]:
    """A short stress run in a process of its own."""
    command = [sys.executable, "-m", "collector.run", "stress", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)


def test_there_are_at_least_forty_that_can_be_seen() -> None:
    """Beside those of which it is said why nobody can."""
    assert sum(not fault.equivalent for fault in FAULTS.values()) >= 40


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_fault_is_a_part_of_an_m_with_something_overridden(fault: Fault) -> None:
    """It says what in a sentence, and the M of a stress run takes it in, before all its own classes."""
    planted = fault.planted(StressM)

    assert fault.what.endswith((".", ":"))
    assert planted.__mro__[1] is fault.m
    assert issubclass(planted, StressM)
    overridden = {name for cls in fault.m.__mro__ if cls.__module__ == fault.m.__module__ for name in vars(cls)}
    assert overridden & {name for name in dir(StressM) if not name.startswith("__")}


def test_every_fault_is_listed() -> None:
    """By --plant list."""
    done = run("--plant", "list")

    assert done.returncode == 0
    assert [line.split()[0] for line in done.stdout.splitlines()] == list(FAULTS)


def test_a_fault_that_there_is_not_is_refused() -> None:
    """In a line."""
    done = run("--plant", "nothing")

    assert done.returncode == 2
    assert done.stderr == (
        "collector.run stress: --plant nothing: there is no such fault (did you mean harvest-nothing?);"
        " --plant list says which there are\n"
    )


def test_a_planted_fault_fails_the_run(seed: int) -> None:
    """The first mark already, whatever the threads do: nobody has flushed the mcaches."""
    done = run("--all", "--seconds", "20", "--seed", str(seed), "--plant", "mcaches-unflushed")

    assert done.returncode == 1, done.stdout
    assert "sweep armed with a span in an mcache" in done.stdout


def test_all_programs_take_turns(
    seed: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Run by run, each with a seed of its own that follows from the first; what --all decides is not to be asked for.

    By a clock on which no turn takes longer than its share, however busy the machine is.
    """
    monkeypatch.setattr("collector.commands.stressnamed.monotonic", lambda: 0.0)

    assert main(["stress", "--all", "--seconds", "6", "--seed", str(seed), "--quiet"]) == 0
    said = capsys.readouterr().out
    assert said.count("\nok: ") >= 2
    assert f"seed {seed + 1}" in said
    assert main(["stress", "--all", "--programs", "rewire"]) == 2
    assert "leave out --programs" in capsys.readouterr().err
