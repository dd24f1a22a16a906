"""The state graph of a search, and the detection of fair cycles in it, which are livelocks.

A cycle is *strongly fair* if every thread that can run somewhere in it also runs in it.  Cycles lie in the strongly
connected components of the graph (Tarjan, 1972).  If in a component some threads can run and never do, no fair cycle
contains a state where they can.  These states are removed and the rest is decomposed again (Streett, 1982; Emerson and
Lei, 1987).

The graph need not be complete: a fair cycle in a part of it is one of the whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple


if TYPE_CHECKING:
    from collections.abc import Iterable


class Edge(NamedTuple):
    """A step from one state to another: what the trail says of it, the thread first, then the values that it chose."""

    entries: tuple[int, ...]
    target: int


class Circle(NamedTuple):
    """A way to a circle, and once round it, as entries of a trail."""

    stem: tuple[int, ...]
    circle: tuple[int, ...]


class Graph:
    """States by number, 0 the first; who can run there, and where that leads."""

    def __init__(self) -> None:
        self.runnable: list[tuple[int, ...]] = []
        self.edges: list[list[Edge]] = []

    def add(self, runnable: Iterable[int]) -> int:
        """A new state, in which these threads can run; its number."""
        self.runnable.append(tuple(runnable))
        self.edges.append([])
        return len(self.edges) - 1

    def fair_circle(self) -> Circle | None:
        """A strongly fair circle, if there is one."""
        waiting: list[set[int]] = [set(range(len(self.edges)))]
        while waiting:
            for component in self.components(waiting.pop()):
                inside = [edge for state in component for edge in self.edges[state] if edge.target in component]
                ran = {edge.entries[0] for edge in inside}
                rest = {state for state in component if ran.issuperset(self.runnable[state])}
                if inside and len(rest) == len(component):
                    return self._round(component, ran)
                if inside and rest:
                    waiting.append(rest)
        return None

    def components(self, among: set[int]) -> list[set[int]]:
        """The strongly connected components of the graph of those states alone."""
        found: list[set[int]] = []
        index: dict[int, int] = {}
        low: dict[int, int] = {}
        stack: list[int] = []
        on_stack: set[int] = set()
        for root in among:
            if root in index:
                continue
            calls = [(root, iter(self.edges[root]))]
            index[root] = low[root] = len(index)
            stack.append(root)
            on_stack.add(root)
            while calls:
                state, edges = calls[-1]
                for edge in edges:
                    target = edge.target
                    if target not in among:
                        continue
                    if target not in index:
                        index[target] = low[target] = len(index)
                        stack.append(target)
                        on_stack.add(target)
                        calls.append((target, iter(self.edges[target])))
                        break
                    if target in on_stack:
                        low[state] = min(low[state], index[target])
                else:
                    calls.pop()
                    if calls:
                        low[calls[-1][0]] = min(low[calls[-1][0]], low[state])
                    if low[state] == index[state]:
                        component: set[int] = set()
                        while state not in component:
                            component.add(stack.pop())
                        on_stack -= component
                        found.append(component)
        return found

    def _round(self, component: set[int], threads: set[int]) -> Circle:
        """Into the component, and round in it with a step of each of the threads."""
        everything = set(range(len(self.edges)))
        at = begin = min(component)
        entries: tuple[int, ...] = ()
        for t in sorted(threads):
            source, edge = next(
                (state, edge)
                for state in component
                for edge in self.edges[state]
                if edge.target in component and edge.entries[0] == t
            )
            entries += self._way(at, source, component) + edge.entries
            at = edge.target
        entries += self._way(at, begin, component)
        return Circle(self._way(0, begin, everything) or entries, entries)

    def _way(self, source: int, target: int, among: set[int]) -> tuple[int, ...]:
        """The shortest way between two states."""
        came: dict[int, tuple[int, tuple[int, ...]]] = {source: (source, ())}
        waiting = [source]
        for state in waiting:
            if state == target:
                break
            for edge in self.edges[state]:
                if edge.target in among and edge.target not in came:
                    came[edge.target] = state, edge.entries
                    waiting.append(edge.target)
        parts: list[tuple[int, ...]] = []
        while target != source:
            target, entries = came[target]
            parts.append(entries)
        return tuple(entry for part in reversed(parts) for entry in part)
