"""getfull and handoff on real threads: participants drain a pool of tasks that make tasks, and nobody ends early.

A task is a number whose children follow from it by a rule, so the tasks of a run are known before it runs.  A count of
the tasks that exist and are not done is kept in the memory; whoever is told by getfull that all is done looks at it
there and then (O-24, I10).

Counting out after the pop (O-24's fault) is planted here as well: where it was measured it ended a third of the runs of
the long list early, or more, so `ROUNDS` of them do not miss it, on whatever machine.  test_getfull.py plants it where the
interleaving is certain.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from collector.scenarios.latedecrement import LateDecrement
from tests.machines import Look
from workbuf.buffer import NOBJ, OBJ
from workbuf.getfull import Getfull
from workbuf.hardware.machine import HardwareMachine
from workbuf.local import MLOCAL, WORK, Globals
from workbuf.machine import MASK64, Pause, Port
from workbuf.throw import Throw


DEPTH = 12
GENERATIONS = 4000
JITTER = 0.3
"""Share of the atomics before which a thread dawdles."""
ROUNDS = 1000
"""Runs within which threads must meet: the first in which they do is the last."""

Rule = Callable[[int], list[int]]


def bushy(task: int) -> list[int]:
    """0 to 3 children, 1.5 on average, down to a depth of `DEPTH`; the low byte of a task is its depth."""
    depth = task & 0xFF
    count = (task >> 40) % 4 if depth < DEPTH else 0
    return [child(task, i) | depth + 1 for i in range(count)]


def long_list(task: int) -> list[int]:
    """One child, generation after generation, and fifty tasks at once in every hundredth."""
    generation = task & 0xFFFF
    if generation == GENERATIONS:
        return []
    extra = 50 if generation % 100 == 50 else 0
    return [generation + 1, *(GENERATIONS | i << 16 for i in range(1, extra))]


def child(task: int, i: int) -> int:
    """The upper bits of a task's child number `i`."""
    return (task * 0x5851F42D4C957F2D + (i + 1) * 0x14057B7EF767814F) & MASK64 & ~0xFF


def count(roots: list[int], rule: Rule) -> int:
    """How many tasks there will have been."""
    left, done = list(roots), 0
    while left:
        left += rule(left.pop())
        done += 1
    return done


class Participant(Getfull):
    """An M that drains as drainworkbuf does."""

    def __init__(self, port: Port, world: Globals, record: int, outstanding: int) -> None:
        super().__init__(port, world, record)
        self.outstanding = outstanding
        self.done = 0
        self.left_at_end = -1

    def append(self, b: int, task: int) -> int:
        """Add a task to `b`, or to the buffer that takes its place when it is full."""
        words = self.port.words
        if words[b + NOBJ] == self.len_obj:
            self.putfull(b, 358)
            b = self.getempty(359)
        words[b + OBJ + words[b + NOBJ]] = task
        words[b + NOBJ] += 1
        return b

    def drain(self, b: int, rule: Rule) -> None:
        """Do tasks until getfull says that there are none, and note how many there were all the same."""
        words = self.port.words
        while True:
            if words[b + NOBJ] == 0:
                self.putempty(b, 496)
                b = self.getfull(504)
                if not b:
                    self.left_at_end = self.port.load(self.outstanding)
                    return
            if self.wanted(b):
                b = self.handoff(b)
            words[b + NOBJ] -= 1
            children = rule(words[b + OBJ + words[b + NOBJ]])
            self.port.xadd(self.outstanding, len(children) - 1)
            for task in children:
                b = self.append(b, task)
            self.done += 1


def drained(
    machine: HardwareMachine, nproc: int, roots: list[int], rule: Rule, cls: type[Participant] = Participant
) -> tuple[Look, list[int], list[Participant]]:
    """Run `nproc` participants, the first of which begins with all the roots; the reader, the records, the participants."""
    world = Globals.allocate(machine)
    outstanding = machine.word(len(roots), "outstanding")
    machine.poke(world.work + WORK.nproc, nproc)
    records = [MLOCAL.allocate(machine, f"m{i}") for i in range(nproc)]
    participants: list[Participant] = []

    def body(port: Port) -> None:
        m = cls(port, world, records[port.index], outstanding)
        participants.append(m)
        b = m.getempty(359)
        for root in roots if port.index == 0 else ():
            b = m.append(b, root)
        m.drain(b, rule)

    for i in range(nproc):
        machine.spawn(body, f"m{i}")
    machine.run()
    return Look(machine, world), records, participants


