"""Subclasses of the library's classes may call what is their own as they like: the stand-ins keep theirs by other names."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from collector.explore import explore
from collector.explore.stdlib import load
from tests.collector.explore.stdlib import named


if TYPE_CHECKING:
    from collector.explore import SteppedMachine

NAMES = ("Workers", "Flag", "Meeting", "Items", "Own", "Nothing", "Again")


@pytest.mark.parametrize("strategy", ["dpor", "stateful"])
@pytest.mark.parametrize("name", NAMES)
def test_names_are_the_program_s(name: str, strategy: str) -> None:
    """Two threads use one object."""

    def program(machine: SteppedMachine) -> None:
        one = getattr(load(machine, named.__name__, unwatched=("queue",)), name)()
        machine.spawn(lambda _port: one.uses())
        machine.spawn(lambda _port: one.uses())

    result = explore(program, strategy, schedules=100, shrink=False)
    assert result.claim.passed, str(result)


@pytest.mark.parametrize("name", NAMES)
def test_so_it_is_with_the_library(name: str) -> None:
    """Its own threads find what they expect."""
    one, ended = getattr(named, name)(), []

    def body() -> None:
        one.uses()
        ended.append(1)

    threads = [threading.Thread(target=body) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ended == [1, 1]
