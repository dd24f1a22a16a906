"""Small heaps in each format, written by hand: what the tests vary and the fuzzer mutates.

Each writer is the plainest reading of its format and shares nothing with the reader of it.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass, field


def varint(n: int) -> bytes:
    """`n` in unsigned LEB128."""
    out = bytearray()
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    out.append(n)
    return bytes(out)


def varints(*numbers: int) -> bytes:
    """Several numbers, one after another."""
    return b"".join(map(varint, numbers))


def text(content: bytes) -> bytes:
    """A string or a piece of memory: its length and its bytes."""
    return varint(len(content)) + content


def fields(offsets: list[int]) -> bytes:
    """A field list."""
    return b"".join(b"\x01" + varint(offset) for offset in offsets) + b"\0"


@dataclass
class GoDump:
    """A Go heap dump under construction: every method adds a record, `done` the end."""

    order: str = "<"
    out: bytearray = field(default_factory=lambda: bytearray(b"go1.7 heap dump\n"))

    def raw(self, record: bytes) -> GoDump:
        """Whatever bytes."""
        self.out += record
        return self

    def params(self, pointer: int = 8, version: bytes = b"go1.99") -> GoDump:
        """The parameters."""
        start = varints(6, self.order == ">", pointer, 0xC000000000, 0xC000400000)
        return self.raw(start + text(b"amd64") + text(version) + varint(2))

    def words(self, size: int, pointers: dict[int, int]) -> bytes:
        """`size` bytes of memory with `pointers`, by offset, in it, and its field list."""
        memory = bytearray(size)
        for offset, value in pointers.items():
            struct.pack_into(self.order + "Q", memory, offset, value)
        return text(bytes(memory)) + fields(list(pointers))

    def object(self, address: int, size: int, pointers: dict[int, int]) -> GoDump:
        """An object."""
        return self.raw(varints(1, address) + self.words(size, pointers))

    def goroutine(self, number: int) -> GoDump:
        """A goroutine; its frames follow."""
        return self.raw(varints(4, 0, 0, number, 0, 4, 0, 0, 0) + text(b"chan receive") + varints(0, 0, 0, 0))

    def frame(
        self, name: bytes, size: int, pointers: dict[int, int], sp: int = 0, unnamed: dict[int, int] | None = None
    ) -> GoDump:
        """A frame of the goroutine before, at `sp`; its map does not name the words of `unnamed`."""
        named = fields(list(pointers))
        memory = self.words(size, pointers | (unnamed or {}))
        cut = len(memory) - len(fields([*pointers, *(unnamed or {})]))
        return self.raw(varints(5, sp, 0, 0) + memory[:cut] + varints(0, 0, 0) + text(name) + named)

    def deferred(self, closure: int) -> GoDump:
        """A call that the goroutine before has deferred."""
        return self.raw(varints(14, 1, 2, 3, 4, closure, 6, 7))

    def panics(self, value: int) -> GoDump:
        """What the goroutine before panics with."""
        return self.raw(varints(15, 1, 2, 3, value, 0, 5))

    def segment(self, tag: int, size: int, pointers: dict[int, int]) -> GoDump:
        """Data (12) or bss (13)."""
        return self.raw(varints(tag, 0x500000) + self.words(size, pointers))

    def finalizer(self, target: int, closure: int, *, queued: bool = False) -> GoDump:
        """A finalizer, or one that waits in the queue."""
        return self.raw(varints(11 if queued else 7, target, closure, 1, 2, 3))

    def statistics(self, heap_objects: int, total: int = 0, pauses: tuple[int, ...] = ()) -> GoDump:
        """The memory statistics, with `total` bytes ever allocated and a pause for each collection so far."""
        numbers = [0] * (24 + 256 + 1)
        numbers[1], numbers[11], numbers[23], numbers[280] = total, heap_objects, sum(pauses), len(pauses)
        for n, pause in enumerate(pauses):
            numbers[24 + n % 256] = pause
        return self.raw(varint(10) + varints(*numbers))

    def thread(self, m: int, system: int) -> GoDump:
        """An M and its thread."""
        return self.raw(varints(9, 0xC000000000, m, system))

    def done(self) -> bytes:
        """The dump with its end record."""
        return bytes(self.out) + b"\0"


def mini_go(order: str = "<") -> bytes:
    """A dump with every kind of record: ten objects, of which 6, 8 and 9 are garbage and 8 has a finalizer."""
    at = [0xC000000000 + 64 * i for i in range(10)]
    dump = GoDump(order).params()
    dump.raw(varints(3, 1, 16) + text(b"main.T") + varint(0)).raw(varints(8, 1, 2))
    dump.object(at[5], 64, {})
    dump.object(at[0], 64, {0: at[1], 8: 0, 16: at[2] + 24})
    dump.object(at[1], 64, {56: at[3]}).object(at[2], 32, {}).object(at[3], 16, {0: at[0], 8: 0x400000})
    dump.object(at[4], 64, {0: at[4]}).object(at[6], 64, {0: at[0]}).object(at[7], 48, {})
    dump.object(at[8], 64, {8: at[7]}).object(at[9], 8, {})
    dump.goroutine(1).frame(b"main.inner", 32, {8: at[0], 24: at[3] + 8}).frame(b"main.main", 16, {0: at[0]})
    dump.goroutine(17).frame(b"main.wait", 24, {}).deferred(at[5]).panics(0x400000).raw(varints(9, 1, 2, 3))
    dump.segment(12, 20, {0: at[4]}).segment(13, 64, {40: 0x600000, 48: at[1]})
    dump.finalizer(at[8], at[5]).finalizer(at[2], 0x400000, queued=True)
    dump.raw(varint(2) + text(b"other") + varint(at[7]))
    dump.statistics(9)
    dump.raw(varints(16, 1, 2, 1) + text(b"main.f") + text(b"f.go") + varints(3, 4, 5)).raw(varints(17, at[0], 1))
    return dump.done()


def record(tag: int, body: bytes) -> bytes:
    """A record of an HPROF file."""
    return struct.pack(">BII", tag, 0, len(body)) + body


HPROF_HEADER = b"JAVA PROFILE 1.0.2\0" + struct.pack(">IQ", 8, 0)


def hprof_class(address: int, parent: int, size: int, own: bytes, statics: tuple[int, ...] = ()) -> bytes:
    """A class: `own` are the types of its fields, `statics` its static references."""
    head = struct.pack(">BQI6QI", 0x20, address, 0, parent, 0, 0, 0, 0, 0, size)
    pool = struct.pack(">HHBI", 1, 1, 10, 7)
    shared = struct.pack(">H", len(statics)) + b"".join(struct.pack(">QBQ", 1, 2, value) for value in statics)
    return head + pool + shared + struct.pack(">H", len(own)) + b"".join(struct.pack(">QB", 1, kind) for kind in own)


def hprof_instance(address: int, owner: int, content: bytes) -> bytes:
    """An instance with the bytes of its fields."""
    return struct.pack(">BQIQI", 0x21, address, 0, owner, len(content)) + content


def hprof_objects(address: int, owner: int, elements: list[int]) -> bytes:
    """An array of objects."""
    return struct.pack(f">BQIIQ{len(elements)}Q", 0x22, address, 0, len(elements), owner, *elements)


def hprof_bytes(address: int, content: bytes) -> bytes:
    """An array of bytes."""
    return struct.pack(">BQIIB", 0x23, address, 0, len(content), 8) + content


HPROF_ROOTS = (
    struct.pack(">BQ", 0x05, 0x100)
    + struct.pack(">BQII", 0x03, 0x300, 7, 1)
    + struct.pack(">BQII", 0x02, 0x400, 7, 0)
    + struct.pack(">BQI", 0x06, 0x300, 8)
    + struct.pack(">BQQ", 0x01, 0x500, 9)
    + struct.pack(">BQII", 0x08, 0x300, 7, 1)
    + struct.pack(">BQ", 0x07, 0x300)
    + struct.pack(">BQI", 0x04, 0x500, 8)
    + struct.pack(">BQ", 0xFF, 0x999)
)


def mini_heap() -> bytes:
    """What is in the segments of `mini_hprof`, in one piece."""
    first, second = mini_segments()
    return first + second


def mini_segments() -> tuple[bytes, bytes]:
    """Two classes, an instance before its class and one behind, two arrays, one piece of garbage, all kinds of roots."""
    early = hprof_instance(0x300, 0x200, struct.pack(">QBQ", 0x400, 1, 0x500))
    classes = hprof_class(0x100, 0, 8, b"\x02", statics=(0x500, 0)) + hprof_class(0x200, 0x100, 17, b"\x02\x08")
    late = hprof_instance(0x600, 0x100, struct.pack(">Q", 0x300))
    arrays = hprof_objects(0x400, 0x200, [0, 0x300, 0x400, 0x777]) + hprof_bytes(0x500, b"bytes")
    return HPROF_ROOTS + early, classes + late + arrays


def mini_hprof() -> bytes:
    """`mini_segments` behind a string and a class that is loaded."""
    first, second = mini_segments()
    return (
        HPROF_HEADER
        + record(0x01, struct.pack(">Q", 1) + b"name")
        + record(0x02, struct.pack(">IQIQ", 1, 0x100, 0, 1))
        + record(0x1C, first)
        + record(0x1C, second)
        + record(0x2C, b"")
    )


def hermes_snapshot() -> bytes:
    """A snapshot as Hermes (React Native) wrote them for years: what it counts is 0."""
    snapshot = json.loads(mini_snapshot())["snapshot"]
    return mini_snapshot(snapshot=snapshot | {"node_count": 0, "edge_count": 0})


def ended_hprof(records: int = 1) -> bytes:
    """A file whose writer was ended in its last segment, before it wrote that one's length."""
    whole = HPROF_HEADER + b"".join(record(0x1C, hprof_bytes(0x500 + 8 * k, b"bytes")) for k in range(records))
    return whole + struct.pack(">BII", 0x1C, 0, 0) + HPROF_ROOTS + hprof_bytes(0x600, b"more")


