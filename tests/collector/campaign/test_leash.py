"""Processes on a leash: they end with whoever has begun them, and so does all that they have begun."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from contextlib import suppress
from select import select
from typing import TYPE_CHECKING

import pytest

from collector.campaign import perform
from collector.campaign.child import Child, Late
from collector.commands.status import OK
from collector.stress.uninterrupted import uninterrupted
from tests.collector.campaign.campaigns import begun, rows, with_dask


if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = """
import subprocess, sys, time
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(100)"], stdout=subprocess.DEVNULL)
print("begun", flush=True)
time.sleep({seconds})
"""
OWNER = """
import os, sys, time
from collector.campaign.leash import Leash
leash = Leash(["-c", sys.argv[1]], stdin=None)
os.close(2)
leash.process.stdout.readline()
{then}
"""


@pytest.mark.parametrize(
    ("then", "seconds"),
    [
        ("os.kill(os.getpid(), 9)", 100),
        ("os._exit(0)", 100),
        ("leash.end(); time.sleep(100)", 100),
        ("time.sleep(100)", 0),
    ],
    ids=["the owner is killed", "the owner ends", "the owner ends it", "it ends"],
)
def test_nothing_is_left(then: str, seconds: int) -> None:
    """All of them, but for the owner, have the same standard error: it ends when the last one has."""
    words = [sys.executable, "-c", OWNER.format(then=then), PROGRAM.format(seconds=seconds)]
    owner = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert owner.stderr
    try:
        assert select([owner.stderr], [], [], 80)[0]
        assert owner.stderr.read() == b""
    finally:
        owner.kill()
        owner.communicate()


@pytest.mark.parametrize("seconds", [60.0, None])
@pytest.mark.parametrize(
    "program", ["pass", "raise SystemExit(3)", *(f"os.kill(os.getpid(), {n})" for n in (2, 9, 11))]
)
def test_it_ends_as_the_process_does(program: str, seconds: float | None) -> None:
    """With its status, or by its signal: Ctrl-C, too, which the workers of a cluster never hear of."""
    words = ["-c", f"import os; print('begun', flush=True); {program}"]
    with uninterrupted():
        status, said = perform.process(words, seconds)

    assert said.startswith("begun")
    assert status == subprocess.run([sys.executable, *words], check=False, capture_output=True).returncode


def test_who_keeps_the_output_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a session of its own it is not ended: what was printed is told without it."""
    monkeypatch.setattr("collector.campaign.leash.REST", 1.0)
    monkeypatch.setattr(perform, "GRACE", 0.0)
    sleeps = "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(200)'], "
    words = ["-c", f"{sleeps} start_new_session=True); print('it', flush=True); time.sleep(200)"]
    for seconds in (2.0, 20.0, 100.0):  # on a busy machine it may not have begun in two
        begun_at = time.monotonic()
        status, said = perform.process(words, seconds)
        took = time.monotonic() - begun_at
        if said.startswith("it"):
            break

    assert (status, said) == (-signal.SIGKILL, f"it\n\ndid not end within {seconds} s and 0 more")
    assert took < seconds + 90


def test_a_child_that_is_late_is_not_tried_again() -> None:
    """It had its time."""
    begun_at = time.monotonic()
    with pytest.raises(Late, match=r"^it did not end within 1 s$"):
        Child().call(time.sleep, (200.0,), 1.0)
    outcome = perform.aside(time.sleep, (200.0,), 1.0 - perform.GRACE)  # type: ignore[arg-type]

    assert (outcome.verdict, outcome.text) == ("lost", "it did not end within 1 s")
    assert time.monotonic() - begun_at < 100.0


SLOW = """
import os, pathlib, time

def test_slow():
    here = pathlib.Path(__file__).parent
    with (here / "pids").open("a") as file:
        print(os.getpid(), file=file, flush=True)
    while (here / "hold").exists():
        time.sleep(0.1)
"""


class EarlyError(Exception):
    """The campaign's seconds were over before all had begun that was to."""


@with_dask
def test_a_task_ends_with_its_worker_and_with_the_campaign(tmp_path: Path) -> None:
    """One that is killed; then `--seconds` are over.  It is run again both times, and passes at last."""
    for seconds in (15, 60, 240):  # on a busy machine processes begin late
        folder = tmp_path / str(seconds)
        folder.mkdir()
        with suppress(EarlyError):
            ends_twice(folder, seconds)
            return
    pytest.fail("the test did not begin twice within 240 s")


def ends_twice(folder: Path, seconds: int) -> None:
    """The task of a campaign that has so many seconds: with its worker, and with the campaign."""
    import psutil  # noqa: PLC0415  Dask brings it

    (folder / "test_slow.py").write_text(SLOW, encoding="ascii")
    (folder / "spec.toml").write_text(f'[[pytest]]\ntests = ["{folder}/test_slow.py"]', encoding="ascii")
    (folder / "hold").touch()
    specification, results, pids = str(folder / "spec.toml"), folder / "results.db", folder / "pids"

    def tests(number: int) -> list[psutil.Process]:
        """Those that have begun, when there are so many; one that has ended meanwhile is left out."""
        while not pids.exists() or len(pids.read_text().split()) < number:
            if process.poll() is not None:
                said, _ = process.communicate()
                assert process.returncode == OK, said
                raise EarlyError
            time.sleep(0.05)
        return [psutil.Process(int(pid)) for pid in pids.read_text().split() if psutil.pid_exists(int(pid))]

    process = begun(specification, results, "--seconds", str(seconds))
    (first,) = tests(1)
    first.parents()[1].kill()  # a leash is between the two
    assert psutil.wait_procs([first], timeout=100)[1] == []
    (second,) = tests(2)
    said, _ = process.communicate(timeout=300)
    assert (process.returncode, "runs again what was under way" in said) == (OK, True), said
    assert psutil.wait_procs([second], timeout=100)[1] == []
    (folder / "hold").unlink()
    process = begun(specification, results)
    said, _ = process.communicate(timeout=200)

    assert process.returncode == OK, said
    assert [row[2] for row in rows(results)] == ["passed"]
    assert len(pids.read_text().split()) == 3
