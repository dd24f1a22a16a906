"""The hardware machine: a C array, the processor's own atomics, every M an OS thread.

Theory of operation.  The memory is one mapping (`memory`).  A port is made inside the thread that it serves and
owns every handle it uses: its memoryview, its bound atomics, its random numbers; on the hot path its methods are the C
slots of that memoryview and closures over those handles, with nothing between.  Threads that shared such objects would
serialise each other on a free-threaded build.  The abort flag is a word of the same memory for the same reason.  Plain
accesses are array accesses; what blocks is in `parking`, what the threads do as a crew in `threads`.

Relied on.  Aligned words are loaded and stored whole.  The processor is little-endian.  The GIL, where there is one, is
released inside every atomic; nothing relies on it being held.

Not modelled.  Weak memory beyond what the hardware shows; a plain access outside the memory is an IndexError.
"""

from __future__ import annotations

import hashlib
from array import array
from random import Random
from threading import Lock
from time import monotonic_ns
from typing import TYPE_CHECKING

from workbuf import events
from workbuf.hardware.jitter import jittered
from workbuf.hardware.memory import Memory
from workbuf.hardware.parking import Notes, Parking
from workbuf.hardware.pauses import pauser
from workbuf.hardware.selftest import AUTO, select
from workbuf.hardware.threads import Crew
from workbuf.machine import Aborted, Bound
from workbuf.names import Names


if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from workbuf.hardware.threads import Failure
    from workbuf.machine import Listener, Port

BOOT = (1 << 31) - 1
"""Index of the port that `boot` makes; no running thread has it."""
FEW = 12
"""Words up to which a loop fills them faster than a slice."""


class HardwarePort(Notes, Bound):
    """One thread's own handle onto the memory; see `workbuf.machine.Port`."""

    def __init__(self, machine: HardwareMachine, index: int, name: str) -> None:
        """Called in the thread itself: objects are cheapest to the thread that made them."""
        self.index = index
        self.name = name
        self.seed = mix(machine.seed, index)
        self.event: Listener = events.null
        self._machine = machine
        self._random = Random(mix(self.seed, "choose"))
        words = memoryview(machine.memory.map).cast("Q")
        self.words = words
        self.octets = memoryview(machine.memory.map)
        """The same memory byte by byte, for code that knows that it is on this machine."""
        aborted, hint = machine.aborted, words.__getitem__

        def hints(a: int, n: int) -> list[int]:
            return words[a : a + n].tolist()

        def fill(a: int, n: int, v: int) -> None:
            if n < FEW:
                for at in range(a, a + n):
                    words[at] = v
            else:
                words[a : a + n] = memoryview(array("Q", (v,)) * n)

        def check() -> None:
            if hint(aborted):
                raise Aborted

        self.hint, self.hints, self.post, self.fill, self.check = hint, hints, words.__setitem__, fill, check
        self.pause = pauser(check)
        operations = machine.atomics.bind(machine.memory.map)
        jitter = machine.jitter[index % len(machine.jitter)]
        if jitter:
            operations, self.post = jittered(operations, self.post, jitter, mix(self.seed, "jitter"))
        self.load, self.store, self.cas, self.xchg, self.xadd, self.or8 = operations
        self.parking, self.cellname = machine.parking, machine.name
        self.sysalloc, self.label = machine.memory.take, machine.names.label

    def choose(self, n: int, /) -> int:
        """One of 0..n-1."""
        return self._random.randrange(n)

    def now(self) -> int:
        """Nanoseconds since the first run began."""
        began = self._machine.began
        return monotonic_ns() - began if began else 0

    def spawn(self, body: Callable[[Port], object], name: str = "", /) -> None:
        """Start a further thread; raises Aborted instead if the run is over."""
        self.check()
        self._machine.spawn(body, name)