def old_hprof(*dumps: bytes) -> bytes:
    """A file of whole heap dumps, not in segments, one after another."""
    return HPROF_HEADER + b"".join(record(0x0C, dump) for dump in dumps)


def mini_snapshot(**changes: object) -> bytes:
    """A V8 snapshot of four nodes, one of them named by a weak edge only; `changes` replace members of it."""
    meta = {
        "node_fields": ["type", "name", "id", "self_size", "edge_count"],
        "node_types": [["synthetic", "object"], "string", "number", "number", "number"],
        "edge_fields": ["type", "name_or_index", "to_node"],
        "edge_types": [["property", "weak"], "string_or_number", "node"],
    }
    snapshot = {
        "snapshot": {"meta": meta, "node_count": 4, "edge_count": 4},
        "nodes": [0, 0, 1, 0, 2, 1, 1, 3, 20, 1, 1, 2, 5, 4, 1, 1, 3, 7, 100, 0],
        "edges": [0, 1, 5, 0, 2, 10, 0, 0, 10, 1, 0, 15],
        "trace_tree": [1, [2, {"a": "]"}], '\\"['],
        "locations": [],
        "strings": ["", 'a "quoted" [', "b\\", "{"],
    } | changes
    kept = {key: value for key, value in snapshot.items() if value is not None}
    return json.dumps(kept).encode()
