"""Subclasses of the library's classes that call what is their own as they like; each `uses` it, in two threads."""

from __future__ import annotations

import queue
import threading
from contextlib import suppress


class Worker(threading.Thread):
    """Words that stand-ins might have for themselves."""

    def __init__(self) -> None:
        super().__init__()
        self.place, self.cell, self.words, self._words, self._starter = "kitchen", "b", 1, ["a"], self

    def _body(self) -> str:
        return self.place

    def _word(self) -> str:
        return self._words[0]

    def _numbered(self) -> int:
        return self.words

    def run(self) -> None:
        self.found = (self._body(), self._word(), self._numbered(), self.cell)


class Workers:
    """One that was started before, and both wait for."""

    def __init__(self) -> None:
        self.worker = Worker()
        self.worker.start()

    def uses(self) -> None:
        worker = self.worker
        worker.join()
        assert not worker.is_alive()
        assert worker.found == ("kitchen", "a", 1, "b")
        assert worker._starter is worker


class Flag(threading.Event):
    """An event, and a word and a flag of another kind."""

    def __init__(self) -> None:
        super().__init__()
        self.flag = "green"

    def uses(self) -> None:
        self.set()
        self.wait()
        assert self.flag == "green"


class Meeting(threading.Barrier):
    """A barrier, and who is to come."""

    def __init__(self) -> None:
        super().__init__(2)
        self.state, self.count = "open", "two"

    def uses(self) -> None:
        self.wait()
        assert (self.state, self.count) == ("open", "two")


class Items(queue.SimpleQueue[int]):
    """A queue of items."""

    queue = "q"

    def __init__(self) -> None:
        super().__init__()
        self._items = "i"

    def uses(self) -> None:
        self.put(1)
        assert self.get() == 1
        assert (self.queue, self._items) == ("q", "i")


class Own(threading.local):
    """What each thread has, and a name in the class."""

    place = "home"

    def __init__(self) -> None:
        self._arguments = [1]

    def uses(self) -> None:
        assert (self.place, self._arguments) == ("home", [1])
        self.place = "away"
        assert self.place == "away"


class Nothing:
    """A local has what it was given, and nothing else."""

    def __init__(self) -> None:
        self.own = threading.local()

    def uses(self) -> None:
        assert not hasattr(self.own, "place")
        assert not hasattr(self.own, "_arguments")


class Second(threading.local):
    """It cannot be made the first time that a thread comes."""

    def __init__(self, came: dict[int, int]) -> None:
        me = threading.get_ident()
        came[me] = came.get(me, 0) + 1
        if came[me] == 1 and len(came) > 1:
            raise LookupError("come again")
        self.number = 3


class Again:
    """Who comes again to a local that could not be made makes it then."""

    def __init__(self) -> None:
        self.second = Second({})

    def uses(self) -> None:
        with suppress(LookupError):
            _ = self.second.number
        assert self.second.number == 3
