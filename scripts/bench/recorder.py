"""The flight recorder: a mark with it over one without, and one event over one that nobody hears."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector import heaps
from scripts.bench.atomics import timed
from scripts.bench.marking import HEAPS, mark
from scripts.bench.rows import Row, inturn
from workbuf.events import Event, null
from workbuf.hardware.machine import HardwareMachine
from workbuf.recorder import Recorder


if TYPE_CHECKING:
    from collections.abc import Iterator

BUFFER = 64


def rows(rounds: int) -> Iterator[Row]:
    """With one marker."""
    graph = heaps.read(HEAPS["random"])
    sides = {"on": lambda: mark(graph).own, "off": lambda: mark(graph, listening=False).own}
    found = inturn(rounds, sides)
    yield Row("a mark, recorder on", "recorder off", found.ratios("on", "off"), found.median("on") * 1e3, "ms", 1.1)
    # Only the memory: these sends are no thread's.
    heard = Recorder().listen(HardwareMachine(words=1 << 12).boot())
    put = f"f({int(Event.PUT)}, {BUFFER}, 358, 3)"
    found = inturn(rounds, {"heard": timed(put, f=heard), "unheard": timed(put, f=null)})
    figure = found.median("heard")
    yield Row("an event, recorder on", "nobody listening", found.ratios("heard", "unheard"), figure, "ns")
