"""The reader of Go heap dumps, on dumps written by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from collector.heaps import Graph, HeapError, Kind, read
from collector.heaps.graph import NONE
from collector.heaps.oracle import reach
from tests.collector.heaps.writers import GoDump, fields, mini_go, text, varint, varints


if TYPE_CHECKING:
    from pathlib import Path


A, B, C = 0xC000000000, 0xC000000040, 0xC000000080


def load(tmp_path: Path, dump: bytes) -> Graph:
    """The graph of a dump."""
    path = tmp_path / "heap.dump"
    path.write_bytes(dump)
    return read(str(path))


def refused(tmp_path: Path, dump: bytes) -> HeapError:
    """The error that a dump is refused with."""
    with pytest.raises(HeapError) as caught:
        load(tmp_path, dump)
    return caught.value


@pytest.mark.parametrize("order", ["<", ">"])
def test_every_record(tmp_path: Path, order: str) -> None:
    """Objects come in order of address with their slots looked up, whatever the byte order of the dump."""
    graph = load(tmp_path, mini_go(order))

    assert [0xC000000000 + 64 * i for i in range(10)] == list(graph.address)
    assert list(graph.size) == [64, 64, 32, 16, 64, 64, 64, 48, 64, 8]
    assert list(graph.first) == [0, 2, 3, 3, 4, 5, 5, 6, 6, 7, 7]
    assert list(zip(graph.offset, graph.target, graph.interior, strict=True)) == [
        (0, 1, 0),
        (16, 2, 24),
        (56, 3, 0),
        (0, 0, 0),
        (0, 4, 0),
        (0, 0, 0),
        (8, 7, 0),
    ]
    assert list(reach(graph)) == [1, 1, 1, 1, 1, 1, 0, 1, 0, 0]
    assert {"<": "little", ">": "big"}[order] == graph.source.byte_order
    assert (graph.source.version, graph.source.heap_objects, graph.source.declared_bytes) == ("go1.99 amd64", 9, 488)


def test_roots(tmp_path: Path) -> None:
    """Frames are areas by goroutine, innermost first, then data, bss, queued finalizers and other roots."""
    roots = load(tmp_path, mini_go()).roots

    assert roots.name == [
        "main.inner",
        "main.main",
        "main.wait",
        "deferred",
        "data segment",
        "bss segment",
        "finalizer queue",
        "other",
    ]
    assert list(roots.kind) == [Kind.STACK] * 4 + [Kind.DATA, Kind.BSS, Kind.QUEUED, Kind.OTHER]
    assert [(1, range(2)), (17, range(2, 4))] == list(roots.stacks())
    assert list(roots.size) == [32, 16, 24, 16, 20, 64, 16, 8]
    assert list(roots.first) == [0, 2, 3, 3, 4, 5, 6, 7, 8]
    assert list(zip(roots.offset, roots.target, roots.interior, strict=True)) == [
        (8, 0, 0),
        (24, 3, 8),
        (0, 0, 0),
        (0, 5, 0),
        (0, 4, 0),
        (48, 1, 0),
        (8, 2, 0),
        (0, 7, 0),
    ]


def test_finalizers(tmp_path: Path) -> None:
    """A finalizer's object is no root, its referent and its closure are; a closure in static data is no object."""
    dump = GoDump().params().object(A, 64, {0: B}).object(B, 64, {}).object(C, 16, {})

    graph = load(tmp_path, dump.finalizer(A + 8, C).finalizer(B, 0x400000).finalizer(0x10, C).done())

    assert list(
        zip(
            graph.finalizers.object,
            graph.finalizers.offset,
            graph.finalizers.closure,
            graph.finalizers.interior,
            strict=True,
        )
    ) == [(0, 8, 2, 0), (1, 0, NONE, 0)]
    assert list(reach(graph)) == [0, 1, 1]
    assert graph.source.dropped["finalizers on no object"] == 1


def test_pointers_at_the_edges(tmp_path: Path) -> None:
    """The last byte of an object is inside it; the byte behind it, the byte before the first, and nil are outside."""
    pointers = {0: B + 31, 8: B + 32, 16: A - 1, 24: 0, 32: B}

    graph = load(tmp_path, GoDump().params().object(B, 32, {}).object(A, 64, pointers).done())

    assert list(zip(graph.offset, graph.target, graph.interior, strict=True)) == [(0, 1, 31), (32, 1, 0)]
    assert graph.source.dropped["pointers outside the heap"] == 2


def test_long_field_list(tmp_path: Path) -> None:
    """An object with more slots than the reader remembers layouts of is read slot by slot, all the same."""
    pointers = {8 * k: A + 8 * k for k in range(5000)}

    graph = load(tmp_path, GoDump().params().object(A, 40_000, pointers).done())

    assert list(pointers) == list(graph.offset) == list(graph.interior)


def test_digest(tmp_path: Path) -> None:
    """Two objects have the same digest when their memory is the same, both on the quick way and on the other."""
    many = {8 * k: A for k in range(100)}
    dump = GoDump().params().object(A, 800, many).object(A + 800, 800, many).object(A + 1600, 800, many | {0: A + 8})

    graph = load(tmp_path, dump.object(A + 2400, 16, {0: A}).object(A + 2416, 16, {0: A}).done())

    a, b, c, d, e = graph.digest
    assert (a, d) == (b, e)
    assert a != c


