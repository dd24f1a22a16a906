"""The lists: every way on and off them, with the history each leaves and the event it sends.  Vectors W6, W7."""

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
