"""A whole model in small, for tests: worked step by step from the test's own thread, or run with real ones.

`Bench` makes a model with a little arena and little pages, and every M of it on the machine's boot port.  One thread plays
them all, so nothing here may block: a mutator that is not to be waited for is left in a system call or has not started.
`Bench.run` gives the same model to real threads.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeVar

from collector.runtime import AuditedM, CollectorM, Config, Model
from mutator.heap import ALLOCATED, CHECKMARKED, MARKED
from mutator.world import GRUNNABLE, GRUNNING, GWAITING, MRECORD, RUNTIME, G
from mutator.writebarrier import FIRST_PAGE
from tests.machines import Look
from workbuf.buffer import NOBJ
from workbuf.hardware.machine import HardwareMachine
from workbuf.local import WORK
from workbuf.machine import WORD


if TYPE_CHECKING:
    from collections.abc import Callable

    from workbuf.machine import Port

A = TypeVar("A", bound=CollectorM)

SMALL = Config(mutators=2, helpers=1, arena=1 << 20, page_size=1024, stackwords=128, persistentchunk=4096, bss=8)
MEMORY_WORDS = 1 << 20


class Bench:
    """A model whose Ms are of class `cls`, a CollectorM; keywords change `SMALL`."""

    def __init__(self, cls: type[Any] = AuditedM, *, words: int = MEMORY_WORDS, **config: Any) -> None:  # noqa: ANN401
        self.cls = cls
        self.machine = HardwareMachine(words=words)
        self.port: Port = self.machine.boot()
        # As in Go, no object lies in the first page: little pages alone would allow it.
        self.machine.alloc(FIRST_PAGE // WORD, "first page")
        self.model = Model(self.machine, replace(SMALL, **config), cls)
        self.world = self.model.world
        self.look = Look(self.machine, self.world)
        self.peek = self.machine.peek
        self.gcm: AuditedM = self.m(self.model.gcm)
        self.mutators: list[AuditedM] = [self.m(record) for record in self.model.mutators]
        self.helpers: list[AuditedM] = [self.m(record) for record in self.model.helpers]

    def m(self, record: int, cls: Callable[..., Any] | None = None, through: Any = None) -> Any:  # noqa: ANN401
        """A further object for the M with that record, of another class or through another port."""
        return (cls or self.cls)(through or self.port, self.world, record)

    def again(self, m: CollectorM, cls: Callable[..., Any] | None = None, through: Any = None) -> Any:  # noqa: ANN401
        """The M `m` once more, of another class or through another port."""
        return self.m(m.record, cls, through)

    # The world

    def phase(self, phase: int) -> None:
        """Set the phase."""
        self.machine.poke(self.world.gcphase, phase)

    def start(self, m: A) -> A:
        """Let a mutator run: its P and its goroutine are running from here on."""
        m.acquirep()
        m.casgstatus(m.curg, GRUNNABLE, GRUNNING)
        return m

    def setwork(self, **fields: int) -> None:
        """Set words of `work`."""
        for field, value in fields.items():
            self.machine.poke(self.world.work + WORK.offsets[field], value)

    def runtime(self, field: str) -> int:
        """A word of RUNTIME."""
        return self.peek(self.world.runtime + RUNTIME.offsets[field])

    def g(self, gp: int, field: str) -> int:
        """A word of a goroutine's record."""
        return self.peek(gp + G.offsets[field])

    def parked(self, *pointers: int) -> int:
        """A goroutine that waits for good, with these pointers in its one frame."""
        gp = self.world.newg("parked", GWAITING)
        self.frame(gp, *pointers)
        return gp

    def frame(self, gp: int, *pointers: int) -> int:
        """Push a frame with these pointers onto the stack of `gp`; returns the cell of the first."""
        n = len(pointers)
        cell = self.gcm.pushframe(gp, n, self.gcm.stackmap(n, range(n)))
        for i, pointer in enumerate(pointers):
            self.machine.poke(cell + i, pointer)
        return cell

    def setbss(self, *pointers: int) -> None:
        """Put these pointers into the first words of bss."""
        for i, pointer in enumerate(pointers):
            self.machine.poke(self.world.bss.base + i, pointer)

    # Objects

    def obj(self, *pointers: int, words: int = 0) -> int:
        """A fresh object whose first words are these pointers and whose other words are scalars."""
        n = len(pointers)
        p = self.gcm.mallocgc(max(n, words, 1) * WORD, (1 << n) - 1)
        for i, pointer in enumerate(pointers):
            self.machine.poke(p // WORD + i, pointer)
        return p

    def leaf(self) -> int:
        """A fresh object with a pointer word, which is nil: marked, queued and scanned, and leads nowhere."""
        return self.obj(0)

    def noscan(self) -> int:
        """A fresh object without pointers: marked and never queued."""
        return self.obj(words=2)

    def chain(self, n: int) -> list[int]:
        """A linked list of `n` objects, head first."""
        nodes = [self.obj(0) for _ in range(n)]
        for node, after in pairwise(nodes):
            self.machine.poke(node // WORD, after)
        return nodes

    def bits(self, p: int) -> int:
        """The byte of the object at `p`."""
        base, _, bits = self.gcm.heapBitsForObject(p)
        assert base == p
        return bits

    def marked(self, *objects: int) -> list[bool]:
        """Which of them are marked."""
        return [bool(self.bits(p) & MARKED) for p in objects]

    def checkmarked(self, *objects: int) -> list[bool]:
        """Which of them the verifying mark has reached."""
        return [bool(self.bits(p) & CHECKMARKED) for p in objects]

    def allocated(self, *objects: int) -> list[bool]:
        """Which of them are still objects."""
        return [bool(self.bits(p) & ALLOCATED) for p in objects]

    def setmark(self, *objects: int) -> None:
        """Mark them, as if a marker had been there."""
        for p in objects:
            self.port.or8(self.gcm.heapBitsForObject(p)[1], MARKED)

    # Buffers

    def full(self, m: CollectorM, objects: list[int]) -> int:
        """A buffer in hand with these entries, all marked."""
        b = m.getempty(359)
        self.look.fill(b, objects)
        self.setmark(*objects)
        return b

    def places(self) -> dict[str, int]:
        """How many buffers each list holds."""
        return {name: len(buffers) for name, buffers in self.look.lists().items()}

    def held(self, b: int) -> int:
        """How many entries a buffer holds."""
        return self.peek(b + NOBJ)

    def problems(self, *hands: int) -> list[str]:
        """What is wrong with I1 to I3, `hands` being the buffers that the test holds."""
        return self.look.problems(hands, self.world.records(self.world.allm, self.runtime("allmlen")))

    # Threads

    def run(self, *lives: tuple[int, Callable[[Any], object]], cls: Callable[..., Any] | None = None) -> None:
        """Run each (record, life) on a thread of its own, which makes its own M; raises the first failure."""

        def body(record: int, life: Callable[[Any], object]) -> Callable[[Port], object]:
            return lambda port: life((cls or self.cls)(port, self.world, record))

        for record, life in lives:
            self.machine.spawn(body(record, life), f"m{self.peek(record + MRECORD.id)}")
        self.machine.run()


class Noting:
    """A port that notes its stores, swaps and atomics as (operation, cell), in order, and keeps the events sent."""

    def __init__(self, port: Port) -> None:
        self.port = port
        self.events: list[tuple[int, ...]] = []
        self.noted: list[tuple[str, int]] = []
        self.words = _NotingWords(port, self.noted)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  whatever the port has
        method = getattr(self.port, name)
        if name not in ("post", "store", "cas", "xchg", "xadd", "or8", "wake", "unlock", "load"):
            return method

        def noting(a: int, *args: int) -> Any:  # noqa: ANN401
            self.noted.append((name, a // WORD if name == "or8" else a))
            return method(a, *args)

        return noting

    def event(self, kind: int, a: int = 0, b: int = 0, c: int = 0, /) -> None:
        """Keep it."""
        self.events.append((kind, a, b, c))

    def order(self, *cells: int) -> list[tuple[str, int]]:
        """What was noted of these cells."""
        return [(name, a) for name, a in self.noted if a in cells]


class _NotingWords:
    def __init__(self, port: Port, noted: list[tuple[str, int]]) -> None:
        self.port = port
        self.noted = noted

    def __getitem__(self, a: int) -> int:
        return self.port.words[a]

    def __setitem__(self, a: int, v: int) -> None:
        self.noted.append(("plain", a))
        self.port.words[a] = v
