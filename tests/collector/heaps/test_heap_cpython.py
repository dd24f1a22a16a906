"""The reader of the running interpreter."""

from __future__ import annotations

import gc
import sys
import threading
import weakref
from typing import NamedTuple

import pytest

from collector.heaps import Graph, Kind, Limits, cpython, read
from collector.heaps.graph import broken
from collector.heaps.oracle import reach


class Marked:
    """An object that is easy to find again."""

    def __init__(self, held: object) -> None:
        self.held = held


KEPT = Marked(["something", Marked(None)])


class Fails:
    """An object whose own __sizeof__ fails."""

    def __sizeof__(self) -> int:
        raise RuntimeError


class Absurd:
    """One whose own is absurd."""

    def __sizeof__(self) -> int:
        return 1 << 60


class Whole(NamedTuple):
    """This interpreter, read once, and what was there."""

    graph: Graph
    local: int
    """The address of what nobody but a variable of `whole` held."""
    gone: weakref.ref[Marked]
    """The same, when that variable is no more."""
    lying: list[Fails | Absurd]
    made: set[int]
    """Addresses of what the reader made to do its work."""


@pytest.fixture(scope="module")
def whole() -> Whole:
    """Read, by a thread while another one waits: it takes seconds where much is loaded."""
    lying: list[Fails | Absurd] = [Fails(), Absurd()]
    made: set[int] = set()
    graph_of = cpython._Capture.graph

    def spy(self: cpython._Capture) -> Graph:
        tables = (self, self._objects, self._number, self._own, self._first, self._target, self._roots)
        made.update(map(id, tables))
        assert len(made) == 7
        return graph_of(self)

    arrived, leave = threading.Event(), threading.Event()

    def wait() -> None:
        arrived.set()
        leave.wait()

    thread = threading.Thread(target=wait)
    thread.start()
    arrived.wait()
    mine = Marked(None)
    local, gone = id(mine), weakref.ref(mine)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(cpython._Capture, "graph", spy)
            graph = read("cpython")
    finally:
        leave.set()
        thread.join()
    del mine
    gc.collect()
    return Whole(graph, local, gone, lying, made)


def test_the_interpreter(whole: Whole) -> None:
    """The graph keeps the rules, everything in it is reachable, and no address comes twice."""
    graph = whole.graph

    assert broken(graph) is None
    assert all(reach(graph))
    assert len(set(graph.address)) == graph.objects > 10_000
    assert graph.source.version == sys.version.split()[0]


def test_references_are_there(whole: Whole) -> None:
    """What a module holds is found with its size, its references and theirs, untracked ones too."""
    graph = whole.graph
    number = {address: i for i, address in enumerate(graph.address)}

    kept = number[id(KEPT)]
    words = number[id(KEPT.held)]

    held = set(graph.targets(kept))
    assert words in held or any(words in graph.targets(i) for i in held)  # at once, or by way of __dict__
    assert isinstance(KEPT.held, list)
    assert {number[id(item)] for item in KEPT.held} == set(graph.targets(words))
    assert graph.size[words] >= sys.getsizeof(KEPT.held)


def test_locals_of_others_are_left_alone() -> None:
    """The variables of a caller that holds on to its own locals() are still in there after the reader looked at them."""
    mine = Marked(None)
    variables = locals()

    graph = read("cpython", limits=Limits(objects=100_000))

    assert variables["mine"] is mine
    assert graph.objects > 0


def test_own_stack(whole: Whole) -> None:
    """The local variables of the caller are roots, as slots of its frame; those of the reader are not."""
    graph = whole.graph
    roots = graph.roots

    stacks = dict(roots.stacks())
    frames = stacks[threading.get_ident()]
    innermost = frames[0]

    assert roots.name[innermost] == "whole"
    addresses = {graph.address[i] for i in roots.target[roots.first[innermost] : roots.first[innermost + 1]]}
    assert whole.local in addresses
    assert set(roots.kind) == {Kind.DATA, Kind.STACK, Kind.OTHER}


def test_other_threads(whole: Whole) -> None:
    """Every thread that runs Python has a stack."""
    roots = whole.graph.roots

    names = [roots.name[i] for _, frames in roots.stacks() for i in frames]
    assert sum(name.endswith("wait") for name in names) >= 1
    assert len(list(roots.stacks())) >= 2


def test_nothing_is_held_on_to(whole: Whole) -> None:
    """Once the graph is made, the reader keeps no object alive, not even by way of a frame's variables."""
    assert whole.local in whole.graph.address
    assert whole.gone() is None


def test_own_objects_are_left_out(whole: Whole) -> None:
    """Nothing that the reader made to do its work is in the graph: not itself, its lists and tables, nor its frames."""
    graph = whole.graph

    assert whole.made
    assert not whole.made & set(graph.address)
    assert not any(name.startswith(("_Capture", "read")) for name in graph.roots.name)


def test_limit() -> None:
    """With a limit there are just so many objects, and the references beyond are counted."""
    graph = read("cpython", limits=Limits(objects=100))

    assert graph.objects == 100
    assert graph.source.dropped["references beyond the limit"] > 0
    assert broken(graph) is None


def test_classes_that_lie_about_their_size(whole: Whole) -> None:
    """An object whose own __sizeof__ fails, or is absurd, is read all the same."""
    sizes = dict(zip(whole.graph.address, whole.graph.size, strict=True))

    assert all(sizes[id(thing)] < 1000 for thing in whole.lying)


def test_progress() -> None:
    """Progress counts objects, of those known so far."""
    seen: list[tuple[int, int]] = []

    read("cpython", progress=lambda done, total: seen.append((done, total)), limits=Limits(objects=20_000))

    assert len(seen) == 3

    assert seen == sorted(seen)
    assert all(done < total for done, total in seen)
