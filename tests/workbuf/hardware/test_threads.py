"""A run and its threads: they begin together, one failure ends all, and nobody is waited for in vain."""

from __future__ import annotations

import signal
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from workbuf.hardware import starting, threads
from workbuf.hardware.limits import Shortage
from workbuf.hardware.machine import HardwareMachine
from workbuf.hardware.starting import StartedThread
from workbuf.hardware.threads import Stuck
from workbuf.machine import Aborted, Pause, Port
from workbuf.throw import Throw


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def loops(kind: Pause) -> Callable[[Port], None]:
    """A body that spins for ever, with a pause as the protocol demands."""

    def body(port: Port) -> None:
        while True:
            port.pause(kind, 1)

    return body


def checks(port: Port) -> None:
    """The same with a bare check."""
    while True:
        port.check()


def breaks(port: Port) -> None:
    """A body in which an invariant breaks."""
    raise Throw("workbuf is empty", f"seen by {port.name}")


def test_a_run_ends_when_its_threads_have() -> None:
    """Each body ran once, with a port of its own, numbered from 0 and named."""
    machine = HardwareMachine()
    seen: list[tuple[int, str, int]] = []
    for name in ("gc", "", "helper"):
        machine.spawn(lambda port: seen.append((port.index, port.name, threading.get_ident())), name)

    machine.run()

    assert [(index, name) for index, name, _ in sorted(seen)] == [(0, "gc"), (1, "t1"), (2, "helper")]
    assert threading.get_ident() not in {thread for _, _, thread in seen}
    assert machine.failure is None


def test_no_thread_begins_before_all_are_there() -> None:
    """Every body finds the others alive, the last one too, however short they are."""
    machine = HardwareMachine()
    alive: list[int] = []

    for i in range(4):
        machine.spawn(lambda _: alive.append(len(machine.stacks())), f"m{i}")
    machine.run()

    assert alive[0] == 4


def test_a_body_may_spawn_further_threads() -> None:
    """They start at once, and the run waits for them, and for theirs."""
    machine = HardwareMachine()
    done: list[int] = []

    def body(depth: int) -> Callable[[Port], None]:
        def run(port: Port) -> None:
            started = port.sysalloc(1)
            if depth:
                port.spawn(lambda child: (child.wake(started), body(depth - 1)(child)), f"depth {depth}")
                # Not only registered: it runs while its parent does.
                port.sleep(started)
            done.append(depth)

        return run

    machine.spawn(body(3))
    machine.run()

    assert sorted(done) == [0, 1, 2, 3]


def test_a_machine_may_run_again() -> None:
    """With further threads, over the same memory; indices go on."""
    machine = HardwareMachine()
    a = machine.word(0)
    for _ in range(3):
        machine.spawn(lambda port: port.store(a, port.load(a) * 10 + port.index + 1))
        machine.run()

    assert machine.peek(a) == 123


@pytest.mark.parametrize(
    "other",
    [*(pytest.param(loops(kind), id=kind.name) for kind in Pause), pytest.param(checks, id="check")],
)
def test_one_failure_ends_the_run(other: Callable[[Port], None]) -> None:
    """The others, spinning for ever, are stopped at their next pause or check; what is raised names its thread."""
    machine = HardwareMachine()
    machine.spawn(other, "m0")
    machine.spawn(breaks, "m1")
    machine.spawn(other, "m2")

    with pytest.raises(Throw, match="workbuf is empty") as thrown:
        machine.run()

    assert thrown.value.__notes__ == ["in thread m1"]
    assert machine.failure is not None
    assert machine.failure.thread == "m1"
    assert machine.failure.exception is thrown.value
    assert machine.stacks() == {}


def test_the_first_failure_counts() -> None:
    """What the other threads raise because everything is falling down does not hide it."""
    machine = HardwareMachine()
    running = machine.word(0)
    raised = []

    def late(port: Port) -> None:
        port.wake(running)
        try:
            loops(Pause.USLEEP)(port)
        finally:
            raised.append("late")
            raise ValueError("late")

    machine.spawn(late)
    machine.spawn(lambda port: (port.sleep(running), breaks(port)), "first")

    with pytest.raises(Throw, match="workbuf is empty"):
        machine.run()
    assert machine.failure is not None
    assert machine.failure.thread == "first"
    assert raised == ["late"]


def test_a_listener_that_cannot_be_made_is_a_failure() -> None:
    """It is asked for in the thread, and fails like a body."""

    def listener_for(port: Port) -> Callable[..., None]:
        raise ValueError(f"no listener for {port.name}")

    machine = HardwareMachine(listener_for=listener_for)
    machine.spawn(checks, "m0")

    with pytest.raises(ValueError, match="no listener for m0"):
        machine.run()


