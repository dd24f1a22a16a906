"""Reads V8 heap snapshots (`.heapsnapshot`, from Node's `v8.writeHeapSnapshot` or a browser's developer tools).

The file is one JSON object.  `snapshot.meta` names the fields of a node and of an edge; `nodes` and `edges` are flat
arrays of numbers, so many to a node and so many to an edge.  A node says how many edges it has, and the edges lie in
the order of their nodes.  An edge's `to_node` is a position in `nodes`.  Field positions are read from `meta`, never
assumed (older V8 has six fields to a node, newer seven).

Types.  An object's is the name of its constructor, which stands in `strings` behind the arrays; any other node's is its kind
(`string`, `closure`, `hidden`).

The text is read in windows and the two arrays turn into columns a window at a time, so that a snapshot costs the
columns and not a Python object per number.  Everything else is stepped over, but to its end, so that a truncated file
does not pass.

Roots.  Node 0 is V8's own root and its children are the groups of roots; it is an object here, and the one root of kind
OTHER points at it.  There are no addresses: `address` is the node's id.  There is no layout either: the edges are
laid out as words behind a header word.  Edges of type `weak` are no slots; they are counted.  V8 collects before it
writes, so that everything in a snapshot is reachable: a source of shapes, not of garbage.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from collector.heaps.graph import WORD, Areas, Finalizers, Graph, Kind, Source, column, typed
from collector.heaps.jsontext import JsonText
from collector.heaps.layout import SIZE_LIMIT, behind_header


if TYPE_CHECKING:
    from collections.abc import Iterable

    from collector.heaps.errors import HeapError
    from collector.heaps.stream import Stream


OBJECT = "object"
"""The kind of the nodes that a constructor made."""
LONGEST = 100
"""Characters of a constructor's name."""


@dataclass(frozen=True, slots=True)
class Meta:
    """Where to find what, from the snapshot's own description."""

    node_width: int
    """Numbers to a node; the next three are positions among them."""
    id: int
    self_size: int
    edge_count: int
    edge_width: int
    edge_type: int
    to_node: int
    weak: int
    """The edge type `weak`, or -1 where there is none."""
    node_type: int
    """Position of a node's type among its numbers; the names are `node_types`, none if the snapshot tells none."""
    node_types: tuple[str, ...]
    name: int
    """Position of the number of its name in `strings`, or -1."""
    nodes: int
    """How many nodes and edges the snapshot says it has; 0 says nothing: Hermes has written that for years."""
    edges: int


def read(stream: Stream) -> Graph:
    """The graph of a snapshot.  Raises HeapError."""
    text = JsonText(stream)
    meta: Meta | None = None
    arrays: dict[str, array[int]] = {}
    strings: dict[int, str] = {}
    starts: dict[str, int] = {}
    byte = text.take(b"{")
    while byte != b"}":
        key = text.key()
        if key in starts:
            raise stream.error_at(text.position(), f"'{key}' once", "it again")
        starts[key] = text.position()
        if key == "snapshot":
            meta = describe(text.small("'snapshot'"), stream, starts[key])
        elif key in ("nodes", "edges"):
            arrays[key] = text.numbers(key)
        elif key == "strings" and meta and "nodes" in arrays:
            strings = text.strings(constructors(meta, arrays["nodes"]))
        else:
            text.skip()
        byte = text.take(b",", b"}")
    text.end()
    for key in ("snapshot", "nodes", "edges"):
        if key not in starts:
            raise stream.error_at(text.position(), f"a member '{key}' before the end", "none")
    if meta is None:
        raise stream.error_at(starts["snapshot"], "a description", "none")
    return Snapshot(stream, meta, arrays, starts, strings).graph()


def constructors(meta: Meta, nodes: array[int]) -> frozenset[int]:
    """Where in `strings` the names of the objects' constructors stand."""
    if meta.name < 0 or OBJECT not in meta.node_types:
        return frozenset()
    kind, width = meta.node_types.index(OBJECT), meta.node_width
    pairs = zip(nodes[meta.node_type :: width], nodes[meta.name :: width], strict=False)
    return frozenset(name for of, name in pairs if of == kind)


def describe(snapshot: Any, stream: Stream, at: int) -> Meta:  # noqa: ANN401 - checked here
    """What `snapshot` says, checked: it may be anything that JSON can say."""
    try:
        meta = snapshot["meta"]
        nodes, edges = names(meta["node_fields"]), names(meta["edge_fields"])
        edge_types = names(meta["edge_types"][edges.index("type")])
        return Meta(
            len(nodes),
            nodes.index("id"),
            nodes.index("self_size"),
            nodes.index("edge_count"),
            len(edges),
            edges.index("type"),
            edges.index("to_node"),
            edge_types.index("weak") if "weak" in edge_types else -1,
            *nodetypes(nodes, meta.get("node_types")),
            nodes.index("name") if "name" in nodes else -1,
            count(snapshot["node_count"]),
            count(snapshot["edge_count"]),
        )
    except (KeyError, IndexError, TypeError, ValueError) as error:
        expected = "'snapshot' with meta (node_fields, edge_fields, edge_types), node_count and edge_count"
        raise stream.error_at(at, expected, f"{type(error).__name__} {error}") from None


