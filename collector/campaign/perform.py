"""Performs a task, in whatever process it is sent to.

A program's schedules are explored in a child of it (`campaign.child`); everything else is a process of its own, too.  Each
is ended when its time is over, and then the task is lost, or when the worker is (`campaign.leash`).  A child that dies is
begun again, and the task with it, DEATHS times in all; then it is lost.

A schedule that fails is told as it was found.  To shrink it is a piece of work by itself, for a process that has nothing
else to do, and takes as many runs as it takes: what comes of it does not depend on how busy the machine is.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import local
from time import perf_counter
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from collector.campaign.child import Child, Died, Late
from collector.campaign.leash import Leash
from collector.campaign.task import Outcome
from collector.explore.machine.fault import Refused
from collector.explore.program import raised_in_set_up
from collector.explore.shrunk import shrunk


if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from collector.campaign.part import Question
    from collector.campaign.task import Task
    from collector.explore.result import Failure

    Ask = Callable[[Mapping[str, Any]], Question]
    """The question that a task's inputs ask."""

GRACE = 60.0
"""Seconds beyond its own that a task may take: for a process to begin and to end."""
SHRINKING = 1_800.0
"""Seconds that shrinking may take, which has run all that it may run before, also on a busy machine."""
DEATHS = 5
"""Times that the child of a task has to die: on a busy machine some chance kills meet it more than once."""
VERDICTS = {0: "passed", 1: "failed", 2: "refused", 3: "undecided", 70: "bug"}
"""Of a command, by its exit status."""
TESTED = {0: "passed", 1: "failed", 5: "passed"}
"""Of tests; 5: there were none."""
FUZZED = {0: "passed", 1: "failed", 2: "refused"}
"""Of another module; 2: argparse does not understand the words."""
LAST = 2_000
"""Characters of what a process has printed that are kept of one that failed."""


class Here(local):
    """What a thread has of its own: a worker of a cluster that is there may have several, each with a task."""

    def __init__(self) -> None:
        self.child = Child()


HERE = Here()


def perform(task: Task, ask: Ask) -> Outcome:
    """Do it."""
    begun = perf_counter()
    if task.kind == "explore":
        outcome = aside(explored, (task, ask), task.seconds)
    elif task.kind == "pytest":
        outcome = tested(task)
    elif task.kind == "module":
        status, said = process(["-m", *task.inputs["words"]], task.seconds)
        outcome = concluded(FUZZED.get(status, "lost"), status, said, {})
    else:
        outcome = commanded(task)
    outcome.seconds = perf_counter() - begun
    outcome.worker = f"{socket.gethostname()}:{os.getpid()}"
    return outcome


def aside(function: Callable[..., Outcome], arguments: tuple[object, ...], seconds: float | None) -> Outcome:
    """What the function gives in a child, which is ended some time after so many seconds."""
    child, how = HERE.child, ""
    for _ in range(DEATHS):
        try:
            outcome: Outcome = child.call(function, arguments, None if seconds is None else seconds + GRACE)
        except Died as died:
            how = str(died)
        except Late as late:
            return Outcome("lost", str(late), fault="process")
        except MemoryError:
            child.end()
            return Outcome("lost", "out of memory: a process gets half of the machine's at most", fault="process")
        else:
            return outcome
    return Outcome("lost", f"{how}, {DEATHS} times", fault="process")


def explored(task: Task, ask: Ask) -> Outcome:
    """A program's schedules; one that fails is not shrunk."""
    progress = (lambda *_: None) if task.inputs.get("traces") else None
    try:
        question = ask(task.inputs)
        result = question.explore(question.load(), task.seconds, progress=progress, shrink=False)
    except Refused as refused:
        return Outcome("refused", str(refused), place=refused.where)
    except Exception as error:
        raised = raised_in_set_up(error) if ".py:" in task.inputs["program"] else ""
        if not raised or isinstance(error, MemoryError):
            raise
        return Outcome("refused", raised)
    claim, failure = result.claim, result.failure
    outcome = Outcome(str(claim.kind), str(claim), result.schedules, result.steps, result.states, result.traces)
    if failure:
        outcome = replace(outcome, **told(failure))
        outcome.more["unshrunk"] = True
    elif claim.where:
        outcome.place = claim.where
    if result.distinct:
        outcome.more["distinct"] = result.distinct
    return outcome


def told(failure: Failure) -> dict[str, Any]:
    """What an outcome tells of a failure."""
    return {
        "text": str(failure),
        "fault": failure.kind,
        "place": failure.where,
        "token": failure.schedule,
        "more": {"preemptions": failure.preemptions},
    }


def shrink(task: Task, ask: Ask, token: str) -> Outcome:
    """Shrink a schedule of the task's program, in a child."""
    return aside(smaller, (task, ask, token), SHRINKING)


def smaller(task: Task, ask: Ask, token: str) -> Outcome:
    """A smaller schedule that fails as the token's does."""
    return Outcome("failed", **told(shrunk(token, ask(task.inputs).load(), seconds=SHRINKING)))


def commanded(task: Task) -> Outcome:
    """A command of this command line."""
    with TemporaryDirectory() as folder:
        summary = Path(folder) / "summary.json"
        words = ["-m", "collector.run", *task.inputs["words"], "--json", str(summary)]
        status, said = process(words, task.seconds)
        more = {}
        with suppress(OSError, ValueError):
            more = json.loads(summary.read_bytes())
    return concluded(VERDICTS.get(status, "lost"), status, said, more)


def tested(task: Task) -> Outcome:
    """A file of tests, with the outcome of each."""
    with TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        words = ["-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}", *task.inputs["words"]]
        status, said = process(words, task.seconds)
        outcomes = {}
        with suppress(OSError, ET.ParseError):
            for case in ET.parse(report).iter("testcase"):  # noqa: S314  our own pytest has written it
                told = [child.tag for child in case if child.tag in {"failure", "error", "skipped"}]
                outcomes[f"{case.get('classname')}.{case.get('name')}"] = told[0] if told else "passed"
    return concluded(TESTED.get(status, "lost"), status, said, {"tests": outcomes})


def process(words: Sequence[str], seconds: float | None) -> tuple[int, str]:
    """Run this interpreter with these words; its exit status, negative for a signal, and what it has printed."""
    leash = Leash(words, stdin=subprocess.DEVNULL, stderr=subprocess.STDOUT)
    status, printed, late = leash.end(None if seconds is None else seconds + GRACE)
    said = printed.decode(errors="backslashreplace")
    if late:
        return -signal.SIGKILL, f"{said}\ndid not end within {seconds} s and {GRACE:g} more"
    return status, said


def concluded(verdict: str, status: int, said: str, more: dict[str, Any]) -> Outcome:
    """The outcome of a process."""
    last = said.rstrip().rpartition("\n")[2]
    if verdict == "lost":
        how = f"signal {-status}" if status < 0 else f"exit status {status}"
        last = f"{how}: {last}"
    if verdict != "passed":
        more = {**more, "printed": said[-LAST:]}
    fault = {"failed": "run", "lost": "process"}.get(verdict, "")
    return Outcome(verdict, last, fault=fault, more=more)
