"""persistentalloc: alignment, chunks, its throws, and the register of the buffers that it made."""

from __future__ import annotations

from itertools import chain, pairwise
from typing import TYPE_CHECKING

import pytest

from tests.machines import Look
from workbuf.getfull import Getfull
from workbuf.hardware.machine import HardwareMachine
from workbuf.lists import CACHE_LINE, MAX_BLOCK, PAGE_SIZE
from workbuf.local import MLOCAL, Globals
from workbuf.machine import WORD, Port
from workbuf.throw import Throw


if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize("align", [8 << i for i in range(11)])
def test_a_block_begins_at_a_multiple_of_its_alignment(m: Getfull, align: int) -> None:
    """For every power of 2 from a word to a page, wherever the block before it ended."""
    m.persistentalloc(24, 8)

    assert m.persistentalloc(24, align) % align == 0


def test_no_alignment_means_a_word(m: Getfull) -> None:
    """`align` 0 rounds up to 8 bytes."""
    m.persistentalloc(3, 1)

    assert m.persistentalloc(8, 0) % WORD == 0


def test_blocks_are_zeroed_and_apart(m: Getfull, look: Look) -> None:
    """No byte belongs to two blocks, whatever their sizes and alignments."""
    blocks = [(m.persistentalloc(size, align), size) for size in (8, 24, 256, 1000) for align in (8, 64, 1024)]

    blocks.sort()
    assert all(at + size <= following for (at, size), (following, _) in pairwise(blocks))
    assert {look.peek(at // WORD + i) for at, size in blocks for i in range(size // WORD)} == {0}


def test_blocks_follow_each_other_in_a_chunk(m: Getfull, look: Look) -> None:
    """The next block begins where the last one ended, rounded up; one chunk of 256 KiB is taken for both."""
    first = m.persistentalloc(24, 8)
    chunk = look.work("persistent_end")

    assert m.persistentalloc(8, 64) == (first + 24 + 63) // 64 * 64
    assert look.work("persistent_end") == chunk == first + (256 << 10)


def test_a_block_that_does_not_fit_begins_a_new_chunk(m: Getfull, look: Look) -> None:
    """The rest of the old chunk is never used again."""
    first = m.persistentalloc(8, 8)
    for _ in range(7):
        m.persistentalloc(32 << 10, 8)
    chunk = look.work("persistent_end")
    last = chunk - look.work("persistent_at")

    assert m.persistentalloc(last, 8) == chunk - last  # to the last byte
    beyond = m.persistentalloc(8, 8)

    assert not first <= beyond < chunk
    assert look.work("persistent_end") == beyond + (256 << 10)


@pytest.mark.parametrize("size", [MAX_BLOCK, MAX_BLOCK + 24])
def test_a_large_block_comes_from_the_system(m: Getfull, look: Look, size: int) -> None:
    """From 64 KiB on; the chunk is as it was."""
    m.persistentalloc(8, 8)
    before = look.work("persistent_at"), look.work("persistent_end")

    large = m.persistentalloc(size, PAGE_SIZE)

    assert large % PAGE_SIZE == 0
    assert (look.work("persistent_at"), look.work("persistent_end")) == before
    assert not large < before[1] <= large + size


def test_a_block_larger_than_the_chunk_parameter_is_still_whole(machine: HardwareMachine, port: Port) -> None:
    """A small chunk, as tests choose, grows to the block that needs it, alignment included."""
    world = Globals.allocate(machine)
    world.persistentchunk = 64
    m = Getfull(port, world, MLOCAL.allocate(machine, "m"))
    look = Look(machine, world)

    at = m.persistentalloc(4096, 2048)

    assert at % 2048 == 0
    assert at + 4096 <= look.work("persistent_end")


@pytest.mark.parametrize(
    ("size", "align", "text"),
    [
        (0, 8, "persistentalloc: size == 0"),
        (8, 3, "persistentalloc: align is not a power of 2"),
        (8, 24, "persistentalloc: align is not a power of 2"),
        (8, 2 * PAGE_SIZE, "persistentalloc: align is too large"),
    ],
)
def test_a_senseless_request_throws_and_holds_no_lock(m: Getfull, look: Look, size: int, align: int, text: str) -> None:
    """Go's three texts, with nothing printed before them; the next request is served."""
    with pytest.raises(Throw) as thrown:
        m.persistentalloc(size, align)

    assert str(thrown.value) == f"fatal error: {text}"
    assert look.work("persistent_lock") == 0
    assert m.persistentalloc(8, 8)


@pytest.mark.parametrize("size", [8, MAX_BLOCK])
def test_a_memory_that_is_used_up_throws(size: int) -> None:
    """Go's text, and before it what the machine says about it, because here the size of the memory is a choice."""
    machine = HardwareMachine(words=4 << 10)
    m = Getfull(machine.boot(), Globals.allocate(machine), MLOCAL.allocate(machine, "m"))

    with pytest.raises(Throw) as thrown:
        m.persistentalloc(size, 8)

    assert thrown.value.text == "runtime: cannot allocate memory"
    (printed,) = thrown.value.printed
    assert printed.startswith("the memory of 4096 words is used up")


def test_a_page_is_the_largest_alignment(m: Getfull) -> None:
    """8192 bytes, Go's _PageSize, is still served."""
    assert PAGE_SIZE == 8192
    assert m.persistentalloc(8, PAGE_SIZE) % PAGE_SIZE == 0


@pytest.mark.parametrize("wbufsize", [112, 256, 512, 1024, 2048, 4096])
def test_buffers_begin_on_cache_lines_and_lie_apart(machine: HardwareMachine, port: Port, wbufsize: int) -> None:
    """Also where a chunk ends between two of them; the register has every one, in order of birth."""
    world = Globals.allocate(machine, wbufsize=wbufsize)
    world.persistentchunk = 8 << 10
    m = Getfull(port, world, MLOCAL.allocate(machine, "m"))

    made = [m.newbuffer() for _ in range(40)]

    assert {b * WORD % CACHE_LINE for b in made} == {0}
    ordered = sorted(made)
    assert all(b * WORD + wbufsize <= c * WORD for b, c in pairwise(ordered))
    assert Look(machine, world).buffers() == made


def test_threads_get_blocks_of_their_own(machine: HardwareMachine, world: Globals, look: Look) -> None:
    """Four threads make buffers and blocks at once: none overlaps another and the register is complete."""
    blocks: list[list[tuple[int, int]]] = [[] for _ in range(4)]

    def body(number: int) -> Callable[[Port], None]:
        record = MLOCAL.allocate(machine, f"m{number}")

        def run(port: Port) -> None:
            m = Getfull(port, world, record)
            for size in range(8, 408, 8):
                blocks[number].append((m.newbuffer() * WORD, 256))
                blocks[number].append((m.persistentalloc(size, 8), size))

        return run

    world.persistentchunk = 4 << 10
    for number in range(4):
        machine.spawn(body(number), f"m{number}")
    machine.run()

    ordered = sorted(chain(*blocks))
    assert len(ordered) == 400
    assert all(at + size <= following for (at, size), (following, _) in pairwise(ordered))
    assert sorted(look.buffers()) == sorted(at // WORD for made in blocks for at, _ in made[::2])
    assert look.work("nbuffers") == 200
    assert look.work("persistent_lock") == 0
