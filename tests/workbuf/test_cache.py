"""The cache that each M has: what it gives before the lists are asked, what a harvest takes.  Vectors W1, W9, W10, W13."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from workbuf.buffer import NOBJ
from workbuf.getfull import Getfull
from workbuf.machine import WORD
from workbuf.throw import Throw


if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.machines import Look


def test_w1_the_history_of_a_buffer_through_a_cycle(m: Getfull, look: Look) -> None:
    """W1: Got and overflowed by greyobject, drained, taken by scanblock, cached by scanstack, harvested while empty."""
    b = m.getempty(359)
    assert look.state(b) == (True, [359, 0, 0, 0], [])

    look.fill(b, range(23))
    m.putfull(b, 358)
    assert look.state(b) == (False, [358, 359, 0, 0], list(range(23)))

    assert m.getfull(504) == b
    assert look.state(b) == (True, [504, 358, 359, 0], list(range(23)))

    look.fill(b, [])
    m.putempty(b, 496)
    assert look.state(b) == (False, [496, 504, 358, 359], [])

    assert m.getpartialorempty(460) == b
    assert look.state(b) == (True, [80700460, 496, 504, 358], [])

    assert m.cache(b) == 0
    assert look.state(b) == (True, [80700460, 496, 504, 358], [])

    harvest(m, [m])
    assert look.state(b) == (False, [945, 80700460, 496, 504], [])
    assert look.listed("empty") == [b]
    assert look.cache(m.record) == 0


def test_w9_a_full_cached_buffer_is_returned_as_it_is(m: Getfull, look: Look) -> None:
    """W9: No list and no history is touched and the cache is 0; it is the next grey that replaces it, 358 and 359."""
    b = m.getempty(80700460)
    look.fill(b, range(23))
    m.cache(b)
    before = look.state(b)

    assert m.getpartialorempty(460) == b

    assert look.state(b) == before == (True, [80700460, 0, 0, 0], list(range(23)))
    assert look.cache(m.record) == 0
    assert look.lists() == {"empty": [], "partial": [], "full": []}

    m.putfull(b, 358)

    assert look.log(m.getempty(359)) == [359, 0, 0, 0]
    assert look.log(b) == [358, 80700460, 0, 0]


@pytest.mark.parametrize("nobj", range(24))
def test_the_801_branch_is_dead_for_every_filling_that_can_be(m: Getfull, look: Look, nobj: int) -> None:
    """From none to 23 entries the cached buffer comes back, because Go's test is `<=` where `<` was meant (O-3)."""
    b = m.getempty(359)
    look.fill(b, range(nobj))
    m.cache(b)

    assert m.getpartialorempty(460) == b
    assert look.log(b) == [359, 0, 0, 0]
    assert look.listed("full") == []


def test_what_the_801_branch_would_do(m: Getfull, look: Look) -> None:
    """With `nobj` forced to 24 it puts the buffer on full under 80100460 and goes on to partial and empty."""
    b = m.getempty(359)
    look.fill(b, range(24))
    m.cache(b)

    b1 = m.getpartialorempty(460)

    assert b1 != b
    assert look.log(b1) == [80700460, 0, 0, 0]
    assert look.log(b) == [80100460, 359, 0, 0]
    assert look.listed("full") == [b]
    assert look.cache(m.record) == 0


@pytest.mark.parametrize(("nobj", "entry"), [(0, 81501191), (1, 1191), (23, 1191)])
def test_w10_shade_in_mark_termination_goes_to_a_list(m: Getfull, look: Look, nobj: int, entry: int) -> None:
    """W10: A buffer pulled for an object that proved marked goes straight back to empty, under the composite entry."""
    b = m.getpartialorempty(1181)
    look.fill(b, range(nobj))
    m.checknocurrentwbuf()

    m.putpartial(b, 1191)

    assert look.log(b) == [entry, 80701181, 0, 0]
    assert look.lists() == {"empty": [], "partial": [], "full": []} | {
        {0: "empty", 1: "partial", 23: "full"}[nobj]: [b]
    }


