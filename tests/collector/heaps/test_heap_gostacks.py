"""The stacks of a Go dump: what lives though no map of the compiler names it, on dumps written by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.heaps import Graph, read
from collector.heaps.oracle import reach
from tests.collector.heaps.writers import GoDump


if TYPE_CHECKING:
    from pathlib import Path


A, B, C, D = (0xC000000000 + 64 * i for i in range(4))
SP = 0xC000300000
"""Where the innermost frame of a stack begins; stacks lie among the heap's spans."""


def dump() -> GoDump:
    """Four objects that name nothing, and a goroutine."""
    start = GoDump().params()
    for address in (A, B, C, D):
        start.object(address, 64, {})
    return start.goroutine(1)


def load(tmp_path: Path, done: GoDump) -> Graph:
    """The graph of a dump."""
    path = tmp_path / "heap.dump"
    path.write_bytes(done.done())
    return read(str(path))


def alive(graph: Graph) -> str:
    """The letters of the objects that are reachable."""
    return "".join(letter for letter, mark in zip("ABCD", reach(graph), strict=True) if mark)


def test_words_that_no_map_names_are_dead(tmp_path: Path) -> None:
    """A frame that nothing points at counts as far as its map goes."""
    graph = load(tmp_path, dump().frame(b"inner", 16, {0: A}, SP).frame(b"outer", 16, {}, SP + 16, {8: B}))

    assert alive(graph) == "A"


def test_a_stack_object_lives_once_it_is_pointed_at(tmp_path: Path) -> None:
    """The inner frame has the address of a variable of the outer one, which no map names."""
    graph = load(tmp_path, dump().frame(b"inner", 16, {0: SP + 24}, SP).frame(b"outer", 24, {}, SP + 16, {0: B, 8: C}))

    assert alive(graph) == "BC"
    assert list(graph.roots.size) == [16, 24]
    assert list(graph.roots.first) == [0, 0, 2]


def test_a_stack_object_may_keep_another(tmp_path: Path) -> None:
    """A word of one variable is the address of the next, up and down the stack."""
    frames = dump().frame(b"inner", 16, {}, SP, {8: D}).frame(b"middle", 16, {0: SP + 32}, SP + 16)
    graph = load(tmp_path, frames.frame(b"outer", 16, {}, SP + 32, {0: SP + 8, 8: A}))

    assert alive(graph) == "AD"


def test_the_ends_of_a_frame(tmp_path: Path) -> None:
    """The byte behind a frame is the next one's, the byte before the first and the one behind the last are nobody's."""
    frames = dump().frame(b"inner", 32, {0: SP + 32, 8: SP - 1, 16: SP + 48}, SP, {24: A})

    assert alive(load(tmp_path, frames.frame(b"outer", 16, {}, SP + 32, {8: B}))) == "B"


def test_stack_objects_are_of_one_stack(tmp_path: Path) -> None:
    """The address of another goroutine's variable keeps nothing, as in Go."""
    frames = dump().frame(b"f", 16, {0: SP + 64}, SP).goroutine(2).frame(b"g", 16, {}, SP + 64, {0: A})

    assert alive(load(tmp_path, frames)) == ""


def test_a_goroutine_that_a_signal_stopped(tmp_path: Path) -> None:
    """The registers and the function that they belong to count word by word; its caller has a map again."""
    frames = dump().frame(b"runtime.asyncPreempt2", 16, {}, SP, {8: D})
    frames.frame(b"runtime.asyncPreempt", 16, {}, SP + 16, {8: A})
    graph = load(tmp_path, frames.frame(b"loop", 16, {}, SP + 32, {0: B + 8}).frame(b"caller", 16, {}, SP + 48, {0: C}))

    assert alive(graph) == "AB"


def test_what_is_deferred_and_panicked_with(tmp_path: Path) -> None:
    """A closure in the heap lives, one on the stack makes its frame live, nil is nothing."""
    frames = dump().frame(b"f", 16, {}, SP, {8: A}).deferred(B).deferred(0).deferred(SP + 8).panics(C)
    graph = load(tmp_path, frames)

    assert alive(graph) == "ABC"
    assert graph.roots.name == ["f", "deferred"]
    assert list(graph.roots.stacks()) == [(1, range(2))]
    assert list(graph.roots.size) == [16, 24]


def test_numbers_are_no_pointers_outside_the_heap(tmp_path: Path) -> None:
    """Of a frame taken whole only the words in the heap's range are looked up; what is left out stays what the maps say."""
    frames = dump().frame(b"inner", 16, {0: SP + 16}, SP).frame(b"outer", 24, {}, SP + 16, {0: 7, 8: 1 << 63, 16: A})
    graph = load(tmp_path, frames)

    assert alive(graph) == "A"
    assert graph.source.dropped["pointers outside the heap"] == 1  # the address of the variable
