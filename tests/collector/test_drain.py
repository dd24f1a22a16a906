"""Draining: to the end of a buffer, to the end of everything, or by a budget."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from collector.runtime import AuditedM
from mutator.phase import GCmark, GCmarktermination
from workbuf.local import MLOCAL
from workbuf.throw import Throw


if TYPE_CHECKING:
    from tests.worlds import Bench


@pytest.fixture(name="marking")
def _marking(bench: Bench) -> Bench:
    """A model in the mark phase, one marker."""
    bench.phase(GCmark)
    bench.setwork(nproc=1, nwait=0)
    return bench


def leaves(bench: Bench, n: int) -> list[int]:
    """Objects that lead nowhere."""
    return [bench.leaf() for _ in range(n)]


def stat(bench: Bench, m: AuditedM, field: str) -> int:
    """A counter of an M's gcstats."""
    return bench.peek(m.record + MLOCAL.offsets[field])


def test_draining_one_buffer_leaves_the_lists_alone(marking: Bench) -> None:
    """What its objects name is scanned as long as it stays in the buffer; then it goes to empty under 496."""
    m = marking.gcm
    nodes = marking.chain(5)
    other = marking.full(m, leaves(marking, 3))
    m.putfull(other, 947)
    b = marking.full(m, nodes[:1])

    m.drainworkbuf(b, all=False)

    assert marking.marked(*nodes) == [True] * 5
    assert m.scanned == 5
    assert marking.look.lists() == {"empty": [b], "partial": [], "full": [other]}
    assert marking.look.log(b)[0] == 496
    assert marking.look.work("nwait") == 0


def test_draining_all_takes_what_there_is_and_ends_in_the_barrier(marking: Bench) -> None:
    """Buffers off full are got under 504."""
    m = marking.gcm
    others = [marking.full(m, leaves(marking, 23)) for _ in range(3)]
    for b in others:
        m.putfull(b, 358)

    m.drainworkbuf(marking.full(m, leaves(marking, 2)), all=True)

    assert m.scanned == 3 * 23 + 2
    assert marking.places() == {"empty": 4, "partial": 0, "full": 0}
    assert all(marking.look.log(b)[:3] == [496, 504, 358] for b in others)
    assert marking.look.work("nwait") == 1


def test_others_who_wait_are_given_the_older_half_before_the_first_object_is_scanned(marking: Bench) -> None:
    """Refill, then handoff, then pop; once, because full holds something afterwards."""
    m = marking.gcm
    objects = leaves(marking, 6)
    b = marking.full(m, objects)
    marking.setwork(nproc=2, nwait=1)
    scanned: list[int] = []
    given: list[list[int]] = []

    class Seeing(AuditedM):
        """Notes the order of things."""

        def scanobject(self, b: int, wbuf: int) -> int:
            """Note which, and what is on full by then."""
            scanned.append(b)
            given.append([entry for b in marking.look.listed("full") for entry in marking.look.entries(b)])
            return super().scanobject(b, wbuf)

    seeing = marking.again(m, Seeing)
    seeing.drainworkbuf(b, all=True)

    # 6 entries: the buffer keeps 0..2 and goes to full; we go on with 3..5, newest first, and then get it back.
    assert scanned == [objects[i] for i in (5, 4, 3, 2, 1, 0)]
    assert given == [objects[:3]] * 3 + [[]] * 3
    assert (stat(marking, m, "nhandoff"), stat(marking, m, "nhandoffcnt")) == (1, 3)
    assert marking.look.work("nwait") == 2


@pytest.mark.parametrize(
    ("nobj", "nwait", "full", "handoffs"),
    [(5, 1, 0, 1), (23, 3, 0, 1), (4, 1, 0, 0), (5, 0, 0, 0), (5, 1, 1, 0)],
    ids=["5 and one waits", "23 and three wait", "too few", "nobody waits", "full holds something"],
)
def test_when_half_is_given_away(marking: Bench, nobj: int, nwait: int, full: int, handoffs: int) -> None:
    """Somebody waits, more than 4 entries, and nothing on full that they could have instead."""
    m = marking.gcm
    for _ in range(full):
        m.putfull(marking.full(m, leaves(marking, 1)), 947)
    marking.setwork(nproc=4, nwait=nwait)

    m.drainworkbuf(marking.full(m, leaves(marking, nobj)), all=False)

    assert stat(marking, m, "nhandoff") == handoffs


@pytest.mark.parametrize("phase", [GCmark, GCmarktermination])
def test_both_marking_phases_drain(marking: Bench, phase: int) -> None:
    """An empty buffer is put away at once."""
    marking.phase(phase)
    b = marking.gcm.getempty(359)

    marking.gcm.drainworkbuf(b, all=False)

    assert marking.look.listed("empty") == [b]


def test_drainworkbuf_with_a_cached_buffer_throws(marking: Bench) -> None:
    """Before anything else happens."""
    m = marking.gcm
    m.cache(m.getempty(359))
    b = marking.full(m, leaves(marking, 1))

    with pytest.raises(Throw, match="unexpected currentwbuf"):
        m.drainworkbuf(b, all=False)
    assert marking.held(b) == 1


def test_drainworkbuf_checks_what_getfull_gives_it(marking: Bench) -> None:
    """What that takes off partial it does not check itself (O-4); here is the second look."""

    class Emptying(AuditedM):
        """Finds an empty buffer where a full one should be."""

        def getfull(self, entry: int) -> int:
            """The empty one."""
            return self.getempty(entry)

    m = marking.again(marking.gcm, Emptying)

    with pytest.raises(Throw, match="workbuf is empty"):
        m.drainworkbuf(m.getempty(359), all=True)


def test_drainobjects_stops_when_its_budget_is_used_up(marking: Bench) -> None:
    """The buffer stays the caller's, with what is left in it."""
    m = marking.gcm
    objects = leaves(marking, 9)
    b = marking.full(m, objects)

    assert m.drainobjects(b, 4) == b

    assert marking.look.entries(b) == objects[:5]
    assert m.scanned == 4
    assert marking.problems(b) == []


def test_drainobjects_returns_an_empty_buffer_when_the_budget_ends_with_it(marking: Bench) -> None:
    """It looks for more only when it must."""
    m = marking.gcm
    b = marking.full(m, leaves(marking, 4))

    assert m.drainobjects(b, 4) == b
    assert marking.held(b) == 0
    assert marking.look.lists() == {"empty": [], "partial": [], "full": []}


def test_drainobjects_goes_on_with_the_next_buffer(marking: Bench) -> None:
    """The drained one goes to empty under 544, the next comes off full under 545."""
    m = marking.gcm
    other = marking.full(m, leaves(marking, 5))
    m.putfull(other, 358)
    b = marking.full(m, leaves(marking, 3))

    assert m.drainobjects(b, 6) == other

    assert marking.look.log(b)[0] == 544
    assert marking.look.log(other)[:2] == [545, 358]
    assert marking.held(other) == 2


def test_drainobjects_returns_nothing_when_it_runs_dry(marking: Bench) -> None:
    """It does not wait, and counts in no barrier."""
    m = marking.gcm
    b = marking.full(m, leaves(marking, 3))

    assert m.drainobjects(b, 23) == 0

    assert marking.look.listed("empty") == [b]
    assert marking.look.work("nwait") == 0


def test_drainobjects_with_a_cached_buffer_throws(marking: Bench) -> None:
    """As drainworkbuf does."""
    m = marking.gcm
    m.cache(m.getempty(359))

    with pytest.raises(Throw, match="unexpected currentwbuf"):
        m.drainobjects(m.getempty(359), 1)