def test_w10_shade_in_mark_keeps_the_buffer_it_pulled(m: Getfull, look: Look) -> None:
    """W10: The cache then holds it, an empty one or the partial it pulled, with only the get in its history."""
    b = m.getempty(359)
    look.fill(b, [7])
    m.putpartial(b, 670)

    assert m.cache(m.getpartialorempty(1181)) == 0

    assert look.cache(m.record) == b
    assert look.state(b) == (True, [1181, 670, 359, 0], [7])
    assert look.listed("partial") == []


def test_w13_harvest_over_four_caches(m: Getfull, new_m: Callable[..., Getfull], look: Look) -> None:
    """W13: Caches of an empty buffer, 1 entry, 23 entries, none: one to empty (945), two to full (947), in order of Ms."""
    ms = [new_m() for _ in range(4)]
    cached = []
    for owner, nobj in zip(ms, (0, 1, 23), strict=False):
        b = owner.getempty(359)
        look.fill(b, range(nobj))
        owner.cache(b)
        cached.append(b)

    harvest(m, ms)

    none, one, full = cached
    assert look.lists() == {"empty": [none], "partial": [], "full": [full, one]}  # the last put is on top
    assert [look.log(b)[0] for b in cached] == [945, 947, 947]
    assert [look.cache(owner.record) for owner in ms] == [0, 0, 0, 0]
    assert look.problems([], [owner.record for owner in ms]) == []


@pytest.mark.parametrize("nobj", [0, 1, 22])
def test_getpartialorempty_prefers_the_cache(m: Getfull, look: Look, nobj: int) -> None:
    """First the M's own buffer, unlogged, though partial and empty have one."""
    b = m.getempty(359)
    look.fill(b, range(nobj))
    offered(m, look, "partial")
    offered(m, look, "empty")
    m.cache(b)
    before = look.lists()

    assert m.getpartialorempty(460) == b
    assert look.log(b) == [359, 0, 0, 0]
    assert look.cache(m.record) == 0
    assert look.lists() == before


def test_getpartialorempty_then_takes_a_partial_one(m: Getfull, look: Look) -> None:
    """Under the plain entry, though empty has one too; full is never taken from."""
    partial, empty, full = (offered(m, look, list_) for list_ in ("partial", "empty", "full"))

    assert m.getpartialorempty(460) == partial
    assert look.log(partial)[0] == 460
    assert look.lists() == {"empty": [empty], "partial": [], "full": [full]}


def test_getpartialorempty_then_takes_an_empty_one(m: Getfull, look: Look) -> None:
    """Under the composite entry."""
    empty, full = (offered(m, look, list_) for list_ in ("empty", "full"))

    assert m.getpartialorempty(1181) == empty
    assert look.log(empty)[0] == 80701181
    assert look.lists() == {"empty": [], "partial": [], "full": [full]}


def test_getpartialorempty_at_last_makes_one(m: Getfull, look: Look) -> None:
    """Under the composite entry as well."""
    b = m.getpartialorempty(1181)

    assert look.state(b) == (True, [80701181, 0, 0, 0], [])
    assert look.buffers() == [b]


def test_getpartialorempty_does_not_ask_whether_a_partial_buffer_holds_anything(m: Getfull, look: Look) -> None:
    """A producer can use an empty one as well, so there is no emptiness check."""
    b = offered(m, look, "partial")
    look.fill(b, [])

    assert m.getpartialorempty(460) == b


def test_trygetfull_asks_full_then_partial_then_its_own_cache(m: Getfull, look: Look) -> None:
    """Lists under its entry, the cache unlogged, and 0 at the end; empty is never asked."""
    cached = m.getempty(359)
    look.fill(cached, [7])
    offered(m, look, "empty")
    full, partial = offered(m, look, "full"), offered(m, look, "partial")
    m.cache(cached)

    assert [m.trygetfull(545) for _ in range(4)] == [full, partial, cached, 0]
    assert [look.log(b)[0] for b in (full, partial, cached)] == [545, 545, 359]
    assert look.cache(m.record) == 0
    assert len(look.listed("empty")) == 1


