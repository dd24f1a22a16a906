"""The list operations against a model of plain Python lists, under random sequences from several Ms on one thread.

Theory of operation.  The model is the list operations written a second time, over Python lists and with no memory: a
buffer is its entries, its history and whether it is in use.  Hypothesis draws operations, legal and illegal; after each
one all three lists, in order, every cache, history and entry must agree, and I1, I2 and I3 hold by the outside reader.
Illegal operations must throw Go's text and change nothing else than W2 to W6 say.

That the comparison can fail is tested too: four wrong subclasses, each found.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from tests.machines import Look
from workbuf.buffer import INUSE, NOBJ
from workbuf.getfull import Getfull
from workbuf.hardware.machine import HardwareMachine
from workbuf.local import MLOCAL, Globals
from workbuf.machine import WORD
from workbuf.throw import Throw


if TYPE_CHECKING:
    from collections.abc import Callable


MS = 2
ROOM = 23

LIST = st.sampled_from(["empty", "partial", "full"])
M = st.integers(0, MS - 1)
PICK = st.integers(0, 99)
TIMES = st.sampled_from([1, 30])
HELD = st.sampled_from([0, ROOM, 1, ROOM - 1, 5, 0])


@dataclass
class Model:
    """A buffer without memory."""

    entries: list[int] = field(default_factory=list)
    log: list[int] = field(default_factory=lambda: [0, 0, 0, 0])
    inuse: bool = False

    def shift(self, entry: int, *, inuse: bool) -> None:
        """Logget or logput."""
        self.log = [entry, *self.log[:3]]
        self.inuse = inuse


class Operations(RuleBasedStateMachine):
    """Random operations.  A buffer in the model is named by its cell; the lists have the top at their end."""

    protocol = Getfull

    def __init__(self) -> None:
        super().__init__()
        machine = HardwareMachine(words=1 << 18)
        world = Globals.allocate(machine)
        world.persistentchunk = 4 << 10
        self.records = [MLOCAL.allocate(machine, f"m{i}") for i in range(MS)]
        self.ms = [self.protocol(machine.boot(), world, record) for record in self.records]
        self.look = Look(machine, world)
        self.poke = machine.poke
        self.buffers: dict[int, Model] = {}
        self.lists: dict[str, list[int]] = {"empty": [], "partial": [], "full": []}
        self.hands: list[int] = []
        self.caches = [0] * MS
        self.handoffs = [0] * MS
        self.tasks = 0

    # What Go's functions do, over the model.

    def model_get(self, b: int, entry: int) -> None:
        """`b` has come off the list it is on, or is new."""
        for listed in self.lists.values():
            if b in listed:
                listed.remove(b)
        self.buffers.setdefault(b, Model()).shift(entry, inuse=True)
        self.hands.append(b)

    def model_put(self, b: int, entry: int, list_: str) -> None:
        self.hands.remove(b)
        self.buffers[b].shift(entry, inuse=False)
        self.lists[list_].append(b)

    def expected(self, *lists: str) -> int:
        """The top of the first of the lists that has one."""
        return next((self.lists[name][-1] for name in lists if self.lists[name]), 0)

    def took(self, b: int, entry: int, *lists: str) -> None:
        """`b` is what a get from these lists returned; without one there it must be new."""
        expected = self.expected(*lists)
        assert b == expected if expected else b not in self.buffers
        self.model_get(b, entry)

    def own(self, m: int, pick: int, held: int) -> int:
        """A buffer in a hand, got for the purpose if there is none, that by now holds so many entries."""
        if not self.hands:
            self.getempty(m)
        b = self.hands[pick % len(self.hands)]
        entries = self.buffers[b].entries
        del entries[held:]
        while len(entries) < held:
            self.tasks += 1
            entries.append(self.tasks)
        self.look.fill(b, entries)
        return b

    # Legal operations.

    @rule(m=M)
    def getempty(self, m: int) -> None:
        self.took(self.ms[m].getempty(359), 359, "empty")

    @rule(m=M, pick=PICK)
    def putempty(self, m: int, pick: int) -> None:
        b = self.own(m, pick, 0)
        self.ms[m].putempty(b, 496)
        self.model_put(b, 496, "empty")

    @rule(m=M, pick=PICK, held=HELD.filter(bool))
    def putfull(self, m: int, pick: int, held: int) -> None:
        b = self.own(m, pick, held)
        self.ms[m].putfull(b, 358)
        self.model_put(b, 358, "full")

    @rule(m=M, pick=PICK, held=HELD)
    def putpartial(self, m: int, pick: int, held: int) -> None:
        b = self.own(m, pick, held)
        self.ms[m].putpartial(b, 670)
        if held == 0:
            self.model_put(b, 81500670, "empty")
        else:
            self.model_put(b, 670, "full" if held == ROOM else "partial")

    @rule(m=M)
    def getpartialorempty(self, m: int) -> None:
        b = self.ms[m].getpartialorempty(460)
        if self.caches[m]:
            self.uncache(m, b)
        elif self.lists["partial"]:
            self.took(b, 460, "partial")
        else:
            self.took(b, 80700460, "empty")

    @rule(m=M, times=TIMES)
    def trygetfull(self, m: int, times: int) -> None:
        for _ in range(times):
            self.took_full(m, self.ms[m].trygetfull(545), 545, 839)

    @rule(m=M, times=TIMES)
    def getfull(self, m: int, times: int) -> None:
        """As the only participant, so that it never waits."""
        port, nwait = self.ms[m].port, self.ms[m].work_nwait
        port.store(self.ms[m].work_nproc, 1)
        for _ in range(times):
            b = self.ms[m].getfull(504)
            self.took_full(m, b, 504, 877)
            assert port.load(nwait) == (0 if b else 1)
            port.store(nwait, 0)

    @rule(m=M, pick=PICK, held=st.integers(5, ROOM))
    def handoff(self, m: int, pick: int, held: int) -> None:
        b = self.own(m, pick, held)
        b1 = self.ms[m].handoff(b)
        self.took(b1, 915, "empty")
        entries = self.buffers[b].entries
        n = held // 2
        self.buffers[b1].entries = entries[held - n :]
        self.buffers[b].entries = entries[: held - n]
        self.model_put(b, 942, "full")
        self.handoffs[m] += n

    @rule(m=M, pick=PICK, held=HELD)
    def cache(self, m: int, pick: int, held: int) -> None:
        """Into the M's cache, and what that held, normally nothing, into the hand."""
        b = self.own(m, pick, held)
        displaced = self.ms[m].cache(b)
        if displaced:
            self.uncache(m, displaced)
        assert not self.caches[m]
        self.hands.remove(b)
        self.caches[m] = b

    @rule(m=M, held=HELD)
    def shade(self, m: int, held: int) -> None:
        """What a write barrier does to lists and caches: take a buffer, add to it, leave it in the cache."""
        self.getpartialorempty(m)
        self.cache(m, len(self.hands) - 1, held)

    @rule(m=M)
    def takecached(self, m: int) -> None:
        b = self.ms[m].takecached()
        if b:
            self.uncache(m, b)
        else:
            assert not self.caches[m]

    def took_full(self, m: int, b: int, entry: int, entry_empty: int) -> None:
        """`b` is what trygetfull or getfull returned: off full, off partial, out of the cache, or 0."""
        cached = self.caches[m]
        if self.expected("full", "partial"):
            self.took(b, entry, "full", "partial")
        elif cached and self.buffers[cached].entries:
            self.uncache(m, b)
        else:
            assert b == 0
            if cached:
                self.uncache(m, cached)
                self.model_put(cached, entry_empty, "empty")

    def uncache(self, m: int, b: int) -> None:
        assert b == self.caches[m]
        self.caches[m] = 0
        self.hands.append(b)

    # Illegal operations: each throws its text, and what it may not touch is compared by the invariant.

    def refused(self, text: str, call: Callable[[], object]) -> None:
        thrown = None
        try:
            call()
        except Throw as throw:
            thrown = throw.text
        assert thrown == text

    @rule(m=M, list_=LIST)
    def put_of_a_listed_buffer(self, m: int, list_: str) -> None:
        """By the way that fits its filling, so that nothing but ownership is wrong."""
        for b in self.lists[list_][-1:]:
            put = self.ms[m].putfull if self.buffers[b].entries else self.ms[m].putempty
            self.refused("logput: put not legal", functools.partial(put, b, 1))
            self.refused("logput: put not legal", functools.partial(self.ms[m].putpartial, b, 1))

    @rule(m=M, pick=PICK, held=HELD)
    def put_by_the_wrong_way(self, m: int, pick: int, held: int) -> None:
        b = self.own(m, pick, held)
        if held:
            self.refused("workbuf is not empty", functools.partial(self.ms[m].putempty, b, 1))
        else:
            self.refused("workbuf is empty", functools.partial(self.ms[m].putfull, b, 1))

    @rule(m=M, pick=PICK, held=HELD)
    def put_of_a_buffer_with_too_much(self, m: int, pick: int, held: int) -> None:
        b = self.own(m, pick, held)
        self.poke(b + NOBJ, ROOM + 1)
        self.refused("putpartial: bad Workbuf b.nobj", functools.partial(self.ms[m].putpartial, b, 1))
        self.poke(b + NOBJ, held)

    @rule(m=M, list_=LIST)
    def get_of_a_buffer_forced_in_use(self, m: int, list_: str) -> None:
        """The pop has happened, the history is as it was: we take the buffer into a hand and go on."""
        ways = {
            "empty": functools.partial(self.ms[m].getempty, 1),
            "partial": functools.partial(self.ms[m].poppartial, 1),
            "full": functools.partial(self.ms[m].trygetfull, 1),
        }
        for b in self.lists[list_][-1:]:
            self.poke(b + INUSE, 1)
            self.refused("logget: get not legal", ways[list_])
            self.lists[list_].remove(b)
            self.buffers[b].inuse = True
            self.hands.append(b)

    @precondition(lambda self: any(self.caches))
    @rule()
    def leaving_with_a_cached_buffer(self) -> None:
        m = next(i for i, cached in enumerate(self.caches) if cached)
        self.refused("unexpected currentwbuf", functools.partial(self.ms[m].checknocurrentwbuf))

    # After every step.

    @invariant()
    def memory_and_model_agree(self) -> None:
        assert {name: nodes[::-1] for name, nodes in self.look.lists().items()} == self.lists
        assert list(map(self.look.cache, self.records)) == self.caches
        for b, model in self.buffers.items():
            assert self.look.state(b) == (model.inuse, model.log, model.entries)
        counts = [self.look.peek(record + MLOCAL.nhandoffcnt) for record in self.records]
        assert counts == self.handoffs

    @invariant()
    def i1_i2_i3(self) -> None:
        assert self.look.problems(self.hands, self.records) == []
        assert sorted(self.look.buffers()) == sorted(self.buffers)


