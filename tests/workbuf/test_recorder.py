"""The flight recorder: its rings, read while they are written, and what it counts."""

from __future__ import annotations

from threading import Thread
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

from workbuf.events import EMPTY, FULL, PARTIAL, Event
from workbuf.hardware.machine import HardwareMachine
from workbuf.lfstack import PUSHCNT
from workbuf.recorder import Recorder


if TYPE_CHECKING:
    from workbuf.machine import Listener, Port


def test_events_that_come_in_while_a_ring_is_drained_are_either_drained_or_counted_as_dropped() -> None:
    """An M without a P may write while the stopped world's events are taken."""
    recorder = Recorder(capacity=64)
    port = HardwareMachine(words=64).boot()
    listen = recorder.listen(port)
    events = 100_000
    writer = Thread(target=lambda: [listen(int(Event.PARK), at) for at in range(events)])
    writer.start()
    seen = []
    while writer.is_alive():
        seen += recorder.drain()
    writer.join()
    seen += recorder.drain()
    lost = [record.a for record in seen if record.kind == Event.LOST]
    seen = [record for record in seen if record.kind != Event.LOST]
    assert [record.a for record in seen] == sorted({record.a for record in seen})
    assert len(seen) + recorder.rings[port.index].dropped == events
    # What fell out while the last was taken has no event behind it.
    assert sum(lost) == recorder.rings[port.index].told <= recorder.rings[port.index].dropped


def test_where_events_fell_out_an_event_says_so() -> None:
    """Before the oldest that is left, once for each time the ring is drained."""
    recorder = Recorder(capacity=4)
    listen = recorder.listen(HardwareMachine(words=64).boot())
    for at in range(4):
        listen(int(Event.PARK), at)
    assert [(record.kind, record.a) for record in recorder.drain()] == [(Event.PARK, at) for at in range(4)]
    for at in range(6):
        listen(int(Event.PARK), at)
    assert [(r.kind, r.a) for r in recorder.drain()] == [(Event.LOST, 2), *((Event.PARK, at) for at in range(2, 6))]


def test_a_buffer_migrates_when_another_m_put_it_last() -> None:
    """To whoever gets it; with work in it, it is a steal.  One's own buffer comes back, a new one comes from nowhere."""
    words, b = [0] * 64, 8
    recorder = Recorder()
    one, two = (recorder.listen(cast("Port", SimpleNamespace(index=i, name=f"m{i}", words=words))) for i in (1, 2))

    def get(listen: Listener, where: int) -> None:
        listen(Event.GET, b, 0, where)

    def put(listen: Listener, where: int) -> None:
        listen(Event.PUT, b, 0, where)
        words[b + PUSHCNT] += 1

    def counted() -> list[tuple[int, int]]:
        return [(ring.migrations, ring.steals) for ring in recorder.rings.values()]

    get(one, EMPTY)
    put(one, FULL)
    get(one, FULL)
    assert counted() == [(0, 0), (0, 0)]

    put(one, FULL)
    get(two, FULL)
    assert counted() == [(0, 0), (1, 1)]

    put(two, EMPTY)
    get(one, EMPTY)
    assert counted() == [(1, 0), (1, 1)]

    # It has been with the other one in between, whoever put it here.
    put(one, PARTIAL)
    get(two, PARTIAL)
    put(two, PARTIAL)
    get(one, PARTIAL)
    assert counted() == [(2, 1), (2, 2)]