def test_trygetfull_puts_its_empty_cached_buffer_away(m: Getfull, look: Look) -> None:
    """To empty, under 839; it gets nothing and does not count itself among the waiting."""
    b = m.getempty(359)
    m.cache(b)

    assert m.trygetfull(545) == 0
    assert look.listed("empty") == [b]
    assert look.state(b) == (False, [839, 359, 0, 0], [])
    assert look.cache(m.record) == 0
    assert look.work("nwait") == 0


def test_trygetfull_leaves_an_empty_cached_buffer_where_it_is_while_a_list_has_work(m: Getfull, look: Look) -> None:
    """The cache is looked at last."""
    b = m.getempty(359)
    m.cache(b)
    full = offered(m, look, "full")

    assert m.trygetfull(545) == full
    assert look.cache(m.record) == b


def test_a_cache_is_its_own_m_s(m: Getfull, new_m: Callable[..., Getfull], look: Look) -> None:
    """No list operation looks into another M's cache."""
    b = m.getempty(359)
    look.fill(b, [7])
    m.cache(b)
    other = new_m()

    assert other.trygetfull(545) == 0
    assert other.getpartialorempty(460) != b
    assert look.cache(m.record) == b


def test_a_cached_pointer_is_a_byte_address(m: Getfull, look: Look) -> None:
    """`currentwbuf` is Go's uintptr, so that an address in a trace is one."""
    b = m.getempty(359)

    m.cache(b)

    assert look.peek(m.currentwbuf) == b * WORD


def test_taking_and_giving_are_exchanges(m: Getfull, look: Look) -> None:
    """Cache returns what it displaced and takecached leaves nothing; neither touches history or ownership."""
    a, b = m.getempty(1), m.getempty(3)

    assert m.cache(a) == 0
    assert m.cache(b) == a
    assert m.takecached() == b
    assert m.takecached() == 0
    assert m.cache(0) == 0
    assert (look.state(a), look.state(b)) == ((True, [1, 0, 0, 0], []), (True, [3, 0, 0, 0], []))


def test_the_harvester_may_win_the_cache_between_the_hint_and_the_exchange(
    m: Getfull, new_m: Callable[..., Getfull], look: Look
) -> None:
    """A cache that looked non-zero and was exchanged as 0 counts as none: exactly one of the two gets the buffer."""
    b = m.getempty(359)
    look.fill(b, [7])
    m.cache(b)

    class Harvested(Getfull):
        """An M whose cache is taken just before it takes it itself."""

        def takecached(self) -> int:
            harvest(m, [self])
            return super().takecached()

    other = Harvested(m.port, look.world, m.record)

    got = other.getpartialorempty(460)

    assert got != b
    assert look.listed("full") == [b]
    assert look.problems([got], [m.record]) == []


def test_checknocurrentwbuf_throws_while_a_buffer_is_cached(m: Getfull, look: Look) -> None:
    """And only then; it prints nothing first."""
    m.checknocurrentwbuf()
    b = m.getempty(359)
    m.cache(b)

    with pytest.raises(Throw) as thrown:
        m.checknocurrentwbuf()

    assert str(thrown.value) == "fatal error: unexpected currentwbuf"
    assert look.cache(m.record) == b


def offered(m: Getfull, look: Look, list_: str) -> int:
    """A further buffer on the list."""
    b = m.newbuffer()
    m.logget(b, 1)
    look.fill(b, range({"empty": 0, "partial": 1, "full": 23}[list_]))
    m.putpartial(b, 2)
    return b


def harvest(by: Getfull, ms: list[Getfull]) -> None:
    """What harvestwbufs does to lists and caches, without the world that it goes over."""
    for m in ms:
        b = by.port.xchg(m.currentwbuf, 0) // WORD
        if b:
            if by.port.words[b + NOBJ] == 0:
                by.putempty(b, 945)
            else:
                by.putfull(b, 947)
