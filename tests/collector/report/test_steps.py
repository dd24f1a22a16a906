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
from collector.report.page import embedded, page
from collector.report.schedule.explanation import explained, repeats
from collector.report.schedule.hands import Hands
from collector.report.schedule.operation import Operation, operation
from collector.report.schedule.sentences import Teller, short
from collector.report.schedule.steps import steps
from collector.scenarios.catalogue import SCENARIOS
from workbuf.entry import SITES
from workbuf.events import FULL, PARTIAL, Event


if TYPE_CHECKING:
    from collector.explore import SteppedMachine
    from workbuf.machine import Port

ROOT = Path(__file__).parents[3]


@cache
def told(name: str, variant: str = "failing") -> dict[str, Any]:
    """The records of a scenario's shrunk failure."""
    program = SCENARIOS[name].variants[variant].program
    failure = explore(program, seed=1).failure
    assert failure is not None
    return steps(Replay(Token.decode(failure.schedule), program, sources=True), name, token=failure.schedule)


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
        shown = " -> ".join(step["views"].values()).replace(", ", " -> ").split(" -> ")

        assert [shown.count(b) for b in ("wbuf0", "wbuf1")] == [1, 1], step["text"]


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
    again = Replay(Token.decode(told(name)["token"]), SCENARIOS[name].variants["failing"].program, sources=True)

    assert steps(again, name, token=told(name)["token"]) == told(name)


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

    records = steps(Replay(Token(), program, sources=True), "here")

    assert records["fault"] is None
    assert [step["text"] for step in records["steps"]] == ["start", "store x := 1"]
    assert records["sites"][0]["function"] == "body"


@pytest.mark.parametrize(
    ("text", "did"),
    [
        ("load work.full = node2#0", Operation("load", "work.full", saw="node2#0")),
        ("post node2.next := 0", Operation("post", "node2.next", wrote="0")),
        ("cas work.full a#1 := b#2", Operation("cas", "work.full", expected="a#1", wrote="b#2")),
        ("cas cell 12 5 fails: is 6", Operation("cas", "cell 12", expected="5", saw="6")),
        ("xchg m0.currentwbuf := 0, was wbuf1", Operation("xchg", "m0.currentwbuf", wrote="0", saw="wbuf1")),
        ("xadd work.nwait +1 = 2", Operation("xadd", "work.nwait", operand="+1", wrote="2")),
        ("or8 bits[0] byte 3 |= 0x2", Operation("or8", "bits[0]", operand="0x2")),
        ("lock sched.lock", Operation("lock", "sched.lock")),
        ("choose 3 = 2", Operation("choose", operand="3", saw="2")),
        (". x := 4", Operation(".", "x", wrote="4")),
        ("[get buffer wbuf0]", Operation("")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_steps_text_is_read_back(text: str, did: Operation) -> None:
    """What the trace prints says which cell was touched and what was there before and after."""
    assert operation(text) == did


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
        teller = Teller(["a", "b"], str)
        teller.step(0, 0, "load x = 1")
        teller.step(1, 1, "store x := 2")

        assert (
            teller.step(2, 0, "cas x 1 fails: is 2")
            == "cannot replace 1 in x: 2 is there, because b changed it at step 1"
        )

    def test_events_are_decoded(self) -> None:
        """A get names the buffer, the list, and what its entry number stands for."""
        said = Teller(["a"], lambda b: f"wbuf{b}").event((Event.GET, 7, 504, FULL))

        assert said == "now owns wbuf7, off the full list (getfull in drainworkbuf, 504)"

    @pytest.mark.parametrize("entry", [0, 5, 99, *SITES, 80700460, 81500670])
    def test_every_entry_number_is_told_with_itself(self, entry: int) -> None:
        """Who passed it and for what, shortly; one that means nothing says so."""
        said = short(entry)

        assert str(entry) in said
        assert (" in " in said) == (entry in SITES or entry > 1_000_000)

    @pytest.mark.parametrize("kind", Event, ids=lambda kind: kind.name)
    def test_every_event_has_words(self, kind: Event) -> None:
        """No event of the vocabulary is without a sentence."""
        assert Teller(["a"], str).event((kind, 1, 1, 1))


class TestExplanation:
    """Numbered sentences."""

    def test_what_is_done_again_is_told_once(self) -> None:
        """A thread that spins before its livelock: one round in words, and how often it goes round."""
        said = explained(told("noreset"))

        assert len(said.splitlines()) < 40
        assert re.search(r"m0 does the same \d+ times more, until step \d+\.", said)

    def test_no_step_is_lost_by_it(self) -> None:
        """What is told, and what is said to be done again, is the whole schedule."""
        records = told("noreset")["steps"]
        folded = [i for begin, end, _ in repeats(records) for i in range(begin, end)]
        numbers = [int(n) for n in re.findall(r"^ *(\d+)\. ", explained(told("noreset")), re.MULTILINE)]

        assert sorted([*numbers, *(records[i]["at"] for i in folded)]) == [step["at"] for step in records[1:]]

    def test_a_round_of_two_threads_is_not_one_threads(self) -> None:
        """Only what one thread does by itself is folded."""

        def step(thread: int) -> dict[str, Any]:
            return {"thread": thread, "words": "x", "views": {}, "circle": False, "notes": []}

        assert not list(repeats([step(i % 2) for i in range(20)]))
        assert list(repeats([step(-1), *[step(0)] * 5])) == [(2, 6, 4)]


class TestHands:
    """Buffers between two lists."""

    def test_a_put_leaves_the_hands_when_the_list_shows_it(self) -> None:
        """The announcement alone does not."""
        hands = Hands(["a", "b"], str)
        hands.event(1, (Event.GET, 7, 504, FULL))
        hands.event(1, (Event.PUT, 7, 942, FULL))

        assert hands.views({"full": "-"}) == {"held by a": "-", "held by b": "7"}
        assert hands.views({"full": "3 -> 7"}) == {"held by a": "-", "held by b": "-"}

    def test_a_put_on_a_list_that_is_not_drawn_leaves_them_at_once(self) -> None:
        """Nothing would ever show it."""
        hands = Hands(["a"], str)
        hands.event(0, (Event.GET, 7, 504, FULL))
        hands.event(0, (Event.PUT, 7, 942, PARTIAL))

        assert hands.views({"full": "-"}) == {"held by a": "-"}


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
