"""Processes that die: the part that did it is known, and no other one is blamed."""

from __future__ import annotations

import os
import signal
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from time import monotonic, sleep
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from collector.campaign.pool import ALONE, SUSPECT, Pool, Work
from collector.campaign.samples import Seed
from collector.campaign.traces import Traces
from tests.collector.campaign.searched import known


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.campaign.part import Back, Part


class Deadly:
    """An executor whose process dies of some parts, whenever they are run."""

    def __init__(self, *numbers: int) -> None:
        self.numbers = numbers
        self.ran: list[int] = []
        self._processes: dict[int, object] = {}

    def submit(self, _function: Callable[..., Back], part: Part, _seconds: float | None) -> Future[str]:
        """At once."""
        future = Future[str]()
        self.ran.append(part.number)
        if part.number in self.numbers:
            future.set_exception(BrokenProcessPool())
        else:
            future.set_result(f"part {part.number}")
        return future

    def shutdown(self, **_: object) -> None:
        """Another one begins in its place, which is this one again."""


def test_who_waits_to_run_alone_is_not_blamed_for_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four are suspect; those that kill their process are given up, and the other one comes back."""
    executor = Deadly(1, 2, 3)
    monkeypatch.setattr("collector.campaign.pool.ProcessPoolExecutor", lambda *_: executor)
    source = SimpleNamespace(name="urw")
    pool = Pool(2, known("inc(3)"))
    for number in (1, 2, 3, 4):
        pool.again.append(Work(source, Seed(number, number, 1, "urw"), None))
        pool.deaths["urw", number] = SUSPECT
    back: list[Any] = []
    given_up: list[Work] = []
    while pool.again or pool.under_way:
        found, gone = pool.wait(1.0)
        back += found
        given_up += gone

    assert sorted(work.part.number for work in given_up) == [1, 2, 3]
    assert [work.part.number for work, _ in back] == [4]
    assert sorted(executor.ran) == sorted([1, 2, 3] * ALONE + [4])


def test_a_process_that_dies_while_it_has_nothing_to_do() -> None:
    """Others are begun for the part that comes next, and nobody waits for ever."""
    question = known("inc(3)")
    source = Traces(question)

    def run(pool: Pool) -> Back:
        """The next part."""
        part = source.next(2, 5)
        assert part
        pool.submit(Work(source, part, None))
        until = monotonic() + 100.0
        while monotonic() < until:
            back, given_up = pool.wait(1.0)
            assert not given_up
            if back:
                ((_, found),) = back
                source.back(part, found.told)
                return found
        pytest.fail("it has not come back")

    with Pool(1, question) as pool:
        run(pool)
        executor: Any = pool.executor
        (process,) = executor._processes.values()
        os.kill(process.pid, signal.SIGKILL)
        while not executor._broken:
            sleep(0.01)

        assert run(pool).result.schedules
        assert not pool.deaths  # no part was there when it died
