"""The two bindings: each against plain arithmetic, one against the other, and what a fast one that will not do leads to."""

from __future__ import annotations

from contextlib import contextmanager
from importlib.util import find_spec
from mmap import PAGESIZE, mmap
from typing import TYPE_CHECKING, Any

import atomics
import pytest
from hypothesis import given
from hypothesis import strategies as st
from loguru import logger

from workbuf.hardware import binding
from workbuf.hardware.binding import BindingError, Compiled, Fast, Operations, Public
from workbuf.hardware.selftest import VALUES, disagreement, proven, select, trials
from workbuf.machine import MASK64, WORD
from workbuf.throw import Throw


if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from pathlib import Path

    from workbuf.hardware.binding import Binding


BUILT = find_spec("workbuf.hardware.compiled") is not None
BINDINGS = [
    pytest.param(
        Compiled,
        id="compiled",
        marks=pytest.mark.skipif(
            not BUILT, reason="the compiled binding is not built here (scripts/build_compiled.py)"
        ),
    ),
    pytest.param(Fast, id="fast"),
    pytest.param(Public, id="public"),
]
WORDS = 4
"""Cells that the arithmetic below models; 0 is nil."""

values = st.integers(0, MASK64) | st.sampled_from(VALUES)
cells = st.integers(1, WORDS - 1)
steps = st.one_of(
    st.tuples(st.just("load"), cells),
    st.tuples(st.just("store"), cells, values),
    st.tuples(st.just("xchg"), cells, values),
    st.tuples(st.just("xadd"), cells, st.integers(-(1 << 63), MASK64)),
    st.tuples(st.just("cas"), cells, values | st.none(), values),
    st.tuples(st.just("or8"), st.integers(WORD, WORDS * WORD - 1), st.integers(0, 255)),
)


