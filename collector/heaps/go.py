"""Reads Go heap dumps (`runtime/debug.WriteHeapDump`): the format `go1.7 heap dump`, as Go 1.7 to 1.27 write it.

What it is.  The 16 bytes `go1.7 heap dump` and newline, then records (see `gorecords`) up to the end record.  The
parameters are the first and say the byte order.  Answers to runtime/heapdump.go.

Objects are written span after span, each with its memory (as long as its size class) and the offsets of its pointers;
a slot's value is the word in the memory.  One in fifteen pointers is interior, and some point outside the heap.

Roots: the pointer slots of data and bss, and the stacks (see `gostacks`).  A finalizer's object is no root; what it refers
to and the closure are.  A queued finalizer is an area of two words, closure and object; Go 1.24 queues
cleanups there too, which have no object, and of which there is no record before they are queued.

Phantoms.  From Go 1.22 on the dumper takes the heap bitmap at the tail of a span for further objects.  Nothing points
at them, and right after a collection they number objects less MemStats.HeapObjects; a dump does not say which they are.

Not in a dump, though Go takes them for roots: cleanups and weak handles (runtime.AddCleanup, weak.Pointer).

Types, itabs and profile records are decoded and left out.  32-bit dumps are refused.
"""

from __future__ import annotations

from itertools import pairwise
from struct import Struct
from typing import TYPE_CHECKING, Any
from zlib import crc32

from collector.heaps.addresses import OverlapError, Unresolved
from collector.heaps.errors import MismatchError, printable
from collector.heaps.golayouts import FIELDS, Layouts
from collector.heaps.goprocess import GoProcess
from collector.heaps.gorecords import (
    BSS,
    DATA,
    DEFER,
    END,
    FINALIZER,
    FRAME,
    GOROUTINE,
    MAGIC,
    MEMSTATS,
    OBJECT,
    OTHER_ROOT,
    PANIC,
    PARAMS,
    QUEUED_FINALIZER,
    RECORDS,
    THREAD,
    number,
    record,
)
from collector.heaps.gostacks import Stack
from collector.heaps.graph import WORD, Graph, Kind, Source


if TYPE_CHECKING:
    from collector.heaps.stream import Stream


CLEANUPS = "cleanup queue"
"""The area of a cleanup that waits to be run."""
HEAP_OBJECTS = 11
"""Position of HeapObjects among the numbers of MemStats."""


def read(stream: Stream) -> Graph:
    """The graph of a Go heap dump.  Raises HeapError."""
    stream.header(MAGIC, "the header 'go1.7 heap dump'")
    reader = _Reader(stream)
    at = len(MAGIC)
    while True:
        try:
            at = reader.records(stream.data, at)
        except MismatchError as error:
            raise stream.error(error.at, error.expected, error.found) from None
        if at < 0:
            return reader.graph()
        stream.more(at, "the rest of a record")
        at = 0


