"""The event vocabulary: every event has its fields, and nobody listens unless asked to."""

from __future__ import annotations

from workbuf.events import EMPTY, FIELDS, FULL, LIST_NAMES, PARTIAL, Event, null


def test_every_event_says_what_its_three_numbers_are() -> None:
    """A consumer can print any event from the one table."""
    assert set(FIELDS) == set(Event)


def test_fields_are_named_from_the_left_and_once() -> None:
    """An unused number comes after the used ones, and no event has two numbers of one name."""
    for event, fields in FIELDS.items():
        used = [name for name in fields if name]

        assert list(fields[: len(used)]) == used, event.name
        assert len(set(used)) == len(used), event.name


def test_every_list_that_an_event_can_name_has_a_name() -> None:
    """The field `list` of GET and PUT is printable."""
    assert LIST_NAMES == {EMPTY: "empty", PARTIAL: "partial", FULL: "full"}


def test_the_null_listener_takes_any_event_and_forgets_it() -> None:
    """The default listener accepts one to four numbers and returns nothing."""
    null(Event.NEW)
    null(Event.PUT, 1, 2, 3)
