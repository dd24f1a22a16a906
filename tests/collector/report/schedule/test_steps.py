"""A replayed schedule as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from collector.explore.replay import Replay
from collector.explore.token import Token
from collector.report.schedule.steps import steps
from collector.scenarios.registry import SCENARIOS
from tests.collector.report.schedules import replayed, told


if TYPE_CHECKING:
    from collector.explore import SteppedMachine
    from workbuf.machine import Port

ROOT = Path(__file__).parents[4]


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


def test_nor_is_it_lost_on_its_way_into_a_cache() -> None:
    """Where lists and caches are drawn, a buffer that has been somewhere is always somewhere."""
    seen: set[str] = set()
    for step in told("pless", "failing-cache")["steps"]:
        nodes = [node for place in step["places"].values() for node in place["nodes"]]
        assert seen <= set(nodes), step["text"]
        seen |= set(nodes)


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
