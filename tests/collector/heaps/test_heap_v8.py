"""The reader of V8 snapshots, on snapshots written by hand."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from collector.heaps import Graph, HeapError, Kind, Limits, read
from tests.collector.heaps.writers import hermes_snapshot, mini_snapshot


if TYPE_CHECKING:
    from pathlib import Path


def load(tmp_path: Path, text: bytes, window: int = 1 << 20) -> Graph:
    """The graph of a snapshot."""
    path = tmp_path / "s.heapsnapshot"
    path.write_bytes(text)
    return read(str(path), limits=Limits(window=window))


def refused(tmp_path: Path, text: bytes) -> str:
    """The message that a snapshot is refused with."""
    with pytest.raises(HeapError) as caught:
        load(tmp_path, text)
    return str(caught.value)


@pytest.mark.parametrize("window", [1, 7, 1 << 20])
def test_snapshot(tmp_path: Path, window: int) -> None:
    """Nodes are objects, edges words behind a header word, weak edges none, node 0 the root; whatever the window."""
    graph = load(tmp_path, mini_snapshot(), window)

    assert list(graph.address) == [1, 3, 5, 7]
    assert list(graph.first) == [0, 2, 3, 3, 3]
    assert list(zip(graph.offset, graph.target, graph.interior, strict=True)) == [(8, 1, 0), (16, 2, 0), (8, 2, 0)]
    assert list(graph.size) == [24, 24, 8, 104]
    assert graph.source.declared_bytes == 124
    assert graph.source.dropped == {"weak references": 1}
    assert (list(graph.roots.kind), list(graph.roots.target)) == ([Kind.OTHER], [0])


@pytest.mark.parametrize("window", [1, 7, 1 << 20])
@pytest.mark.parametrize(
    ("changes", "types"),
    [
        ({}, ["synthetic", 'a "quoted" [', "b\\", "{"]),
        ({"strings": ["", "Session", "Session", ""]}, ["synthetic", "Session", "Session", "object"]),
        ({"strings": ["", "A" * 3000]}, ["synthetic", "A" * 100, "object", "object"]),
        ({"strings": []}, ["synthetic", "object", "object", "object"]),
        ({"strings": {"no": "array"}}, ["synthetic", "object", "object", "object"]),
    ],
    ids=["names", "one name twice", "a long one", "none", "no array"],
)
def test_an_objects_type_is_its_constructor(
    tmp_path: Path, window: int, changes: dict[str, Any], types: list[str]
) -> None:
    """By name, where the file has it; of other nodes, and where it has not, their kind."""
    graph = load(tmp_path, mini_snapshot(**changes), window)

    assert [graph.types[of] for of in graph.type] == types


def test_positions_come_from_the_description(tmp_path: Path) -> None:
    """Fields are found by their names: a snapshot with others between them reads the same."""
    snapshot = json.loads(mini_snapshot())
    meta = snapshot["snapshot"]["meta"]
    meta["node_fields"] = ["edge_count", "new", "self_size", "id"]
    meta["edge_fields"] = ["to_node", "type"]
    meta["edge_types"] = ["node", ["weak", "property"]]
    snapshot["nodes"] = [2, 9, 0, 1, 1, 9, 20, 3, 1, 9, 4, 5, 0, 9, 100, 7]
    snapshot["edges"] = [4, 1, 8, 1, 8, 1, 12, 0]

    graph = load(tmp_path, json.dumps(snapshot).encode())

    assert list(graph.target) == [1, 2, 2]
    assert list(graph.address) == [1, 3, 5, 7]


def test_blanks_are_free(tmp_path: Path) -> None:
    """Blanks and line breaks may stand wherever JSON allows them."""
    spread = json.dumps(json.loads(mini_snapshot()), indent=3).replace(":", " :").encode()

    assert list(load(tmp_path, b" \n" + spread + b"\n ").target) == [1, 2, 2]


@pytest.mark.parametrize("window", [1, 2, 100, 1 << 20])
@pytest.mark.parametrize("before", [b"", b"\xef\xbb\xbf", b"\xef\xbb\xbf \n"])
def test_counts_of_0_are_a_hint_and_a_byte_order_mark_is_none(tmp_path: Path, window: int, before: bytes) -> None:
    """The arrays' own lengths decide; the mark is no text, and is counted where a byte is named."""
    graph = load(tmp_path, before + hermes_snapshot(), window)

    assert (graph.objects, graph.edges, graph.source.dropped) == (4, 3, {"weak references": 1})
    whole, cut = refused(tmp_path, before + mini_snapshot(edges=[0, 7, 7])), len(before)
    plain = refused(tmp_path, mini_snapshot(edges=[0, 7, 7]))
    assert int(whole.split("byte ")[1].split(":")[0]) == int(plain.split("byte ")[1].split(":")[0]) + cut