@pytest.mark.race
@pytest.mark.parametrize("rule", [bushy, long_list])
@pytest.mark.parametrize("nproc", [1, 2, 3, 4])
def test_all_tasks_are_done_when_the_first_is_told_so(nproc: int, rule: Rule, seed: int) -> None:
    """Every participant ends, each sees no task outstanding at that moment, and the total is the rule's."""
    roots = [child(seed, i) for i in range(30)] if rule is bushy else [0]
    machine = HardwareMachine(words=1 << 20, seed=seed, jitter=JITTER)

    look, records, participants = drained(machine, nproc, roots, rule)

    check(look, records, participants, nproc, count(roots, rule))


@pytest.mark.race
def test_all_tasks_are_done_through_the_public_classes(seed: int) -> None:
    """The same with the atomics package's own classes."""
    roots = [child(seed, i) for i in range(4)]
    machine = HardwareMachine(words=1 << 18, seed=seed, binding="public")

    look, records, participants = drained(machine, 2, roots, bushy)

    check(look, records, participants, 2, count(roots, bushy))


def check(look: Look, records: list[int], participants: list[Participant], nproc: int, total: int) -> None:
    """The barrier's promise, and I1 to I3 after it."""
    assert [m.left_at_end for m in participants] == [0] * nproc
    assert sum(m.done for m in participants) == total
    assert look.work("nwait") == nproc
    assert look.listed("full") == look.listed("partial") == []
    assert look.problems([], records) == []


@pytest.mark.race
def test_w12_a_participant_that_dies_ends_the_wait_of_the_others(machine: HardwareMachine, world: Globals) -> None:
    """W12: Three wait for a fourth that throws instead of coming: the run ends with its throw and nobody waits on."""
    nwait = world.work + WORK.nwait
    machine.poke(world.work + WORK.nproc, 4)
    records = [MLOCAL.allocate(machine, f"m{i}") for i in range(4)]

    def waits(port: Port) -> None:
        Getfull(port, world, records[port.index]).getfull(504)

    def dies(port: Port) -> None:
        while port.hint(nwait) != 3:
            port.pause(Pause.OSYIELD, 1)
        raise Throw("found bad pointer in Go heap")

    for body in (waits, waits, waits, dies):
        machine.spawn(body)

    with pytest.raises(Throw, match="found bad pointer in Go heap"):
        machine.run()

    assert machine.peek(nwait) == 3


@pytest.mark.race
def test_the_pool_makes_them_wait_and_hand_over(seed: int) -> None:
    """The stress is one: who has nothing waits, and who has much gives half of it away."""
    statistics: Counter[str] = Counter()
    for number in range(ROUNDS):
        machine = HardwareMachine(words=1 << 20, seed=seed + number, jitter=JITTER)
        look, records, _ = drained(machine, 2, [0], long_list)
        for record in records:
            statistics.update({field: look.peek(record + MLOCAL.offsets[field]) for field in MLOCAL.fields[1:]})
        if statistics["nprocyield"] and statistics["nhandoff"]:
            break

    assert statistics["nprocyield"] > 0
    assert statistics["nhandoff"] > 0
    assert statistics["nhandoffcnt"] >= 2 * statistics["nhandoff"]


class PopsFirst(LateDecrement, Participant):
    """Counts itself out when it has the buffer in its hand already."""


@pytest.mark.race
def test_counting_out_after_the_pop_ends_early_before_long(seed: int) -> None:
    """The planted fault: in some round a participant is told that all is done while tasks are outstanding."""
    left = 0
    for number in range(ROUNDS):
        machine = HardwareMachine(words=1 << 20, seed=seed + number, jitter=JITTER)
        _, _, participants = drained(machine, 2, [0], long_list, PopsFirst)
        left = max(m.left_at_end for m in participants)
        if left:
            break

    assert left > 0
