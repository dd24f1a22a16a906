"""Reads JVM heap dumps, HPROF 1.0.2 (`jcmd PID GC.heap_dump FILE`; `-all` keeps the garbage).

The file is big-endian: a header (name, bytes in an identifier, time), then records of tag, time, length and body.  The
heap is in the bodies of the HEAP DUMP and HEAP DUMP SEGMENT records, which hold records of their own: roots, classes,
instances, arrays.  An instance is its class and the bytes of its fields, own fields first and the superclass's behind
them; where the references lie among them, the class records say.

Objects are classes, instances and arrays.  References are the class of an instance or object array, the object fields,
elements and static fields, and of a class its superclass, loader, signers and protection domain.  They are addresses of
objects, never of something inside.  Laid out as HotSpot does: a header word, the class at byte 8, the length at byte
16 of an array, then the references (also the null ones, which are no slots), then the other fields.

Roots: sticky classes are DATA; JNI locals, Java frames, native stacks and busy threads' blocks are STACK by thread and
frame; JNI globals, monitors, thread objects and unknown ones are OTHER.  Even a dump of the live objects holds some
that no listed root reaches: the VM's own holders are not written down.

Refused: 4-byte identifiers (a 32-bit JVM).  Not modelled: strings, stack traces, weak references (java.lang.ref), which
count as strong.
"""

from __future__ import annotations

import struct
import sys
from array import array
from struct import Struct
from typing import TYPE_CHECKING

from collector.heaps.addresses import OverlapError, Unresolved
from collector.heaps.errors import MismatchError
from collector.heaps.graph import WORD, Graph, Source
from collector.heaps.hprofclasses import CLASS, OBJECT_TYPE, TYPES, Classes, Layout, Names
from collector.heaps.hprofroots import ROOTS, Roots


if TYPE_CHECKING:
    from collections.abc import Sequence

    from collector.heaps.errors import HeapError
    from collector.heaps.stream import Stream


MAGIC = b"JAVA PROFILE 1.0.2\0"
HEADER = Struct(">IQ")
RECORD = Struct(">BII")
HEAP_DUMP, HEAP_DUMP_SEGMENT, HEAP_DUMP_END = 0x0C, 0x1C, 0x2C
DUMPS = {HEAP_DUMP, HEAP_DUMP_SEGMENT}
TAGS = range(0x01, 0x2D)
STRING, LOAD_CLASS = 0x01, 0x02
LOADED = Struct(">4xQ4xQ")
"""Of a loaded class: its address, and the identifier of its name."""
LONGEST_NAME = 1 << 10
"""Bytes: longer strings are no names of classes."""

INSTANCE, OBJECT_ARRAY, PRIMITIVE_ARRAY = 0x21, 0x22, 0x23
CLASS_HEAD = Struct(">BQI4Q16xI")
INSTANCE_HEAD = Struct(">BQIQI")
OBJECT_ARRAY_HEAD = Struct(">BQIIQ")
PRIMITIVE_ARRAY_HEAD = Struct(">BQIIB")
COUNT = Struct(">H")
IDENTIFIER = Struct(">Q")


def read(stream: Stream) -> Graph:
    """The graph of an HPROF file.  Raises HeapError."""
    stream.header(MAGIC, "the header 'JAVA PROFILE 1.0.2'")
    at = len(MAGIC)
    while len(stream.data) < at + HEADER.size:
        stream.more(0, "the rest of the header")
    identifier, _ = HEADER.unpack_from(stream.data, at)
    if identifier != WORD:
        raise stream.error(at, "a 64-bit dump (8-byte identifiers)", f"{identifier}-byte identifiers")
    at += HEADER.size
    reader = _Reader(stream)
    try:
        while True:
            at = reader.records(stream.data, at)
            if at > len(stream.data):
                at = stream.skip(at, "the rest of a record")
            elif at < len(stream.data):
                stream.more(at, "the rest of a record")
                at = 0
            elif stream.ended(at):
                return reader.graph()
            else:
                at = 0
    except MismatchError as error:
        raise stream.error(error.at, error.expected, error.found) from None


