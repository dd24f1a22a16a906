"""The rules of a graph: each is broken once, and found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from collector.heaps import Graph, Kind
from collector.heaps.graph import NONE, broken
from tests.collector.heaps.graphs import graph


if TYPE_CHECKING:
    from collections.abc import Callable


def sound() -> Graph:
    """A graph that keeps every rule: two stacks, a finalizer with and one without a closure in the heap."""
    made = graph([[1, 2], [2], []], [0], [(1, 2), (2, NONE)])
    for frame, group in ((0, 4), (1, 4), (0, 9)):
        made.roots.slot(8, 2, 5)
        made.roots.close(Kind.STACK, f"f{frame}", 24, group)
    return made


def test_a_sound_graph() -> None:
    """A graph that keeps the rules breaks none, and its stacks come with their frames."""
    made = sound()

    assert broken(made) is None
    assert list(made.roots.stacks()) == [(4, range(1, 3)), (9, range(3, 4))]
    assert list(made.root_objects()) == [0, 2, 2, 2, 2, 2]


FAULTS: dict[str, Callable[[Graph], object]] = {
    "the object columns differ in length": lambda g: g.size.pop(),
    "the slot columns of the objects differ in length": lambda g: g.target.append(0),
    "object 1: its slots end before they begin": lambda g: g.first.__setitem__(2, 1),
    "object 0: slot offset 12 is not ascending in words": lambda g: g.offset.__setitem__(1, 12),
    "object 0: slot offset 0 is not ascending in words": lambda g: g.offset.__setitem__(1, 0),
    "object 0: the slot at 8 points at no object": lambda g: g.target.__setitem__(1, 3),
    "object 1: the slot at 0 points at no object": lambda g: g.interior.__setitem__(2, 1024),
    "object 0: its slots need 16 bytes of 8": lambda g: g.size.__setitem__(0, 8),
    "the area columns differ in length": lambda g: g.roots.name.pop(),
    "the slot columns of the areas differ in length": lambda g: g.roots.interior.append(0),
    "area 0: the slot at 0 points at no object": lambda g: g.roots.target.__setitem__(0, NONE),
    "area 1: its slots need 16 bytes of 8": lambda g: g.roots.size.__setitem__(1, 8),
    "the frames of a goroutine are not consecutive": lambda g: g.roots.close(Kind.STACK, "f", 8, 4),
    "the finalizer columns differ in length": lambda g: g.finalizers.offset.pop(),
    "a finalizer is set on no object": lambda g: g.finalizers.object.__setitem__(0, 3),
    "a finalizer's closure is no object": lambda g: g.finalizers.closure.__setitem__(1, 3),
}


@pytest.mark.parametrize("rule", FAULTS)
def test_broken_rules(rule: str) -> None:
    """A graph that breaks a rule is found out, and the rule is named."""
    made = sound()

    FAULTS[rule](made)

    assert broken(made) == rule


def test_digests_for_all_or_none() -> None:
    """Digests are there for every object or for none."""
    made = sound()
    made.digest.append(1)

    assert broken(made) == "the object columns differ in length"
