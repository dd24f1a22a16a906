"""A seeded fuzzer of the readers: mutants of small heaps in every format, plain and gzipped.

A mutant depends on the seed, the sample's name and its number alone, so that `Fuzzer(seed).mutant(name, k)` makes any one
again.  A reader must answer each with a graph that keeps every rule (`graph.broken`) and that both can be walked and
described, or with a `HeapError` of one line; anything else is a finding.  A small graph with several finalizers is also
placed in a model's heap, which refuses with a `HeapError` what Go cannot have set, and never throws.
"""

from __future__ import annotations

import gc
import gzip
import random
import re
import struct
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from collector.heaps import HeapError, Limits, read
from collector.heaps.describe import describe
from collector.heaps.graph import broken
from collector.heaps.oracle import reach
from collector.heaps.synthetic import SHAPES
from collector.runtime import Config
from collector.stress.run import Plan, Stress
from tests.collector.heaps.writers import (
    hermes_snapshot,
    mini_go,
    mini_heap,
    mini_hprof,
    mini_snapshot,
    old_hprof,
    varint,
    varints,
)


if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path


HUGE = (
    b"\xff" * 9 + b"\x01",
    b"\xff" * 9 + b"\x7f",
    b"\xff" * 40,
    b"\xff\xff\xff\xff\x0f",
    b"\x80" * 20,
    b"\x80\x00",
    varint((1 << 63) - 8),
    varint((1 << 64) - 8),
)
"""Varints: the largest of 64 bits, too large, endless, of 32 bits, padded without end, padded; the last fields of all."""
WORDS = (0, 1, 7, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 1 << 40, (1 << 63) - 8, (1 << 63) - 1, (1 << 64) - 1)
NUMBERS = (
    b"",
    b"-1",
    b"1e9",
    b"18446744073709551615",
    b"18446744073709551616",
    b"9" * 5000,
    b"1_0",
    b"[",
    b"null",
    b'"',
)
PLAN = Plan(Config(mutators=0, helpers=0), programs=(), concurrent=False, recorder=False)
MOST_PLACED = 1 << 20
"""Bytes of a heap that is placed."""
COLLECT = 64
"""Mutants after which the models' memories, which cycles hold, are given back."""
WINDOWS = (16, 256, 1 << 20)
"""Taken in turn; the first two are shorter than the samples, so that they cut records anywhere."""


def flip(data: bytearray, rng: random.Random) -> None:
    """Flip one bit."""
    data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def set_byte(data: bytearray, rng: random.Random) -> None:
    """Set one byte to one that means something in some format."""
    data[rng.randrange(len(data))] = rng.choice(
        b'\x00\x01\x02\x04\x05\x07\x0b\x0c\x1c\x20\x21\x22\x23\x7f\x80\xff[]{},"'
    )


def truncate(data: bytearray, rng: random.Random) -> None:
    """Cut off the end."""
    del data[rng.randrange(len(data)) :]


def insert(data: bytearray, rng: random.Random) -> None:
    """Insert bytes that were drawn."""
    at = rng.randrange(len(data))
    data[at:at] = rng.randbytes(rng.randrange(1, 9))


def remove(data: bytearray, rng: random.Random) -> None:
    """Take some bytes out."""
    at = rng.randrange(len(data))
    del data[at : at + rng.randrange(1, 40)]


def repeat(data: bytearray, rng: random.Random) -> None:
    """Repeat a piece somewhere else."""
    at = rng.randrange(len(data))
    piece = data[at : at + rng.randrange(1, 200)]
    to = rng.randrange(len(data))
    data[to:to] = piece


def splice_varint(data: bytearray, rng: random.Random) -> None:
    """Put a varint in the place of a byte."""
    at = rng.randrange(len(data))
    data[at : at + 1] = rng.choice(HUGE)


def overwrite_word(data: bytearray, rng: random.Random) -> None:
    """Write a 2-, 4- or 8-byte number, big-endian or little-endian, over what is there."""
    at = rng.randrange(len(data))
    form, size = rng.choice((("H", 2), ("I", 4), ("Q", 8)))
    word = rng.choice(WORDS) & ((1 << 8 * size) - 1)
    data[at : at + size] = struct.pack(rng.choice("<>") + form, word)


def replace_number(data: bytearray, rng: random.Random) -> None:
    """Put something else in the place of a decimal number."""
    found = list(re.finditer(rb"\d+", data))
    if found:
        start, stop = rng.choice(found).span()
        data[start:stop] = rng.choice(NUMBERS)


def finalize(data: bytearray, rng: random.Random) -> None:
    """Set a finalizer on an object of the Go samples, inside it, outside of all, or once more; at the end of the dump."""
    at = 0xC000000000 + rng.choice((0, 64, 512, 576, 4096)) + rng.choice((0, 0, 4, 8, 63))
    data[-1:-1] = varints(
        rng.choice((7, 7, 11)), at, rng.choice((0, 0x400000, 0xC000000140, 0xC000000148)), 1, 2, 3
    ) * (rng.choice((1, 1, 2)))


def zero_lengths(data: bytearray, rng: random.Random) -> None:
    """Take back the length of a heap dump segment, as of a writer that was ended, or write the segment again."""
    found = [match.start() for match in re.finditer(rb"[\x0c\x1c]\0\0\0\0", bytes(data))]
    if found:
        at = rng.choice(found)
        if rng.random() < 0.5:
            data[at + 5 : at + 9] = bytes(4)
        else:
            data += data[at:]


