"""The lists and the cache: every way on and off them, with the history each leaves.  Vectors W1, W6, W7, W9, W10, W13."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.machines import Interposed, Look, Watching
from workbuf.buffer import NOBJ
from workbuf.events import EMPTY, FIELDS, FULL, LIST_NAMES, PARTIAL, Event
from workbuf.getfull import Getfull
from workbuf.local import MLOCAL, Globals
from workbuf.machine import WORD, Port
from workbuf.throw import Throw


if TYPE_CHECKING:
    from collections.abc import Callable

    from workbuf.hardware.machine import HardwareMachine


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


@pytest.mark.parametrize(
    ("nobj", "list_", "entry"),
    [(0, "empty", 81500670), *((n, "partial", 670) for n in range(1, 23)), (23, "full", 670)],
)
def test_w6_putpartial_goes_by_how_much_a_buffer_holds(
    m: Getfull, look: Look, nobj: int, list_: str, entry: int
) -> None:
    """W6: Nothing: empty, under the composite entry; 1 to 22: partial; 23: full."""
    b = m.getempty(359)
    look.fill(b, range(nobj))

    m.putpartial(b, 670)

    assert look.lists() == {"empty": [], "partial": [], "full": []} | {list_: [b]}
    assert look.state(b) == (False, [entry, 359, 0, 0], list(range(nobj)))


def test_w6_putpartial_of_a_buffer_that_holds_more_than_it_can(m: Getfull, look: Look) -> None:
    """W6: `nobj` forced to 24: a throw with no line before it, and the caller still owns the buffer."""
    b = m.getempty(359)
    look.fill(b, range(23))
    look.fill(b, range(24))

    with pytest.raises(Throw) as thrown:
        m.putpartial(b, 670)

    assert str(thrown.value) == "fatal error: putpartial: bad Workbuf b.nobj"
    assert thrown.value.buffer == b
    assert look.state(b) == (True, [359, 0, 0, 0], list(range(24)))
    assert look.lists() == {"empty": [], "partial": [], "full": []}


def test_w7_the_24th_entry_needs_a_second_buffer(m: Getfull, look: Look) -> None:
    """W7: The list half of an overflow: the full buffer goes to full under 358, a new one comes under 359."""
    b = m.getempty(359)
    held = 0
    while held < m.len_obj:
        held += 1
        look.fill(b, range(held))

    m.putfull(b, 358)
    b1 = m.getempty(359)

    assert held == 23
    assert b1 != b
    assert look.state(b1) == (True, [359, 0, 0, 0], [])
    assert look.lists() == {"empty": [], "partial": [], "full": [b]}


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


def test_getempty_reuses_the_last_buffer_put_and_makes_one_when_there_is_none(m: Getfull, look: Look) -> None:
    """The list is a stack; only an empty list costs memory."""
    a, b = m.getempty(1), m.getempty(1)
    m.putempty(a, 496)
    m.putempty(b, 496)

    assert [m.getempty(359), m.getempty(359)] == [b, a]
    assert look.listed("empty") == []

    c = m.getempty(359)

    assert c not in (a, b)
    assert look.buffers() == [a, b, c]
    assert look.work("nbuffers") == 3


def test_getempty_takes_from_no_other_list(m: Getfull, look: Look) -> None:
    """What lies on partial and full stays there."""
    a, b = m.getempty(1), m.getempty(1)
    look.fill(a, [7])
    look.fill(b, range(23))
    m.putpartial(a, 670)
    m.putpartial(b, 670)

    assert m.getempty(359) not in (a, b)
    assert look.lists() == {"empty": [], "partial": [a], "full": [b]}


def test_getempty_makes_one_when_another_took_the_last(m: Getfull, new_m: Callable[..., Getfull], look: Look) -> None:
    """The head looked non-zero and the pop found nothing: as if the list had been empty from the start."""
    last = m.getempty(1)
    m.putempty(last, 496)
    other = new_m(through=Interposed(m.port, m.work_empty, lambda: m.getempty(3)))

    b = other.getempty(359)

    assert b != last
    assert look.log(last) == [3, 496, 1, 0]
    assert look.problems([b, last], [m.record, other.record]) == []


@pytest.mark.parametrize(
    "way", ["putempty", "putfull", "putpartial, none", "putpartial, some", "putpartial, all", "handoff"]
)
def test_a_put_touches_nothing_after_its_push(m: Getfull, new_m: Callable[..., Getfull], look: Look, way: str) -> None:
    """Another M takes the buffer at the moment of the push and writes all over it: all of that is there at the end."""
    operation, _, filling = way.partition(", ")
    b = m.getempty(359)
    look.fill(b, range({"putempty": 0, "none": 0, "some": 7}.get(filling or operation, 23)))

    class Snatched:
        """A port whose first push that succeeds is followed by the other M's get."""

        def __getattr__(self, name: str) -> Any:  # noqa: ANN401  whatever the port has
            return getattr(m.port, name)

        def cas(self, a: int, old: int, new: int, /) -> bool:
            done = m.port.cas(a, old, new)
            if done and new:
                taken = m.trygetfull(545) or m.getempty(915)
                assert taken == b
                look.fill(b, [1, 2, 3])
                m.logput(b, 1)
                m.logget(b, 3)
                m.logput(b, 5)
                m.logget(b, 7)
            return done

    putter = new_m(through=Snatched())
    owned = putter.handoff(b) if way == "handoff" else getattr(putter, operation)(b, 670)

    assert look.state(b) == (True, [7, 5, 3, 1], [1, 2, 3])
    assert look.problems([b, owned] if owned else [b], [m.record, putter.record]) == []


