"""The lock-free stack: Go's own two tests, its packing, and what the push count is for.  Vector W17.

Go's TestLFStackStress runs 4 goroutines a processor for 100,000 turns each, 10,000 with -short, over 100 nodes.  All
numbers are Go's here, for up to 4 processors; only through the atomics package's public classes, which cost fifty times
as much and more, there are `TURNS_PUBLIC` turns, a thousandth.
"""

from __future__ import annotations

import os
import random
from typing import TYPE_CHECKING

import pytest

from tests.machines import Interposed, Look
from workbuf.hardware.machine import HardwareMachine
from workbuf.lfstack import CNT_BITS, PUSHCNT, Lfstack, pack, unpack
from workbuf.local import MLOCAL, Globals
from workbuf.throw import Throw


if TYPE_CHECKING:
    from collections.abc import Callable

    from workbuf.getfull import Getfull
    from workbuf.machine import Port


K = 100
"""Nodes, as in Go."""
TURNS = 100_000
TURNS_PUBLIC = 100

DATA = 2
"""Offset of a test node's payload, behind the two words of the stack's own."""


def test_w17_packing() -> None:
    """W17: The address takes the upper 48 bits, less its three zero bits, and the count the lower 19."""
    assert CNT_BITS == 19
    assert pack(0x7F0012345678, 5) == 0x7F00123456780005
    assert pack(0x7F0012345678, (1 << 19) + 5) == 0x7F00123456780005
    assert unpack(0x7F00123456780005) == 0x7F0012345678


@pytest.mark.parametrize("node", [0, 8, 0x7FFFFFFFFFF8, 0xFFFF800000000000, 0xFFFFFFFFFFFFFFF8])
@pytest.mark.parametrize("cnt", [0, 1, (1 << 19) - 1])
def test_canonical_addresses_survive_packing(node: int, cnt: int) -> None:
    """Every multiple of 8 of 48 bits, those of the upper half with their sign, whatever the count."""
    word = pack(node, cnt)

    assert unpack(word) == node
    assert word % (1 << 19) == cnt
    assert 0 <= word < 1 << 64


@pytest.mark.parametrize("node", [1 << 47, 1 << 48, 1 << 56, 0x7F0012345678 | 1 << 52, 0x7F001234567C])
def test_other_addresses_do_not(node: int) -> None:
    """One that is not canonical, or not a multiple of 8, comes back as another."""
    assert unpack(pack(node, 0)) != node


@pytest.mark.parametrize("cntbits", range(20))
def test_a_narrower_count_leaves_the_address_alone(cntbits: int) -> None:
    """With `cntbits` bits, none included, only those bits of the count are in the word."""
    word = pack(0x7F0012345678, 0x7FFFF, cntbits)

    assert unpack(word) == 0x7F0012345678
    assert word % (1 << 19) == (1 << cntbits) - 1


def test_lfstack(machine: HardwareMachine, m: Getfull) -> None:
    """Go's TestLFStack: empty, two pushes, two pops in the opposite order, empty, and the head word is 0."""
    stack = machine.word(0, "stack")
    first, second = nodes(machine, (42, 43))

    assert m.lfstackpop(stack) == 0

    m.lfstackpush(stack, first)
    m.lfstackpush(stack, second)

    node = m.lfstackpop(stack)
    assert (node, machine.peek(node + DATA)) == (second, 43)

    node = m.lfstackpop(stack)
    assert (node, machine.peek(node + DATA)) == (first, 42)

    assert m.lfstackpop(stack) == 0
    assert machine.peek(stack) == 0


def test_lfstack_stress(machine: HardwareMachine, world: Globals, look: Look, seed: int) -> None:
    """Go's TestLFStackStress: threads pop from and push to either of two stacks at random; every node is still there."""
    stress(machine, world, look, seed, TURNS)


def test_lfstack_stress_on_the_public_classes(seed: int) -> None:
    """The same through the atomics package's public classes."""
    machine = HardwareMachine(words=1 << 16, binding="public")
    world = Globals.allocate(machine)
    stress(machine, world, Look(machine, world), seed, TURNS_PUBLIC)


