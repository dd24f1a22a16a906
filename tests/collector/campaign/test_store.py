"""Results of campaigns: each task once, each failure once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from collector.campaign.page import campaignpage, together
from collector.campaign.store import Store, StoreError
from collector.campaign.task import Outcome, Task


if TYPE_CHECKING:
    from pathlib import Path


def task(number: int, *, fails: bool = False) -> Task:
    """One of many."""
    return Task("explore", f"task {number}", {"seed": number}, fails)


def test_a_finished_task_is_not_wanted_again(tmp_path: Path) -> None:
    """Of the same code; of other code it is."""
    path = str(tmp_path / "results.db")
    with Store(path) as store:
        todo = store.plan([task(1), task(2), task(1)], "code")
        assert [one.name for _, one in todo] == ["task 1", "task 2"]
        store.finish(todo[0][0], Outcome("proved"))
    with Store(path) as store:
        assert [one.name for _, one in store.plan([task(1), task(2)], "code")] == ["task 2"]
        assert len(store.plan([task(1), task(2)], "other")) == 2
        assert store.verdicts() == {("explore", ""): 2}


def test_what_is_known_of_a_task_is_what_is_asked_for_now(tmp_path: Path) -> None:
    """Whether it is to fail, and its name, which do not decide what comes of it."""
    with Store(str(tmp_path / "results.db")) as store:
        ((key, _),) = store.plan([task(1, fails=True)], "code")
        store.finish(key, Outcome("failed"))
        assert store.wrong() == []
        assert store.plan([replace(task(1), name="another")], "code") == []
        assert store.wrong() == ["another"]


def test_a_task_is_finished_once(tmp_path: Path) -> None:
    """A second time is an error, and changes nothing."""
    with Store(str(tmp_path / "results.db")) as store:
        ((key, _),) = store.plan([task(1)], "code")
        store.finish(key, Outcome("proved"))
        with pytest.raises(StoreError, match="was finished by another campaign"):
            store.finish(key, Outcome("failed"))
        assert store.verdicts() == {("explore", "proved"): 1}


def failed(place: str, token: str) -> Outcome:
    """A fault."""
    return Outcome("failed", "throw: no", fault="throw", place=place, token=token, worker="here:1", seconds=1.0)


def test_a_failure_is_told_once_with_its_count(tmp_path: Path) -> None:
    """The same are those of the same kind, place and shrunk schedule; one that was to be is not wrong."""
    with Store(str(tmp_path / "results.db")) as store:
        todo = store.plan([task(number, fails=number == 4) for number in range(6)], "code")
        outcomes = [failed("a:1", "s2.A"), failed("a:1", "s2.B"), failed("a:1", "s2.A"), failed("b:1", "s2.A")]
        for (key, _), outcome in zip(todo, [*outcomes, failed("c:1", ""), Outcome("lost", "died")], strict=True):
            store.finish(key, outcome)
        found = store.failures()
        page = campaignpage(store.rows(), found, "campaign x", {"s2.B": "b.html"})

        assert [(one.place, one.token, one.times, one.name) for one in found] == [
            ("a:1", "s2.A", 2, "task 0"),
            ("a:1", "s2.B", 1, "task 1"),
            ("b:1", "s2.A", 1, "task 3"),
            ("c:1", "", 1, "task 4"),
            ("", "", 1, "task 5"),
        ]
        assert store.wrong() == ["task 0", "task 1", "task 2", "task 3", "task 5"]
        assert store.unseen() == []
        assert '<a href="b.html">' in page
        assert "6 of 6 tasks are done: 5 failed, 1 lost" in page
        assert "<polyline" in page


def test_traces_that_two_tasks_have_seen_count_once(tmp_path: Path) -> None:
    """Those of two programs are others."""
    tasks = [Task("explore", name, {"program": name[0], "seed": name}) for name in ("a1", "a2", "b1", "b2")]
    with Store(str(tmp_path / "results.db")) as store:
        for (key, _), some in zip(store.plan(tasks, "code"), ([1, 2], [2, 3], [1, 2], []), strict=True):
            store.finish(key, Outcome("sampled", more={"distinct": some} if some else {}))

        assert list(together(store.rows())) == [2, 3, 5, 5]


def test_a_page_of_nothing(tmp_path: Path) -> None:
    """It says so."""
    with Store(str(tmp_path / "results.db")) as store:
        store.plan([task(1)], "code")

        assert "nothing is done yet" in campaignpage(store.rows(), store.failures(), "campaign x")
