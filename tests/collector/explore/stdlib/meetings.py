"""Classes whose threads `a` and `b` come upon each other in the library's own code; what came of it is in `seen`."""

from __future__ import annotations

import queue
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass


GATE = threading.Lock()


class Two:
    """Two threads, of which one does nothing unless a subclass says what."""

    def __init__(self) -> None:
        self.seen: object = None

    def a(self) -> None:
        pass

    def b(self) -> None:
        pass


class Items(Two):
    """Who is first in the queue?  To have been told that one may go on is not to be behind."""

    def __init__(self) -> None:
        super().__init__()
        self.event, self.items = threading.Event(), queue.SimpleQueue[int]()

    def a(self) -> None:
        self.event.set()
        self.items.put(1)

    def b(self) -> None:
        self.event.wait()
        self.items.put(2)

    def first(self) -> int:
        return self.items.get_nowait()


class Alive(Two):
    """A thread that is asked for, before or after it was started."""

    def __init__(self) -> None:
        super().__init__()
        self.turn, self.asked = threading.Lock(), threading.Event()
        self.thread = threading.Thread(target=self.asked.wait)
        self.turn.acquire()

    def a(self) -> None:
        self.turn.release()
        self.thread.start()
        self.thread.join()

    def b(self) -> None:
        with self.turn:
            self.seen = self.thread.is_alive()
        self.asked.set()


class Released(Two):
    """A lock that both give back."""

    def __init__(self) -> None:
        super().__init__()
        self.lock, self.by_a, self.by_b = threading.Lock(), False, False
        self.lock.acquire()

    def releases(self) -> bool:
        try:
            self.lock.release()
        except RuntimeError:
            return False
        return True

    def a(self) -> None:
        self.by_a = self.releases()

    def b(self) -> None:
        self.by_b = self.releases()


class Waiters(Two):
    """Somebody looks at a barrier without its lock."""

    def __init__(self) -> None:
        super().__init__()
        self.barrier = threading.Barrier(2)

    def a(self) -> None:
        with suppress(threading.BrokenBarrierError):
            self.barrier.wait(1)

    def b(self) -> None:
        barrier = self.barrier
        self.seen = (barrier.n_waiting, barrier.n_waiting, barrier.broken)


class Worker(threading.Thread):
    """A thread with an attribute."""

    def __init__(self) -> None:
        super().__init__()
        self.found = 0

    def run(self) -> None:
        self.found = 1


class Started(Two):
    """What a thread tells of itself orders nothing, and is no race."""

    def __init__(self) -> None:
        super().__init__()
        self.worker = Worker()

    def a(self) -> None:
        worker = self.worker
        worker.start()
        assert worker.ident
        self.seen = worker.name, worker.is_alive()
        worker.join()
        assert worker.found == 1

    def b(self) -> None:
        self.worker.is_alive()


@dataclass
class Item:
    """Its fields are given to it by what `dataclass` makes."""

    pieces: int = 0


class Makes(Two):
    """Each makes an item of its own."""

    def a(self) -> None:
        assert Item(3).pieces == 3

    b = a


class Own(threading.local):
    """Made anew for each thread."""

    def __init__(self, number: int) -> None:
        self.number = number

    @property
    def following(self) -> int:
        return self.number + 1

    @following.setter
    def following(self, value: int) -> None:
        self.number = value - 1


class Owners(Two):
    """Each has it as it was made."""

    def __init__(self) -> None:
        super().__init__()
        self.own = Own(3)

    def a(self) -> None:
        assert self.own.number == 3
        self.own.following = 9
        assert vars(self.own) == {"number": 8}

    b = a


class Itself(Two):
    """Waits for its own end."""

    def a(self) -> None:
        with suppress(RuntimeError):
            threading.current_thread().join()


class Leaving(Two):
    """A thread that leaves says nothing."""

    def a(self) -> None:
        thread = threading.Thread(target=sys.exit)
        thread.start()
        thread.join()