def test_an_empty_stack_is_a_zero_word_whatever_came_and_went(machine: HardwareMachine, m: Getfull) -> None:
    """The last pop installs the 0 that the first push found, with no count left over."""
    stack = machine.word(0, "stack")
    (node,) = nodes(machine, (42,))

    for _ in range(5):
        m.lfstackpush(stack, node)
        assert machine.peek(stack) != 0
        assert m.lfstackpop(stack) == node
        assert machine.peek(stack) == 0


def test_a_popped_node_keeps_its_count_and_its_next(machine: HardwareMachine, m: Getfull) -> None:
    """The count must go on rising, and `next` is stale, not cleared: a slow popper may still be reading it."""
    stack = machine.word(0, "stack")
    below, node = nodes(machine, (42, 43))
    m.lfstackpush(stack, below)
    packed = machine.peek(stack)
    m.lfstackpush(stack, node)

    assert m.lfstackpop(stack) == node

    assert machine.peek(node) == packed
    assert machine.peek(node + PUSHCNT) == 1


def test_a_pop_brings_back_the_head_that_the_push_found(machine: HardwareMachine, m: Getfull) -> None:
    """Address and count: `next` is the packed word, or the node below would lose its count and be open to ABA."""
    stack = machine.word(0, "stack")
    below, node = nodes(machine, (42, 43))
    machine.poke(below + PUSHCNT, 6)
    m.lfstackpush(stack, below)
    m.lfstackpush(stack, node)

    m.lfstackpop(stack)

    assert machine.peek(stack) == pack(8 * below, 7)


def test_the_count_wraps_after_19_bits(machine: HardwareMachine, m: Getfull, look: Look) -> None:
    """The node's own counter is a whole word and goes on; in the head it comes round to the same word."""
    stack = machine.word(0, "stack")
    (node,) = nodes(machine, (42,))
    words = []
    for count in (4, (1 << 19) - 1, (1 << 19) + 4):
        machine.poke(node + PUSHCNT, count)
        m.lfstackpush(stack, node)
        words.append(machine.peek(stack))
        assert machine.peek(node + PUSHCNT) == count + 1
        assert look.walk(stack) == [node]
        assert m.lfstackpop(stack) == node

    assert [word % (1 << 19) for word in words] == [5, 0, 5]
    assert words[0] == words[2] == pack(8 * node, 5)


def test_a_node_out_of_reach_throws(world: Globals, port: Port) -> None:
    """A wider address than 48 bits cannot be packed: Go's diagnostic line, Go's text, and the stack is not touched."""
    node = 1 << 48  # a cell, so that the address is 1 << 51
    m = Lfstack(Elsewhere({node + PUSHCNT: 4}, port), world, world.work)  # type: ignore[arg-type]

    with pytest.raises(Throw) as thrown:
        m.lfstackpush(world.work, node)

    assert str(thrown.value) == (
        "runtime: lfstackpush invalid packing: node= 0x8000000000000 cnt= 0x5 packed= 0x5 -> node= 0x0\n"
        "fatal error: lfstackpush"
    )
    assert port.load(world.work) == 0


class Elsewhere:
    """A port onto cells that the machine does not have; its atomics are another port's."""

    def __init__(self, words: dict[int, int], port: Port) -> None:
        self.words = words
        self.post = port.post
        self.load = port.load
        self.cas = port.cas


@pytest.mark.parametrize(("cntbits", "pushes"), [(0, 1), (0, 2), (1, 2), (2, 4), (3, 8), (19, 1 << 19)])
def test_aba_when_the_count_comes_round(machine: HardwareMachine, port: Port, cntbits: int, pushes: int) -> None:
    """Between a pop's load of `next` and its swap the top and its neighbour go and the top comes back with its count.

    The pop then succeeds on a stale `next` and installs the neighbour, which somebody owns: in two places at once (O-23).
    """
    (stack, a, b), got = pop_across(machine, port, cntbits, pushes)

    assert got == a
    assert machine.peek(stack) >> 19 == b


@pytest.mark.parametrize(("cntbits", "pushes"), [(1, 1), (1, 3), (2, 3), (3, 7), (19, 1), (19, 2), (19, (1 << 19) - 1)])
def test_no_aba_while_the_count_has_not_come_round(
    machine: HardwareMachine, port: Port, cntbits: int, pushes: int
) -> None:
    """The address in the head is the same and the count is not: the compare-and-swap fails and the pop starts again."""
    (stack, a, _), got = pop_across(machine, port, cntbits, pushes)

    assert got == a
    assert machine.peek(stack) == 0


