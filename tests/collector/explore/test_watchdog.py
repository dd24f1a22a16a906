"""One thread watches all explorations of the process."""

from __future__ import annotations

from threading import Lock, Thread
from typing import TYPE_CHECKING

from collector.explore import watchdog
from collector.explore.watchdog import Watchdog, WatchdogThread


if TYPE_CHECKING:
    import pytest


def test_a_thread_that_ends_stays_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when the next exploration begins at that moment, and starts another: two would count twice as fast."""
    threads: list[Thread] = []
    watching = WatchdogThread()
    begun = Watchdog(None)

    class Recorded(Thread):
        def start(self) -> None:
            threads.append(self)
            super().start()

    class Handed:
        """A lock; when it is free and the thread is to end, the next exploration begins."""

        def __init__(self) -> None:
            self.lock = Lock()

        def __enter__(self) -> None:
            self.lock.acquire()

        def __exit__(self, *_: object) -> None:
            self.lock.release()
            if threads and not watching.running:
                watching.add(begun)

    monkeypatch.setattr(watchdog, "Thread", Recorded)
    monkeypatch.setattr(watchdog, "TICKS", 1000)
    monkeypatch.setattr(watchdog, "LINGER", 1)
    watching.lock = Handed()  # type: ignore[assignment]
    first = Watchdog(None)
    watching.add(first)
    watching.remove(first)
    threads[0].join(5)

    assert not threads[0].is_alive()
    assert len(threads) == 2
    assert threads[1].is_alive()

    watching.lock = Lock()
    watching.remove(begun)
    threads[1].join(5)
