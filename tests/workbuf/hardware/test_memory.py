"""The mapping: sizes, alignment, exhaustion, and a system that gives less than it is asked for."""

from __future__ import annotations

import mmap
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from workbuf.hardware.memory import LEAST, RESERVED, Memory, reserve
from workbuf.machine import WORD


if TYPE_CHECKING:
    from typing import Self


def test_cell_0_is_never_handed_out() -> None:
    """It is nil."""
    assert Memory(8).take(1) == 1


def test_blocks_lie_one_behind_the_other_at_the_multiples_asked_for() -> None:
    """Nothing overlaps, and what alignment skips is skipped once."""
    memory = Memory(64)

    taken = [memory.take(3), memory.take(2, 8), memory.take(0), memory.take(5, 3), memory.take(1, 16)]

    assert taken == [1, 8, 10, 12, 32]


def test_a_memory_can_be_used_to_its_last_word_and_no_further() -> None:
    """The message says how large it is, what was wanted and what to do; what was refused can be asked for smaller."""
    memory = Memory(8)
    memory.take(4)

    with pytest.raises(MemoryError, match=r"memory of 8 words is used up: 4 more do not fit .* more words"):
        memory.take(4)
    assert memory.take(3) == 5
    with pytest.raises(MemoryError):
        memory.take(1)


def test_alignment_counts_towards_exhaustion() -> None:
    """A block that would fit but for its alignment does not fit."""
    memory = Memory(20)
    memory.take(9)

    with pytest.raises(MemoryError):
        memory.take(5, 16)


def test_fresh_memory_is_zero() -> None:
    """All of it, as Go's sysAlloc has it."""
    assert memoryview(Memory(4096).map).cast("Q").tolist() == [0] * 4096


@pytest.mark.parametrize("words", [0, -1])
def test_a_size_that_cannot_be_meant_is_refused(words: int) -> None:
    """No memory is no memory."""
    with pytest.raises(ValueError, match=f"a memory of {words} words: give at least 1"):
        Memory(words)


@pytest.mark.parametrize(("n", "align"), [(-1, 1), (1, 0)])
def test_blocks_of_senseless_sizes_are_refused(n: int, align: int) -> None:
    """A cursor never moves back."""
    with pytest.raises(ValueError, match=f"{n} cells at a multiple of {align}"):
        Memory(8).take(n, align)


def test_a_size_beyond_the_address_space_is_refused_by_the_system() -> None:
    """An explicit size is given or refused, never reduced."""
    with pytest.raises(MemoryError, match=f"the system refuses a memory of {1 << 60} bytes"):
        Memory((1 << 60) // WORD)


def test_a_stingy_system_is_asked_for_half_until_it_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    """And gives up at the least that makes sense."""
    asked = []

    class Stingy(mmap.mmap):
        def __new__(cls, fileno: int, length: int, **_: int) -> Self:
            asked.append(length)
            if length > 1 << 14:
                raise OSError("no")
            return super().__new__(cls, fileno, length)

    monkeypatch.setattr(mmap, "mmap", Stingy)

    assert len(reserve(1 << 16, 1 << 13)) == 1 << 14
    assert asked == [1 << 16, 1 << 15, 1 << 14]
    with pytest.raises(MemoryError, match=f"refuses a memory of {1 << 15} bytes: no"):
        reserve(1 << 16, 1 << 15)


@pytest.mark.skipif(sys.platform != "linux", reason="the limit on address space is Linux's")
def test_a_limit_on_address_space_leaves_a_smaller_memory() -> None:
    """Under `ulimit -v` the default is less than 4 GiB instead of a failure."""
    program = (
        "import resource\n"
        f"resource.setrlimit(resource.RLIMIT_AS, ({RESERVED}, {RESERVED}))\n"
        "from workbuf.hardware.memory import Memory\n"
        "print(Memory().words)\n"
    )

    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

    assert ended.stderr == ""
    assert LEAST <= int(ended.stdout) * WORD < RESERVED
