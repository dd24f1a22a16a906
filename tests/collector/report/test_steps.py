"""A replayed schedule as records, and the sentences that tell it."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from collector.explore import explore
from collector.explore.replay import Replay
from collector.explore.token import Token
from collector.explore.trace import trace as tracing
from collector.explore.trace.shorten import Again, repeats, shortened
from collector.explore.trace.step import Schedule, Step, Value, View
from collector.report.page import embedded, page
from collector.report.schedule import explanation, sentences
from collector.report.schedule.explanation import explained
from collector.report.schedule.ownership import Hands, histories
from collector.report.schedule.sentences import Teller, event, short
from collector.report.schedule.steps import steps
from collector.scenarios.catalogue import SCENARIOS
from workbuf.entry import SITES, decode
from workbuf.events import FULL, PARTIAL, Event, Reader
from workbuf.machine import Pause
from workbuf.names import Name


if TYPE_CHECKING:
    from collector.explore import SteppedMachine
    from workbuf.machine import Port

ROOT = Path(__file__).parents[3]


@cache
def replayed(name: str, variant: str = "failing") -> Replay:
    """A scenario's shrunk failure."""
    chosen = SCENARIOS[name].variants[variant]
    failure = explore(chosen.program, seed=1, races=chosen.races).failure
    assert failure is not None
    return Replay(Token.decode(failure.schedule), chosen.program, sources=True)


@cache
def told(name: str, variant: str = "failing") -> dict[str, Any]:
    """The records of a scenario's shrunk failure."""
    return steps(replayed(name, variant).schedule, name)


def step(number: int, thread: int = 0, op: str = "load", **more: Any) -> Step:  # noqa: ANN401  a step's fields
    """A step on x."""
    return Step(number=number, place=number, thread=thread, op=op, cell=Name("x"), **more)


def test_every_step_names_the_line_of_the_protocol_that_took_it() -> None:
    """The innermost site of each step is a line of the project's own that calls the port."""
    records = told("aba")

    for step in records["steps"][1:]:
        site = records["sites"][step["source"][0]]
        line = records["code"][site["file"]][site["line"]]
        op = step["text"].split()[0]

        assert (ROOT / site["file"]).read_text().splitlines()[site["line"] - 1].rstrip() == line
        assert f"{op}(" in line


def test_the_lists_are_there_whole_after_every_step() -> None:
    """Each record holds every list, and what a pop took off one is seen at the very step that took it."""
    full = [step["views"]["full"] for step in told("aba")["steps"]]

    assert full[0] == "node2 -> node1 -> node0"
    assert full[5] == "node1 -> node0"
    assert full[8] == "node0"


def test_a_buffer_is_always_in_one_place() -> None:
    """Between get and put a buffer is in its owner's hands; at every step of the run each one is somewhere, once."""
    for step in told("latedecrement")["steps"][1:]:
        nodes = [node for place in step["places"].values() for node in place["nodes"]]

        assert [nodes.count(b) for b in ("wbuf0", "wbuf1")] == [1, 1], step["text"]


def test_a_cache_is_drawn() -> None:
    """In a whole world every M's cache is a view, and shows the buffer that is in it."""
    views = [step["views"]["m1's cache"] for step in told("pless", "failing-cache")["steps"]]

    assert "-" in views
    assert any(view.startswith("wbuf") for view in views)


def test_of_a_livelock_there_is_the_way_in_and_one_round() -> None:
    """Not the thousands of turns it took to be sure; the round begins where the state first comes again."""
    steps_ = told("noreset")["steps"]
    circle = [step for step in steps_ if step["circle"]]

    assert len(steps_) < 200
    assert [step["text"] for step in circle] == ["hint work.full = 0", "load work.nwait = 2", "hint work.nproc = 1"]
    assert steps_[-len(circle) :] == circle


def test_the_records_are_the_same_twice() -> None:
    """Replaying takes nothing from outside."""
    name = "latedecrement"
    again = Replay(replayed(name).token, SCENARIOS[name].variants["failing"].program, sources=True)

    assert again.schedule == replayed(name).schedule
    assert steps(again.schedule, name) == told(name)


