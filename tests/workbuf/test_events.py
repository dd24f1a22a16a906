"""The event vocabulary: every event has its fields, and nobody listens unless asked to."""

from __future__ import annotations

from mutator import phase
from workbuf.entry import decode
from workbuf.events import EMPTY, FIELDS, FULL, LIST_NAMES, PARTIAL, PHASE_NAMES, Event, Reader, null


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


def test_an_event_is_read_by_the_names_of_its_fields() -> None:
    """Buffers, lists, phases and threads by name, an entry number taken apart, other numbers as they are."""
    reader = Reader(lambda b: f"wbuf{b}", ["gc", "m1", "m2"])

    got = reader.read(Event.GET, 7, 504, FULL)
    assert (got.kind, got.name) == (Event.GET, "get")
    assert got.fields == {"buffer": "wbuf7", "entry": decode(504), "list": "full"}
    assert got.plain == {"buffer": "wbuf7", "entry": 504, "list": "full"}
    assert reader.read(Event.PHASE, 4, 3, 0).fields == {"phase": "mark", "before": "scan"}
    assert reader.read(Event.STOP, 1, 0b101, 0).fields == {"waiting": 1, "waitedfor": ["gc", "m2"]}
    assert reader.read(Event.START, 0, 0, 0).fields == {}


def test_a_number_that_means_nothing_stays_one() -> None:
    """What a planted fault sends is shown as it is."""
    reader = Reader(str, ())

    assert reader.read(Event.GET, 7, 504, 9).fields["list"] == 9
    assert reader.read(Event.PHASE, 99, 0, 0).fields == {"phase": 99, "before": "off"}


def test_phases_are_named_by_their_numbers() -> None:
    """`mutator.phase` has the numbers, in the names' order."""
    numbered = {name[2:].lower(): number for name, number in vars(phase).items() if name.startswith("GC")}

    assert tuple(sorted(numbered, key=lambda name: numbered[name])) == PHASE_NAMES
