"""Campaigns: the verdicts of one process after the other; what fails is told once; the command."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

from collector.campaign import spec
from collector.campaign.store import Store
from collector.campaign.task import Task
from collector.commands.search import asked
from collector.commands.status import OK, USAGE
from collector.explore import explore
from collector.run import main
from collector.scenarios.registry import SCENARIOS
from tests.collector.campaign.campaigns import Here, begun, finished, inputs, rows, run, with_dask


if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_the_verdicts_are_those_of_explore(undisturbed: list[tuple[object, ...]], specification: str) -> None:
    """Kind, counts and token of each."""
    for row, task in zip(undisturbed, spec.tasks(specification), strict=True):
        given = task.inputs
        variant = SCENARIOS[given["program"]].variants[given["variant"]]
        about, races = asked(given).about, variant.races
        result = explore(
            variant.program, given["strategy"], schedules=300, seed=given["seed"], races=races, about=about
        )
        _, name, verdict, _, schedules, steps, *_, token = row

        assert (name, verdict, schedules, steps) == (task.name, result.claim.kind, result.schedules, result.steps)
        assert token == (result.failure.schedule if result.failure else "")


def test_the_first_failure_that_was_not_to_be_ends_it(tmp_path: Path) -> None:
    """What is left stays to be done."""
    tasks = [Task("explore", "wrong", {**inputs(), "seed": seed}, fails=False) for seed in range(3)]
    with Store(str(tmp_path / "results.db")) as store:
        assert not run(store.plan(tasks, "code"), store, first=True)
        assert store.verdicts() == {("explore", "failed"): 1, ("explore", ""): 2}


def test_what_fails_is_shrunk_once_and_also_later(tmp_path: Path) -> None:
    """By the next command if this one is ended; and what another task finds again is known."""
    tasks = [
        Task("explore", "wrong", {**inputs(), "seed": 1}),
        Task("explore", "the same", {**inputs(), "seed": 1, "depth": 3}),
    ]
    smaller = explore(
        SCENARIOS["aba"].variants["failing"].program, "urw", seed=1, about=asked(tasks[0].inputs).about
    ).failure
    here = Here()
    with Store(str(tmp_path / "results.db")) as store:
        assert not run(store.plan(tasks, "code"), store, here=here, stop=lambda: len(here.done) == 1)
        ((large, _),) = store.unshrunk()
        assert [(one.token, one.times) for one in store.failures()] == [(large, 1)]

        assert run(store.plan(tasks, "code"), store, here=here)
        assert here.done == ["perform the same", "shrink the same", "perform wrong"]
        assert smaller
        assert [(one.token, one.times, one.text) for one in store.failures()] == [(smaller.schedule, 2, str(smaller))]
        assert store.unshrunk() == []


@with_dask
def test_ctrl_c_keeps_what_was_done(specification: str, tmp_path: Path) -> None:
    """Status 130, and the summary."""
    results = tmp_path / "results.db"
    process = begun(specification, results)
    before = next(n for n, _ in finished(results) if n >= 1 or process.poll() is not None)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=200)

    assert (process.returncode, "results: " in said) == (130, True), said
    assert sum(row[2] is not None for row in rows(results)) >= before


@with_dask
def test_ctrl_c_while_processes_begin(specification: str, tmp_path: Path) -> None:
    """A terminal sends it to all of them: status 130 and no traceback of theirs."""
    import psutil  # noqa: PLC0415  Dask brings it

    process = begun(specification, tmp_path / "results.db")
    while process.poll() is None and len(psutil.Process(process.pid).children()) < 3:  # with a tracker of resources
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    said, _ = process.communicate(timeout=200)

    assert (process.returncode, "Traceback" in said) == (130, False), said


def test_inspect_reads_the_results(alone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A summary, the failures, SQL, and nothing that writes."""
    path = str(alone)

    assert main(["inspect", path]) == OK
    assert "proved" in capsys.readouterr().out
    assert main(["inspect", path, "violations"]) == OK
    assert "check" in capsys.readouterr().out
    assert main(["inspect", path, "--sql", "SELECT count(*) FROM failures"]) == OK
    assert main(["inspect", path, "tables"]) == OK
    assert "failures(fault, place, token" in capsys.readouterr().out
    assert main(["inspect", path, "--sql", "DELETE FROM tasks"]) == USAGE
    assert main(["inspect", path, "wbuf", "3"]) == USAGE


def test_the_format_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """And is what the reader's module says."""
    assert main(["campaign", "--format"]) == OK
    assert "[[explore]]" in capsys.readouterr().out
    assert main(["campaign"]) == USAGE


def test_options_that_would_be_passed_over(specification: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Are refused."""
    assert main(["campaign", "--format", specification]) == USAGE
    assert "leave out SPEC" in capsys.readouterr().err
    assert main(["campaign", specification, "--cluster", "tcp://127.0.0.1:1", "--jobs", "2"]) == USAGE
    assert "--cluster has processes of its own" in capsys.readouterr().err
