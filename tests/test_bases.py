"""A class inherits what it uses, and nothing else: the parts of an M, by their source."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.bases import Class, Project, sources


ROOT = Path(__file__).parents[1]
PARTS = """
class Memory:
    def __init__(self):
        self.words = []

class Stack(Memory):
    def push(self, x):
        self.words.append(x)

class Lists(Stack):
    limit = 3

    def put(self, x):
        self.push(x)
"""


def names(pairs: list[tuple[Class, Class]]) -> list[tuple[str, str]]:
    """The pairs, by the classes' names."""
    return [(c.name, base.name) for c, base in pairs]


def test_every_class_uses_all_its_bases() -> None:
    """Of each something that it brings itself; and names none that it has through another."""
    project = Project(sources(ROOT))

    assert len(project.classes) > 30
    assert names(project.unused()) == []
    assert names(project.twice()) == []


@pytest.mark.parametrize(
    ("source", "unused", "twice"),
    [
        pytest.param("", [], [], id="nothing"),
        pytest.param(
            "class Idle(Lists):\n def run(self): return self.words", [("Idle", "Lists")], [], id="a base's base"
        ),
        pytest.param("class Idle(Lists):\n def run(self): pass", [("Idle", "Lists")], [], id="uses nothing"),
        pytest.param(
            "class Idle(Lists):\n def __init__(self):\n  super().__init__()\n  self.at = 0",
            [("Idle", "Lists")],
            [],
            id="only super().__init__",
        ),
        pytest.param("class Busy(Lists):\n def run(self): self.put(1)", [], [], id="calls a method"),
        pytest.param("class Busy(Lists):\n def run(self): return self.limit", [], [], id="reads an attribute"),
        pytest.param("class Busy(Lists):\n def put(self, x): pass", [], [], id="overrides a method"),
        pytest.param("class Busy(Lists):\n def run(self): super().put(1)", [], [], id="calls through super"),
        pytest.param("class Whole(Lists):\n '''All of it.'''", [], [], id="only puts together"),
        pytest.param(
            "class Both(Lists, Stack):\n def run(self): self.put(self.push)", [], [("Both", "Stack")], id="named twice"
        ),
        pytest.param(
            "from parts import Lists as L\nclass Idle(L):\n def run(self): pass", [("Idle", "Lists")], [], id="renamed"
        ),
    ],
)
def test_a_planted_class_is_flagged(source: str, unused: list[tuple[str, str]], twice: list[tuple[str, str]]) -> None:
    """A class of another module, or of the same, that inherits what it has no use for."""
    project = Project([("parts", PARTS), ("planted", "from parts import Lists, Stack\n" + source)])

    assert names(project.unused()) == unused
    assert names(project.twice()) == twice
