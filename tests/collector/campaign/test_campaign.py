"""Campaigns: the verdicts of one process after the other; killed anywhere, they lose nothing and do nothing twice."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, suppress
from importlib.util import find_spec
from queue import Queue
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from collector.campaign import campaign, cluster, spec
from collector.campaign.perform import perform
from collector.campaign.store import Store
from collector.campaign.task import Outcome, Task
from collector.commands.search import asked
from collector.commands.status import OK, USAGE, VIOLATION
from collector.explore import explore
from collector.run import main
from collector.scenarios.registry import SCENARIOS


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

with_dask = pytest.mark.skipif(not find_spec("distributed"), reason="needs the extra `campaign`")
SPEC = """
[[explore]]
programs = ["aba:failing", "aba:fixed", "harvest:fixed", "markterm:failing"]
strategies = ["urw", "dpor"]
seeds = "1-4"
schedules = 300
"""
ROWS = (
    "SELECT number, name, verdict, text, schedules, steps, fault, place, token FROM tasks WHERE wanted ORDER BY number"
)


class Here:
    """A cluster of this process."""

    def __init__(self) -> None:
        self.under_way: dict[str, tuple[Callable[..., Outcome], tuple[Any, ...]]] = {}
        self.done: list[str] = []
        """Names of what was done."""

    def tend(self) -> int:
        """It is there."""
        return 1

    def submit(self, key: str, function: Callable[..., Outcome], *arguments: object) -> None:
        """For later."""
        self.under_way[key] = function, arguments

    def drop(self) -> None:
        """Forget."""
        self.under_way.clear()

    def next(self, _seconds: float) -> tuple[str, Outcome]:
        """Do one."""
        key, (function, arguments) = self.under_way.popitem()
        self.done.append(f"{function.__name__} {arguments[0].name}")
        return key, function(*arguments)


@pytest.fixture(name="specification")
def _specification(tmp_path: Path) -> str:
    """Of some seconds."""
    path = tmp_path / "spec.toml"
    path.write_text(SPEC, encoding="ascii")
    return str(path)


@pytest.fixture(name="alone", scope="module")
def _alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results of a campaign that one process does by itself."""
    folder = tmp_path_factory.mktemp("alone")
    (folder / "spec.toml").write_text(SPEC, encoding="ascii")
    with Store(str(folder / "results.db")) as store:
        run(store.plan(spec.tasks(str(folder / "spec.toml")), "code"), store)
    return folder / "results.db"


@pytest.fixture(name="undisturbed")
def _undisturbed(alone: Path) -> list[tuple[object, ...]]:
    """The rows of a campaign that nobody disturbs."""
    return rows(alone)


