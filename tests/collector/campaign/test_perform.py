"""Tasks that are processes, and those that do not end or take all memory: what becomes of each."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from collector.campaign.perform import aside, perform
from collector.campaign.task import Outcome, Task
from collector.commands.search import asked
from tests.collector.campaign.campaigns import inputs


if TYPE_CHECKING:
    from pathlib import Path


def test_processes_are_tasks(tmp_path: Path) -> None:
    """Their exit status is the verdict; tests are told one by one."""
    test = tmp_path / "test_two.py"
    test.write_text("def test_good(): pass\ndef test_bad(): assert 0", encoding="ascii")
    tests = perform(Task("pytest", "tests", {"words": [str(test)]}), asked)
    good = perform(Task("command", "list", {"words": ["scenarios"]}), asked)
    bad = perform(Task("command", "no", {"words": ["explore", "nothing"]}), asked)

    words = ["scripts.fuzz_programs", "--programs", "1", "--vocabulary", "differences", "--seed", "1"]
    fuzzed = perform(Task("module", "fuzzing", {"words": words}), asked)
    unknown = perform(Task("module", "fuzzing", {"words": [*words, "--unknown"]}), asked)

    assert (fuzzed.verdict, unknown.verdict) == ("passed", "refused")
    assert "1 programs, 0 wrong" in fuzzed.text
    assert (tests.verdict, {name.rpartition(".")[2]: how for name, how in tests.more["tests"].items()}) == (
        "failed",
        {"test_good": "passed", "test_bad": "failure"},
    )
    assert good.verdict == "passed"
    assert "aba" in good.more["scenarios"]
    assert (bad.verdict, "no scenario 'nothing'" in bad.text) == ("refused", True)


def test_threads_of_one_worker_have_a_child_each() -> None:
    """None gets what has come of another one's task."""
    texts = [str(number) for number in range(100)]
    with ThreadPoolExecutor(4) as threads:
        found = [*threads.map(lambda text: aside(Outcome, ("passed", text), 60.0).text, texts)]

    assert found == texts


def test_a_process_that_does_not_end(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It is ended, and lost."""
    monkeypatch.setattr("collector.campaign.perform.GRACE", 0.0)
    test = tmp_path / "test_long.py"
    test.write_text("import time\ndef test_long(): time.sleep(60)", encoding="ascii")
    outcome = perform(Task("pytest", "tests", {"words": [str(test)]}, seconds=1.0), asked)

    assert outcome.verdict == "lost"
    assert "did not end within 1.0 s" in outcome.text


HUNGRY = """
import mmap, os

def eats(machine):
    kept = []
    try:
        while len(kept) << 30 < os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"):
            kept.append(mmap.mmap(-1, 1 << 30))  # which costs nothing before it is used
    except OSError as error:
        raise MemoryError from error
"""


@pytest.mark.skipif(not hasattr(os, "sysconf"), reason="this system tells no memory and knows no limits")
def test_a_program_that_takes_all_memory(tmp_path: Path) -> None:
    """It gets a MemoryError at half of the machine's, and is named; the next task is as ever."""
    file = tmp_path / "eats.py"
    file.write_text(HUNGRY, encoding="ascii")
    eats = perform(Task("explore", "eats", {**inputs(), "program": f"{file}:eats", "variant": "", "seed": 1}), asked)
    after = perform(Task("explore", "aba", {**inputs(), "seed": 1}), asked)

    assert (eats.verdict, eats.text) == ("lost", "out of memory: a process gets half of the machine's at most")
    assert after.verdict == "failed"


@pytest.mark.parametrize(
    ("function", "says"),
    [
        ("gone", "wrong.py has no function 'gone'; it has gone_wrong"),
        ("gone_wrong", "the set-up raises KeyError: 'x'"),
    ],
)
def test_a_mistake_in_a_program_is_no_bug_of_ours(function: str, says: str, tmp_path: Path) -> None:
    """It is refused, as on the command line."""
    file = tmp_path / "wrong.py"
    file.write_text("def gone_wrong(machine):\n    {}['x']\n")

    outcome = perform(
        Task("explore", "", {**inputs(), "program": f"{file}:{function}", "variant": "", "seed": 1}), asked
    )

    assert outcome.verdict == "refused"
    assert says in outcome.text


def test_a_file_that_cannot_be_loaded(tmp_path: Path) -> None:
    """It is refused, too, with what is wrong in it."""
    file = tmp_path / "wrong.py"
    file.write_text("import sys\nsys.exit(0)\n")

    outcome = perform(Task("explore", "", {**inputs(), "program": f"{file}:program", "variant": "", "seed": 1}), asked)

    assert (outcome.verdict, outcome.text.startswith(f"{file} exits when it is loaded")) == ("refused", True)