class Served(Two):
    """A daemon that waits for further work."""

    daemon = True

    def __init__(self) -> None:
        super().__init__()
        self.jobs, self.done = queue.Queue[int](), threading.Event()

    def serve(self) -> None:
        while True:
            self.seen = self.jobs.get()
            self.jobs.task_done()

    def a(self) -> None:
        threading.Thread(target=self.serve, daemon=self.daemon).start()
        self.jobs.put(1)
        self.jobs.join()


class Polled(Two):
    """A daemon that looks now and then whether it is to stop."""

    def __init__(self) -> None:
        super().__init__()
        self.stop = threading.Event()

    def looks(self) -> None:
        while not self.stop.is_set():
            time.sleep(1)

    def a(self) -> None:
        threading.Thread(target=self.looks, daemon=True).start()


class Stood(Served):
    """It is waited for, and is no daemon."""

    daemon = False


class Unserved(Served):
    """Its jobs are never done, so somebody waits for ever who is no daemon."""

    def serve(self) -> None:
        self.done.wait()


class Early(Two):
    """Waits for a while, before there is a thread."""

    def __init__(self) -> None:
        super().__init__()
        said = threading.Condition()
        with said:
            self.seen = said.wait_for(lambda: False, 1)
        with suppress(queue.Empty):
            queue.Queue[int]().get(timeout=1)


class Counted(Two):
    """Counts in what its class has, until an object has one of its own."""

    count = 0

    def a(self) -> None:
        self.count += 1

    b = a


class Bypassed(Two):
    """Counts past what is watched."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def a(self) -> None:
        vars(self)["count"] += 1

    b = a


class Asking(Two):
    """Stops when somebody else says so."""

    over = False

    def a(self) -> None:
        self.seen = self.over


class Nowhere(Two):
    """Has an attribute that nobody gives it this time."""

    def a(self) -> None:
        with GATE:
            pass
        self.b()

    def b(self) -> None:
        getattr(self, "late", 0)


class Late(Two):
    """Gets an attribute when its threads run."""

    def a(self) -> None:
        self.late = 1

    def b(self) -> None:
        self.late = 2


class Asked(Two):
    """Has it the attribute yet?"""

    def a(self) -> None:
        self.late = 1

    def b(self) -> None:
        self.seen = hasattr(self, "late")


class Outer:
    """Has a class within."""

    class Inner:
        """Assigned by both."""

        def a(self) -> None:
            self.seen = 1

        b = a


class Bare:
    """A base with no slots of its own."""

    __slots__ = ()


class Derived(Bare):
    """It has a dictionary."""

    def __init__(self) -> None:
        self.seen = 0

    def a(self) -> None:
        self.seen = 1

    b = a


class Guarded(Two):
    """A property that takes a lock."""

    def __init__(self) -> None:
        super().__init__()
        self.lock, self._value = threading.Lock(), 0

    @property
    def value(self) -> int:
        with self.lock:
            return self._value

    @value.setter
    def value(self, value: int) -> None:
        with self.lock:
            self._value = value

    def a(self) -> None:
        self.value = 1
        assert self.value

    b = a


class Totals(Two):
    """Counts for all objects of its class."""

    lock = threading.Lock()
    total = 0

    def a(self) -> None:
        with self.lock:
            Totals.total += 1

    b = a


class Listed(Two):
    """A list of all objects of its class."""

    lock = threading.Lock()
    every: list[int] = []  # noqa: RUF012  as people do

    def a(self) -> None:
        with self.lock:
            self.every.append(1)

    b = a


def made() -> object:
    """An object of a class that nobody else knows."""

    class Hidden:
        def a(self) -> None:
            self.seen = 1

        b = a

    return Hidden()


class Enumerates(Two):
    """Asks for what there is no stand-in for."""

    def a(self) -> None:
        threading.enumerate()


class Pooled(Two):
    """Has its lock taken by a thread of the library's."""

    def __init__(self) -> None:
        super().__init__()
        self.lock = threading.Lock()

    def a(self) -> None:
        with ThreadPoolExecutor(1) as pool:
            pool.submit(self.lock.acquire).result(timeout=9)
