"""The stand-ins answer as the library itself does: the same calls in one thread, of both."""

from __future__ import annotations

import queue
import threading
import time
from random import Random
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from collector.explore import explore
from collector.explore.stdlib import load
from tests.collector.explore.stdlib import threaded


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine

    Call = Callable[[Any, Any], object]
    """Of the three modules, and an object."""

MAKES: dict[str, Callable[[Any], object]] = {
    "Lock": lambda its: its.threading.Lock(),
    "RLock": lambda its: its.threading.RLock(),
    "Condition": lambda its: its.threading.Condition(),
    "Semaphore": lambda its: its.threading.BoundedSemaphore(2),
    "Event": lambda its: its.threading.Event(),
    "Barrier": lambda its: its.threading.Barrier(2),
    "Queue": lambda its: its.queue.Queue(2),
    "SimpleQueue": lambda its: its.queue.SimpleQueue(),
    "Thread": lambda its: its.threading.Thread(None, int, "worker"),
    "local": lambda its: its.threading.local(),
    "modules": lambda its: its,
}
LOCKING: list[Call] = [
    lambda _, o: o.acquire(0),
    lambda _, o: o.acquire(blocking=False),
    lambda _, o: o.acquire(timeout=0.001),
    lambda _, o: o.release(),
]
WAITING: list[Call] = [lambda _, o: o.wait(0.001), lambda _, o: o.wait(timeout=0), lambda _, o: o.wait(-1)]
CALLS: dict[str, list[Call]] = {
    "Lock": [
        *LOCKING,
        lambda _, o: o.locked(),
        lambda _, o: o.acquire(0, 1),
        lambda _, o: o.acquire(timeout=-2),
        lambda _, o: o.__exit__(None, None, None),
        lambda _, o: o.acquire_lock(0),
    ],
    "RLock": [*LOCKING, lambda _, o: o.acquire(0, 1), lambda _, o: o.acquire(), lambda _, o: o.__enter__()],
    "Condition": [
        *LOCKING[:2],
        LOCKING[3],
        *WAITING,
        lambda _, o: o.notify(),
        lambda _, o: o.notify_all(),
        lambda _, o: o.wait_for(lambda: 5),
        lambda _, o: o.wait_for(list, 0.001),
    ],
    "Semaphore": [
        *LOCKING,
        lambda _, o: o.release(2),
        lambda _, o: o.acquire(0, 1),
        lambda its, _: its.threading.Semaphore(-1),
    ],
    "Event": [*WAITING, lambda _, o: o.set(), lambda _, o: o.clear(), lambda _, o: o.is_set()],
    "Barrier": [
        *WAITING,
        lambda _, o: o.abort(),
        lambda _, o: o.reset(),
        lambda _, o: (o.parties, o.n_waiting, o.broken),
        lambda its, _: its.threading.Barrier(1, [].pop).wait(),
        lambda its, _: its.threading.Barrier(1).wait(),
    ],
    "Queue": [
        lambda _, o: o.put(1, block=False),
        lambda _, o: o.put(2, timeout=0.001),
        lambda _, o: o.put(2, 1, -1),
        lambda _, o: o.get_nowait(),
        lambda _, o: o.get(timeout=0.001),
        lambda _, o: o.task_done(),
        lambda _, o: o.join() if not o.unfinished_tasks else None,
        lambda _, o: (o.qsize(), o.empty(), o.full()),
        lambda _, o: o.shutdown() if hasattr(o, "shutdown") else None,
    ],
    "SimpleQueue": [
        lambda _, o: o.put(1),
        lambda _, o: o.put(2, 0, -1),
        lambda _, o: o.get(0),
        lambda _, o: o.get(timeout=0.001),
        lambda _, o: o.get(timeout=-1),
        lambda _, o: o.get(0, -1),
        lambda _, o: (o.qsize(), o.empty()),
    ],
    "Thread": [
        lambda _, o: o.start(),
        lambda _, o: o.join(),
        lambda _, o: o.join(timeout=-1),
        lambda _, o: setattr(o, "daemon", True),
        lambda _, o: setattr(o, "name", 5),
        lambda _, o: (o.name, o.getName(), o.daemon, o.isDaemon(), o.ident is None),
        lambda its, _: its.threading.Thread(target=its.queue.Queue).name.partition(" ")[2],
        lambda its, _: its.threading.current_thread().join(),
        lambda its, _: its.threading.Thread(daemon=True).daemon,
    ],
    "local": [
        lambda _, o: setattr(o, "a", 1),
        lambda _, o: o.a,
        lambda _, o: delattr(o, "a"),
        lambda _, o: dict(vars(o)),
        lambda _, o: setattr(o, "__dict__", {}),
        lambda its, _: its.threading.local(1),
    ],
    "modules": [
        lambda its, _: its.threading.get_ident() == its.threading.current_thread().ident,
        lambda its, _: its.threading.current_thread() is its.threading.current_thread(),
        lambda its, _: its.threading.main_thread().is_alive(),
        lambda its, _: its.threading.current_thread().is_alive(),
        lambda its, _: its.threading.current_thread().start(),
        lambda its, _: hasattr(its.threading, "nothing"),
        lambda its, _: its.time.sleep(-1),
        lambda its, _: its.time.process_time_ns() <= its.time.process_time_ns(),
    ],
}


def answers(its: Any, name: str, calls: list[Call]) -> list[object]:  # noqa: ANN401  modules
    """What each call returns or raises."""
    found: list[object] = []
    thing = MAKES[name](its)
    for call in calls:
        try:
            found.append(repr(call(its, thing)))
        except Exception as error:  # noqa: BLE001  whatever it is
            # The library's local is from a module of another name, which its messages tell.
            found.append((type(error), "" if isinstance(error, AttributeError) else str(error)))
    return found


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("name", MAKES)
def test_the_same_answers(name: str, seed: int) -> None:
    """In a thread, and, where no thread is started, in the set-up."""
    draw = Random(seed)
    real = SimpleNamespace(threading=threading, queue=queue, time=time)
    sequences = [draw.choices(CALLS[name], k=draw.randint(1, 6)) for _ in range(60)]
    expected = [answers(real, name, calls) for calls in sequences]
    for within in (True, False) if name not in {"Thread", "modules"} else (True,):
        found: list[list[object]] = []

        def program(machine: SteppedMachine, found: list[list[object]] = found, *, within: bool = within) -> None:
            module = load(machine, threaded.__name__)

            def body(_port: object) -> None:
                found[:] = [answers(module, name, calls) for calls in sequences]

            if within:
                machine.spawn(body)
            else:
                body(None)

        assert explore(program, "random", schedules=1, races=False).claim.passed
        for calls, its, others in zip(sequences, expected, found, strict=True):
            assert its == others, [CALLS[name].index(call) for call in calls]
