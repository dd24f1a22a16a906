"""The guide does what it says: its commands and programs run, print what it shows, and its tables are complete."""

from __future__ import annotations

import argparse
import inspect
import re
import sys
from collections import Counter
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

from collector.commands import compare
from collector.commands import explore as command
from collector.commands.stressnamed import listed
from collector.compare.figures import MEASURES
from collector.designs.registry import DESIGNS
from collector.explore import SteppedMachine, explore, plugin
from collector.explore.claim import Kind
from collector.explore.machine import ops
from collector.explore.racemark import OWN
from collector.explore.strategies import NAMED
from collector.guide import TOPICS, page
from collector.report.schedule import racepages
from collector.run import main
from scripts import designs_tables
from tests.documents import HEAPS, Walk, blocks
from workbuf.entry import decode
from workbuf.machine import Machine, Port


if TYPE_CHECKING:
    from pathlib import Path

EXTRAS = ("kill", "invariant", "view", "state", "optional")
"""What the stepped machine offers a program beside the interface."""


@pytest.mark.parametrize("topic", TOPICS)
def test_a_page_can_be_followed(
    topic: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """From the first block to the last, in one folder."""
    if topic == "campaign" and not find_spec("distributed"):
        pytest.skip("needs the extra `campaign`")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["run"])

    walk = Walk(capsys, HEAPS)
    walk.through(page(topic))

    assert walk.said or not [kind for kind, _ in blocks(page(topic)) if kind]


@pytest.mark.parametrize("topic", TOPICS)
def test_a_page_says_nothing_twice(topic: str) -> None:
    """No heading and no sentence, as it is if a merge takes both sides of a section."""
    prose = re.sub(r"```.*?```|<!--.*?-->", "", page(topic), flags=re.DOTALL)
    said = Counter(part for part in prose.split("\n\n") if part.startswith("#") or "." in part)
    assert [part for part, times in said.items() if times > 1] == []


def test_a_page_that_shows_what_is_not_printed_fails(capsys: pytest.CaptureFixture[str]) -> None:
    """And so does one whose command ends otherwise than it says, or whose program raises."""
    for wrong in (
        "```sh\npython -m collector.run scenarios\n```\n```text\nno such line\n```\n",
        "```sh\npython -m collector.run scenarios   # status 1\n```\n",
        "```python\nassert False\n```\n",
    ):
        with pytest.raises(AssertionError):
            Walk(capsys).through(wrong)


def test_the_command_lists_and_prints(capsys: pytest.CaptureFixture[str]) -> None:
    """Every topic with its title, which is the page's heading; a page as it is where stdout is no terminal."""
    assert main(["guide"]) == 0
    listed = capsys.readouterr().out
    for topic, title in TOPICS.items():
        assert re.search(rf"^{topic} +{title}$", listed, re.MULTILINE)
        assert main(["guide", topic]) == 0
        assert capsys.readouterr().out == page(topic)
        assert page(topic).startswith(f"# {title}\n")


def cells(heading: str, column: int = 0) -> list[str]:
    """What stands in code quotes in a column of the table of the page on testing that has this heading."""
    _, found, rest = page("testing").partition(f"| {heading} |")
    assert found, heading
    rows = rest.partition("\n\n")[0].splitlines()[2:]
    return [word for row in rows for word in re.findall(r"`([^`]+)`", row.split("|")[1 + column])]


def signatures(of: type, names: set[str]) -> set[str]:
    """`name(parameters)` of these methods, annotations and defaults left out."""
    found = set()
    for name in names:
        parameters = [p for p in inspect.signature(getattr(of, name)).parameters if p != "self"]
        found.add(f"{name}({', '.join(parameters)})")
    return found


def methods(of: type) -> set[str]:
    """The public ones that it defines itself."""
    return {name for name, value in vars(of).items() if inspect.isfunction(value) and not name.startswith("_")}


def test_all_port_operations_are_in_the_table() -> None:
    """By name and parameters, as the machine interface has them."""
    assert set(cells("operation")) == signatures(Port, methods(Port)) | {"words[a]", "event(kind, a, b, c)"}


def test_the_table_of_operations_says_what_the_explorers_own_says() -> None:
    """How each touches its word and what it orders, from the table that the race detector and DPOR go by."""
    ordered = {ops.NOTHING: "", ops.ACQUIRE: "acquires", ops.RELEASE: "releases", ops.ACQ_REL: "both"}
    _, _, rest = page("testing").partition("| operation |")
    rows = [[cell.strip() for cell in row.split("|")] for row in rest.partition("\n\n")[0].splitlines()[2:]]
    shown = {re.match(r"`(\w+)", row[1])[1]: (row[2], row[3].partition(";")[0]) for row in rows}  # type: ignore[index]

    for op in ops.METHODS:
        assert shown[op.name] == (op.access, ordered[op.order]), op.name
    assert shown["words"] == (ops.TABLE[ops.READ].access, "") == (ops.TABLE[ops.WRITE].access, "")


