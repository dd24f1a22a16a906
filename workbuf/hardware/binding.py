"""Three bindings to the processor's atomics, all through the `atomics` package: compiled, fast (cffi) and public.

Theory of operation.  `Public` goes through the package's public classes, a view of the word for every operation: tens of
microseconds, and right by construction.  `Fast` takes the functions that those classes end up in (patomic, a shared
library inside the package) and calls them through cffi, with typed pointers and scratch words prepared: half a
microsecond.  `Compiled` calls the same functions from C (`compiled.c`), where somebody has built that: a fifth of it.
Both ask for the library's order-implicit family, every operation sequentially consistent.  Since that is
not the package's public API, `workbuf.hardware.selftest` compares each with the public one before it is trusted.

`bind` makes handles for one thread.  Threads that shared these objects, closures and C functions alike, would serialise
each other on a free-threaded build by counting references to them.

Relied on.  The library of exactly `KNOWN_VERSION`: a call through a wrong layout would crash before it could disagree.
An operation takes effect between its call and its return; the GIL is released inside it.

Not modelled.  Weaker orders.  A cell outside the memory, or 0, is Go's fault instead of a crash of the interpreter.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, Protocol, cast

from workbuf.hardware.limits import Shortage
from workbuf.machine import MASK64, WORD
from workbuf.throw import Throw


try:
    import atomics
except ImportError:  # there is none for this platform
    atomics = None
try:
    import cffi
except ImportError:
    cffi = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from collections.abc import Callable
    from mmap import mmap


KNOWN_VERSION = "1.0.3"
"""The release of `atomics` whose library lies as described here."""

SEQ_CST = 5
"""patomic's number for the order that Go's atomics have."""

FAMILIES = (
    "store load exchange cmpxchg_weak cmpxchg_strong",
    "test test_compl test_set test_reset",
    "or xor and not fetch_or fetch_xor fetch_and fetch_not",
    "s_add s_sub s_inc s_dec s_neg s_fetch_add s_fetch_sub s_fetch_inc s_fetch_dec s_fetch_neg",
    "u_add u_sub u_inc u_dec u_neg u_fetch_add u_fetch_sub u_fetch_inc u_fetch_dec u_fetch_neg",
)
"""The function pointers that patomic_create returns, in its order; signed and unsigned arithmetic begin with s_ and u_."""

DECLARATIONS = f"""
    typedef struct {{
        void {", ".join(f"*{name}" for name in " ".join(FAMILIES).split())};
        size_t recommended, minimum, size_within;
    }} patomic_t;
    patomic_t patomic_create(size_t width, int order, int options, int kinds);
"""


class Operations(NamedTuple):
    """One thread's atomics, as `workbuf.machine.Port` describes them."""

    load: Callable[[int], int]
    store: Callable[[int, int], None]
    cas: Callable[[int, int, int], bool]
    xchg: Callable[[int, int], int]
    xadd: Callable[[int, int], int]
    or8: Callable[[int, int], None]


class Binding(Protocol):
    """A way from Python to the hardware's atomics."""

    name: str

    def bind(self, memory: mmap) -> Operations:
        """Operations on `memory` for the calling thread alone."""


class BindingError(Exception):
    """The fast binding cannot be made here, or is wrong; says why in one line."""


def fault(byte: int) -> NoReturn:
    """Throw what Go throws when the hardware reports an access to memory that is not there."""
    raise Throw("fault", f"unexpected fault address {byte:#x}")


def required() -> None:
    """Raise Shortage where the atomics package is not installed."""
    if atomics is None:
        raise Shortage(
            f"real threads need the package atomics: pip install atomics=={KNOWN_VERSION} (for Linux, macOS and Windows on"
            " x86-64 and arm64); explore, scenarios, replay, inspect, guide, and heap without --mark, do not"
        )


@cache
def patomic() -> tuple[cffi.FFI, Any]:
    """The shared library inside the package.  Loaded once and never closed, since its functions are bound for good."""
    if cffi is None:
        raise BindingError("the package cffi is not installed")
    installed = version("atomics")
    if installed != KNOWN_VERSION:
        raise BindingError(f"atomics {installed} is installed and only {KNOWN_VERSION} is known")
    found = sorted(Path(atomics.__file__).parent.glob("_clib/*patomic*"))
    if not found:
        raise BindingError("the atomics package has no patomic library in it")
    ffi = cffi.FFI()
    ffi.cdef(DECLARATIONS)
    try:
        library = ffi.dlopen(str(found[-1]))
    except OSError as error:
        raise BindingError(f"{found[-1].name} does not load: {error}") from error
    return ffi, library


class Patomic:
    """patomic's own functions, and where they are."""

    def __init__(self) -> None:
        """Load the library.  Raises BindingError if there is none, or not the one known."""
        self.ffi, library = patomic()
        try:
            self.words = library.patomic_create(WORD, SEQ_CST, 0, 0)
            self.bytes = library.patomic_create(1, SEQ_CST, 0, 0)
        except AttributeError as error:
            raise BindingError(f"the patomic library lacks a function: {error}") from error

    def address(self, ops: Any, name: str) -> Any:  # noqa: ANN401  cffi's own pointers
        """The pointer to the function called `name`.  Raises BindingError if the hardware lacks it."""
        address = getattr(ops, name)
        if address == self.ffi.NULL:
            raise BindingError(f"this hardware has no lock-free {name}")
        return address