def test_a_failed_attempt_is_counted(machine: HardwareMachine, world: Globals, port: Port) -> None:
    """`cas_attempts` and `cas_failures` are this M's own, for push and for pop."""
    stack = machine.word(0, "stack")
    a, b, c = nodes(machine, (1, 2, 3))
    other = Lfstack(port, world, MLOCAL.allocate(machine, "other"))
    meddled = Interposed(port, stack, lambda: other.lfstackpush(stack, b))
    m = Lfstack(meddled, world, MLOCAL.allocate(machine, "m"))

    m.lfstackpush(stack, a)
    assert (m.cas_attempts, m.cas_failures) == (2, 1)

    meddled.meanwhile = lambda: other.lfstackpush(stack, c)
    assert m.lfstackpop(stack) == c
    assert (m.cas_attempts, m.cas_failures) == (4, 2)
    assert (other.cas_attempts, other.cas_failures) == (2, 0)


def stress(machine: HardwareMachine, world: Globals, look: Look, seed: int, turns: int) -> None:
    """TestLFStackStress with `turns` turns for each of 4 threads a processor, of 4 processors at most."""
    stacks = machine.word(0, "stack0"), machine.word(0, "stack1")
    filler = Lfstack(machine.boot(), world, MLOCAL.allocate(machine, "filler"))
    for i, node in enumerate(nodes(machine, range(K))):
        filler.lfstackpush(stacks[i % 2], node)
    assert {len(look.walk(stack)) for stack in stacks} == {K // 2}

    attempts: list[int] = []
    threads = 4 * min(os.cpu_count() or 1, 4)
    for number in range(threads):
        machine.spawn(stresser(world, MLOCAL.allocate(machine, f"m{number}"), stacks, seed + number, turns, attempts))
    machine.run()

    left = [machine.peek(node + DATA) for stack in stacks for node in look.walk(stack)]
    assert len(left) == K
    assert sum(left) == K * (K - 1) // 2
    assert sorted(left) == list(range(K))
    assert sum(attempts) >= threads * turns  # a pop that finds nothing attempts nothing, but few of them do


def stresser(
    world: Globals, record: int, stacks: tuple[int, int], seed: int, turns: int, attempts: list[int]
) -> Callable[[Port], None]:
    """The body of one of the threads: pop from one stack at random, push what came to one at random."""

    def body(port: Port) -> None:
        m = Lfstack(port, world, record)
        bits = random.Random(seed).getrandbits
        for _ in range(turns):
            node = m.lfstackpop(stacks[bits(1)])
            if node:
                m.lfstackpush(stacks[bits(1)], node)
        attempts.append(m.cas_attempts)

    return body


def pop_across(machine: HardwareMachine, port: Port, cntbits: int, pushes: int) -> tuple[tuple[int, int, int], int]:
    """Pop from a stack of a over b while another M pops both and pushes a `pushes` times; the stack, a, b and what came."""
    world = Globals.allocate(machine, countbits=cntbits)
    stack = machine.word(0, "stack")
    a, b = nodes(machine, (1, 2))
    other = Lfstack(port, world, MLOCAL.allocate(machine, "other"))
    other.lfstackpush(stack, b)
    other.lfstackpush(stack, a)

    def meanwhile() -> None:
        assert other.lfstackpop(stack) == a
        assert other.lfstackpop(stack) == b
        machine.poke(a + PUSHCNT, machine.peek(a + PUSHCNT) + pushes - 1)  # all the pushes but the last, and their pops
        other.lfstackpush(stack, a)

    m = Lfstack(Interposed(port, a, meanwhile), world, MLOCAL.allocate(machine, "m"))
    return (stack, a, b), m.lfstackpop(stack)


def nodes(machine: HardwareMachine, data: range | tuple[int, ...]) -> list[int]:
    """Nodes with a payload each."""
    made = []
    for value in data:
        node = machine.alloc(3, f"node{value}", ("next", "pushcnt", "data"))
        machine.poke(node + DATA, value)
        made.append(node)
    return made