class HardwareMachine:
    """Memory and threads of one run; see `workbuf.machine.Machine`."""

    def __init__(
        self,
        *,
        words: int | None = None,
        binding: str = AUTO,
        seed: int = 0,
        jitter: float | Sequence[float] = 0.0,
        listener_for: Callable[[Port], Listener] | None = None,
        grace: float = 10.0,
    ) -> None:
        """`words`: size of the memory, by default as much as the system reserves readily (4 GiB).

        `binding`: "compiled", "fast" or "public", "auto" for the quickest there is.  `seed`: of all that ports draw.
        `jitter`: share of atomics and posts that a thread delays, or several, which threads have in turn.
        `listener_for`: asked once per thread, in it, for where
        its events go.  `grace`: seconds that threads have to end after an abort.
        """
        self.jitter = (jitter,) if isinstance(jitter, int | float) else tuple(jitter)
        for each in self.jitter:
            if not 0 <= each <= 1:
                raise ValueError(f"jitter is a share of the atomics, between 0 and 1, not {each}")
        self.memory = Memory(words)
        self.atomics = select(binding)
        self.seed = seed
        self.names = Names()
        self.parking = Parking()
        self.began = 0
        """Monotonic nanoseconds at which the first run began; 0 before it."""
        self._listener_for = listener_for
        self._words = memoryview(self.memory.map).cast("Q")
        self._crew = Crew(self._stop, grace)
        self._lock = Lock()
        self._index = 0
        self._boot: HardwarePort | None = None
        self.aborted = self.word(0, "aborted")
        """Cell of the abort flag."""

    @property
    def binding(self) -> str:
        """Which binding the atomics go through: "compiled", "fast" or "public"."""
        return self.atomics.name

    @property
    def failure(self) -> Failure | None:
        """The thread and the exception that ended the run early, if any did."""
        return self._crew.failure

    def alloc(self, n: int, name: str, fields: Sequence[str] = (), *, align: int = 1, statistics: bool = False) -> int:
        """`n` fresh zeroed cells; `statistics` says something to the stepped machine only."""
        del statistics
        start = self.memory.take(n, align)
        self.names.label(start, n, name, fields)
        return start

    def label(self, a: int, n: int, name: str, fields: Sequence[str] = ()) -> None:
        """Name cells."""
        self.names.label(a, n, name, fields)

    def word(self, init: int, name: str = "") -> int:
        """One fresh cell holding `init`."""
        a = self.memory.take(1)
        if name:
            self.names.label(a, 1, name)
        self._words[a] = init
        return a

    def peek(self, a: int) -> int:
        """The word at `a`."""
        return self._words[a]

    def poke(self, a: int, v: int) -> None:
        """Make `v` the word at `a`."""
        self._words[a] = v

    def name(self, a: int) -> str:
        """What cell `a` is called."""
        return str(self.names.named(a))

    def boot(self) -> HardwarePort:
        """The calling thread's own port, for what is done before any thread runs; nobody listens to it."""
        if self._boot is None:
            self._boot = HardwarePort(self, BOOT, "boot")
        return self._boot

    def spawn(self, body: Callable[[Port], object], name: str = "") -> None:
        """A thread that will run `body(port)` when the machine runs, at once if it does."""
        with self._lock:
            index = self._index
            self._index += 1
        name = name or f"t{index}"

        def main(gate: Callable[[], object]) -> None:
            port = HardwarePort(self, index, name)
            if self._listener_for:
                port.event = self._listener_for(port)
            gate()
            port.check()
            body(port)

        self._crew.add(name, main)

    def run(self, tick: Callable[[], object] = lambda: None) -> None:
        """Run all threads to their end, calling `tick` now and then; raise the first failure, `tick`'s own included.

        Ctrl-C aborts the run, waits for the threads and goes on as KeyboardInterrupt.
        """
        self.began = self.began or monotonic_ns()
        self._crew.run(tick)

    def abort(self) -> None:
        """Make every thread raise Aborted at its next `pause`, `sleep`, `lock` or `check`; returns at once."""
        self._crew.abort()

    def fail(self, who: str, error: BaseException) -> None:
        """Make this the run's failure, if it is the first, and abort: for a watchdog's thread."""
        self._crew.fail(who, error)

    def stacks(self) -> dict[str, str]:
        """The Python stack of every running thread, by its name."""
        return self._crew.stacks()

    def _stop(self) -> None:
        self._words[self.aborted] = 1
        # After the flag: a sleeper that looks again must see it.
        self.parking.rouse()


def mix(seed: int, what: int | str) -> int:
    """A 64-bit seed for `what`, the same on every interpreter and unlike its neighbours'."""
    return int.from_bytes(hashlib.blake2b(f"{seed} {what}".encode(), digest_size=8).digest())