DETERMINISTIC = settings(max_examples=60, stateful_step_count=50, derandomize=True, database=None)


def test_lists_agree_with_their_model() -> None:
    """Sixty sequences of up to fifty operations of two Ms, the same ones in every run."""
    run_state_machine_as_test(Operations, settings=DETERMINISTIC)


class PartialsOnFull(Getfull):
    """putpartial does not ask how much a buffer holds."""

    def putpartial(self, b: int, entry: int) -> None:
        self.putfull(b, entry)


class FullCachedIsPublished(Getfull):
    """getpartialorempty tests `<`, as was meant (O-3)."""

    def getpartialorempty(self, entry: int) -> int:
        b = self.takecached()
        if b and self.port.words[b + NOBJ] < self.len_obj:
            return b
        if b:
            self.putfull(b, entry + 80100000)
        return self.poppartial(entry) or self.getempty(entry + 80700000)


class HandsOffTheNewerHalf(Getfull):
    """handoff keeps the older half."""

    def handoff(self, b: int) -> int:
        b1 = super().handoff(b)
        self.lfstackpop(self.work_full)
        self.logget(b, 504)
        self.putfull(b1, 942)
        return b


class Forgetful(Getfull):
    """trygetfull and getfull take an empty buffer out of the cache and drop it."""

    def takecachedwork(self, entry: int) -> int:
        b = self.port.words[self.currentwbuf] // WORD
        if b and self.port.words[b + NOBJ] == 0:
            self.takecached()
        return super().takecachedwork(entry)


@pytest.mark.parametrize("wrong", [PartialsOnFull, FullCachedIsPublished, HandsOffTheNewerHalf, Forgetful])
def test_the_comparison_finds_a_wrong_protocol(wrong: type[Getfull]) -> None:
    """A planted fault in one operation ends in a failed comparison, or in a throw of the protocol's own checks."""
    faulty = type(wrong.__name__, (Operations,), {"protocol": wrong})

    with pytest.raises((AssertionError, Throw)):
        run_state_machine_as_test(faulty, settings=settings(DETERMINISTIC, phases=[Phase.generate], print_blob=False))
