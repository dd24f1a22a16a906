"""The reader of HPROF files, on files written by hand."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest

from collector.heaps import Graph, HeapError, Kind, Limits, read
from collector.heaps.graph import NO_GROUP
from tests.collector.heaps.writers import (
    HPROF_HEADER,
    ended_hprof,
    hprof_bytes,
    hprof_class,
    hprof_instance,
    hprof_objects,
    mini_hprof,
    old_hprof,
    record,
)


if TYPE_CHECKING:
    from pathlib import Path


def load(tmp_path: Path, dump: bytes, window: int = 1 << 20) -> Graph:
    """The graph of a file."""
    path = tmp_path / "j.hprof"
    path.write_bytes(dump)
    return read(str(path), limits=Limits(window=window))


def refused(tmp_path: Path, dump: bytes) -> str:
    """The message that a file is refused with."""
    with pytest.raises(HeapError) as caught:
        load(tmp_path, dump)
    return str(caught.value)


def segment(*records: bytes) -> bytes:
    """A whole file around one heap dump segment."""
    return HPROF_HEADER + record(0x1C, b"".join(records)) + record(0x2C, b"")


@pytest.mark.parametrize("window", [1, 50, 1 << 20])
def test_objects(tmp_path: Path, window: int) -> None:
    """Classes, instances (before their class, too) and arrays become objects with references at HotSpot's places."""
    graph = load(tmp_path, mini_hprof(), window)

    slots = [
        [(graph.offset[k], graph.target[k]) for k in range(graph.first[i], graph.first[i + 1])]
        for i in range(graph.objects)
    ]
    assert list(graph.address) == [0x100, 0x200, 0x300, 0x400, 0x500, 0x600]
    assert slots == [
        [(48, 4)],  # a static field behind superclass, loader, signers and domain
        [(16, 0)],  # the superclass
        [(8, 1), (16, 3), (24, 4)],  # the class, the own field, the superclass's
        [(8, 1), (32, 2), (40, 3)],  # the class, elements 1 and 2; 0 is null, 3 is no object
        [],
        [(8, 0), (16, 2)],
    ]
    assert list(graph.size) == [72, 56, 40, 56, 32, 24]
    assert graph.source.dropped["pointers outside the heap"] == 2
    assert not any(graph.interior)


def test_roots(tmp_path: Path) -> None:
    """Roots are areas by kind; those of threads are stacks, frame by frame, those of no frame behind the frames."""
    roots = load(tmp_path, mini_hprof()).roots

    assert list(zip(roots.name, roots.kind, roots.group, strict=True)) == [
        ("sticky class", Kind.DATA, NO_GROUP),
        ("JNI global", Kind.OTHER, NO_GROUP),
        ("thread object", Kind.OTHER, NO_GROUP),
        ("monitor", Kind.OTHER, NO_GROUP),
        ("unknown", Kind.OTHER, NO_GROUP),
        ("frame 0", Kind.STACK, 7),
        ("frame 1", Kind.STACK, 7),
        ("native", Kind.STACK, 8),
    ]
    assert [list(roots.target[roots.first[i] : roots.first[i + 1]]) for i in range(len(roots))] == [
        [0],
        [4],
        [2],
        [2],
        [],
        [3],
        [2],
        [2, 4],
    ]


def test_one_whole_dump_needs_no_end(tmp_path: Path) -> None:
    """The older record that holds the heap in one piece is read too, without an end record."""
    graph = load(tmp_path, HPROF_HEADER + record(0x0C, hprof_bytes(0x500, b"abc")))

    assert (list(graph.address), list(graph.size)) == ([0x500], [32])


def cycle() -> bytes:
    """Two classes, each the superclass of the other, and an instance."""
    return segment(hprof_class(1, 2, 0, b""), hprof_class(2, 1, 0, b""), hprof_instance(3, 1, b""))