class _Reader:
    """The records of one dump, taken in window by window."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._heap = Unresolved()
        self._order = ""
        """Byte order of the dump for `struct`; empty before the parameters."""
        self._version = ""
        self._arena = range(0)
        """The addresses that the heap lies in."""
        self._stack: Stack | None = None
        """The goroutine whose frames may follow."""
        self._goroutines: set[int] = set()
        self._layouts = Layouts("")
        self._heap_objects: int | None = None
        self._process = GoProcess()

    def graph(self) -> Graph:
        """The heap, once all records were taken in."""
        phantoms = len(self._heap.address) - (self._heap_objects or len(self._heap.address))
        source = Source(
            self._stream.path,
            "go",
            self._version,
            byte_order="big" if self._order == ">" else "little",
            declared_bytes=sum(self._heap.size),
            heap_objects=self._heap_objects,
            process=self._process,
            notes=(f"{phantoms} objects more than MemStats.HeapObjects: phantoms",) if phantoms > 0 else (),
        )
        try:
            return self._heap.finish(source)
        except OverlapError as error:
            raise self._stream.error(0, "objects that do not overlap", str(error)) from None

    def records(self, data: bytes, at: int) -> int:
        """Take in the records of a window from `at` on: the position of the first that it does not hold whole, or -1.

        A record changes nothing before it was decoded whole, since it is decoded again when more of the file is there.
        """
        try:
            while True:
                if data[at] == OBJECT and self._order:
                    at = self._objects(data, at)
                    self._stream.bound(len(self._heap.address), at)
                tag = data[at]
                fields, following = record(data, at, self._stream.fits)
                if (tag == PARAMS) == bool(self._order):
                    found = f"a record '{RECORDS[tag][0]}'"
                    raise MismatchError(at, "the parameters once, before all else", found)
                self._take(data, tag, fields, at)
                at = following
                if tag == END:
                    break
        except IndexError:
            return at
        if not self._stream.ended(at):
            raise MismatchError(0 if at >= len(data) else at, "nothing behind the end record", "more bytes")
        return -1

    def _objects(self, data: bytes, at: int) -> int:
        """Take in the objects from `at` on, quickly; the position of the first record that `record` must look at.

        That is one that is no object, is not all there, is wrong, or has a field list too long to remember.
        """
        heap = self._heap
        address_add, size_add, first_add = heap.address.append, heap.size.append, heap.first.append
        digest_add = heap.digest.append
        offset, value = heap.offset, heap.value
        layout_of, match = self._layouts.get, FIELDS.match
        try:
            while data[at] == OBJECT:
                address, start = number(data, at + 1)
                size, start = number(data, start)
                end = start + size
                if data[end]:
                    fields = match(data, end)
                    if fields is None:
                        break
                    following = fields.end()
                    key = data[end:following]
                    layout = layout_of(key)
                    if layout is None or layout.need > size:
                        break
                    words = layout.words.unpack_from(data, start)
                    if 0 in words:
                        for k, word in zip(layout.offsets, words, strict=True):
                            if word:
                                offset.append(k)
                                value.append(word)
                    else:
                        offset.extend(layout.offsets)
                        value.extend(words)
                else:
                    following = end + 1
                    if address + size >> 64 or not size:
                        break
                address_add(address)
                size_add(size)
                first_add(len(value))
                digest_add(crc32(data[start:end]))
                at = following
        except IndexError:
            pass
        return at

    def _take(self, data: bytes, tag: int, fields: list[Any], at: int) -> None:
        """Take in one record that was decoded whole; `at` is where it began."""
        if tag in (FRAME, DEFER, PANIC):
            self._on_stack(data, tag, fields, at)
            return
        self._end_stack()
        if tag == OBJECT:
            self._object(data, at, *fields)
        elif tag == GOROUTINE:
            if fields[2] in self._goroutines:
                raise MismatchError(at, "every goroutine once", f"goroutine {fields[2]} again")
            self._goroutines.add(fields[2])
            self._stack = Stack(fields[2])
        elif tag in (DATA, BSS):
            start, size = fields[1]
            slots = self._slots(data, at, start, size, fields[2])
            self._process.segments.append((fields[0], size))
            self._heap.area(Kind.DATA if tag == DATA else Kind.BSS, RECORDS[tag][0], size, slots)
        elif tag == PARAMS:
            self._params(at, *fields)
        elif tag == FINALIZER:
            self._heap.finalizers.append((fields[0], fields[1]))
        elif tag == QUEUED_FINALIZER:
            name = "finalizer queue" if fields[0] else CLEANUPS
            self._heap.area(Kind.QUEUED, name, 2 * WORD, [(0, fields[1]), (WORD, fields[0])])
        elif tag == OTHER_ROOT:
            self._heap.area(Kind.OTHER, text(fields[0]), WORD, [(0, fields[1])])
        elif tag == THREAD:
            self._process.threads[fields[1]] = fields[2]
        elif tag == MEMSTATS:
            self._heap_objects = fields[HEAP_OBJECTS]
            self._process.statistics = fields

    def _on_stack(self, data: bytes, tag: int, fields: list[Any], at: int) -> None:
        """A frame of the goroutine before, or something that it deferred or panics with."""
        if self._stack is None:
            raise MismatchError(at, "a goroutine before what is on its stack", f"a record '{RECORDS[tag][0]}'")
        if tag == FRAME:
            start, size = fields[3]
            slots = self._slots(data, at, start, size, fields[8])
            self._stack.frame(text(fields[7]), fields[0], data[start : start + size], slots)
        else:
            self._stack.hold(fields[4] if tag == DEFER else fields[3])

    def _end_stack(self) -> None:
        if self._stack is not None:
            for name, size, slots in self._stack.areas(self._order, self._arena):
                self._heap.area(Kind.STACK, name, size, slots, self._stack.goroutine)
            self._stack = None

    def _params(
        self, at: int, big_endian: int, pointer: int, start: int, end: int, arch: bytes, version: bytes, _ncpu: int
    ) -> None:
        if big_endian > 1:
            raise MismatchError(at + 1, "byte order 0 (little-endian) or 1 (big-endian)", str(big_endian))
        if pointer != WORD:
            raise MismatchError(at + 2, "a 64-bit dump (8-byte pointers)", f"{pointer}-byte pointers")
        self._order = ">" if big_endian else "<"
        self._layouts = Layouts(self._order)
        self._arena = range(start, end)
        self._version = f"{text(version)} {text(arch)}"

    def _object(self, data: bytes, at: int, address: int, memory: tuple[int, int], offsets: list[int]) -> None:
        start, size = memory
        if not size or address + size >> 64:
            raise MismatchError(at, "an object with room in 64 bits of addresses", f"{size} bytes at {address:#x}")
        if any(a >= b for a, b in pairwise(offsets)):
            raise MismatchError(at, "the slots of an object in ascending order", "others")
        heap = self._heap
        for offset, value in self._slots(data, at, start, size, offsets):
            heap.offset.append(offset)
            heap.value.append(value)
        heap.address.append(address)
        heap.size.append(size)
        heap.first.append(len(heap.value))
        heap.digest.append(crc32(data[start : start + size]))

    def _slots(self, data: bytes, at: int, start: int, size: int, offsets: list[int]) -> list[tuple[int, int]]:
        """The slots that are not nil in the `size` bytes of memory at `start`."""
        if offsets and max(offsets) + WORD > size:
            raise MismatchError(at, f"slots within {size} bytes", f"one at {max(offsets)}")
        word = Struct(self._order + "Q").unpack_from
        return [(offset, value) for offset in offsets if (value := word(data, start + offset)[0])]


def text(name: bytes) -> str:
    """A name of the dump, fit to be shown."""
    return printable(name.decode("utf-8", "replace"))
