"""The lists' histories by the flight recorder, of real threads and of the stepped machine's: three LIFO stacks."""

from __future__ import annotations

from functools import partial
from random import Random
from typing import TYPE_CHECKING

import pytest

from collector.audit import Operation
from collector.linearizability import linearizable
from collector.linearizability.models import Each, Stack
from tests.collector.linearizability.recorded import handovers
from workbuf.buffer import NOBJ
from workbuf.events import EMPTY, FULL, Event
from workbuf.hardware.machine import HardwareMachine
from workbuf.lists import Lists
from workbuf.local import MLOCAL, Globals
from workbuf.recorder import Record, Recorder


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.audit import Verdict
    from collector.explore import SteppedMachine
    from workbuf.machine import Machine, Port

THREADS = 3
FIRST = 6
"""Buffers that the first thread puts and gets before the others begin."""


class Second(Lists):
    """Pops the node below the top, if there is one: nothing is lost, but that is no stack."""

    def lfstackpop(self, head: int) -> int:
        top = super().lfstackpop(head)
        below = super().lfstackpop(head) if top else 0
        if below:
            self.lfstackpush(head, top)
        return below or top


def exchange(machine: Machine, kind: type[Lists], turns: int, seed: int) -> Recorder:
    """Threads that fill buffers and drain them, by the lists full and empty, and what records them; the first is spawned."""
    world = Globals.allocate(machine, wbufsize=112)
    world.persistentchunk = 1 << 12
    records = [MLOCAL.allocate(machine, f"m{i}") for i in range(THREADS)]
    recorder = Recorder()

    def fill(me: Lists) -> None:
        b = me.getempty(915)
        me.port.words[b + NOBJ] = 1
        me.putfull(b, 942)

    def drain(me: Lists) -> None:
        b = me.popfull(504)
        if b:
            me.port.words[b + NOBJ] = 0
            me.putempty(b, 496)

    def body(port: Port, number: int = 0) -> None:
        port.event = recorder.listen(port)
        me, random = kind(port, world, records[number]), Random(f"{seed} {number}")
        if number == 0:
            for step in (*[fill] * FIRST, *[drain] * FIRST):
                step(me)
            for other in range(1, THREADS):
                port.spawn(partial(body, number=other), f"m{other}")
        for _ in range(turns):
            random.choice((fill, drain))(me)

    machine.spawn(body, "m0")
    return recorder


def judged(recorder: Recorder) -> Verdict:
    """Whether the run that was recorded used stacks."""
    records = recorder.drain()
    assert not any(ring.dropped for ring in recorder.rings.values())
    return linearizable(handovers(records), Each(Stack()))


def on_hardware(kind: type[Lists], seed: int) -> Verdict:
    """The verdict on real threads."""
    machine = HardwareMachine(words=1 << 18)
    recorder = exchange(machine, kind, 150, seed)
    machine.run()
    return judged(recorder)


def stepped(machine: SteppedMachine, kind: type[Lists]) -> Callable[[], None]:
    """The same on the stepped machine, by the same clock: there one thing happens at a time."""
    recorder = exchange(machine, kind, 6, 0)

    def check() -> None:
        verdict = judged(recorder)
        assert verdict, str(verdict)

    return check


def test_real_threads(seed: int) -> None:
    """However they met, every buffer that came off a list was the one on top."""
    verdict = on_hardware(Lists, seed)

    assert verdict, str(verdict)
    assert len(verdict.order) > 3 * FIRST


def test_real_threads_and_no_stack(seed: int) -> None:
    """A list that gives the second first is found out."""
    verdict = on_hardware(Second, seed)

    assert verdict.answer == "no"
    assert "no order explains" in str(verdict)


@pytest.mark.race(strategy="random", schedules=100)
def test_stepped(machine: SteppedMachine) -> Callable[[], None]:
    """So it is in schedules drawn at random."""
    return stepped(machine, Lists)


@pytest.mark.race(strategy="random", schedules=100, fails="not linearizable")
def test_stepped_and_no_stack(machine: SteppedMachine) -> Callable[[], None]:
    """And so is that found out."""
    return stepped(machine, Second)


def test_times() -> None:
    """A push runs from its event to the thread's next, a pop from the one before to its event; what is new is on no list."""
    records = [
        Record(1, 0, Event.NEW, 8, 1, 0),
        Record(2, 0, Event.GET, 8, 915, EMPTY),
        Record(5, 0, Event.PUT, 8, 942, FULL),
        Record(7, 1, Event.GET, 8, 504, FULL),
        Record(9, 0, Event.WAIT, 1, 0, 0),
    ]

    assert handovers(records) == (
        Operation(1, 7, 1, ("full", ("pop",)), 8),
        Operation(5, 9, 0, ("full", ("push", 8))),
    )
    assert handovers(records[:3])[0].ret is None
    assert handovers([]) == ()
