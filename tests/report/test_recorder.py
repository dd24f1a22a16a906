"""The flight recorder's rings, read while they are written."""

from __future__ import annotations

from threading import Thread

from collector.report.recorder import Recorder
from workbuf.events import Event
from workbuf.hardware import HardwareMachine


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
    assert [record.a for record in seen] == sorted({record.a for record in seen})
    assert len(seen) + recorder.rings[port.index].dropped == events