def test_no_path_of_this_machine_is_in_the_records() -> None:
    """Files are named within the project."""
    assert str(ROOT) not in json.dumps(told("pless"))


def test_a_program_from_elsewhere_is_named_by_its_file_alone() -> None:
    """Of a source outside the project only the last part of the name is told; its lines are those of the file."""

    def program(machine: SteppedMachine) -> None:
        x = machine.word(0, "x")

        def body(port: Port) -> None:
            port.store(x, 1)

        machine.spawn(body, "writer")

    records = steps(Replay(Token(), program, sources=True).schedule, "here")

    assert records["fault"] is None
    assert [step["text"] for step in records["steps"]] == ["start", "store x := 1"]
    assert records["sites"][0]["function"] == "body"


class TestSentences:
    """What is remarkable about a step is said with it."""

    def test_aba(self) -> None:
        """The compare-and-swap that should have failed says who changed the cell meanwhile, and what is out of date."""
        words = told("aba")["steps"][-1]["words"]

        assert words.startswith(
            "installs node1, count 0 in work.full in place of node2, count 0, although pusher changed it at"
        )
        assert "node1 was read from node2.next at step 1, where by now node0, count 0 stands" in words

    def test_a_sound_swap_is_not_doubted(self) -> None:
        """Nothing is remarked where nobody came between."""
        assert not any("although" in step["words"] for step in told("aba")["steps"][:-1])

    def test_a_failed_swap_says_who_was_quicker(self) -> None:
        """The thread and its step are named."""
        teller = Teller(["a", "b"])
        teller.step(step(0, saw=Value(1)))
        teller.step(step(1, 1, "store", wrote=Value(2)))

        assert (
            teller.step(step(2, op="cas", expected=Value(1), saw=Value(2))).words
            == "cannot replace 1 in x: 2 is there, because b changed it at step 1"
        )

    def test_events_are_decoded(self) -> None:
        """A get names the buffer, the list, and what its entry number stands for."""
        said = event(Reader(lambda b: f"wbuf{b}", ["a"]).read(Event.GET, 7, 504, FULL))

        assert said == "now owns wbuf7, off the full list (getfull in drainworkbuf, 504)"

    @pytest.mark.parametrize("entry", [0, 5, 99, *SITES, 80700460, 81500670])
    def test_every_entry_number_is_told_with_itself(self, entry: int) -> None:
        """Who passed it and for what, shortly; one that means nothing says so."""
        said = short(decode(entry))

        assert str(entry) in said
        assert (" in " in said) == (entry in SITES or entry > 1_000_000)

    @pytest.mark.parametrize("kind", Event, ids=lambda kind: kind.name)
    def test_every_event_has_words(self, kind: Event) -> None:
        """No event of the vocabulary is without a sentence."""
        assert event(Reader(str, ["a"]).read(kind, 1, 1, 1))


class TestExplanation:
    """Numbered sentences."""

    def test_what_is_done_again_is_told_once(self) -> None:
        """A thread that spins before its livelock: one round in words, and how often it goes round."""
        said = explained(replayed("noreset").schedule, "noreset", "noreset failing")

        assert len(said.splitlines()) < 40
        assert re.search(r"These 3 steps come the same \d+ times more, until step \d+\.", said)

    def test_no_step_is_lost_by_it(self) -> None:
        """What is told, and what is said to be done again, is the whole schedule."""
        schedule = replayed("noreset").schedule
        folded = [item for item in shortened(schedule) if isinstance(item, Again)]
        said = explained(schedule, "noreset", "noreset failing")
        numbers = re.findall(r"^ *(\d+)\. ", said, re.MULTILINE)
        into, circle = schedule.course

        assert folded
        assert len(numbers) + sum(item.steps * item.times for item in folded) == len(into) + len(circle) - 1

    def test_what_repeats_is_found_whatever_its_numbers_are(self) -> None:
        """Turns of one step and of two, three times at least; where anything else comes of it, it is no repetition."""

        def turns(threads: str, **more: Any) -> list[Step]:  # noqa: ANN401
            return [step(i, int(t), **more) for i, t in enumerate(threads)]

        assert list(repeats(turns("100000"))) == [(2, 6, 1)]
        assert list(repeats(turns("01010101012"))) == [(2, 10, 2)]
        assert not list(repeats(turns("0011")))
        assert not list(repeats([step(i, saw=Value(i)) for i in range(9)]))

    @pytest.mark.parametrize("width", [60, 80])
    def test_lines_are_as_wide_as_the_terminal(self, width: int) -> None:
        """And broken between words alone."""
        schedule = replayed("pless").schedule
        wide, narrow = (explained(schedule, "pless", "pless failing", n) for n in (10_000, width))

        assert max(map(len, narrow.splitlines())) <= width
        assert narrow.split() == wide.split()


