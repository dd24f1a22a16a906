"""Real threads, random list operations: at the end every buffer is in exactly one place.  I1, I2 and I3.

Four Ms take, fill, drain, put, cache and hand over buffers with no regard to phases.  Each ends with nothing in its hands
and perhaps something in its cache; then the lists are walked from outside.  No entry may have been lost or doubled either:
every one appended is drained by somebody or still in a buffer.
"""

from __future__ import annotations

import random
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.machines import Look
from workbuf.buffer import INUSE, NOBJ, OBJ
from workbuf.getfull import Getfull
from workbuf.hardware.machine import HardwareMachine
from workbuf.local import MLOCAL, Globals
from workbuf.throw import Throw


if TYPE_CHECKING:
    from workbuf.machine import Port


MS = 4
STEPS = {"auto": 5000, "fast": 5000, "public": 250}
"""Operations of each M; one through the public classes costs as much as twenty through the fast binding."""

TRIES = 100
"""Runs within which threads must meet: the first in which they do is the last."""
JITTER = 0.1
"""Share of the atomics before which a thread dawdles: an entry in five is then drained by another M than appended it."""


class Wanderer(Getfull):
    """An M that does `steps` operations at random and remembers which entries it appended and drained."""

    def __init__(self, port: Port, world: Globals, record: int, seed: int) -> None:
        super().__init__(port, world, record)
        self.random = random.Random(f"{seed} {port.index}")
        self.hands: list[int] = []
        self.appended: list[int] = []
        self.drained: list[int] = []

    def wander(self, steps: int) -> None:
        """Operate, and end with empty hands."""
        for _ in range(steps):
            self.random.choice((self.get, self.put, self.refill, self.swap, self.share))()
        while self.hands:
            self.put()

    def get(self) -> None:
        """By any way that gives a buffer without waiting; three in hand are enough.

        Mostly by trygetfull, which makes no new ones: few buffers wander more than many.
        """
        if len(self.hands) < 3:
            draw = self.random.random()
            b = (
                self.trygetfull(545)
                if draw < 0.8
                else self.getpartialorempty(460)
                if draw < 0.9
                else self.getempty(359)
            )
            if b:
                self.hands.append(b)

    def put(self) -> None:
        """By a way that its filling allows."""
        if self.hands:
            b = self.hands.pop(self.random.randrange(len(self.hands)))
            if self.random.random() < 0.4:
                self.putpartial(b, 670)
            elif self.port.words[b + NOBJ]:
                self.putfull(b, 358)
            else:
                self.putempty(b, 496)

    def refill(self) -> None:
        """Drain some entries and append others."""
        if self.hands:
            b = self.random.choice(self.hands)
            words = self.port.words
            held, wanted = words[b + NOBJ], self.random.choice((0, 1, 7, self.len_obj - 1, self.len_obj))
            for i in range(wanted, held):
                self.drained.append(words[b + OBJ + i])
            for i in range(held, wanted):
                task = (self.port.index + 1) << 32 | len(self.appended)
                words[b + OBJ + i] = task
                self.appended.append(task)
            words[b + NOBJ] = wanted

    def swap(self) -> None:
        """What is cached comes into the hand, what is in the hand into the cache."""
        b = self.takecached()
        if self.hands:
            assert self.cache(self.hands.pop()) == 0
        if b:
            self.hands.append(b)

    def share(self) -> None:
        """Hand half of a buffer over."""
        if self.hands and self.port.words[self.hands[-1] + NOBJ] > 4:
            self.hands.append(self.handoff(self.hands.pop()))


def wandered(
    machine: HardwareMachine, cls: type[Wanderer], seed: int, steps: int
) -> tuple[Look, list[int], list[Wanderer]]:
    """Run four Ms; the reader, the Ms' records and the Ms."""
    world = Globals.allocate(machine)
    records = [MLOCAL.allocate(machine, f"m{i}") for i in range(MS)]
    ms: list[Wanderer] = []

    def body(port: Port) -> None:
        m = cls(port, world, records[port.index], seed)
        ms.append(m)
        m.wander(steps)

    for i in range(MS):
        machine.spawn(body, f"m{i}")
    machine.run()
    return Look(machine, world), records, ms


