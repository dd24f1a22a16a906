"""An order that only Python objects see: no strategy proves a program whose outcome depends on it."""

from __future__ import annotations

import pytest

from collector.explore import explore
from tests.collector.explore import orderprograms
from tests.collector.explore.arbitrary import MINDS, program_of, shape
from tests.collector.explore.assignedprograms import ASSIGNED
from tests.collector.explore.childprograms import SPAWNED
from tests.collector.explore.compare import compare_sharing
from tests.collector.explore.foundprograms import FOUND, RIGHT
from tests.collector.explore.setprograms import APART, SETS
from tests.collector.explore.storedprograms import STORED
from tests.collector.explore.takenprograms import TAKEN
from tests.collector.explore.test_verdicts import told
from tests.collector.explore.traces import executions
from tests.collector.explore.unorderedprograms import UNORDERED
from tests.collector.explore.unwatchedprograms import UNWATCHED


ORDERED = orderprograms.ORDERED | ASSIGNED | SPAWNED | TAKEN | FOUND | STORED | SETS
ALL_RIGHT = UNORDERED | RIGHT | APART

EVERYTHING = ("portfolio", "stateful", "exhaustive", "dfs")


@pytest.mark.parametrize("name", ORDERED)
def test_an_order_that_no_cell_tells_is_explored_or_nothing_is_proved(name: str) -> None:
    """DPOR says what is shared, and who proves such a program; the others find the fault."""
    dpor = explore(ORDERED[name], "dpor", shrink=False)
    others = [explore(ORDERED[name], strategy, shrink=False, seconds=100) for strategy in EVERYTHING]
    bounded = explore(ORDERED[name], "exhaustive", preemptions=2, shrink=False)

    for reduced in (dpor, explore(ORDERED[name], "dpor", preemptions=4, shrink=False)):
        assert reduced.claim.kind in {"undecided", "failed"}, told(reduced)
        said = reduced.statement
        assert reduced.failure or (" share " in said and 'strategy="stateful"' in said), told(reduced)
    for other in (*others, bounded):
        assert other.claim.kind == "failed", told(other)


@pytest.mark.parametrize("name", UNWATCHED)
def test_where_objects_cannot_be_watched_nothing_is_proved(name: str) -> None:
    """DPOR says why, and keeps no object alive for it; the others find the fault."""
    for bound in (None, 9):
        dpor = explore(UNWATCHED[name], "dpor", shrink=False, preemptions=bound)
        assert dpor.claim.kind == "undecided", told(dpor)
        assert "what the threads do with Python objects is not known" in dpor.statement, told(dpor)
    for strategy in ("portfolio", "stateful", "exhaustive"):
        other = explore(UNWATCHED[name], strategy, shrink=False, seconds=100)
        assert other.claim.kind == "failed", told(other)


@pytest.mark.parametrize("name", ALL_RIGHT)
def test_what_is_ordered_or_not_shared_costs_no_proof(name: str) -> None:
    """By DPOR too."""
    for strategy in ("dpor", *EVERYTHING):
        result = explore(ALL_RIGHT[name], strategy, seconds=100)
        assert result.claim.kind == "proved", told(result)
    bounded = explore(ALL_RIGHT[name], "dpor", preemptions=9, seconds=100)
    assert bounded.claim.kind == "proved", told(bounded)


@pytest.mark.parametrize("seed", range(12))
def test_arbitrary_programs(seed: int) -> None:
    """Against plain depth-first search."""
    program = program_of(shape(seed, MINDS["shared"].split()))

    compare_sharing(program, list(executions(program, "dfs", limit=5_000)))


def test_the_object_is_named() -> None:
    """By the variable that leads to it."""
    assert "t0 and t1 share log, and no step orders" in explore(ORDERED["appended_to_a_list"], "dpor").statement
    assert "t0 and t1 share inside, and" in explore(ORDERED["how_many_are_inside"], "dpor").statement
