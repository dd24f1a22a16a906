"""Chooses the reader for a heap source: `cpython`, `synthetic:SPEC`, or a file, by its first bytes.

A file that is named like one of the first two is read as `./cpython`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.heaps import cpython, go, gorecords, hprof, synthetic, v8
from collector.heaps.jsontext import BOM
from collector.heaps.stream import Limits, Stream


if TYPE_CHECKING:
    from collector.heaps.graph import Graph
    from collector.heaps.stream import Progress


OTHERS = {
    b"go1.": "a Go heap dump of before Go 1.7",
    b"JAVA PROFILE ": "HPROF of another version",
    b"PK\x03\x04": "a zip archive",
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
    b"\x28\xb5\x2f\xfd": "zstandard",
    b"\x1f\x8b": "gzip within gzip",
    b"\x7fELF": "an ELF file (a core?)",
}
"""First bytes of what people may take for a heap, and what it is."""
FORMATS = "a Go heap dump ('go1.7 heap dump'), a V8 .heapsnapshot or JVM HPROF 1.0.2, plain or gzipped"
LONGEST = 32
"""Bytes that tell the format, blanks before a JSON text aside."""


def read(source: str, progress: Progress | None = None, limits: Limits | None = None) -> Graph:
    """The heap of `source`.  Raises HeapError and no other Exception, in time and memory bounded by `limits`."""
    limits = limits or Limits()
    if source == "cpython":
        return cpython.read(limits, progress)
    if source.startswith(synthetic.PREFIX):
        return synthetic.read(source, limits, progress)
    with Stream(source, limits, progress) as stream:
        head = stream.head(LONGEST)
        if head.startswith(gorecords.MAGIC):
            return go.read(stream)
        if head.startswith(hprof.MAGIC):
            return hprof.read(stream)
        if head.removeprefix(BOM).lstrip().startswith(b"{"):
            return v8.read(stream)
        known = [what for magic, what in OTHERS.items() if head.startswith(magic)]
        raise stream.error(0, FORMATS, known[0] if known else ascii(head)[1:])
