"""Generates heaps from a description, `synthetic:SHAPE[,key=value]...`: the same text gives the same heap.

    list     each object names the next: nothing to share between markers
    tree     object i names objects fan * i + 1 to fan * i + fan; fan=2
    wide     the same with fan=1000: few objects with a great many slots
    random   m slots, each in a random object and naming a random object
    power    the same, but object k is named with probability falling as k ** (1 / alpha - 1); alpha=3: a few are
             named by very many

Keys, all of them whole numbers but the two that are said not to be:

    n=10000      objects
    seed=1       of everything that is drawn
    size=16-64   bytes of an object, a number or a range, raised where its slots need more
    threads=0    goroutines that are parked, each holding 4 objects drawn at random in 2 frames
    m=2n         slots (random, power)
    roots=n/100  objects drawn at random that the data segment names (random, power)
    fan          slots of a full object (tree, wide)
    alpha=3      how steep, a decimal number (power)
    garbage=0    share of the objects, a decimal number below 1, that is built to the same shape and named by nothing
                 (list, tree, wide)

One slot in 16 points at the inside of its object.  list, tree and wide have the one root that names object 0.

Measured: 1,000,000 objects with 2,000,000 slots take 1.6 seconds and 72 MB.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from itertools import accumulate, chain
from random import Random
from typing import TYPE_CHECKING

from collector.heaps.errors import HeapError
from collector.heaps.graph import WORD, Areas, Finalizers, Graph, Kind, Source, column


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from collector.heaps.stream import Limits, Progress


PREFIX = "synthetic:"
BASE = 0xC000000000
"""Address of object 0, where Go's arena begins."""
INTERIOR = 16
"""One slot in so many points at the inside of an object."""
COMMON = ("n", "seed", "size", "threads")
SHAPES = {
    "list": (*COMMON, "garbage"),
    "tree": (*COMMON, "garbage", "fan"),
    "wide": (*COMMON, "garbage", "fan"),
    "random": (*COMMON, "m", "roots"),
    "power": (*COMMON, "m", "roots", "alpha"),
}
"""Shape: the keys it knows."""
BLOCK = 1 << 16
"""Drawn at a time."""
FRAMES, FRAME_SLOTS = 2, 2


@dataclass(frozen=True, slots=True)
class Spec:
    """A description, parsed and checked."""

    text: str
    shape: str
    n: int
    seed: int
    size: tuple[int, int]
    """Fewest and most words of an object."""
    threads: int
    m: int
    roots: int
    fan: int
    alpha: float
    garbage: float


