"""The table of racing accesses against what the protocol really does."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import pytest

from collector import heaps
from collector.catalogue.accesses import RACING
from collector.runtime import Config
from collector.stress.run import Plan, Stress, StressM
from mutator.programs.registry import PROGRAMS
from workbuf.machine import WORD


if TYPE_CHECKING:
    from collections.abc import Callable


class ByMethods(StressM):
    """Marks with the methods: the fused loop reads words as an array and asks no port."""

    def scanobject(self, b: int, wbuf: int) -> int:
        return super().scanobject(b, wbuf)


class Watched(Stress):
    """A run that notes which cells its threads read by `hint` and store by `post`."""

    def __init__(self, plan: Plan) -> None:
        self.seen: set[int] = set()
        super().__init__(plan, heaps.read("synthetic:random,n=200,m=400,seed=1,threads=2"), ByMethods)

    def equip(self, me: StressM) -> None:
        """Put a note-taker before each of the three operations."""
        super().equip(me)
        for kind in ("hint", "hints", "post"):
            setattr(me.port, kind, self.noting(getattr(me.port, kind)))

    def noting(self, operation: Callable[..., object]) -> Callable[..., object]:
        """`operation`, noted."""
        note = self.seen.add

        def noted(a: int, *rest: int) -> object:
            note(a)
            return operation(a, *rest)

        return noted

    def names(self) -> set[str]:
        """The names of the cells, numbers as #; of the arena's, a million of one name, the first will do."""
        heap = self.world.heap
        arena = {a for a in self.seen if heap.arena_start <= a * WORD < heap.arena_end}
        cells = (self.seen - arena) | ({min(arena)} if arena else set())
        return {re.sub(r"\d+", "#", self.machine.name(a)) for a in cells}


@pytest.fixture(name="names", scope="module")
def _names() -> set[str]:
    """What a run of every program touches, but for one of the two that would run each other's finalizers."""
    programs = (*(name for name in PROGRAMS if name != "finalizerchains"), "channel")
    run = Watched(Plan(config=Config(mutators=len(programs)), programs=programs, cycles=2, seed=5))
    run.run()
    return run.names()


def matches(name: str, row: str) -> bool:
    """Is the name that of a row, or one under its pattern?"""
    return fnmatchcase(name, row.replace("[#]", "[[]#]"))


def listed(name: str) -> bool:
    """Is the name in the table?"""
    return any(matches(name, row) for row in RACING)


def test_every_racing_access_is_in_the_table(names: set[str]) -> None:
    """Whoever adds a hint or a post says why it may race."""
    assert sorted(name for name in names if not listed(name)) == []


def test_every_row_of_the_table_is_an_access(names: set[str]) -> None:
    """Whoever takes the last hint or post of a cell away takes the row too."""
    assert [row for row in RACING if not any(matches(name, row) for name in names)] == []


def test_the_check_sees_an_access_that_is_not_listed(names: set[str]) -> None:
    """It can fail: heads' push counts are plain, and not in the table."""
    assert not listed("wbuf#.node_pushcnt")
    assert names