def mark_bytes(data: bytearray, rng: random.Random) -> None:
    """Put a byte order mark, whole or not, of UTF-8 or UTF-16, before the text."""
    data[0:0] = rng.choice((b"\xef\xbb\xbf", b"\xef\xbb\xbf", b"\xef\xbb", b"\xff\xfe", b"\xef\xbb\xbf" * 2))


OPERATIONS = (
    flip,
    set_byte,
    truncate,
    insert,
    remove,
    repeat,
    splice_varint,
    overwrite_word,
    replace_number,
    finalize,
    zero_lengths,
    mark_bytes,
)


def mutate(sample: bytes, rng: random.Random) -> bytes:
    """One to four operations on `sample`, mostly one: what is wrong in one place is read furthest."""
    data = bytearray(sample)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        if data:
            rng.choice(OPERATIONS)(data, rng)
    return bytes(data)


def zipped(sample: bytes, rng: random.Random) -> bytes:
    """A mutant of gzip: its bytes, what it holds, its members or its end."""
    way = rng.randrange(4)
    if way == 0:
        return mutate(gzip.compress(sample, mtime=0), rng)
    if way == 1:
        return gzip.compress(mutate(sample, rng), mtime=0)
    cut = rng.randrange(len(sample))
    members = gzip.compress(sample[:cut], mtime=0) + gzip.compress(sample[cut:], mtime=0)
    return members + bytes(rng.randrange(3)) if way == 2 else mutate(members, rng)


def spec(_: bytes, rng: random.Random) -> bytes:
    """A description of a synthetic heap, right or wrong."""
    shape = rng.choice(list(SHAPES))
    keys = rng.sample(SHAPES[shape], rng.randrange(len(SHAPES[shape]) + 1))
    values = ("1", "2", "50", "0.5", "8-64", "0", "999999999999", "-1", "", "64-8", "nan", "inf", "1e3", "x", "\n")
    text = ",".join([shape, *(f"{key}={rng.choice(values[: rng.choice((3, len(values)))])}" for key in keys)]).encode()
    return mutate(text, rng) if rng.random() < 0.2 else text


@dataclass
class Tally:
    """What became of the mutants of one sample."""

    outcomes: Counter[str] = field(default_factory=Counter)
    seconds_max: float = 0.0
    slowest: int = -1
    findings: list[str] = field(default_factory=list)


class Fuzzer:
    """Mutants by seed, sample and number."""

    def __init__(self, seed: int, heaps: Sequence[Path] = ()) -> None:
        """`heaps`: gzipped samples to be unzipped and mutated besides the small ones."""
        self.seed = seed
        plain = {
            "go": mini_go(),
            "go big-endian": mini_go(">"),
            "hprof": mini_hprof(),
            "hprof old": old_hprof(mini_heap()),
            "v8": mini_snapshot(),
            "v8 hermes": hermes_snapshot(),
        }
        self.samples: dict[str, tuple[bytes, Callable[[bytes, random.Random], bytes]]] = {
            **{name: (sample, mutate) for name, sample in plain.items()},
            **{f"{name}.gz": (sample, zipped) for name, sample in plain.items()},
            "synthetic": (b"", spec),
            **{heap.name: (gzip.decompress(heap.read_bytes()), mutate) for heap in heaps},
        }

    def mutant(self, name: str, number: int) -> bytes:
        """Mutant `number` of the sample `name`."""
        sample, make = self.samples[name]
        return make(sample, random.Random(f"{self.seed}/{name}/{number}"))

    def run(self, name: str, numbers: range, directory: Path) -> Tally:
        """Read the mutants of one sample and say what became of them."""
        tally = Tally()
        path = directory / "mutant"
        for number in numbers:
            mutant = self.mutant(name, number)
            if name == "synthetic":
                source = "synthetic:" + mutant.decode("latin-1")
            else:
                path.write_bytes(mutant)
                source = str(path)
            start = time.perf_counter()
            objects = 500 if name == "synthetic" else 50_000
            outcome, finding = judge(source, Limits(window=WINDOWS[number % len(WINDOWS)], objects=objects))
            seconds = time.perf_counter() - start
            tally.outcomes[outcome] += 1
            if number % COLLECT == 0:
                gc.collect()
            if finding:
                tally.findings.append(f"{name} {number} (seed {self.seed}): {finding}")
            if seconds > tally.seconds_max:
                tally.seconds_max, tally.slowest = seconds, number
        return tally


def judge(source: str, limits: Limits) -> tuple[str, str]:
    """Read one heap: what came of it ('graph', 'refused' or 'finding'), and what is wrong with that."""
    try:
        graph = read(source, limits=limits)
    except HeapError as error:
        line = str(error)
        return ("refused", "") if line.isprintable() else ("finding", f"not one printable line: {line!r}")
    except Exception as error:  # noqa: BLE001 - that is the question
        return "finding", f"{type(error).__name__}: {error}"
    rule = broken(graph)
    if rule:
        return "finding", rule
    if len(graph.finalizers) > 1 and sum(graph.size) < MOST_PLACED:
        try:
            Stress(PLAN, graph)
        except HeapError as error:
            line = str(error)
            return ("refused", "") if line.isprintable() else ("finding", f"not one printable line: {line!r}")
        except Exception as error:  # noqa: BLE001
            return "finding", f"placing it: {type(error).__name__}: {error}"
    if describe(graph).reachable != sum(reach(graph)):
        return "finding", "two traversals differ"
    return "graph", ""
