"""Text is made last: whoever shows a schedule reads records, and is read by nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from collector.explore.trace import trace as tracing
from collector.explore.trace.step import Schedule, Step
from collector.report.schedule import explanation, sentences
from collector.report.schedule.explanation import explained
from collector.report.schedule.steps import steps
from tests.collector.report.schedules import replayed, step, told
from workbuf.machine import Pause


if TYPE_CHECKING:
    import pytest


def test_a_symbol_of_the_trace_is_in_the_trace_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """With other symbols the records and the sentences are what they were."""
    schedule = replayed("aba").schedule
    before, said = told("aba"), explained(schedule, "aba", "aba failing", 110)
    monkeypatch.setitem(tracing.FORMS, "load", "{cell} is {saw}")
    monkeypatch.setitem(tracing.FORMS, "cas", "{cell} from {expected} to {wrote}")
    monkeypatch.setattr(tracing, "shown", lambda value: f"<{value}>" if value else "")
    after = steps(replayed("aba").schedule, "aba")

    assert replayed("aba").trace != tracing.trace(schedule, 80)
    assert explained(schedule, "aba", "aba failing", 110) == said
    assert without(after, "text") == without(before, "text")
    assert after != before


def test_a_word_of_a_sentence_is_in_the_sentences_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """With other words the records and the trace are what they were, and so is who is left standing where."""
    schedule = replayed("latedecrement").schedule
    before, drawn = told("latedecrement"), tracing.trace(schedule)
    left = switches(explained(schedule, "latedecrement", "failing", 110))
    monkeypatch.setattr(sentences, "SIMPLE", dict.fromkeys(sentences.SIMPLE, "acts"))
    monkeypatch.setattr(sentences, "EVENTS", dict.fromkeys(sentences.EVENTS, "happens"))
    monkeypatch.setattr(sentences, "PLAIN", dict.fromkeys(sentences.PLAIN, "touches"))
    after = steps(schedule, "latedecrement")

    assert tracing.trace(schedule) == drawn
    assert without(after, "words") == without(before, "words")
    assert after != before
    assert switches(explained(schedule, "latedecrement", "failing", 110)) == left


def test_a_view_is_data(monkeypatch: pytest.MonkeyPatch) -> None:
    """How a list is drawn changes neither where the buffers are nor who holds them."""
    before = told("latedecrement")
    monkeypatch.setattr("collector.report.schedule.steps.viewed", lambda _view: "drawn otherwise")
    after = steps(replayed("latedecrement").schedule, "latedecrement")

    assert without(after, "views") == without(before, "views")


def test_a_pause_is_told_from_its_record(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not from the words that tell it."""
    idle = Step(number=1, place=1, thread=1, op="load")
    pausing = step(0, notes=(step(-1, op=Pause.USLEEP.name.lower(), operand=3),))
    start = Step(number=-1, place=-1, thread=-1, op="start")
    schedule = Schedule(("a", "b"), (start, pausing, idle, step(2)))
    monkeypatch.setattr(sentences.Teller, "_note", lambda *_: "rests")

    assert explanation.switch(schedule, pausing, idle) == "a lets others go first; b goes on."


def without(records: Any, name: str) -> Any:  # noqa: ANN401  JSON values
    """JSON less the keys of that name, at any depth; `sets` goes with `text`, whose values it has."""
    if isinstance(records, dict):
        return {k: without(v, name) for k, v in records.items() if k != name and (k != "sets" or name != "text")}
    return [without(item, name) for item in records] if isinstance(records, list) else records


def switches(said: str) -> list[str]:
    """What an explanation says where another thread goes on."""
    return [line for line in said.splitlines() if line.endswith("goes on.")]
