"""Who has which buffer: between two lists it is in a thread's hands."""

from __future__ import annotations

from collector.explore.trace.step import View
from collector.report.schedule.ownership import Hands, histories
from tests.collector.report.schedules import replayed
from workbuf.events import FULL, PARTIAL, Event, Reader


def test_a_put_leaves_the_hands_when_the_list_shows_it() -> None:
    """The announcement alone does not."""
    read = Reader(str, ()).read
    hands = Hands(["a", "b"])
    hands.event(1, read(Event.GET, 7, 504, FULL))
    hands.event(1, read(Event.PUT, 7, 942, FULL))
    nobody, seven = View("hands"), View("hands", ("7",))

    assert hands.views({"full": View("list")}) == {"held by a": nobody, "held by b": seven}
    assert hands.views({"full": View("list", ("3", "7"))}) == {"held by a": nobody, "held by b": nobody}


def test_a_put_on_a_list_that_is_not_drawn_leaves_them_at_once() -> None:
    """Nothing would ever show it."""
    read = Reader(str, ()).read
    hands = Hands(["a"])
    hands.event(0, read(Event.GET, 7, 504, FULL))
    hands.event(0, read(Event.PUT, 7, 942, PARTIAL))

    assert hands.views({"full": View("list")}) == {"held by a": View("hands")}


def test_what_is_cached_leaves_the_hands_when_a_cache_shows_it() -> None:
    """The event comes before the exchange; where no cache is drawn, nothing would ever show it."""
    read = Reader(str, ()).read
    hands = Hands(["a"])
    hands.event(0, read(Event.GET, 7, 504, FULL))
    hands.event(0, read(Event.CACHED, 7))
    nothing, seven = View("hands"), View("hands", ("7",))

    assert hands.views({"full": View("list"), "m0's cache": View("cache")}) == {"held by a": seven}
    assert hands.views({"full": View("list"), "m0's cache": View("cache", ("7",))}) == {"held by a": nothing}
    hands.event(0, read(Event.UNCACHED, 7))
    hands.event(0, read(Event.CACHED, 7))
    assert hands.views({"full": View("list")}) == {"held by a": nothing}


def test_a_buffers_history_is_every_change_of_its_owner() -> None:
    """Who, after which step, and by which entry."""
    changes = histories(replayed("latedecrement").schedule)

    assert list(changes) == ["wbuf0", "wbuf1"]
    for history in changes.values():
        assert [change.event.name for change in history][:1] == ["get"]
        assert [change.step for change in history] == sorted(change.step for change in history)