def nodetypes(nodes: list[object], types: object) -> tuple[int, tuple[str, ...]]:
    """The position of a node's type and the names of the types, as far as `types`, node_types, says them."""
    kind = nodes.index("type") if "type" in nodes else len(nodes)
    given = types[kind] if isinstance(types, list) and kind < len(types) else None
    return kind, tuple(map(str, given)) if isinstance(given, list) else ()


def names(value: object) -> list[object]:
    """`value`, if it is a list."""
    if not isinstance(value, list):
        raise TypeError("where a list should be")
    return value


def count(value: object) -> int:
    """`value`, if it is a whole number."""
    if type(value) is not int:
        raise TypeError("where a whole number should be")
    return value


class Snapshot:
    """The two arrays, to be turned into a graph."""

    def __init__(
        self,
        stream: Stream,
        meta: Meta,
        arrays: dict[str, array[int]],
        starts: dict[str, int],
        strings: dict[int, str],
    ) -> None:
        self._stream = stream
        self._meta = meta
        self._starts = starts
        self._strings = strings
        """Of constructors."""
        self._nodes = arrays["nodes"]
        self._edges = arrays["edges"]
        self._count("nodes", self._nodes, meta.nodes, meta.node_width)
        self._count("edges", self._edges, meta.edges, meta.edge_width)

    def graph(self) -> Graph:
        meta = self._meta
        declared = self._nodes[meta.self_size :: meta.node_width]
        if not declared:
            raise self._error("nodes", "at least the root", "no node")
        self._stream.bound(len(declared), 0)
        if sum(declared) > SIZE_LIMIT:
            raise self._error("nodes", f"at most {SIZE_LIMIT} bytes of objects", str(sum(declared)))
        first, target, weak = self._resolve()
        offset, size = behind_header(first, declared)
        source = Source(
            self._stream.path,
            "v8",
            f"{meta.node_width} node fields",
            declared_bytes=sum(declared),
            dropped={"weak references": weak},
            notes=("no addresses (ids instead) and no layout (references behind a header word)",),
        )
        roots = Areas()
        roots.slot(0, 0)
        roots.close(Kind.OTHER, "root", WORD)
        address = self._nodes[meta.id :: meta.node_width]
        kinds = self._types()
        interior = array("Q", bytes(8 * len(target)))
        digest = array("I")
        return Graph(source, address, size, first, offset, target, interior, roots, Finalizers(), digest, *kinds)

    def _types(self) -> tuple[array[int], tuple[str, ...]]:
        """The columns `type` and `types`."""
        types, strings, width = self._meta.node_types, self._strings, self._meta.node_width
        if not types:
            return typed((), str)
        kinds: Iterable[int] = self._nodes[self._meta.node_type :: width]
        if strings:
            names = self._nodes[self._meta.name :: width]
            of = types.index(OBJECT)
            kinds = (~name if kind == of and name in strings else kind for kind, name in zip(kinds, names, strict=True))

        def said(key: int) -> str:
            if key < 0:
                return strings[~key][:LONGEST] or OBJECT
            return types[key] if key < len(types) else f"type {key}"

        return typed(kinds, said)

    def _resolve(self) -> tuple[array[int], array[int], int]:
        """Where the slots of each node begin, the nodes that they point at, and how many edges are weak."""
        meta = self._meta
        counts = self._nodes[meta.edge_count :: meta.node_width]
        types = self._edges[meta.edge_type :: meta.edge_width]
        to_node = self._edges[meta.to_node :: meta.edge_width]
        if sum(counts) != len(types):
            raise self._error("nodes", f"edge_count adding up to the {len(types)} edges", str(sum(counts)))
        first, target = array("Q", [0]), column()
        at = 0
        for count in counts:
            for k in range(at, at + count):
                i, rest = divmod(to_node[k], meta.node_width)
                if rest or i >= len(counts):
                    raise self._error("edges", f"edge {k} to a node's position in 'nodes'", str(to_node[k]))
                if types[k] != meta.weak:
                    target.append(i)
            at += count
            first.append(len(target))
        return first, target, len(types) - len(target)

    def _count(self, what: str, numbers: array[int], count: int, width: int) -> None:
        if count and len(numbers) != count * width:
            raise self._error(what, f"{count} times {width} numbers in '{what}'", str(len(numbers)))
        if len(numbers) % width:
            raise self._error(what, f"a multiple of {width} numbers in '{what}'", str(len(numbers)))

    def _error(self, what: str, expected: str, found: str) -> HeapError:
        return self._stream.error_at(self._starts[what], expected, found)
