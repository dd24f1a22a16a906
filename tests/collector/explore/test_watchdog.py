"""One thread watches all explorations of the process."""

from __future__ import annotations

from threading import Lock, Thread, get_ident
from typing import TYPE_CHECKING

import pytest

from collector.explore import explore, watchdog
from collector.explore.claim import Kind
from collector.explore.machine.misuse import Stuck
from collector.explore.program import new_machine
from collector.explore.watchdog import Watchdog, WatchdogThread


if TYPE_CHECKING:
    from collector.explore import SteppedMachine
    from workbuf.machine import Port


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


def patient(machine: SteppedMachine) -> None:
    """One schedule has more steps than any time allows; the counter never has a value again."""
    x = machine.word(0, "x")

    def counts(port: Port) -> None:
        while True:
            port.xadd(x, 1)

    machine.spawn(counts)
    machine.spawn(counts)


@pytest.mark.parametrize("strategy", ["portfolio", "dpor", "stateful", "exhaustive", "urw"])
def test_a_schedule_is_cut_when_the_time_is_over(strategy: str) -> None:
    """Within it: what was not seen to its end is no failure, and nothing is proved."""
    result = explore(patient, strategy, seconds=0.3, steps=1 << 40)

    assert result.failure is None
    assert result.claim.kind is Kind.UNDECIDED
    assert "the time was over" in result.statement.lower()


def test_a_machine_that_lets_nobody_run_is_no_standstill(monkeypatch: pytest.MonkeyPatch) -> None:
    """Patience is of the processor's time; by the clock there is more of it."""
    machine = new_machine()
    watching = Watchdog(None)
    watching.execution = machine.execution
    machine.execution.calling = get_ident()
    used = [0.0]
    monkeypatch.setattr(watchdog, "process_time", lambda: used[0])
    enough = int(watchdog.TICKS * watchdog.PATIENCE)

    for _ in range(2 * enough):
        watching.check()

    used[0] = watchdog.PATIENCE
    with pytest.raises(Stuck):
        raised_at(watching)

    watching.unchanged = 3 * enough - 1
    with pytest.raises(Stuck):
        raised_at(watching)
    machine.execution.calling = 0
    machine.close()


def raised_at(watching: Watchdog) -> None:
    """An exception for this thread comes at some next instruction."""
    watching.check()
    for _ in range(100):
        len("")


def test_what_is_run_again_after_the_time_is_not_cut() -> None:
    """The schedule that failed has to fail again, for its token."""
    machine = new_machine()
    watching = Watchdog(0)
    watching.execution = execution = machine.execution
    execution.running = True
    with watching.cutting(0):
        watching.check()
        assert execution.late
    execution.begin()
    watching.check()
    assert not execution.late
    execution.running = False
    machine.close()