@pytest.mark.race
@pytest.mark.parametrize("binding", STEPS)
def test_every_buffer_ends_in_exactly_one_place(binding: str, seed: int) -> None:
    """On a list with the filling that it asks for and not in use, or cached and in use; nowhere else."""
    machine = HardwareMachine(words=1 << 20, binding=binding, seed=seed, jitter=JITTER)

    look, records, ms = wandered(machine, Wanderer, seed, STEPS[binding])

    assert look.problems([], records) == []
    assert sum(map(len, look.lists().values())) + sum(1 for record in records if look.cache(record)) == len(
        look.buffers()
    )
    assert look.work("nbuffers") == len(look.buffers())
    left = [entry for b in look.buffers() for entry in look.entries(b)]
    assert Counter(left + [entry for m in ms for entry in m.drained]) == Counter(
        entry for m in ms for entry in m.appended
    )


@pytest.mark.race
def test_entries_do_wander_from_m_to_m(seed: int) -> None:
    """The stress is one: others drain what an M appended, and compare-and-swaps on the heads do fail."""
    for number in range(seed, seed + TRIES):
        _, _, ms = wandered(HardwareMachine(words=1 << 20, seed=number, jitter=JITTER), Wanderer, number, STEPS["fast"])
        foreign = [task for m in ms for task in m.drained if task >> 32 != m.port.index + 1]
        share = len(foreign) / sum(len(m.drained) for m in ms)
        failures = sum(m.cas_failures for m in ms)
        if share > 0.01 and failures > 0:
            break

    assert share > 0.01
    assert failures > 0


class Drops(Wanderer):
    """putfull that forgets to push."""

    def putfull(self, b: int, entry: int) -> None:
        self.checknonempty(b)
        self.logput(b, entry)


class PutsTwice(Wanderer):
    """putfull that pushes twice."""

    def putfull(self, b: int, entry: int) -> None:
        super().putfull(b, entry)
        self.lfstackpush(self.work_full, b)


def found(cls: type[Wanderer], machine: HardwareMachine, seed: int, steps: int) -> list[str]:
    """What a run of this class ends with: the throw, or what the walk finds."""
    try:
        look, records, _ = wandered(machine, cls, seed, steps)
    except Throw as throw:
        return [throw.text]
    return look.problems([], records)


@pytest.mark.race
def test_a_dropped_buffer_is_found(seed: int) -> None:
    """The planted fault: such a buffer is in no place at all."""
    problems = found(Drops, HardwareMachine(words=1 << 20, seed=seed, jitter=JITTER), seed, 300)

    assert problems
    assert all(problem.endswith("is in 0 places") for problem in problems)


@pytest.mark.race
def test_a_buffer_put_twice_is_found(seed: int) -> None:
    """The planted fault: the second taker's logget sees it in use, or the walk meets it again."""
    machines = (HardwareMachine(words=1 << 20, seed=seed + number, jitter=JITTER) for number in range(TRIES))

    assert any(found(PutsTwice, machine, seed, 300) for machine in machines)


def test_the_walk_ends_on_a_list_that_a_double_push_closed(
    machine: HardwareMachine, world: Globals, look: Look
) -> None:
    """A node pushed twice in a row points to itself; the reader sees it in two places and stops."""
    m = PutsTwice(machine.boot(), world, MLOCAL.allocate(machine, "m"), seed=0)
    b = m.getempty(359)
    look.fill(b, [7])

    m.putfull(b, 358)

    assert look.listed("full") == [b, b]
    assert look.problems([], [m.record]) == [f"I1: buffer {b} is in 2 places"]


def test_each_kind_of_misplacement_has_its_line(m: Getfull, look: Look) -> None:
    """Nowhere, twice, wrongly filled, owned and not in use, listed and in use, never made."""
    nowhere, twice, overfull, unused, used = (m.getempty(359) for _ in range(5))
    look.fill(overfull, range(23))
    m.logput(overfull, 670)
    m.lfstackpush(m.work_partial, overfull)
    m.logput(unused, 1)
    m.putempty(used, 496)
    m.logget(used, 1)
    stranger = look.machine.alloc(32, "stranger")
    look.machine.poke(stranger + INUSE, 1)
    m.logput(twice, 1)
    m.cache(twice)
    m.lfstackpush(m.work_empty, twice)

    assert sorted(look.problems([unused, stranger], [m.record])) == sorted(
        [
            f"I1: buffer {nowhere} is in 0 places",
            f"I1: buffer {twice} is in 2 places",
            f"I1: buffer {stranger} was never made",
            f"I2: buffer {overfull} on partial holds 23",
            f"I3: buffer {twice} is owned and not in use",
            f"I3: buffer {unused} is owned and not in use",
            f"I3: buffer {used} is listed and in use",
        ]
    )
