"""Data before text: nobody reads back what the project itself has written for people."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest


ROOT = Path(__file__).parent.parent
READS = {
    "fullmatch",
    "match",
    "search",
    "findall",
    "finditer",
    "split",
    "rsplit",
    "partition",
    "rpartition",
    "splitlines",
}
"""Methods by which a text is taken apart."""
RENDERED = (
    "text",
    "trace",
    "words",
    "statement",
    "message",
    "story",
    "told",
    "said",
    "shown",
    "view",
    "views",
    "details",
)
"""Names under which texts made for people are kept."""
LINES = {
    (
        "collector/commands/inspect.py",
        ast.unparse(ast.parse(r"""re.fullmatch(r"([0-9]+(?:\.[0-9]*)?)(ns|us|ms|s)", text)""")),
    ): "what the user typed",
    ("collector/run.py", "words[0].startswith('-')"): "what the user typed",
    ("collector/explore/machine/fault.py", "text.partition('\\n')"): "the first line of the program's own exception",
    ("collector/explore/trace/trace.py", "said.split(' ')"): "how long its words are, to make columns that wide",
    ("collector/report/log/queries.py", "failure['text'].splitlines()"): "a row for each line of it",
    ("collector/report/log/writer.py", "message.removesuffix(chr(10))"): "loguru's message, with its line's end",
    ("collector/report/tables.py", "text.splitlines()"): "its lines, to break them at the terminal's width",
}
"""Texts that are not our own, or are only laid out: where, and why."""
SOURCES = sorted(path for package in ("workbuf", "mutator", "collector") for path in (ROOT / package).rglob("*.py"))


def taken_apart(tree: ast.Module) -> list[tuple[int, str]]:
    """Every place that takes a text made for people apart, or asks how it begins or ends: its line, and the call."""
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        asked = node.func.attr
        subject: ast.expr = node.func.value
        if isinstance(subject, ast.Name) and subject.id == "re" and len(node.args) > 1:
            subject = node.args[1]
        if asked in READS | {"startswith", "endswith", "removeprefix", "removesuffix"} and named(subject) in RENDERED:
            found.append((node.lineno, ast.unparse(node)))
    return found


def named(subject: ast.expr) -> str:
    """The last name of what a method is called on: `text` of `row.text`, `step["text"]` and `text()`."""
    if isinstance(subject, ast.Call):
        return named(subject.func)
    if isinstance(subject, ast.Attribute):
        return subject.attr
    if isinstance(subject, ast.Subscript):
        key = subject.slice
        return str(key.value) if isinstance(key, ast.Constant) and isinstance(key.value, str) else named(subject.value)
    return subject.id if isinstance(subject, ast.Name) else ""


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_reads_back_a_text_of_our_own(path: Path) -> None:
    """Traces, sentences, statements and messages are made last; what they say is in records."""
    name = str(path.relative_to(ROOT))
    found = {call for _, call in taken_apart(ast.parse(path.read_text()))}

    assert found == {call for file, call in LINES if file == name}


@pytest.mark.parametrize(
    "line",
    [
        'left = step["words"].startswith("pauses")',
        'op, _, cell = row.text().partition(" ")',
        'what, _, now = view.partition(": ")',
        'found = re.fullmatch(r"load (.+) = (.+)", text)',
        'nodes = shown[place].split(" -> ")',
        'passed = result.statement.startswith("All")',
    ],
)
def test_reading_back_is_seen(line: str) -> None:
    """The ways in which it was done before, a planted one each."""
    assert taken_apart(ast.parse(line))


def test_the_page_takes_no_text_apart() -> None:
    """steps.js has records; in a text it only marks the names that the record says are in it."""
    script = (ROOT / "collector/report/pages/steps.js").read_text()

    assert "RegExp" not in script
    assert ".match(" not in script
    assert [line.strip() for line in script.splitlines() if ".split(" in line] == [
        'does.append(make("span", "line", `${from.file.split("/").pop()}:${from.line}  ${code}`));',
    ]
