"""getpartialorempty against putpartial, every interleaving.  (I1 to I3.)"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from collector.fixtures.pool import SMALL
from collector.fixtures.producers import producers
from workbuf.buffer import NOBJ, capacity
from workbuf.events import PARTIAL, Event
from workbuf.lists import Lists


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine

    Check = Callable[[], object]


@pytest.mark.race(exhaust=True, threads=2)
@pytest.mark.parametrize("entries", [1, capacity(SMALL) - 1])
def test_producers(machine: SteppedMachine, threads: int, entries: int) -> Check:
    """Buffers that are put on partial, and on full when they become full, are in one place and keep what they hold."""
    return producers(machine, threads, entries)


class PushFirst(Lists):
    """A putpartial that pushes the buffer and then signs it off."""

    def putpartial(self, b: int, entry: int) -> None:
        """In the wrong order."""
        if self.port.words[b + NOBJ] == 0:
            self.putempty(b, entry)
            return
        self.lfstackpush(self.work_partial, b)
        self.logput(b, entry)
        self.port.event(Event.PUT, b, entry, PARTIAL)


@pytest.mark.race(strategy="dpor", threads=2, races=False, plain_points=True, fails="logget: get not legal")
def test_push_first(machine: SteppedMachine, threads: int) -> Check:
    """A buffer that is pushed while still in use may be taken while still in use."""
    return producers(machine, threads, 1, PushFirst)


@pytest.mark.race(strategy="dpor", threads=2, fails="race: ")
def test_touched_after_push(machine: SteppedMachine, threads: int) -> Check:
    """What its former owner writes to it then is a race, even where nothing comes of it."""
    return producers(machine, threads, 1, PushFirst)