def snapshot_with(**changes: Any) -> bytes:  # noqa: ANN401 - whatever JSON can say
    """A snapshot whose member `snapshot` is changed."""
    snapshot = json.loads(mini_snapshot())["snapshot"]
    meta = {key: changes.pop(key) for key in list(changes) if key in snapshot["meta"]}
    return mini_snapshot(snapshot=snapshot | changes | {"meta": snapshot["meta"] | meta})


WRONG = {
    "expected 'nodes' to be whole numbers with commas between, found '-'": mini_snapshot(nodes=[0, -1]),
    "expected 'nodes' to be whole numbers with commas between, found '.'": mini_snapshot(nodes=[0.5]),
    "to be whole numbers with commas between, found one of more than 64 bits": mini_snapshot(edges=[1 << 64]),
    "to be whole numbers with commas between, found a gap, or no comma": mini_snapshot().replace(b"[0, 0,", b"[0 0,"),
    "expected 4 times 5 numbers in 'nodes', found 5": mini_snapshot(nodes=[0, 0, 1, 0, 2]),
    "expected 4 times 3 numbers in 'edges', found 0": mini_snapshot(edges=[]),
    "expected a multiple of 5 numbers in 'nodes', found 21": hermes_snapshot().replace(b'"nodes": [', b'"nodes": [0, '),
    "expected edge 1 to a node's position in 'nodes', found 11": mini_snapshot(
        edges=[0, 1, 5, 0, 2, 11, 0, 0, 10, 1, 0, 15]
    ),
    "expected edge 2 to a node's position in 'nodes', found 20": mini_snapshot(
        edges=[0, 1, 5, 0, 2, 10, 0, 0, 20, 1, 0, 15]
    ),
    "expected edge_count adding up to the 4 edges, found 3": mini_snapshot(
        nodes=[0, 0, 1, 0, 2, 1, 1, 3, 20, 1, 1, 2, 5, 4, 0, 1, 3, 7, 100, 0]
    ),
    "expected at most 1099511627776 bytes of objects, found 1099511627801": mini_snapshot(
        nodes=[0, 0, 1, 0, 2, 1, 1, 3, 20, 1, 1, 2, 5, 4, 1, 1, 3, 7, (1 << 40) + 1, 0]
    ),
    "expected a member 'edges' before the end, found none": mini_snapshot(edges=None),
    "expected a member 'snapshot' before the end, found none": mini_snapshot(snapshot=None),
    "found KeyError 'meta'": mini_snapshot(snapshot={}),
    "found TypeError where a whole number should be": snapshot_with(node_count="4"),
    "found TypeError where a list should be": snapshot_with(node_fields="id self_size edge_count"),
    "found ValueError": snapshot_with(edge_fields=["type"]),
    "found IndexError": snapshot_with(edge_types=[]),
    "expected at least the root, found no node": mini_snapshot(
        snapshot=json.loads(snapshot_with(node_count=0, edge_count=0))["snapshot"], nodes=[], edges=[]
    ),
    "expected 'nodes' once, found it again": mini_snapshot()[:-1] + b', "nodes": []}',
    "expected nothing behind the closing '}', found 'x'": mini_snapshot() + b" x",
    "expected ',' or '}', found ']'": mini_snapshot()[:-1] + b"]",
    "expected the bracket that closes the last one opened, found }": mini_snapshot()[:-1] + b', "x": [}]}',
    "expected at most 1000 brackets open, found more": mini_snapshot()[:-1] + b', "x": ' + b"[" * 2000,
    "expected a key in JSON, found Invalid \\escape": mini_snapshot()[:-1] + b', "\\x": 1}',
    "expected a key in quotes, found 7": mini_snapshot()[:-1] + b", 7: 1}",
    "expected a value of at most 1048576 bytes, found a longer one": mini_snapshot()[:-1] + b', "' + b"k" * (3 << 20),
}


@pytest.mark.parametrize("message", WRONG)
def test_wrong_snapshots(tmp_path: Path, message: str) -> None:
    """A snapshot that is wrong is refused with the byte and with what was expected there."""
    error = refused(tmp_path, WRONG[message])

    assert message in error
    assert "s.heapsnapshot: byte " in error


def test_every_truncation(tmp_path: Path) -> None:
    """A snapshot cut off anywhere is refused, also behind the last thing that the reader needs."""
    whole = mini_snapshot()

    for cut in range(1, len(whole)):
        refused(tmp_path, whole[:cut])