def run(
    todo: list[tuple[str, Task]],
    store: Store,
    *,
    first: bool = False,
    here: Here | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> bool:
    """By this process."""
    progress = campaign.Progress(len(todo), 0)
    return campaign.run(
        todo, store, here or Here(), asked, progress, lambda *_: None, stop, first=first  # type: ignore[arg-type]
    )  # fmt: skip


def rows(path: Path) -> list[tuple[object, ...]]:
    """Of the results."""
    with closing(sqlite3.connect(path)) as db:
        return db.execute(ROWS).fetchall()


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


def inputs() -> dict[str, object]:
    """Of a task that fails."""
    return {"program": "aba", "variant": "failing", "strategy": "urw", "schedules": 300}


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


def test_a_process_that_does_not_end(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It is ended, and lost."""
    monkeypatch.setattr("collector.campaign.perform.GRACE", 0.0)
    test = tmp_path / "test_long.py"
    test.write_text("import time\ndef test_long(): time.sleep(60)", encoding="ascii")
    outcome = perform(Task("pytest", "tests", {"words": [str(test)]}, seconds=1.0), asked)

    assert outcome.verdict == "lost"
    assert "did not end within 1.0 s" in outcome.text


def test_without_dask_a_line_says_how_to_install_it(
    specification: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Status 2."""
    monkeypatch.setitem(sys.modules, "distributed", None)

    assert main(["campaign", specification]) == USAGE
    assert capsys.readouterr().err == f"collector.run campaign: {cluster.INSTALL}\n"


def begun(specification: str, results: Path, *options: str) -> subprocess.Popen[str]:
    """The command as a process, of a group of its own, as a shell begins it."""
    words = ["-m", "collector.run", "campaign", specification, "--jobs", "2", "--results", str(results), *options]
    return subprocess.Popen(
        [sys.executable, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def finished(results: Path) -> Iterator[tuple[int, str]]:
    """How many are finished, and by whom the last one was, again and again."""
    while True:
        time.sleep(0.05)
        with suppress(sqlite3.Error), closing(sqlite3.connect(f"{results.as_uri()}?mode=ro", uri=True)) as db:
            number, worker = db.execute("SELECT count(*), max(worker) FROM tasks WHERE verdict IS NOT NULL").fetchone()
            yield number, worker or ""


@with_dask
def test_killed_anywhere_it_goes_on(
    specification: str, undisturbed: list[tuple[object, ...]], tmp_path: Path, seed: int
) -> None:
    """The table at the end is that of an undisturbed campaign; what was finished was not done again."""
    draw = random.Random(seed)
    results = tmp_path / "results.db"
    known: dict[str, object] = {}
    for _ in range(2):
        process = begun(specification, results)
        enough = len(known) + draw.randint(1, 6)
        next(n for n, _ in finished(results) if n >= enough or process.poll() is not None)
        process.kill()
        process.communicate()
        with closing(sqlite3.connect(results)) as db:
            now = dict(db.execute("SELECT key, ended FROM tasks WHERE verdict IS NOT NULL"))
        assert {key: now[key] for key in known} == known
        known = now
    process = begun(specification, results)
    said, _ = process.communicate(timeout=200)

    assert process.returncode == OK, said
    assert f"{len(known)} of {len(undisturbed)} tasks were done before" in said or len(known) == len(undisturbed)
    assert rows(results) == undisturbed


DEADLY = """
import ctypes, os, signal

def kills(machine):
    os.kill(os.getpid(), signal.SIGKILL)

def crashes(machine):
    ctypes.string_at(0)

def hangs(machine):
    def body(port):
        while True:
            pass
    machine.spawn(body)
"""


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


@with_dask
def test_processes_that_die_lose_nothing_but_their_own(
    specification: str, undisturbed: list[tuple[object, ...]], tmp_path: Path
) -> None:
    """One is killed from outside, two tasks kill theirs, one never ends: all others are as ever."""
    file = tmp_path / "deadly.py"
    file.write_text(DEADLY, encoding="ascii")
    names = ", ".join(f'"{file}:{name}"' for name in ("kills", "crashes", "hangs"))
    with open(specification, "a", encoding="ascii") as more:  # noqa: PTH123  a name
        more.write(f'\n[[explore]]\nprograms = [{names}]\nstrategies = ["urw"]\n')
    results = tmp_path / "results.db"
    process = begun(specification, results, "--json", str(tmp_path / "summary.json"))
    worker = next(who for n, who in finished(results) if n >= 2 or process.poll() is not None)
    with suppress(ProcessLookupError):
        os.kill(int(worker.rpartition(":")[2]), signal.SIGKILL)
    said, _ = process.communicate(timeout=200)

    assert process.returncode == VIOLATION, said
    summary = json.loads((tmp_path / "summary.json").read_bytes())
    assert rows(results)[: len(undisturbed)] == undisturbed
    verdicts = {str(row[1]).rpartition(":")[2]: row[2] for row in rows(results)[len(undisturbed) :]}
    assert (verdicts["kills urw seed 1"], verdicts["crashes urw seed 1"]) == ("lost", "lost")
    assert verdicts["hangs urw seed 1"] in {"failed", "refused"}
    assert len(summary["wrong"]) == 3


@with_dask
def test_a_worker_that_dask_has_forgotten_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """It was gone for longer than Dask waits, as on a busy machine."""
    monkeypatch.setitem(cluster.SETTINGS, "distributed.deploy.lost-worker-timeout", "1ms")
    monkeypatch.setattr(cluster, "MISSING", 1.0)
    with cluster.Cluster(1) as processes:
        (first,) = processes.client.run(os.getpid).values()
        os.kill(first, signal.SIGKILL)
        while processes.tend():
            time.sleep(0.01)
        while processes.local.workers:
            time.sleep(0.01)
        second: list[int] = []
        while not second:  # one that the scheduler knows may not be known to the client yet, or be closing
            time.sleep(0.1)
            with suppress(OSError):
                second = [*processes.client.run(os.getpid).values()] if processes.tend() else []

    assert second != [first]


def test_a_result_whose_process_has_died_is_not_waited_for() -> None:
    """Nobody would begin another process meanwhile, and there may be none that does it again."""
    done: Queue[Any] = Queue()

    class Future:
        """Dask says that it is finished."""

        status = "finished"
        died = True

        def result(self, timeout: float) -> Outcome:
            """As Dask's, if the data are gone and no process is there."""
            if self.died:
                raise TimeoutError(timeout)
            return Outcome("proved")

        def add_done_callback(self, call: Callable[[Future], None]) -> None:
            """At once."""
            call(self)

    future = Future()
    done.put(future)
    here: Any = SimpleNamespace(done=done, under_way={future: "key"})

    assert cluster.Cluster.next(here, 0.1) is None
    future.died = False
    assert cluster.Cluster.next(here, 0.1) == ("key", Outcome("proved"))


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


@with_dask
def test_a_cluster_that_is_not_there(specification: str, tmp_path: Path) -> None:
    """In a line."""
    words = ["--results", str(tmp_path / "results.db"), "--cluster", "tcp://127.0.0.1:1"]
    program = (
        "import collector.campaign.cluster as c, collector.run as r, sys; c.CONNECT = 1; sys.exit(r.main(sys.argv[1:]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "campaign", specification, *words], capture_output=True, text=True, check=False
    )

    assert done.returncode == USAGE
    assert "--cluster tcp://127.0.0.1:1: no scheduler answers there" in done.stderr


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