class TestTrace:
    """The columns."""

    @pytest.mark.parametrize("width", [80, 110])
    @pytest.mark.parametrize(
        ("name", "variant"), [("latedecrement", "failing3"), ("pless", "failing"), ("aba", "failing")]
    )
    def test_it_is_as_wide_as_the_terminal_and_breaks_between_words(self, name: str, variant: str, width: int) -> None:
        """The same words in the same order as on an endless line."""
        schedule = replayed(name, variant).schedule
        wide, narrow = (tracing.trace(schedule, n).splitlines() for n in (1000, width))

        assert max(map(len, narrow)) <= width
        assert [word for line in narrow for word in line.split() if word != "--"] == " ".join(wide).split()

    def test_columns_that_do_not_fit_become_one(self) -> None:
        """Every line then says whose it is."""

        def program(machine: SteppedMachine) -> None:
            x = machine.word(0, "a_cell_with_a_long_name")
            for i in range(6):
                machine.spawn(lambda port: port.xadd(x, 1), f"thread{i}")

        lines = tracing.trace(Replay(Token(), program).schedule, 80).splitlines()

        assert lines == ["step", *(f"{i:4d}  thread{i}: xadd a_cell_with_a_long_name +1 = {i + 1}" for i in range(6))]

    def test_step_numbers_do_not_skip(self) -> None:
        """A value that was chosen has a place in the trail, and no number."""

        def program(machine: SteppedMachine) -> None:
            x = machine.word(0, "x")
            machine.spawn(lambda port: (port.choose(3), port.store(x, port.choose(2)), port.load(x)), "t")

        schedule = Replay(Token(), program).schedule

        assert [step.number for step in schedule.steps] == [-1, 0, 1, 2, 3]
        assert [step.place for step in schedule.steps] == [-1, 0, 2, 4, 5]

    @pytest.mark.parametrize("first", ["read", "write"])
    def test_the_plain_accesses_that_race_are_in_it(self, first: str) -> None:
        """Both, at the steps that the race report names; other plain accesses are not."""

        def program(machine: SteppedMachine) -> None:
            x, y, z = machine.word(0, "x"), machine.word(0, "y"), machine.alloc(2, "z")

            def one(port: Port) -> None:
                port.store(y, 1)
                port.words[z] = 5
                if first == "read":
                    assert port.words[x] == 0
                else:
                    port.words[x] = 7

            def other(port: Port) -> None:
                port.load(z + 1)
                port.words[x] = 8

            machine.spawn(one, "one")
            machine.spawn(other, "other")

        failure = explore(program, "dpor").failure
        assert failure is not None
        assert failure.kind == "race"
        assert failure.record is not None
        racing = [note for step in failure.record.steps for note in step.told]

        assert {(note.op, note.racing) for note in racing} == {(first, True), ("write", True)}
        assert f"race: {first} x" in failure.trace
        assert "race: write x := 8" in failure.trace
        assert "z[0]" not in failure.trace

    def test_values_that_are_addresses_are_shown_by_their_names(self) -> None:
        """Pointers into the heap, buffers' entries, spans."""
        text = replayed("pless").trace

        assert "h_spans[0] = span0" in text
        assert "data[0] = arena[0]" in text