@pytest.mark.parametrize("nobj", [1, 22, 23])
def test_putfull_takes_any_buffer_that_holds_something(m: Getfull, look: Look, nobj: int) -> None:
    """Full is a name: partly filled buffers are offered to consumers there."""
    b = m.getempty(359)
    look.fill(b, range(nobj))

    m.putfull(b, 942)

    assert look.listed("full") == [b]
    assert look.log(b) == [942, 359, 0, 0]


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


@pytest.mark.parametrize("wbufsize", [512, 1024, 2048, 4096])
def test_other_sizes_of_buffer_fill_at_their_own_capacity(machine: HardwareMachine, port: Port, wbufsize: int) -> None:
    """Partial up to one short of full, then full; past that a throw."""
    world = Globals.allocate(machine, wbufsize=wbufsize)
    look = Look(machine, world)
    m = Getfull(port, world, MLOCAL.allocate(machine, "m"))
    room = wbufsize // WORD - 9

    partial, full, bad = m.getempty(1), m.getempty(1), m.getempty(1)
    look.fill(partial, range(room - 1))
    look.fill(full, range(room))
    machine.poke(bad + NOBJ, room + 1)
    m.putpartial(partial, 670)
    m.putpartial(full, 670)

    assert look.lists() == {"empty": [], "partial": [partial], "full": [full]}
    with pytest.raises(Throw, match=r"^fatal error: putpartial: bad Workbuf b\.nobj$"):
        m.putpartial(bad, 670)


def test_every_hand_over_is_an_event(new_m: Callable[..., Getfull], port: Port, look: Look) -> None:
    """A listener hears of each buffer made, got, put, cached and uncached, in order, with the entry and the list."""
    watching = Watching(port, turns=1)
    m = new_m(Getfull, watching)

    b = m.getempty(359)
    look.fill(b, [7])
    m.putpartial(b, 670)
    m.cache(m.getpartialorempty(460))
    m.putfull(m.trygetfull(545), 358)
    m.getfull(504)
    look.fill(b, [])
    m.putempty(b, 496)

    assert watching.events == [
        (Event.NEW, b, 1, 0),
        (Event.GET, b, 359, EMPTY),
        (Event.PUT, b, 670, PARTIAL),
        (Event.GET, b, 460, PARTIAL),
        (Event.CACHED, b, 0, 0),
        (Event.UNCACHED, b, 0, 0),
        (Event.PUT, b, 358, FULL),
        (Event.GET, b, 504, FULL),
        (Event.PUT, b, 496, EMPTY),
    ]
    assert {FIELDS[Event(kind)].c for kind, *_, c in watching.events if c} == {"list"}
    assert {c for *_, c in watching.events if c} == set(LIST_NAMES)


@pytest.mark.parametrize("field", ["empty", "partial", "full"])
def test_an_event_is_sent_while_the_sender_may_touch_the_buffer(
    new_m: Callable[..., Getfull], port: Port, look: Look, field: str
) -> None:
    """A put is announced before the push and a get after the pop, so puts and gets of a buffer alternate by the clock."""
    nobj = {"empty": 0, "partial": 1, "full": 23}[field]
    listed: list[tuple[Event, bool]] = []

    class Listening(Watching):
        """Notes whether the buffer is on its list at the moment of the event."""

        def event(self, kind: int, a: int = 0, b: int = 0, c: int = 0, /) -> None:
            super().event(kind, a, b, c)
            listed.append((Event(kind), a in look.listed(field)))

    m = new_m(Getfull, Listening(port, turns=1))
    b = m.getempty(359)
    look.fill(b, range(nobj))
    del listed[:]

    m.putpartial(b, 670)
    got = m.trygetfull(545) if nobj else m.getempty(359)

    assert got == b
    assert listed == [(Event.PUT, False), (Event.GET, False)]


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