class Compiled(Patomic):
    """Called from C; `scripts/build_compiled.py` builds that, and so does an installation that finds a compiler."""

    name = "compiled"

    def __init__(self) -> None:
        """Raises BindingError if it was not built for this interpreter."""
        try:
            self.compiled = import_module("workbuf.hardware.compiled")
        except ImportError as error:
            raise BindingError(f"the compiled binding is not built here: {error}") from error
        super().__init__()

    def bind(self, memory: mmap) -> Operations:
        """Operations on `memory` for the calling thread alone.  Raises BindingError if the hardware lacks one."""
        names = ("load", "store", "exchange", "cmpxchg_strong", "u_fetch_add")
        pointers = [*(self.address(self.words, name) for name in names), self.address(self.bytes, "or")]
        addresses = tuple(int(self.ffi.cast("uintptr_t", pointer)) for pointer in pointers)
        return Operations(*self.compiled.bind(memory, fault, addresses))


class Fast(Patomic):
    """Called through cffi."""

    name = "fast"

    def bind(self, memory: mmap) -> Operations:
        """Operations on `memory` for the calling thread alone.  Raises BindingError if the hardware lacks one."""
        ffi = self.ffi

        def function(ops: object, name: str, signature: str) -> Callable[..., Any]:
            # A fresh object for this thread.
            return cast("Callable[..., Any]", ffi.cast(signature, self.address(ops, name)))

        base = ffi.cast("uint64_t *", ffi.from_buffer(memory))
        bytes_base = ffi.cast("uint8_t *", base)
        limit = len(memory) // WORD
        end = limit * WORD
        # Scratch words: what cmpxchg expects (and overwrites with what it saw), the operand, the result.
        scratch = ffi.new("uint64_t[3]")
        words = memoryview(ffi.buffer(scratch)).cast("Q")
        expected, operand, result = scratch + 0, scratch + 1, scratch + 2
        scratch_byte = ffi.new("uint8_t[1]")
        mask_byte = memoryview(ffi.buffer(scratch_byte)).cast("B")
        word_ops, byte_ops = self.words, self.bytes
        c_load = function(word_ops, "load", "void (*)(uint64_t *, uint64_t *)")
        c_store = function(word_ops, "store", "void (*)(uint64_t *, uint64_t *)")
        c_exchange = function(word_ops, "exchange", "void (*)(uint64_t *, uint64_t *, uint64_t *)")
        c_cmpxchg = function(word_ops, "cmpxchg_strong", "_Bool (*)(uint64_t *, uint64_t *, uint64_t *)")
        c_fetch_add = function(word_ops, "u_fetch_add", "void (*)(uint64_t *, uint64_t *, uint64_t *)")
        c_or = function(byte_ops, "or", "void (*)(uint8_t *, uint8_t *)")

        def load(a: int) -> int:
            if 0 < a < limit:
                c_load(base + a, result)
                return words[2]
            fault(a * WORD)

        def store(a: int, v: int) -> None:
            if 0 < a < limit:
                words[1] = v
                c_store(base + a, operand)
            else:
                fault(a * WORD)

        def cas(a: int, old: int, new: int) -> bool:
            if 0 < a < limit:
                words[0] = old
                words[1] = new
                done: bool = c_cmpxchg(base + a, expected, operand)
                return done
            fault(a * WORD)

        def xchg(a: int, v: int) -> int:
            if 0 < a < limit:
                words[1] = v
                c_exchange(base + a, operand, result)
                return words[2]
            fault(a * WORD)

        def xadd(a: int, delta: int) -> int:
            if 0 < a < limit:
                words[1] = delta & MASK64
                c_fetch_add(base + a, operand, result)
                return words[2] + delta & MASK64
            fault(a * WORD)

        def or8(byte: int, mask: int) -> None:
            if WORD <= byte < end:
                mask_byte[0] = mask
                c_or(bytes_base + byte, scratch_byte)
            else:
                fault(byte)

        return Operations(load, store, cas, xchg, xadd, or8)


class Public:
    """The package's public classes."""

    name = "public"

    def bind(self, memory: mmap) -> Operations:
        """Operations on `memory` for the calling thread alone."""
        raw = memoryview(memory)
        limit = len(memory) // WORD * WORD

        def view(byte: int, width: int = WORD) -> atomics.AtomicUintViewContext:
            if not WORD <= byte < limit:
                fault(byte)
            return atomics.atomicview(buffer=raw[byte : byte + width], atype=atomics.UINT)

        def load(a: int) -> int:
            with view(a * WORD) as word:
                return int(word.load())

        def store(a: int, v: int) -> None:
            with view(a * WORD) as word:
                word.store(v)

        def cas(a: int, old: int, new: int) -> bool:
            with view(a * WORD) as word:
                return bool(word.cmpxchg_strong(old, new).success)

        def xchg(a: int, v: int) -> int:
            with view(a * WORD) as word:
                return int(word.exchange(v))

        def xadd(a: int, delta: int) -> int:
            with view(a * WORD) as word:
                return int(word.fetch_add(delta & MASK64)) + delta & MASK64

        def or8(byte: int, mask: int) -> None:
            with view(byte, 1) as one:
                one.bin_or(mask)

        return Operations(load, store, cas, xchg, xadd, or8)
