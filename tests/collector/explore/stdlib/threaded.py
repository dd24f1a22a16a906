"""Classes as people write them, with `threading` and `queue`; they know nothing of the explorer."""

from __future__ import annotations

import queue
import threading
import time
from dataclasses import dataclass, field
from threading import Condition, Lock


GUARD = Lock()
made: list[int] = []


class Account:
    """Two ways to take money, one of which asks too early."""

    def __init__(self, balance: int) -> None:
        self.balance = balance
        self.lock = threading.Lock()

    def withdraw(self, amount: int) -> None:
        with self.lock:
            if self.balance >= amount:
                self.balance -= amount

    def hasty(self, amount: int) -> None:
        if self.balance >= amount:
            with self.lock:
                self.balance -= amount

    def transfer(self, other: Account, amount: int) -> None:
        with self.lock, other.lock:
            self.balance -= amount
            other.balance += amount


@dataclass
class Slot:
    """One place between threads, under a condition."""

    condition: Condition = field(default_factory=Condition)
    items: list[int] = field(default_factory=list)

    def put(self, item: int) -> None:
        with self.condition:
            self.items.append(item)
            self.condition.notify()

    def take(self) -> int:
        with self.condition:
            while not self.items:
                self.condition.wait()
            return self.items.pop()

    def takes_at_once(self) -> int:
        with self.condition:
            if not self.items:
                self.condition.wait()
            return self.items.pop()

    def patient(self, seconds: float) -> int | None:
        with self.condition:
            return self.items.pop() if self.condition.wait_for(lambda: self.items, seconds) else None


class Log:
    """A list that nobody guards."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)


class Ledger:
    """What is put down, under a lock of its own."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.lines: list[list[str]] = []

    def put(self, line: list[str]) -> None:
        with self.lock:
            self.lines.append(line)

    def last(self) -> list[str] | None:
        with self.lock:
            return self.lines[-1] if self.lines else None


class Pool:
    """A worker that is given jobs through a queue."""

    def __init__(self) -> None:
        self.jobs: queue.Queue[int | None] = queue.Queue(1)
        self.done: list[int] = []
        self.worker = threading.Thread(target=self.work, name="worker")

    def work(self) -> None:
        while (job := self.jobs.get()) is not None:
            self.done.append(job)

    def run(self, jobs: list[int]) -> list[int]:
        self.worker.start()
        for job in (*jobs, None):
            self.jobs.put(job)
        self.worker.join()
        return self.done


def waits_for(jobs: queue.Queue[int], seconds: float) -> int | None:
    """A job, or None if there is none in time."""
    begun = time.monotonic()
    try:
        return jobs.get(timeout=seconds)
    except queue.Empty:
        assert time.monotonic() - begun >= seconds
        return None


def polls(event: threading.Event, seconds: float) -> bool:
    """Whether the event came in time, asked now and then."""
    end = time.monotonic() + seconds
    while not event.is_set() and time.monotonic() < end:
        time.sleep(seconds / 4)
    return event.is_set()


def polls_for_ever(event: threading.Event) -> None:
    """Until the event comes, asked now and then."""
    while not event.is_set():
        time.sleep(0.1)


class Meeting:
    """One of each: an event, a semaphore, a barrier, a lock that may be taken twice, what is a thread's own."""

    def __init__(self) -> None:
        self.event, self.semaphore = threading.Event(), threading.Semaphore(1)
        self.barrier, self.lock = threading.Barrier(2), threading.RLock()
        self.own, self.word = threading.local(), 0

    def says(self) -> None:
        self.word = 1
        self.event.set()

    def hears(self) -> None:
        self.event.wait()
        assert self.word == 1

    def counts(self) -> None:
        with self.semaphore:
            self.word += 1

    def counts_twice(self) -> None:
        with self.lock, self.lock:
            self.word += 1

    def meets(self) -> None:
        self.own.name = threading.current_thread().name
        self.barrier.wait()
        assert self.own.name == threading.current_thread().name


class Hall:
    """A thread that is never started, and a list that threads find in what is their own."""

    def __init__(self) -> None:
        self.thread, self.own, self.door = threading.Thread(), threading.local(), threading.Lock()
        self.notes: list[list[int]] = [[]]
        self.keep = self.notes[0].append

    def write(self) -> None:
        vars(self.thread)["note"] = 1
        self.keep(1)

    def enter(self) -> None:
        self.own.notes = self.notes.pop()

    def note_on_thread(self) -> int:
        return getattr(self.thread, "note", 0)

    def note_in_local(self) -> int:
        return len(self.own.notes)

    def keeps(self) -> None:
        self.own.items = []
        for _ in range(2):
            with self.door:
                self.own.items.append(1)
        assert len(self.own.items) == 2


class Known:
    """A thread that finds itself, and is in a variable of who has started it: they leave each other word there."""

    def __init__(self) -> None:
        self.a, self.b = threading.Lock(), threading.Lock()
        self.seen: list[int] = []

    def says(self) -> None:
        with self.a:
            pass
        threading.current_thread().told = 1  # type: ignore[attr-defined]

    def asks(self) -> None:
        thread = threading.Thread(target=self.says)
        thread.start()
        with self.b:
            pass
        self.seen.append(getattr(thread, "told", 0))

    def hears(self) -> None:
        with self.a:
            pass
        self.seen.append(getattr(threading.current_thread(), "told", 0))

    def tells(self) -> None:
        thread = threading.Thread(target=self.hears)
        thread.start()
        with self.b:
            pass
        thread.told = 1  # type: ignore[attr-defined]

    def started(self) -> threading.Thread:
        thread = threading.Thread(target=self.says)
        thread.start()
        return thread


def joins(thread: threading.Thread) -> None:
    """What it has left."""
    thread.join()
    assert thread.told == 1  # type: ignore[attr-defined]


def note_on_itself(v: int) -> None:
    """What is hung on the thread that runs."""
    threading.current_thread().note = v  # type: ignore[attr-defined]


def noted_on_itself() -> int:
    """The same again."""
    return threading.current_thread().note  # type: ignore[attr-defined, no-any-return]


def hands_over(lock: Lock, word: list[int]) -> None:
    """Gives back a lock that somebody else has taken."""
    word.append(1)
    lock.release()


class Wrong:
    """What the library refuses."""

    def __init__(self) -> None:
        self.jobs: queue.Queue[int] = queue.Queue(1)

    def empty(self) -> None:
        self.jobs.get_nowait()

    def late(self) -> None:
        self.jobs.get(timeout=1)

    def full(self) -> None:
        self.jobs.put(1)
        self.jobs.put(2, timeout=1)

    def lock(self) -> None:
        threading.Lock().release()

    def rlock(self) -> None:
        threading.RLock().release()

    def semaphore(self) -> None:
        threading.BoundedSemaphore(1).release()

    def condition(self) -> None:
        threading.Condition().notify()

    def limit(self) -> None:
        threading.Lock().acquire(timeout=None)  # type: ignore[arg-type]

    def forever(self) -> None:
        threading.Lock().acquire(timeout=1e11)

    def tired(self) -> None:
        time.sleep("1")  # type: ignore[arg-type]

    def calls(self) -> None:
        thread = threading.Thread(target=self.condition, args=(1, 2))
        thread.start()
        thread.join()

    def runs_again(self) -> None:
        thread = threading.Thread(target=int)
        thread.run()
        thread.run()