def test_an_abort_is_no_failure() -> None:
    """Aborted ends the bodies and nothing is raised; whoever spawns afterwards is told."""
    machine = HardwareMachine()
    running = machine.word(0)
    told: list[str] = []

    def body(port: Port) -> None:
        port.xadd(running, 1)
        try:
            checks(port)
        except Aborted:
            with pytest.raises(Aborted):
                port.spawn(checks)
            told.append(port.name)
            raise

    machine.spawn(body, "m0")
    machine.spawn(body, "m1")
    machine.run(lambda: machine.abort() if machine.peek(running) == 2 else None)

    assert sorted(told) == ["m0", "m1"]
    assert machine.failure is None


def test_ticks_come_while_threads_run() -> None:
    """In the thread that called run, again and again."""
    machine = HardwareMachine()
    note = machine.word(0)
    threads: list[int] = []

    def tick() -> None:
        threads.append(threading.get_ident())
        if len(threads) == 3:
            machine.boot().wake(note)

    machine.spawn(lambda port: port.sleep(note))
    machine.run(tick)

    assert set(threads) == {threading.get_ident()}
    assert len(threads) >= 3


def test_what_a_tick_raises_ends_the_run() -> None:
    """A watchdog raises what it found, and the threads are stopped and gone."""
    machine = HardwareMachine()
    machine.spawn(checks, "m0")

    def tick() -> None:
        raise Throw("no progress")

    with pytest.raises(Throw, match="no progress"):
        machine.run(tick)
    assert machine.stacks() == {}
    assert machine.failure is not None


def test_ctrl_c_stops_the_threads_and_goes_on() -> None:
    """KeyboardInterrupt leaves run when every thread has ended, and is nobody's failure."""
    machine = HardwareMachine()
    note = machine.word(0)
    machine.spawn(checks, "m0")
    machine.spawn(lambda port: port.sleep(note), "m1")

    with pytest.raises(KeyboardInterrupt):
        machine.run(lambda: signal.raise_signal(signal.SIGINT))
    assert machine.stacks() == {}
    assert machine.failure is None


class Deaf:
    """A body that never pauses or checks until the test is over; `running` is set once it runs."""

    def __init__(self) -> None:
        self.running = threading.Event()
        self.over = threading.Event()

    def __call__(self, port: Port) -> None:
        """Hear nothing."""
        del port
        self.running.set()
        self.over.wait()


@pytest.fixture(name="deaf")
def _deaf() -> Iterator[Deaf]:
    """Such a body."""
    deaf = Deaf()
    yield deaf
    deaf.over.set()


def test_a_thread_that_does_not_listen_is_named(deaf: Deaf) -> None:
    """The run does not hang on it: it ends with the thread's name and stack, and what went wrong first is the cause."""
    machine = HardwareMachine(grace=0.2)
    machine.spawn(deaf, "deaf")
    machine.spawn(lambda port: (deaf.running.wait(), breaks(port)), "m1")

    with pytest.raises(
        Stuck, match=r"(?s)deaf does not end:.*over\.wait\(\).*did not end within 0.2 s of the abort: 1"
    ) as stuck:
        machine.run()

    assert isinstance(stuck.value.__cause__, Throw)
    assert stuck.value.__cause__.text == "workbuf is empty"


def test_a_thread_that_does_not_listen_does_not_hold_up_ctrl_c(deaf: Deaf) -> None:
    """KeyboardInterrupt stays itself and carries the name."""
    machine = HardwareMachine(grace=0.2)
    machine.spawn(deaf, "deaf")

    def tick() -> None:
        if deaf.running.is_set():
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt) as interrupt:
        machine.run(tick)

    assert interrupt.value.__notes__[0].startswith("deaf does not end:")


def test_stacks_show_where_every_thread_is() -> None:
    """By name, also of two threads with one name; the calls that led there, innermost last."""
    machine = HardwareMachine()
    note = machine.word(0)

    def sleeper(port: Port) -> None:
        port.sleep(note)

    shown: list[dict[str, str]] = []

    def tick() -> None:
        if machine.parking.at(note).waiting == 3:
            shown.append(machine.stacks())
            machine.abort()

    for name in ("m0", "twin", "twin"):
        machine.spawn(sleeper, name)
    machine.run(tick)

    stacks = shown[0]
    assert len(stacks) == 3
    assert {name.split(" ")[0] for name in stacks} == {"m0", "twin"}
    assert all("in sleeper\n    port.sleep(note)" in stack for stack in stacks.values())


class NoMemory(StartedThread):
    """Finds no memory for its first step."""

    def _bootstrap_inner(self) -> None:
        sys.exit()


def test_a_thread_that_never_begins_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is no thread, the run has a line about it, and those that wait at the gate go home."""
    monkeypatch.setattr(starting, "LONGEST", 0.2)
    with pytest.raises(RuntimeError, match="can't start new thread"):
        NoMemory("x").start()
    machine = HardwareMachine(words=1000)
    machine.spawn(lambda _: None)
    monkeypatch.setattr(threads, "StartedThread", NoMemory)
    machine.spawn(lambda _: None)

    with pytest.raises(Shortage, match="2 threads are needed and the system has started 1"):
        machine.run()
    threading._limbo.clear()  # type: ignore[attr-defined]