def test_all_that_a_machine_offers_is_in_the_table() -> None:
    """The interface less what ends a run, and what the stepped machine adds."""
    wanted = signatures(Machine, methods(Machine) - {"abort"}) | signatures(SteppedMachine, set(EXTRAS))
    assert set(cells("of the machine")) == wanted


def test_all_options_of_explore_are_in_the_table() -> None:
    """Those of the function and those of the command."""
    parser = argparse.ArgumentParser(add_help=False)
    command.add_arguments(parser)
    given = parser.parse_args(["aba"])

    assert set(cells("in Python")) == set(inspect.signature(explore).parameters) - {"program"}
    assert set(cells("in Python", 1)) - {"-", "proved", "bounded"} == {f"--{name}" for name in vars(given)} - {
        "--scenario"
    }
    assert set(cells("strategy")) == set(NAMED)


def test_all_claims_are_in_the_table() -> None:
    """The six kinds."""
    assert cells("`result.claim.kind`") == [kind.value for kind in Kind]


def test_all_options_of_the_plugin_are_in_the_tables() -> None:
    """Those of the mark and those of pytest."""
    parser = pytest.Parser(_ispytest=True)
    plugin.pytest_addoption(parser)
    racepages.pytest_addoption(parser)
    options = [name for option in parser.getgroup("race").options for name in option.names()]

    assert {name.partition("=")[0] for name in cells("option of the mark")} == {*OWN, "explore"}
    assert {name.partition(" ")[0] for name in cells("option of pytest")} == set(options)


def test_the_buffers_life_has_entries_as_they_are_decoded() -> None:
    """The piece of a life in the page on the protocol is of one run; its entries are what they are."""
    (life,) = [text for kind, text in blocks(page("protocol")) if not kind]
    entries = re.findall(r"(\d{3,}): (\w+)", life)

    assert len(entries) == 5
    for number, function in entries:
        assert str(decode(int(number))).startswith(f"{number}: {function}")


def test_all_scenarios_of_stress_are_in_the_table() -> None:
    """By name, and with what the list says of each."""
    _, _, rest = page("stress").partition("| scenario |")
    rows = [[cell.strip() for cell in row.split("|")] for row in rest.partition("\n\n")[0].splitlines()[2:]]

    assert {row[1].strip("`"): row[2] for row in rows} == listed()


def test_the_tables_of_designs_are_those_of_their_commands() -> None:
    """Each is of the designs, the axis and the measures that the command above it names; all commits are on the page."""
    text = page("designs")
    tables = list(designs_tables.TABLE.finditer(text))
    parser = argparse.ArgumentParser()
    compare.add_arguments(parser)

    assert len(tables) >= 5
    for table in tables:
        args = parser.parse_args(table[2].partition(" compare ")[2].split())
        rows = [line.split(" | ") for line in table[0].splitlines() if line.startswith("|")]
        assert {name for name in DESIGNS if name in " ".join(rows[0])} == set(args.names or DESIGNS), table[2]
        known = {measure.name for measure in MEASURES if measure.key in (args.measure or compare.KEYS)}
        assert {row[0].removeprefix("| ") for row in rows[2:]} - {"measure", "---", "|", ""} <= known
    for design in DESIGNS.values():
        assert all(commit in text for commit in design.commits), design.name


@pytest.mark.parametrize("free", ["", "free-threaded: "])
def test_a_table_is_put_below_its_command(free: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the others stay, also those for the other kind of interpreter."""
    monkeypatch.setattr(designs_tables, "FREE", "free-threaded: " if not free else "")
    command = "python -m collector.run compare seed"
    untouched = f"<!-- {free}{command} -->\nold\n<!-- end -->\n"
    assert designs_tables.replaced(untouched, command, "| t |\n") == untouched

    monkeypatch.setattr(designs_tables, "FREE", free)
    one, two = (f"<!-- {free}python -m collector.run compare {design} -->\n" for design in ("seed", "parent"))
    old = f"a\n{one}old\n<!-- end -->\nb\n{two}<!-- end -->\n"

    new = designs_tables.replaced(old, command, "| t |\n")

    assert new == old.replace("old\n", "\n| t |\n\n")