def test_frame_slots_may_repeat(tmp_path: Path) -> None:
    """Arguments and locals may name a word of a frame twice, out of order: it is one slot."""
    frame = varints(5, 0, 0, 0) + text(bytes(8) + A.to_bytes(8, "little")) + varints(0, 0, 0) + text(b"f")
    dump = GoDump().params().object(A, 8, {}).goroutine(1).raw(frame + b"\x01\x08\x01\x00\x01\x08\x00")

    assert list(load(tmp_path, dump.done()).roots.offset) == [8]


HEAD = len(GoDump().params().out)
WRONG = {
    "expected a record tag from 0 to 17, found 18": (GoDump().params().raw(varint(18)), HEAD),
    "expected the parameters once, before all else, found a record 'object'": (GoDump().object(A, 8, {}), 16),
    "expected the parameters once, before all else, found a record 'parameters'": (GoDump().params().params(), HEAD),
    "expected a 64-bit dump (8-byte pointers), found 4-byte pointers": (GoDump().params(pointer=4), 18),
    "expected byte order 0 (little-endian) or 1 (big-endian), found 2": (
        GoDump().raw(varints(6, 2, 8, 0, 0, 0, 0, 0)),
        17,
    ),
    "expected a number of at most 64 bits, found a longer one": (
        GoDump().params().raw(b"\x01" + b"\xff" * 30),
        HEAD + 1,
    ),
    "expected field kind 1 (pointer) or 0 (end), found 2": (
        GoDump().params().raw(varints(1, A) + text(bytes(8)) + b"\x02\x00"),
        HEAD + 16,
    ),
    "expected a slot at a multiple of 8, found one at 4": (
        GoDump().params().raw(varints(1, A) + text(bytes(16)) + b"\x01\x04\x00"),
        HEAD + 25,
    ),
    "expected slots within 16 bytes, found one at 16": (
        GoDump().params().raw(varints(1, A) + text(bytes(16)) + b"\x01\x10\x00"),
        HEAD,
    ),
    "expected the slots of an object in ascending order, found others": (
        GoDump().params().raw(varints(1, A) + text(bytes(16)) + b"\x01\x08\x01\x00\x00"),
        HEAD,
    ),
    "expected an object with room in 64 bits of addresses, found 0 bytes at 0xc000000000": (
        GoDump().params().raw(varints(1, A) + text(b"") + b"\0"),
        HEAD,
    ),
    "expected an object with room in 64 bits of addresses, found 8 bytes at 0xfffffffffffffff9": (
        GoDump().params().object((1 << 64) - 7, 8, {}),
        HEAD,
    ),
    "expected a goroutine before what is on its stack, found a record 'stack frame'": (
        GoDump().params().frame(b"f", 8, {}),
        HEAD,
    ),
    "expected a goroutine before what is on its stack, found a record 'defer'": (
        GoDump().params().goroutine(5).segment(12, 8, {}).deferred(A),
        len(GoDump().params().goroutine(5).segment(12, 8, {}).out),
    ),
    "expected every goroutine once, found goroutine 5 again": (
        GoDump().params().goroutine(5).goroutine(5),
        len(GoDump().params().goroutine(5).out),
    ),
    "expected nothing behind the end record, found more bytes": (GoDump().params().raw(b"\0\0"), HEAD + 1),
    "expected objects that do not overlap, found an object at 0xc000000010 inside the 64 bytes at 0xc000000000": (
        GoDump().params().object(A, 64, {}).object(A + 16, 8, {}).raw(b"\0"),
        len(GoDump().params().object(A, 64, {}).object(A + 16, 8, {}).done()),
    ),
    "expected the rest of a record, found the end of the file": (
        GoDump().params().object(A, 8, {}),
        len(GoDump().params().object(A, 8, {}).out),
    ),
}


@pytest.mark.parametrize("message", WRONG)
def test_wrong_dumps(tmp_path: Path, message: str) -> None:
    """A dump that is wrong is refused with the byte and with what was expected there."""
    dump, byte = WRONG[message]

    error = refused(tmp_path, bytes(dump.out))

    assert message in str(error)
    assert byte == error.offset


@pytest.mark.parametrize("offset", [(1 << 63) - 8, (1 << 64) - 8, 1 << 62, 64])
def test_fields_beyond_any_memory(tmp_path: Path, offset: int) -> None:
    """A field list may say any offset, of an object, a frame or a segment: refused where the record begins."""
    for dump, at in (
        (GoDump().params().raw(varints(1, A) + text(bytes(64)) + fields([offset])), len(GoDump().params().out)),
        (GoDump().params().raw(varints(12, A) + text(bytes(64)) + fields([0, offset])), len(GoDump().params().out)),
    ):
        error = refused(tmp_path, dump.done())
        assert f"expected slots within 64 bytes, found one at {offset}" in str(error)
        assert error.offset == at


def test_absurd_length(tmp_path: Path) -> None:
    """A length that cannot be left of the file is refused where it stands, before anything is read or allocated for it."""
    dump = bytes(GoDump().params().raw(varints(1, A, 1 << 50)).out)

    assert f"expected at most the 0 bytes left for 'object', found {1 << 50}" in str(refused(tmp_path, dump))


def test_every_truncation(tmp_path: Path) -> None:
    """A dump cut off anywhere is refused."""
    whole = mini_go()

    for cut in range(1, len(whole)):
        assert refused(tmp_path, whole[:cut]).offset is not None
