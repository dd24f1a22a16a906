"""What needs no real threads runs without the packages and the calls of the system that only some platforms have.

Each command runs in an interpreter from which `atomics`, `cffi` and what Windows or macOS lack have been taken away.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from collector.run import main


ROOT = Path(__file__).parent.parent

BARE = """
import os
import runpy
import sys


class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"atomics", "cffi", "_cffi_backend", "fcntl", "grp", "pwd", "resource", "termios"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


sys.meta_path.insert(0, Missing())
for name in '''
    O_NONBLOCK O_TMPFILE fchmod fork getuid mkfifo pread pwrite register_at_fork sched_getaffinity sched_setaffinity
    sched_yield set_blocking
'''.split():
    if hasattr(os, name):
        delattr(os, name)
del sys.argv[0]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""

TEST = """
import pytest


@pytest.mark.race
def test_lost_update(machine):
    total = machine.word(0, "total")
    for _ in range(2):
        machine.spawn(lambda port: port.store(total, port.load(total) + 1))

    def check():
        assert machine.peek(total) == 2

    return check
"""


def bare(*words: str, module: str = "collector.run") -> subprocess.CompletedProcess[str]:
    """What the command does on such a platform."""
    return subprocess.run(
        [sys.executable, "-c", BARE, module, *words],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=200,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        ("scenarios", 0, "latedecrement"),
        ("guide protocol", 0, "workbuf"),
        ("explain K-1", 0, "K-1"),
        ("heap synthetic:random,n=100,m=300", 0, "reachable"),
        ("heap tests/heaps/node20-small.heapsnapshot.gz --types --most 3", 0, "objects"),
    ],
)
def test_what_needs_no_thread(words: str, status: int, says: str) -> None:
    """It runs as it does anywhere."""
    done = bare(*words.split())

    assert (done.returncode, done.stderr) == (status, "")
    assert says in done.stdout


def test_a_failure_is_explored_and_its_token_replayed_into_a_page(tmp_path: Path) -> None:
    """A file that is there already is replaced."""
    page = tmp_path / "page.html"
    page.write_text("before")

    explored = bare("explore", "aba")
    assert (explored.returncode, explored.stderr) == (1, "")

    (token,) = re.findall(r"replay (s2\.\S+)", explored.stdout)
    replayed = bare("replay", token, "--html", str(page))
    assert (replayed.returncode, replayed.stderr) == (1, "")
    assert "</html>" in page.read_text()
    assert [*tmp_path.iterdir()] == [page]


def test_a_log_is_queried(tmp_path: Path) -> None:
    """Also from the cache that the first query has made."""
    log = tmp_path / "run.log"
    small = ["--heap", "synthetic:random,n=50", "--cycles", "1", "--mutators", "1", "--helpers", "0", "--quiet"]
    assert main([*small, "--log", str(log)]) == 0

    answers = [bare("inspect", str(log), "cycle", "1") for _ in range(2)]

    assert [(answer.returncode, answer.stderr) for answer in answers] == [(0, ""), (0, "")]
    assert answers[0].stdout == answers[1].stdout != ""


def test_race_tests(tmp_path: Path) -> None:
    """The pytest plugin finds the failure and prints how to repeat it."""
    path = tmp_path / "test_own.py"
    path.write_text(TEST)

    done = bare(
        str(path),
        "-p",
        "collector.explore.plugin",
        "-p",
        "no:cacheprovider",
        "-c",
        os.devnull,
        "--rootdir",
        str(tmp_path),
        module="pytest",
    )

    assert done.returncode == 1, done.stdout + done.stderr
    assert "--race-replay" in done.stdout


@pytest.mark.parametrize("words", ["stress --seconds 1", "heap synthetic:random,n=100,m=300 --mark"])
def test_real_threads_say_what_they_need(words: str) -> None:
    """One line, bad usage."""
    done = bare(*words.split())

    assert done.returncode == 2
    assert "real threads need the package atomics" in done.stderr
    assert done.stderr.count("\n") == 1
