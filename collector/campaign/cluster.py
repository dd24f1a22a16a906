"""Processes that do tasks, over Dask distributed: of this machine, or of a cluster that is there already.

A task costs Dask some 5 ms, so tasks are seconds long.  A worker that dies is begun again, and its task done again by
another one; when it has died more than DEATHS times the task is lost.  Each is given one task at a time, so no other is
blamed.  Dask forgets a worker that does not come back for a while: one that is killed while it begins, or that begins on a
busy machine.  So `tend` has another one begin in its place.

Dask is imported here and nowhere else, when a cluster is wanted.
"""

from __future__ import annotations

import logging
import warnings
from contextlib import suppress
from pathlib import Path
from queue import Empty, Queue
from time import monotonic
from typing import TYPE_CHECKING, Any, Self

from collector.campaign.task import Outcome
from collector.campaign.version import OtherVersion, of, version
from collector.stress.uninterrupted import uninterrupted


if TYPE_CHECKING:
    from collections.abc import Callable

DEATHS = 3
SETTINGS = {
    "distributed.scheduler.worker-saturation": 1.0,
    "distributed.scheduler.allowed-failures": DEATHS,
    "distributed.scheduler.work-stealing": False,
    "distributed.worker.daemon": True,
    "distributed.comm.timeouts.connect": "30s",
}
INSTALL = "a campaign needs Dask: python -m pip install 'workbuf-model[campaign]', or 'distributed>=2025.1'"
MISSING = 30.0
"""Seconds that a process here may be gone before another one is begun in its place."""
FETCH = 5.0
"""Seconds until a result that is there has come."""
CONNECT = 20
"""Seconds until a cluster has to answer."""


class ClusterError(Exception):
    """There is no cluster: the text says why, and what to do."""


class Cluster:
    """So many processes here, or the cluster at an address or of a scheduler file; closed at the end of a `with`."""

    def __init__(self, jobs: int, address: str = "", *, dashboard: bool = False) -> None:
        """Raises ClusterError."""
        try:
            import dask  # noqa: PLC0415  an extra, and slow
            import distributed  # noqa: PLC0415
        except ImportError:
            raise ClusterError(INSTALL) from None
        logging.getLogger("distributed").setLevel(logging.CRITICAL)
        # The port of another campaign's dashboard; Dask takes another one.
        warnings.filterwarnings("ignore", message=r"\s*Port \d+ is already in use")
        dask.config.set(SETTINGS)
        self.jobs = jobs
        self.local: Any = None
        self.complete = monotonic()
        """When all processes here were seen last."""
        self.done: Queue[Any] = Queue()
        self.under_way: dict[Any, str] = {}
        """Key by future."""
        if not address:
            try:
                with uninterrupted():
                    self.local = distributed.LocalCluster(
                        n_workers=jobs,
                        threads_per_worker=1,
                        processes=True,
                        host="127.0.0.1",
                        # Any port, also where nobody looks: Dask leaves a socket open where its usual one is taken.
                        dashboard_address=":0" if dashboard else "127.0.0.1:0",
                        scheduler_kwargs={"dashboard": dashboard},
                        silence_logs=logging.CRITICAL,
                    )
            except RuntimeError as error:
                raise ClusterError(
                    f"the processes did not begin: {error}; the same command begins them again"
                ) from None
        where: dict[str, Any] = {"address": self.local or address}
        if address and Path(address).is_file():
            where = {"scheduler_file": address}
        try:
            self.client = distributed.Client(**where, timeout=CONNECT)
        except (OSError, ValueError) as error:
            if self.local:
                self.local.close(timeout=5)
                raise ClusterError(
                    f"the scheduler here does not answer: {error}; the same command tries again"
                ) from None
            raise ClusterError(f"--cluster {address}: no scheduler answers there: {error}") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(Exception):  # the cluster may be gone
            self.drop()
        for part in (self.client, self.local):
            if part is not None:
                with suppress(Exception):
                    part.close(timeout=5)

    def tend(self) -> int:
        """Begin others in place of processes here that have been gone for long; how many there are at the moment."""
        number: int = sum(self.client.nthreads().values())
        now = monotonic()
        if number >= self.jobs:
            self.complete = now
        elif self.local and now - self.complete >= MISSING:
            self.complete = now
            self.local.scale(self.jobs)
        return number

    @property
    def dashboard(self) -> str:
        """Its address."""
        return str(self.client.dashboard_link)

    def submit(self, key: str, function: Callable[..., Outcome], *arguments: object) -> None:
        """Have work done, which is known here by its key."""
        future = self.client.submit(of, version(), function, *arguments, pure=False)
        self.under_way[future] = key
        future.add_done_callback(self.done.put)

    def drop(self) -> None:
        """What is under way is not wanted any more; what has begun comes to its end, and nobody hears of it."""
        for future in self.under_way:
            future.cancel()
        self.under_way.clear()

    def next(self, seconds: float) -> tuple[str, Outcome] | None:
        """What is done, by its key; None if there is none by then.  Raises ClusterError if the cluster is gone."""
        try:
            future = self.done.get(timeout=seconds)
        except Empty:
            return None
        if future.status in {"pending", "lost"}:
            # Who had the result died before it was fetched: it is done again.
            future.add_done_callback(self.done.put)
            return None
        if future not in self.under_way:
            return None  # it was dropped
        if future.status == "finished":
            try:
                outcome = future.result(FETCH)
            except Exception as gone:
                if future.status == "finished" and not isinstance(gone, OSError):
                    raise
                # Likewise; and nobody may be there to do it again before others have been begun, so `tend` has its turn.
                future.add_done_callback(self.done.put)
                return None
            return self.under_way.pop(future), outcome
        key = self.under_way.pop(future)
        if future.status != "error":
            raise ClusterError("the cluster is gone; what was done is kept")
        error = future.exception()
        if isinstance(error, OtherVersion):
            raise ClusterError(f"{error} has begun with another version of this project; begin it again with this one")
        if type(error).__name__ == "KilledWorker":
            died = f"its process died {DEATHS + 1} times: killed, out of memory, or crashed"
            return key, Outcome("lost", died, fault="process")
        return key, Outcome("bug", f"{type(error).__name__}: {error}", fault="bug")
