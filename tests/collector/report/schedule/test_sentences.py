"""What is remarkable about a step is said with it."""

from __future__ import annotations

import pytest

from collector.explore.trace.step import Value
from collector.report.schedule.sentences import Teller, event, short
from tests.collector.report.schedules import step, told
from workbuf.entry import SITES, decode
from workbuf.events import FULL, Event, Reader


def test_aba() -> None:
    """The compare-and-swap that should have failed says who changed the cell meanwhile, and what is out of date."""
    words = told("aba")["steps"][-1]["words"]

    assert words.startswith(
        "installs node1, count 0 in work.full in place of node2, count 0, although pusher changed it at"
    )
    assert "node1 was read from node2.next at step 1, where by now node0, count 0 stands" in words


def test_a_sound_swap_is_not_doubted() -> None:
    """Nothing is remarked where nobody came between."""
    assert not any("although" in step["words"] for step in told("aba")["steps"][:-1])


def test_a_failed_swap_says_who_was_quicker() -> None:
    """The thread and its step are named."""
    teller = Teller(["a", "b"])
    teller.step(step(0, saw=Value(1)))
    teller.step(step(1, 1, "store", wrote=Value(2)))

    assert (
        teller.step(step(2, op="cas", expected=Value(1), saw=Value(2))).words
        == "cannot replace 1 in x: 2 is there, because b changed it at step 1"
    )


def test_events_are_decoded() -> None:
    """A get names the buffer, the list, and what its entry number stands for."""
    said = event(Reader(lambda b: f"wbuf{b}", ["a"]).read(Event.GET, 7, 504, FULL))

    assert said == "now owns wbuf7, off the full list (getfull in drainworkbuf, 504)"


@pytest.mark.parametrize("entry", [0, 5, 99, *SITES, 80700460, 81500670])
def test_every_entry_number_is_told_with_itself(entry: int) -> None:
    """Who passed it and for what, shortly; one that means nothing says so."""
    said = short(decode(entry))

    assert str(entry) in said
    assert (" in " in said) == (entry in SITES or entry > 1_000_000)


@pytest.mark.parametrize("kind", Event, ids=lambda kind: kind.name)
def test_every_event_has_words(kind: Event) -> None:
    """No event of the vocabulary is without a sentence."""
    assert event(Reader(str, ["a"]).read(kind, 1, 1, 1))