class Arithmetic:
    """What each operation means, on a list of ints."""

    def __init__(self) -> None:
        self.words = [0] * WORDS

    def load(self, a: int) -> int:
        """The word."""
        return self.words[a]

    def store(self, a: int, v: int) -> None:
        """Replace it."""
        self.words[a] = v

    def xchg(self, a: int, v: int) -> int:
        """Replace it and return the old one."""
        old, self.words[a] = self.words[a], v
        return old

    def xadd(self, a: int, delta: int) -> int:
        """Add and return the new one."""
        self.words[a] = (self.words[a] + delta) % (1 << 64)
        return self.words[a]

    def cas(self, a: int, old: int, new: int) -> bool:
        """Replace it if it is `old`."""
        same = self.words[a] == old
        if same:
            self.words[a] = new
        return same

    def or8(self, byte: int, mask: int) -> None:
        """Set bits of one byte."""
        self.words[byte // WORD] |= mask << byte % WORD * 8


@contextmanager
def warnings() -> Generator[list[str]]:
    """The warnings logged meanwhile."""
    seen: list[str] = []
    sink = logger.add(lambda message: seen.append(message.record["message"]), level="WARNING")
    try:
        yield seen
    finally:
        logger.remove(sink)


@pytest.mark.parametrize("make", BINDINGS)
@given(script=st.lists(steps, max_size=30))
def test_operations_do_what_their_arithmetic_says(make: Callable[[], Binding], script: list[tuple[Any, ...]]) -> None:
    """Any sequence of operations returns and leaves behind what plain integers do, wrap-around at 64 bits included."""
    memory = mmap(-1, PAGESIZE)
    operations, model = make().bind(memory), Arithmetic()
    for name, *drawn in script:
        # A cas that draws no expectation expects what is there.
        args = [model.words[drawn[0]] if arg is None else arg for arg in drawn]
        assert getattr(operations, name)(*args) == getattr(model, name)(*args)
    assert memoryview(memory).cast("Q")[:WORDS].tolist() == model.words


@pytest.mark.parametrize("make", BINDINGS)
def test_an_access_outside_the_memory_is_gos_fault(make: Callable[[], Binding]) -> None:
    """Nil, a cell beyond the end and one before the beginning are throws, and not the death of the interpreter."""
    operations = make().bind(mmap(-1, PAGESIZE))
    beyond = PAGESIZE // WORD
    calls: list[Callable[[int], object]] = [
        operations.load,
        lambda a: operations.store(a, 1),
        lambda a: operations.cas(a, 0, 1),
        lambda a: operations.xchg(a, 1),
        lambda a: operations.xadd(a, 1),
        lambda a: operations.or8(a * WORD, 1),
    ]
    for call in calls:
        for a in (0, beyond, -1, 1 << 61):
            with pytest.raises(Throw, match=f"unexpected fault address {a * WORD:#x}\nfatal error: fault"):
                call(a)


@pytest.mark.parametrize("make", BINDINGS)
def test_the_last_cell_and_its_last_byte_are_inside(make: Callable[[], Binding]) -> None:
    """The limit is the memory's, not one less."""
    memory = mmap(-1, PAGESIZE)
    last = PAGESIZE // WORD - 1
    operations = make().bind(memory)
    operations.store(last, 0)
    operations.or8(last * WORD + 7, 0x80)
    assert operations.load(last) == 1 << 63


@pytest.mark.parametrize("make", BINDINGS)
def test_the_bindings_agree(make: Callable[[], Binding]) -> None:
    """On this machine each binding gives, trial for trial, what the public classes give."""
    assert disagreement(make(), Public()) is None


def test_every_operation_is_tried() -> None:
    """No operation escapes the comparison, and cas is tried with and without success."""
    tried = {trial.operation for trial in trials()}
    assert tried == set(Operations._fields)
    assert {trial.before == trial.args[1] for trial in trials() if trial.operation == "cas"} == {True, False}


class Miswired(Fast):
    """The fast binding with the functions of one kind taken for another, as a wrong layout would have it."""

    swaps: dict[str, str]

    def __init__(self) -> None:
        super().__init__()
        self.words = Swapped(self.words, self.swaps)
        self.bytes = Swapped(self.bytes, self.swaps)


class Swapped:
    """patomic's table with some entries under wrong names."""

    def __init__(self, table: object, swaps: dict[str, str]) -> None:
        self.table = table
        self.swaps = swaps

    def __getattr__(self, name: str) -> object:
        return getattr(self.table, self.swaps.get(name, name))


@pytest.mark.parametrize(
    ("named", "taken", "operation"),
    [
        ("u_fetch_add", "u_fetch_sub", "xadd"),
        ("u_fetch_add", "fetch_xor", "xadd"),
        ("exchange", "u_fetch_add", "xchg"),
        ("exchange", "fetch_or", "xchg"),
        ("store", "xor", "store"),
        ("store", "u_add", "store"),
        ("or", "xor", "or8"),
        ("or", "and", "or8"),
    ],
)
def test_a_wrong_layout_is_refused(named: str, taken: str, operation: str) -> None:
    """A function pointer one too far shows in the first trial that can tell, and the report names the operation."""
    wrong = type("Miswired", (Miswired,), {"swaps": {named: taken}})

    with pytest.raises(BindingError, match=rf"the fast binding is wrong here: Trial\(operation='{operation}'"):
        proven(wrong)


class Altered(Fast):
    """The fast binding with one operation replaced by a broken one."""

    operation: str
    broken: Callable[[Operations, memoryview], Callable[..., object]]

    def bind(self, memory: mmap) -> Operations:
        """Replace it."""
        operations = super().bind(memory)
        words = memoryview(memory).cast("Q")
        replaced: dict[str, Any] = {self.operation: type(self).broken(operations, words)}
        return operations._replace(**replaced)


def always_stores(operations: Operations, words: memoryview) -> Callable[..., object]:
    """A cas that stores whatever is there."""
    del words

    def cas(a: int, old: int, new: int) -> bool:
        return operations.xchg(a, new) == old

    return cas


def always_succeeds(operations: Operations, words: memoryview) -> Callable[..., object]:
    """A cas that claims to have stored."""
    del words
    return lambda a, old, new: operations.cas(a, old, new) or True


def never_stores(operations: Operations, words: memoryview) -> Callable[..., object]:
    """A cas that only compares."""
    del words
    return lambda a, old, new: operations.cas(a, old, old) and new >= 0


def returns_the_old(operations: Operations, words: memoryview) -> Callable[..., object]:
    """An xadd that returns what was there before, as the hardware does."""
    del words
    return lambda a, delta: operations.xadd(a, delta) - delta & MASK64


def narrow(operations: Operations, words: memoryview) -> Callable[..., object]:
    """A store of 32 bits."""

    def store(a: int, v: int) -> None:
        operations.store(a, words[a] >> 32 << 32 | v & (1 << 32) - 1)

    return store


def whole_word(operations: Operations, words: memoryview) -> Callable[..., object]:
    """An or8 that writes its byte's word anew and forgets the others."""
    del words
    return lambda byte, mask: operations.store(byte // WORD, mask << byte % WORD * 8)


@pytest.mark.parametrize(
    ("operation", "broken"),
    [
        ("cas", always_stores),
        ("cas", always_succeeds),
        ("cas", never_stores),
        ("xadd", returns_the_old),
        ("store", narrow),
        ("or8", whole_word),
    ],
)
def test_a_broken_operation_is_refused(operation: str, broken: Callable[..., object]) -> None:
    """The comparison sees each of these faults, so a run on such a binding would go through the public classes."""
    wrong = type("Altered", (Altered,), {"operation": operation, "broken": broken})

    with warnings() as seen:
        chosen = select("fast", {"fast": wrong, "public": Public})

    assert chosen.name == "public"
    (line,) = seen
    assert f"operation='{operation}'" in line


def test_a_sound_binding_is_chosen_without_a_word() -> None:
    """Where the fast binding agrees it is used, and nothing is logged."""
    with warnings() as seen:
        assert select("auto").name == ("compiled" if BUILT else "fast")
        assert select("fast").name == "fast"
        assert select("public").name == "public"
    assert seen == []


def test_a_name_that_no_binding_has_is_refused() -> None:
    """The message says which there are."""
    with pytest.raises(ValueError, match="no binding is called 'quick': there are auto, compiled, fast, public"):
        select("quick")


@pytest.fixture
def _fresh() -> Iterator[None]:
    """The library is looked up anew, now and afterwards."""
    binding.patomic.cache_clear()
    yield
    binding.patomic.cache_clear()


@pytest.mark.usefixtures("_fresh")
def test_another_release_of_atomics_is_not_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its layout is unknown and calling it could crash, so it is not called at all."""
    monkeypatch.setattr(binding, "version", lambda _: "9.9.9")

    with warnings() as seen:
        assert select("fast", {"fast": lambda: Fast(), "public": Public}).name == "public"  # noqa: PLW0108  proven anew

    assert "atomics 9.9.9 is installed and only 1.0.3 is known" in seen[0]


@pytest.mark.usefixtures("_fresh")
@pytest.mark.parametrize(
    ("files", "says"),
    [([], "has no patomic library in it"), (["libpatomic.so"], r"libpatomic.so does not load")],
)
def test_a_missing_or_spoilt_library_is_reported(
    files: list[str], says: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A package without its library, or with one that is none, is a BindingError."""
    (tmp_path / "_clib").mkdir()
    for file in files:
        (tmp_path / "_clib" / file).write_text("no library")
    monkeypatch.setattr(atomics, "__file__", str(tmp_path / "__init__.py"))

    with pytest.raises(BindingError, match=says):
        Fast()


class Poor(Fast):
    """A hardware without one of the operations: patomic leaves a null pointer."""

    def __init__(self) -> None:
        super().__init__()
        self.words = self.ffi.new("patomic_t *")[0]


def test_hardware_without_an_operation_is_reported() -> None:
    """A null pointer is not called."""
    with pytest.raises(BindingError, match="this hardware has no lock-free load"):
        proven(Poor)