class TestHands:
    """Buffers between two lists."""

    def test_a_put_leaves_the_hands_when_the_list_shows_it(self) -> None:
        """The announcement alone does not."""
        read = Reader(str, ()).read
        hands = Hands(["a", "b"])
        hands.event(1, read(Event.GET, 7, 504, FULL))
        hands.event(1, read(Event.PUT, 7, 942, FULL))
        nobody, seven = View("hands"), View("hands", ("7",))

        assert hands.views({"full": View("list")}) == {"held by a": nobody, "held by b": seven}
        assert hands.views({"full": View("list", ("3", "7"))}) == {"held by a": nobody, "held by b": nobody}

    def test_a_put_on_a_list_that_is_not_drawn_leaves_them_at_once(self) -> None:
        """Nothing would ever show it."""
        read = Reader(str, ()).read
        hands = Hands(["a"])
        hands.event(0, read(Event.GET, 7, 504, FULL))
        hands.event(0, read(Event.PUT, 7, 942, PARTIAL))

        assert hands.views({"full": View("list")}) == {"held by a": View("hands")}

    def test_a_buffers_history_is_every_change_of_its_owner(self) -> None:
        """Who, after which step, and by which entry."""
        changes = histories(replayed("latedecrement").schedule)

        assert list(changes) == ["wbuf0", "wbuf1"]
        for history in changes.values():
            assert [change.event.name for change in history][:1] == ["get"]
            assert [change.step for change in history] == sorted(change.step for change in history)


class TestTextIsMadeLast:
    """Whoever shows a schedule reads records, and is read by nobody."""

    def test_a_symbol_of_the_trace_is_in_the_trace_alone(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """With other symbols the records and the sentences are what they were."""
        schedule = replayed("aba").schedule
        before, said = told("aba"), explained(schedule, "aba", "aba failing")
        monkeypatch.setitem(tracing.FORMS, "load", "{cell} is {saw}")
        monkeypatch.setitem(tracing.FORMS, "cas", "{cell} from {expected} to {wrote}")
        monkeypatch.setattr(tracing, "shown", lambda value: f"<{value}>" if value else "")
        after = steps(replayed("aba").schedule, "aba")

        assert replayed("aba").trace != tracing.trace(schedule, 80)
        assert explained(schedule, "aba", "aba failing") == said
        assert without(after, "text") == without(before, "text")
        assert after != before

    def test_a_word_of_a_sentence_is_in_the_sentences_alone(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """With other words the records and the trace are what they were, and so is who is left standing where."""
        schedule = replayed("latedecrement").schedule
        before, drawn = told("latedecrement"), tracing.trace(schedule)
        monkeypatch.setattr(sentences, "SIMPLE", dict.fromkeys(sentences.SIMPLE, "acts"))
        monkeypatch.setattr(sentences, "EVENTS", dict.fromkeys(sentences.EVENTS, "happens"))
        monkeypatch.setattr(sentences, "PLAIN", dict.fromkeys(sentences.PLAIN, "touches"))
        after = steps(schedule, "latedecrement")

        assert tracing.trace(schedule) == drawn
        assert without(after, "words") == without(before, "words")
        assert after != before
        assert "m1 lets others go first; m0 goes on." in explained(schedule, "latedecrement", "failing")

    def test_a_view_is_data(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """How a list is drawn changes neither where the buffers are nor who holds them."""
        before = told("latedecrement")
        monkeypatch.setattr("collector.report.schedule.steps.viewed", lambda _view: "drawn otherwise")
        after = steps(replayed("latedecrement").schedule, "latedecrement")

        assert without(after, "views") == without(before, "views")

    def test_a_pause_is_told_from_its_record(self, monkeypatch: pytest.MonkeyPatch) -> None:
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


class TestPage:
    """One file, and nothing in it can break out."""

    def test_data_cannot_end_its_script_element(self) -> None:
        """A `</script>` in the data is not one in the page, and comes back as it was."""
        data = {"title": "</script><b>&"}

        assert "<" not in embedded(data)
        assert json.loads(embedded(data)) == data

    def test_the_page_is_whole_and_fetches_nothing(self) -> None:
        """No slot is left open, and nothing in it names another file or host."""
        made = page("steps.html", told("aba"), title="<aba> & co")

        assert "{{" not in made
        assert "<title>&lt;aba&gt; &amp; co</title>" in made
        for fetching in ("http:", "https:", "src=", "<link", "@import", "url("):
            assert fetching not in made