def read(source: str, limits: Limits, progress: Progress | None = None) -> Graph:
    """The heap that `source` describes.  Raises HeapError, with what is allowed, for a description that is wrong."""
    spec = parse(source, limits)
    rng = Random(spec.seed)
    counts, target = (_drawn if spec.shape in ("random", "power") else _tree)(spec, rng)
    words = range(spec.size[0], spec.size[1] + 1)
    drawn = chain.from_iterable(rng.choices(words, k=k) for k in _blocks(spec.n))
    size = array("Q", (WORD * max(count, word) for count, word in zip(counts, drawn, strict=True)))
    address = array("Q", accumulate(size, initial=BASE))
    address.pop()
    first = array("Q", accumulate(counts, initial=0))
    offset = array("Q", chain.from_iterable(range(0, WORD * count, WORD) for count in counts))
    interior = array("Q", bytes(WORD * len(target)))
    for k in range(rng.randrange(INTERIOR), len(target), INTERIOR):
        interior[k] = WORD * rng.randrange(size[target[k]] // WORD)
    if progress is not None:
        progress(spec.n, spec.n)
    about = Source(spec.text, "synthetic", f"{spec.shape}, seed {spec.seed}", declared_bytes=sum(size))
    return Graph(about, address, size, first, offset, target, interior, _roots(spec, rng), Finalizers())


def parse(source: str, limits: Limits) -> Spec:
    """The description behind `synthetic:`, with its defaults filled in."""
    shape, *pairs = source.removeprefix(PREFIX).split(",")
    if shape not in SHAPES:
        raise HeapError(source, None, f"one of {', '.join(SHAPES)} behind '{PREFIX}'", repr(shape))
    given = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if key not in SHAPES[shape] or not equals or key in given:
            keys = ", ".join(f"{key}=" for key in SHAPES[shape])
            raise HeapError(source, None, f"{keys} at most once each for {shape}", repr(pair))
        given[key] = value

    def whole(key: str, default: int, low: int, high: int) -> int:
        return int(_number(source, key, given.get(key, str(default)), int, low, high))

    n = whole("n", min(10_000, limits.objects), 1, limits.objects)
    low, dash, high = given.get("size", "16-64").partition("-")
    least = int(_number(source, "size", low, int, WORD, 1 << 20))
    most = int(_number(source, "size", high, int, least, 1 << 20)) if dash else least
    return Spec(
        source,
        shape,
        n,
        whole("seed", 1, 0, 1 << 64),
        (-(-least // WORD), max(most // WORD, -(-least // WORD))),
        whole("threads", 0, 0, 10_000),
        whole("m", 2 * n, 0, 8 * limits.objects),
        whole("roots", max(1, n // 100), 1, n),
        whole("fan", {"tree": 2, "wide": 1000}.get(shape, 1), 1, limits.objects),
        _number(source, "alpha", given.get("alpha", "3"), float, 1, 100),
        _number(source, "garbage", given.get("garbage", "0"), float, 0, 0.999),
    )


def _number(source: str, key: str, text: str, kind: type[int | float], low: float, high: float) -> float:
    try:
        value = kind(text)
    except ValueError:
        value = -1
    if not low <= value <= high:
        what = "a whole number" if kind is int else "a number"
        raise HeapError(source, None, f"{key}= {what} from {low} to {high}", repr(text))
    return value


def _tree(spec: Spec, _: Random) -> tuple[array[int], array[int]]:
    """Slots of each object and what they name: two trees, level by level, the second of them garbage.

    Level by level the children of one object follow those of the object before, so the slots name 1, 2, 3, ... in turn.
    """
    counts, target = column(), column()
    alive = max(1, spec.n - int(spec.n * spec.garbage))
    for start, n in ((0, alive), (alive, spec.n - alive)):
        counts.extend(max(0, min(spec.fan, n - 1 - spec.fan * i)) for i in range(n))
        target.extend(range(start + 1, start + n))
    return counts, target


def _drawn(spec: Spec, rng: Random) -> tuple[array[int], array[int]]:
    """Slots of each object and what they name, both drawn, the latter evenly or by the power law."""
    counts = array("Q", bytes(WORD * spec.n))
    target = column()
    everything = range(spec.n)
    for k in _blocks(spec.m):
        for i in rng.choices(everything, k=k):
            counts[i] += 1
        if spec.shape == "random":
            target.extend(rng.choices(everything, k=k))
        else:
            target.extend(int(spec.n * rng.random() ** spec.alpha) for _ in range(k))
    return counts, target


def _roots(spec: Spec, rng: Random) -> Areas:
    """The data segment, and the stacks of parked goroutines."""
    roots = Areas()
    named: Iterable[int] = [0]
    if spec.shape in ("random", "power"):
        named = rng.sample(range(spec.n), spec.roots)
    for k, i in enumerate(named):
        roots.slot(WORD * k, i)
    roots.close(Kind.DATA, "data segment", WORD * len(roots.target))
    for thread in range(1, spec.threads + 1):
        for frame in range(FRAMES):
            for k in range(FRAME_SLOTS):
                roots.slot(WORD * k, rng.randrange(spec.n))
            roots.close(Kind.STACK, f"parked frame {frame}", WORD * FRAME_SLOTS, thread)
    return roots


def _blocks(n: int) -> Iterator[int]:
    """`n` in pieces: what is drawn at a time, so that the lists that hold it stay small."""
    for start in range(0, n, BLOCK):
        yield min(BLOCK, n - start)