class _Reader:
    """The records of one dump, taken in window by window."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._heap = Unresolved()
        self._segment = 0
        """Byte of the file where the heap dump segment ends that we are in; 0 outside of one."""
        self._tags: set[int] = set()
        """Tags of the records met so far, and how many they were."""
        self._records = 0
        self._unwritten: int | None = None
        """Byte of the file of the record before, if that is a segment whose length is 0."""
        self._classes = Classes()
        self._names = Names()
        self._early: list[tuple[int, int, bytes, int]] = []
        """Instances met before one of their classes: object, class, fields, byte of the file."""
        self._roots = Roots()

    def graph(self) -> Graph:
        """The heap, once all records were taken in."""
        stream = self._stream
        if self._unwritten is not None and HEAP_DUMP_END not in self._tags:
            raise self._ended(self._unwritten)
        if self._segment:
            raise stream.error(0, f"a heap dump segment up to byte {self._segment}", "the end of the file")
        if HEAP_DUMP_SEGMENT in self._tags and HEAP_DUMP_END not in self._tags:
            raise stream.error(0, "the end record of the heap dump", "the end of the file")
        if not self._tags & DUMPS:
            raise stream.error(0, "a heap dump record", "the end of the file")
        for address, class_address, fields, byte in self._early:
            layout = self._classes.layout(class_address, len(fields), byte - stream.base)
            if layout is None:
                expected = f"records of class {class_address:#x} and its superclasses"
                raise stream.error_at(byte, expected, "an instance without")
            self._add_instance(address, class_address, layout, fields, 0)
        self._roots.areas(self._heap)
        notes = ("sizes as in HotSpot without compressed references",)
        source = Source(
            stream.path, "hprof", "1.0.2", byte_order="big", declared_bytes=sum(self._heap.size), notes=notes
        )
        try:
            return self._heap.finish(source, exact=True, typename=self._names.of)
        except OverlapError as error:
            raise stream.error(0, "every object once", str(error)) from None

    def records(self, data: bytes, at: int) -> int:
        """Take in the records of a window from `at` on; the position of the first that it does not hold whole, or behind it.

        A record changes nothing before it was decoded whole, since it is decoded again when more of the file is there.
        """
        base = self._stream.base
        try:
            while True:
                if not self._segment:
                    at = self._record(data, at)
                elif base + at == self._segment:
                    self._segment = 0
                else:
                    at = self._heap_record(data, at)
        except (IndexError, struct.error):
            self._stream.bound(len(self._heap.address) + len(self._names.strings), at)
            return at

    def _record(self, data: bytes, at: int) -> int:
        if self._unwritten is not None and data[at] not in (HEAP_DUMP_SEGMENT, HEAP_DUMP_END):
            raise self._ended(self._unwritten)
        tag, _, length = RECORD.unpack_from(data, at)
        start = at + RECORD.size
        byte = self._stream.base + at
        if tag not in TAGS:
            raise MismatchError(at, f"a record tag from {TAGS[0]} to {TAGS[-1]}", str(tag))
        if tag in (HEAP_DUMP, HEAP_DUMP_SEGMENT):
            if self._tags & ({HEAP_DUMP, HEAP_DUMP_END} if tag == HEAP_DUMP_SEGMENT else DUMPS):
                raise MismatchError(at, "one heap dump in a file", f"a second, which begins at byte {byte}")
            self._stream.fits(start, length, "a heap dump segment")
            self._segment = self._stream.base + start + length if length else 0
            following = start
        else:
            following = self._past(data, start, length, "a record")
            if tag == LOAD_CLASS and length == LOADED.size:
                self._names.loaded(*LOADED.unpack_from(data, start))
            elif tag == STRING and IDENTIFIER.size <= length <= LONGEST_NAME:
                following = self._whole(data, start, length, "a string")
                self._names.strings[IDENTIFIER.unpack_from(data, start)[0]] = data[start + IDENTIFIER.size : following]
        self._tags.add(tag)
        self._records += 1
        self._unwritten = byte if tag == HEAP_DUMP_SEGMENT and not length else None
        return following

    def _ended(self, byte: int) -> HeapError:
        """The error for a segment, at `byte` of the file, that is no empty one."""
        found = (
            f"0, which was never written over: the writer was ended ({self._records - 1} whole records before it,"
            f" with {len(self._heap.address)} objects)"
        )
        return self._stream.error_at(byte + 5, "the length of the last heap dump segment", found)

    def _heap_record(self, data: bytes, at: int) -> int:
        """Take in one record of a heap dump segment; the position behind it."""
        tag = data[at]
        if tag == INSTANCE:
            following = self._instance(data, at)
        elif tag == OBJECT_ARRAY:
            following = self._object_array(data, at)
        elif tag == PRIMITIVE_ARRAY:
            following = self._primitive_array(data, at)
        elif tag == CLASS:
            following = self._class(data, at)
        elif tag in ROOTS:
            following = self._roots.take(data, at, tag)
        else:
            raise MismatchError(at, "a root, class, instance or array (tags 1-8, 32-35, 255)", str(tag))
        if self._stream.base + following > self._segment:
            raise MismatchError(at, f"a record within its segment, up to byte {self._segment}", "a longer one")
        return following

    def _instance(self, data: bytes, at: int) -> int:
        _, address, _, class_address, size = INSTANCE_HEAD.unpack_from(data, at)
        start = at + INSTANCE_HEAD.size
        end = self._whole(data, start, size, "an instance")
        layout = self._classes.layout(class_address, size, at)
        if layout is None:
            self._early.append((address, class_address, data[start:end], self._stream.base + at))
        else:
            self._add_instance(address, class_address, layout, data, start)
        return end

    def _add_instance(self, address: int, class_address: int, layout: Layout, data: bytes, start: int) -> None:
        self._add(address, 16 + layout.size, class_address, layout.offsets, layout.words.unpack_from(data, start))

    def _object_array(self, data: bytes, at: int) -> int:
        _, address, _, length, class_address = OBJECT_ARRAY_HEAD.unpack_from(data, at)
        start = at + OBJECT_ARRAY_HEAD.size
        end = self._whole(data, start, WORD * length, "an object array")
        elements = array("Q", data[start:end])
        if sys.byteorder == "little":
            elements.byteswap()
        self._add(address, 24 + WORD * length, class_address, range(24, 24 + WORD * length, WORD), elements)
        return end

    def _primitive_array(self, data: bytes, at: int) -> int:
        _, address, _, length, kind = PRIMITIVE_ARRAY_HEAD.unpack_from(data, at)
        start = at + PRIMITIVE_ARRAY_HEAD.size
        if kind == OBJECT_TYPE or kind not in TYPES:
            raise MismatchError(start - 1, "a primitive type from 4 to 11", str(kind))
        end = self._past(data, start, TYPES[kind] * length, "a primitive array")
        self._add(address, 24 + TYPES[kind] * length, 0, range(0), (), kind)
        return end

    def _class(self, data: bytes, at: int) -> int:
        _, address, _, parent, *held, _ = CLASS_HEAD.unpack_from(data, at)
        references = [parent, *held]
        size = 0
        at += CLASS_HEAD.size
        for key_bytes in (COUNT.size, IDENTIFIER.size):  # the constant pool, then the static fields
            count = COUNT.unpack_from(data, at)[0]
            at += COUNT.size
            for _ in range(count):
                kind = self._type(data, at + key_bytes)
                at += key_bytes + 1
                if kind == OBJECT_TYPE:
                    references += IDENTIFIER.unpack_from(data, at)
                else:
                    size += TYPES[kind]
                at += TYPES[kind]
        start = at + COUNT.size
        fields_count: int = COUNT.unpack_from(data, at)[0]
        end = start + fields_count * (IDENTIFIER.size + 1)
        if end > len(data):
            raise IndexError
        fields = data[start + IDENTIFIER.size : end : IDENTIFIER.size + 1]
        for k in range(start + IDENTIFIER.size, end, IDENTIFIER.size + 1):
            self._type(data, k)
        self._classes.add(address, parent, fields)
        self._add(
            address,
            16 + WORD * len(references) + size,
            0,
            range(16, 16 + WORD * len(references), WORD),
            references,
            CLASS,
        )
        return end

    def _type(self, data: bytes, at: int) -> int:
        kind = data[at]
        if kind not in TYPES:
            raise MismatchError(at, "a type 2 or from 4 to 11", str(kind))
        return kind

    def _add(
        self, address: int, size: int, class_address: int, offsets: range, references: Sequence[int], kind: int = 0
    ) -> None:
        """Add an object whose word 1 refers to its class, if it has one, and whose references lie at `offsets`.

        `kind` is what it is if it has none: CLASS, or the element type of a primitive array.
        """
        heap = self._heap
        if class_address:
            heap.offset.append(WORD)
            heap.value.append(class_address)
        for offset, value in zip(offsets, references, strict=True):
            if value:
                heap.offset.append(offset)
                heap.value.append(value)
        heap.address.append(address)
        heap.type.append(class_address or kind)
        heap.size.append(size + -size % WORD)
        heap.first.append(len(heap.value))

    def _past(self, data: bytes, start: int, length: int, what: str) -> int:
        """The end of `length` bytes at `start`, whose content does not matter: it may lie behind the window."""
        if start + length > len(data):
            self._stream.fits(start, length, what)
        return start + length

    def _whole(self, data: bytes, start: int, length: int, what: str) -> int:
        """The end of `length` bytes at `start`.  IndexError where the window ends inside them."""
        end = self._past(data, start, length, what)
        if end > len(data):
            raise IndexError
        return end
