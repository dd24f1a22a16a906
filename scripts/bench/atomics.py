"""Each atomic over the bare foreign call, prepared once; and how two threads that share no Python object scale."""

from __future__ import annotations

from mmap import PAGESIZE, mmap
from time import perf_counter, thread_time
from timeit import Timer
from typing import TYPE_CHECKING, Any

from scripts.bench.rows import GIL, BenchError, Row, inturn
from workbuf.hardware.binding import Fast
from workbuf.hardware.machine import HardwareMachine
from workbuf.hardware.selftest import BINDINGS


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from workbuf.machine import Port

CALLS, REPEAT = 2_000, 7
TURNS = 100_000
CELL = 8
OPERATIONS = {
    "load": "f(8)",
    "store": "f(8, 1)",
    "cas": "f(8, 1, 1)",
    "xchg": "f(8, 1)",
    "xadd": "f(8, 0)",
    "or8": "f(64, 1)",
}
AIMS = {"fast": 1.7, "compiled": 0.5}


def rows(rounds: int) -> Iterator[Row]:
    """An operation costs what the loop around it does not."""
    memory = mmap(-1, PAGESIZE)
    bare = prepared(memory)
    ports = {
        name: HardwareMachine(words=64, binding=name).boot()
        for name in BINDINGS
        if HardwareMachine(words=64, binding=name).binding == name
    }
    for operation, call in OPERATIONS.items():
        function, arguments = bare[operation]
        names = {f"x{i}": argument for i, argument in enumerate(arguments)}
        sides = {"bare": timed(f"f({', '.join(names)})", f=function, **names)}
        sides |= {name: timed(call, f=getattr(port, operation)) for name, port in ports.items()}
        found = inturn(rounds, sides)
        for name in ports:
            if name == "public":
                yield Row(operation, "atomics' own classes", found.ratios("fast", name), found.median("fast"), "ns")
            else:
                aim = AIMS[name]
                over = f"bare foreign call ({found.median('bare'):.0f} ns)"
                yield Row(f"{operation}, {name}", over, found.ratios(name, "bare"), found.median(name), "ns", aim)
    yield scaling(rounds)


def prepared(memory: mmap) -> dict[str, tuple[Callable[..., object], tuple[Any, ...]]]:
    """Each of patomic's functions with pointers made once: what no way through cffi can fall below."""
    fast = Fast()
    ffi = fast.ffi
    word = ffi.cast("uint64_t *", ffi.from_buffer(memory)) + CELL
    octet = ffi.cast("uint8_t *", word)
    scratch, scratch_byte = ffi.new("uint64_t[3]"), ffi.new("uint8_t[1]")
    keep.append((scratch, scratch_byte))
    one, two = "void (*)(uint64_t *, uint64_t *)", "void (*)(uint64_t *, uint64_t *, uint64_t *)"

    def function(ops: object, name: str, signature: str) -> Callable[..., object]:
        made: Callable[..., object] = ffi.cast(signature, fast.address(ops, name))
        return made

    words = fast.words
    return {
        "load": (function(words, "load", one), (word, scratch + 2)),
        "store": (function(words, "store", one), (word, scratch + 1)),
        "cas": (
            function(words, "cmpxchg_strong", "int (*)(uint64_t *, uint64_t *, uint64_t *)"),
            (word, scratch + 0, scratch + 1),
        ),
        "xchg": (function(words, "exchange", two), (word, scratch + 1, scratch + 2)),
        "xadd": (function(words, "u_fetch_add", two), (word, scratch + 1, scratch + 2)),
        "or8": (function(fast.bytes, "or", "void (*)(uint8_t *, uint8_t *)"), (octet, scratch_byte + 0)),
    }


keep: list[object] = []
"""What the prepared pointers point into."""


def timed(statement: str, **names: object) -> Callable[[], float]:
    """Nanoseconds of one execution, the loop's own taken off."""
    timer, empty = Timer(statement, timer=thread_time, globals=names), Timer("pass", timer=thread_time)

    def measure() -> float:
        # Each time the quickest of several: what else runs on the same core makes some twice as slow.
        return (min(timer.repeat(REPEAT, CALLS)) - min(empty.repeat(REPEAT, CALLS))) / CALLS * 1e9

    return measure


def scaling(rounds: int) -> Row:
    """What two threads get done together, each on a cache line of its own, over one."""
    found = inturn(rounds, {"one": lambda: rate(1), "two": lambda: rate(2)})
    work = "cas by two threads, private lines"
    least = None if GIL else 1.8
    figure = found.median("two") / 1e6
    return Row(work, "one thread's rate", found.ratios("two", "one"), figure, "M/s", least=least, clock="wall")


def rate(threads: int) -> float:
    """Compare-and-swaps a second by the wall's clock, of all threads."""
    machine = HardwareMachine(words=1 << 12)
    lines = [machine.alloc(CELL, f"line{i}", align=CELL) for i in range(threads)]

    def body(port: Port) -> None:
        a, cas = lines[port.index], port.cas
        for i in range(TURNS):
            cas(a, i, i + 1)

    for _ in range(threads):
        machine.spawn(body)
    began = perf_counter()
    machine.run()
    took = perf_counter() - began
    done = sum(machine.peek(a) for a in lines)
    if done != threads * TURNS:
        raise BenchError(f"{threads * TURNS - done} of {threads * TURNS} compare-and-swaps failed on private words")
    return done / took
