"""The machine interface: one flat memory of 64-bit words, and the port through which a thread touches it.

Go's runtime reaches shared memory through plain loads and stores, `runtime/internal/atomic`, notes, locks and the three
pauses (procyield, osyield, usleep).  `Port` has these operations and no others.  Protocol code uses `Port` alone and
never asks which machine it is on:

* `workbuf.hardware.machine.HardwareMachine`: a C array, the hardware's own atomics, every M an OS thread;
* `collector.explore.SteppedMachine`: plain ints, every M a greenlet, a strategy picks who goes next.

Theory of operation.  A *cell* is the number of a word.  A pointer VALUE stored in memory is a byte address,
`8 * cell + offset`, so that packing, alignment and interior pointers mean what they mean in Go; 0 is nil and cell 0 is
never allocated.  Everything two threads share lives in cells; what a thread keeps for itself may be a Python attribute.
So an ABA is a real ABA, and a stale read reads recycled memory.

Every access says what it is, and that is what the race detector goes by:

    words[a]   words[a] = v          plain: ordered by something else, a race here is a bug
    hint(a)    hints(a, n)           a plain load the protocol knowingly races on
    post(a, v)                       a plain store that is knowingly raced with
    load store cas xchg xadd or8     sequentially consistent atomics

Relied on.  An aligned 64-bit word is loaded and stored whole.  No unbounded loop is without a `pause`, `sleep`, `lock`
or `check`: these are where a thread notices that the run was aborted, so a dead worker hangs nobody.

Not modelled.  Weak memory: plain accesses are sequentially consistent on the stepped machine and whatever the hardware
does (x86-TSO where this was developed) on real threads.
A lock or a note whose word a store, say, has freed or woken: on the stepped machine those who wait go on, on real threads
those who sleep already are not told.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Protocol


if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


WORD = 8
"""Bytes in a word."""
MASK64 = (1 << 64) - 1


class Pause(IntEnum):
    """The three ways Go's spin loops give time to others."""

    PROCYIELD = 0
    OSYIELD = 1
    USLEEP = 2


class Aborted(BaseException):
    """Raised in every thread of a run that was aborted; not an Exception, so no protocol code swallows it."""


class Words(Protocol):
    """Plain access to the flat memory."""

    def __getitem__(self, a: int, /) -> int: ...
    def __setitem__(self, a: int, v: int, /) -> None: ...


class Listener(Protocol):
    """Where a port's events go; the vocabulary is `workbuf.events`."""

    def __call__(self, kind: int, a: int = 0, b: int = 0, c: int = 0, /) -> None: ...