LONE = hprof_class(0x10, 0, 0, b"\x0a")
WRONG = {
    "byte 19: expected a 64-bit dump (8-byte identifiers), found 4": HPROF_HEADER[:19] + struct.pack(">IQ", 4, 0),
    "byte 31: expected a record tag from 1 to 44, found 99": HPROF_HEADER + record(99, b""),
    "byte 33: expected the rest of a record, found the end of the file": HPROF_HEADER + b"\x01\0",
    "byte 40: expected at most the 1 bytes left for a record, found 4294967295": HPROF_HEADER
    + struct.pack(">BIIB", 1, 0, 0xFFFFFFFF, 0),
    "expected at most the 2 bytes left for a heap dump segment, found 9": HPROF_HEADER
    + struct.pack(">BIIH", 0x1C, 0, 9, 0),
    "expected a heap dump record, found the end of the file": HPROF_HEADER + record(0x2C, b""),
    "expected the end record of the heap dump, found the end": HPROF_HEADER + record(0x1C, b"\x05" + bytes(8)),
    "byte 40: expected a root, class, instance or array (tags 1-8, 32-35, 255), found 9": segment(b"\x09"),
    "byte 40: expected a record within its segment, up to byte 44, found a longer one": HPROF_HEADER
    + record(0x1C, b"\x05123")
    + record(0x2C, b""),
    "byte 57: expected a primitive type from 4 to 11, found 2": segment(struct.pack(">BQIIB", 0x23, 1, 0, 0, 2)),
    "bytes left for a primitive array, found 34359738360": segment(struct.pack(">BQIIB", 0x23, 1, 0, (1 << 32) - 1, 7)),
    "bytes left for an object array, found 34359738360": segment(struct.pack(">BQIIQ", 0x22, 1, 0, (1 << 32) - 1, 0)),
    "expected a type 2 or from 4 to 11, found 3": segment(hprof_class(1, 0, 0, b"\x03")),
    "expected an instance of 4 bytes of fields, found 5": segment(LONE, hprof_instance(3, 0x10, b"12345")),
    "expected records of class 0x77 and its superclasses, found an instance without": segment(
        hprof_instance(3, 0x77, b"")
    ),
    "expected at most 256 superclasses, found more (a cycle?) above 0x1": cycle(),
    "expected every object once, found an object at 0x10 inside the 1 bytes at 0x10": segment(LONE, LONE),
}


@pytest.mark.parametrize("message", WRONG)
def test_wrong_files(tmp_path: Path, message: str) -> None:
    """A file that is wrong is refused with the byte and with what was expected there."""
    error = refused(tmp_path, WRONG[message])

    assert message in error
    assert "j.hprof: byte " in error


HEAP = hprof_bytes(0x500, b"bytes")
SECOND = len(old_hprof(HEAP))


@pytest.mark.parametrize(
    "dump",
    [old_hprof(HEAP, HEAP), old_hprof(HEAP) + record(0x1C, hprof_bytes(0x600, b""))],
)
def test_a_second_dump_is_named(tmp_path: Path, dump: bytes) -> None:
    """Whatever is in it: two moments of one heap, or two halves that nobody can tell from that."""
    expected = f"byte {SECOND}: expected one heap dump in a file, found a second, which begins at byte {SECOND}"
    assert expected in refused(tmp_path, dump)
    assert "found a second" in refused(tmp_path, segment(HEAP) + record(0x1C, HEAP))


@pytest.mark.parametrize("window", [1, 64, 1 << 20])
@pytest.mark.parametrize("records", [0, 1, 3])
def test_a_length_that_was_never_written(tmp_path: Path, window: int, records: int) -> None:
    """The writer was ended in its last segment: the cause, and what stands whole before it, at any cut behind it."""
    whole = ended_hprof(records)
    at = whole.index(struct.pack(">BII", 0x1C, 0, 0)) + 5
    expected = (
        f"byte {at}: expected the length of the last heap dump segment, found 0, which was never written over:"
        f" the writer was ended ({records} whole records before it, with {records} objects)"
    )

    for cut in (len(whole), at + 5, at + 6, at + 20):
        with pytest.raises(HeapError) as caught:
            load(tmp_path, whole[:cut], window)
        assert expected in str(caught.value)


def test_an_empty_segment_is_one(tmp_path: Path) -> None:
    """Where another segment or the end of the dump follows it."""
    dump = HPROF_HEADER + record(0x1C, b"") + record(0x1C, LONE) + record(0x1C, b"") + record(0x2C, b"")

    assert load(tmp_path, dump).objects == 1


def test_wrong_instances_of_one_class(tmp_path: Path) -> None:
    """An instance of another length than the first of its class is refused, although the layout is known by then."""
    known = hprof_instance(3, 0x10, b"1234")

    assert "expected an instance of 4 bytes of fields, found 3" in refused(
        tmp_path, segment(LONE, known, hprof_instance(4, 0x10, b"123"))
    )


def test_deep_classes_cost_nothing(tmp_path: Path) -> None:
    """A chain of superclasses too deep to be real is refused before its fields are put together."""
    chain = [hprof_class(k, k + 1, 0, b"\x02" * 50) for k in range(1, 400)]

    assert "at most 256 superclasses" in refused(tmp_path, segment(*chain, hprof_instance(1000, 1, b"")))


def test_every_truncation(tmp_path: Path) -> None:
    """A file cut off anywhere is refused."""
    whole = mini_hprof()

    for cut in range(1, len(whole)):
        refused(tmp_path, whole[:cut])


def test_null_and_wide_arrays(tmp_path: Path) -> None:
    """An array of nulls has its size and no slots but the class."""
    graph = load(tmp_path, segment(LONE, hprof_objects(0x20, 0x10, [0] * 100)))

    assert list(graph.size) == [16 + 32 + 8, 24 + 800]
    assert list(graph.offset) == [8]
