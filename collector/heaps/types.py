"""Counts the objects of a heap graph by type."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from collector.heaps.oracle import reach


if TYPE_CHECKING:
    from collector.heaps.graph import Graph


@dataclass(slots=True)
class Count:
    """Of the objects of one type."""

    type: str
    objects: int = 0
    bytes: int = 0
    reachable: int = 0
    """Objects."""


def bytype(graph: Graph) -> list[Count]:
    """A count for each type, those with the most bytes first; empty where the format tells no types."""
    counts = [Count(name) for name in graph.types]
    for kind, size, reachable in zip(graph.type, graph.size, reach(graph), strict=False):
        count = counts[kind]
        count.objects += 1
        count.bytes += size
        count.reachable += reachable
    return sorted(counts, key=lambda count: (-count.bytes, count.type))