class Port(Protocol):
    """A thread's own handle onto the memory.  Never shared between threads: a port owns its scratch words."""

    index: int
    """Number of the thread, 0 upwards in order of creation."""
    name: str
    seed: int
    """Seed for what the thread itself draws (fastrand1)."""
    words: Words
    event: Listener
    """Reports an event to the port's listener; does nothing unless there is one."""

    def hint(self, a: int, /) -> int:
        """The word at `a`, read without ordering: the protocol tolerates any value that was ever there."""

    def hints(self, a: int, n: int, /) -> Sequence[int]:
        """`n` words from `a`, each one a `hint` of its own."""

    def post(self, a: int, v: int, /) -> None:
        """Store `v` at `a` without ordering, although others may be reading it."""

    def fill(self, a: int, n: int, v: int, /) -> None:
        """`n` plain stores of `v` from `a`."""

    def load(self, a: int, /) -> int: ...
    def store(self, a: int, v: int, /) -> None: ...

    def cas(self, a: int, old: int, new: int, /) -> bool:
        """Store `new` at `a` if `old` is there; say whether it was."""

    def xchg(self, a: int, v: int, /) -> int:
        """Store `v` at `a`, return what was there."""

    def xadd(self, a: int, delta: int, /) -> int:
        """Add `delta` (may be negative; wraps at 64 bits), return the NEW value, as Go's xadd does."""

    def or8(self, byte: int, mask: int, /) -> None:
        """OR `mask` into the byte at byte address `byte`, touching no other byte of its word."""

    def pause(self, kind: Pause, n: int, /) -> None:
        """One turn of a spin loop: `n` PAUSE instructions, one sched_yield, or `n` microseconds.

        Raises Aborted.  On the stepped machine the thread does not run again before another one has written something
        that it read since its last pause, or nobody else can run.
        """

    def check(self) -> None:
        """Raise Aborted if the run was aborted; costs nothing else.  Not a schedule point."""

    def sleep(self, note: int, ns: int = -1, /) -> bool:
        """Go's notesleep / notetsleep: wait until the note at cell `note` was woken, `ns` at most if not negative.

        Returns False on a time-out.  A note is one word: 0 until `wake`; its owner clears it by a plain store of 0
        (noteclear) when nobody else can use it.  Raises Aborted.
        """

    def wake(self, note: int, /) -> None:
        """Go's notewakeup; throws `notewakeup - double wakeup` if the note was woken already."""

    def lock(self, a: int, /) -> None:
        """Acquire the mutex at cell `a` (0 free, else 1 + index of the holder), blocking.  Raises Aborted."""

    def trylock(self, a: int, /) -> bool:
        """Acquire the mutex at cell `a` if it is free; say whether it was."""

    def unlock(self, a: int, /) -> None: ...

    def choose(self, n: int, /) -> int:
        """One of 0..n-1: every value is explored on the stepped machine, drawn from the thread's seed on hardware."""

    def now(self) -> int:
        """Nanoseconds (hardware) or steps (stepped machine) since the run began; never decreases."""

    def spawn(self, body: Callable[[Port], object], name: str = "", /) -> None:
        """Start a further thread."""

    def sysalloc(self, n: int, align: int = 1, /) -> int:
        """`n` fresh zeroed cells, the first at a multiple of `align` cells (Go's sysAlloc).  Never given back."""

    def label(self, a: int, n: int, name: str, fields: Sequence[str] = (), /) -> None:
        """Name `n` cells from `a` for traces and reports: `name.field` where a field is given, else `name[i]`."""


class Bound:
    """The operations that a port binds when it is made, as functions of its own: see `Port`."""

    hint: Callable[[int], int]
    hints: Callable[[int, int], Sequence[int]]
    post: Callable[[int, int], None]
    fill: Callable[[int, int, int], None]
    load: Callable[[int], int]
    store: Callable[[int, int], None]
    cas: Callable[[int, int, int], bool]
    xchg: Callable[[int, int], int]
    xadd: Callable[[int, int], int]
    or8: Callable[[int, int], None]
    pause: Callable[[Pause, int], None]
    sysalloc: Callable[..., int]
    label: Callable[..., None]


class Machine(Protocol):
    """Owner of the memory and of the threads.  Everything here but `abort` is called while no thread runs."""

    def alloc(self, n: int, name: str, fields: Sequence[str] = (), *, align: int = 1, statistics: bool = False) -> int:
        """`n` fresh zeroed cells named as by `Port.label`; returns the first.

        `statistics` marks words that decide nothing (counters): a state that repeats but for them is the same state.
        """

    def label(self, a: int, n: int, name: str, fields: Sequence[str] = ()) -> None:
        """As `Port.label`; the latest name of a cell counts."""

    def word(self, init: int, name: str = "") -> int:
        """One fresh cell holding `init`."""

    def peek(self, a: int) -> int: ...
    def poke(self, a: int, v: int) -> None: ...

    def spawn(self, body: Callable[[Port], object], name: str = "") -> None:
        """A thread that will run `body(port)` when the machine runs."""

    def abort(self) -> None:
        """Make every thread raise Aborted at its next `pause`, `sleep`, `lock` or `check`."""
