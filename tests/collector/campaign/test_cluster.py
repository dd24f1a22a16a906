"""The processes that do tasks: those that are gone, and clusters that are not there."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from queue import Queue
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from collector.campaign import cluster
from collector.campaign.task import Outcome
from collector.commands.status import USAGE
from collector.run import main
from tests.collector.campaign.campaigns import rows, with_dask


if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


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


@with_dask
def test_a_worker_of_another_version_does_nothing(specification: str, tmp_path: Path) -> None:
    """What it finds would be taken for what this version does."""
    words = ["--results", str(tmp_path / "results.db"), "--jobs", "1"]
    program = (
        "import collector.campaign.cluster as c, collector.run as r, sys; c.version = lambda: 'later'; "
        "sys.exit(r.main(sys.argv[1:]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "campaign", specification, *words], capture_output=True, text=True, check=False
    )

    assert done.returncode == USAGE
    assert re.search(r"process \d+ of .+ has begun with another version of this project", done.stderr)
    assert {row[2] for row in rows(tmp_path / "results.db")} == {None}


@with_dask
def test_a_scheduler_here_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its processes are ended, and a line says what to do, which is not about `--cluster`."""
    closed: list[float] = []

    class Local:
        """Processes that have begun."""

        def __init__(self, **_: object) -> None: ...

        def close(self, timeout: float) -> None:
            """End them."""
            closed.append(timeout)

    def late(**_: object) -> None:
        raise TimeoutError("late")

    monkeypatch.setattr("distributed.LocalCluster", Local)
    monkeypatch.setattr("distributed.Client", late)

    with pytest.raises(
        cluster.ClusterError, match=r"^the scheduler here does not answer: late; the same command tries"
    ):
        cluster.Cluster(1)
    assert len(closed) == 1


def test_without_dask_a_line_says_how_to_install_it(
    specification: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Status 2."""
    monkeypatch.setitem(sys.modules, "distributed", None)

    assert main(["campaign", specification]) == USAGE
    assert capsys.readouterr().err == f"collector.run campaign: {cluster.INSTALL}\n"
