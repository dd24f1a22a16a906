"""Stand-in for `threading.Thread`, and what says which thread is running.

Theory of operation.  A thread has two words: that it was started, and a note that is woken when it has ended.  Who has
started it knows that it was, and so does everybody if the program did while it set up; others ask the word.  What CPython's
has by no name has a mangled one here, so that subclasses may use any other.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar

from collector.explore.stdlib.daemons import ending
from collector.explore.stdlib.lock import limit
from collector.explore.stdlib.place import MAIN


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from collector.explore.stdlib.place import Place
    from workbuf.machine import Port


class Thread:
    """As `threading.Thread` is documented."""

    __place: ClassVar[Place]
    run: Callable[[], None]
    """CPython's own."""
    KEPT: ClassVar = frozenset({
        "_initialized", "_target", "_args", "_kwargs", "_name", "_daemonic", "_ident", "_Thread__starter", "_Thread__words",
    })  # fmt: skip
    """The attributes that it keeps for itself."""
    _initialized = False
    __words: int | None = None
    """None of one that was not made by the program: it runs."""

    def __init__(
        self,
        group: None = None,
        target: Callable[..., object] | None = None,
        name: object = None,
        args: Iterable[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
        *,
        daemon: bool | None = None,
        context: None = None,
    ) -> None:
        place = self.__place
        if group is not None:
            raise AssertionError("group argument must be None for now")
        if context is not None:
            place.machine.execution.refuse("no stand-in gives a thread its context: leave it out")
        self.__words = place.cell("thread", 2)
        self._name = str(name) if name else self.__numbered(target)
        place.machine.label(self.__words, 2, self._name, ("started", "done"))
        self._target, self._args, self._kwargs = target, args, kwargs or {}
        self._daemonic = place.in_daemon() if daemon is None else bool(daemon)
        self._ident: int | None = None
        self.__starter: int | None = None
        self._initialized = True

    def __numbered(self, target: object) -> str:
        """The next name, as threading gives them."""
        names = self.__place.names
        names["Thread-"] += 1
        said = getattr(target, "__name__", "")
        return f"Thread-{names['Thread-']}{said and f' ({said})'}"

    def __word(self, which: int) -> int:
        """What one of its words says: 0, that it was started; 1, that it has ended."""
        place = self.__place
        if self.__words is None:
            place.machine.execution.refuse(f"{self._name} is no threading.Thread, so only it itself knows how it is")
        port = place.port()
        return (place.machine.peek if port is None else port.load)(self.__words + which)

    def __was_started(self) -> bool:
        return self.__words is None or self.__starter in {MAIN, self.__place.me()} or self.__word(0) != 0

    def start(self) -> None:
        """Begin to run."""
        place = self.__place
        if not self._initialized:
            raise RuntimeError("thread.__init__() not called")
        a, port = self.__words, place.port()
        if a is None:
            was = 1
        elif port is None:
            was = place.machine.peek(a)
            place.machine.poke(a, 1)
        else:
            was = port.xchg(a, 1)
        if was:
            raise RuntimeError("threads can only be started once")
        self.__starter = place.me()
        if self._daemonic:
            ending(place)
        (place.machine if port is None else port).spawn(self.__body, self._name)

    def __body(self, port: Port) -> None:
        place = self.__place
        self._ident = port.index + 1
        place.objects[port.index] = self
        if self._daemonic:
            place.daemons.add(port.index)
        with suppress(SystemExit):  # which ends a thread, and says nothing
            self.run()
        assert self.__words is not None  # noqa: S101  it was started
        port.wake(self.__words + 1)

    def join(self, timeout: float | None = None) -> None:
        """Wait until it has ended, or the time is over."""
        if not self._initialized:
            raise RuntimeError("Thread.__init__() not called")
        if not self.__was_started():
            raise RuntimeError("cannot join thread before it is started")
        if self._ident == self.__place.me():
            raise RuntimeError("cannot join current thread")
        if timeout is not None:
            timeout = limit(timeout)
        if not self.__ended_within(timeout):
            self.__place.passes(timeout or 0)

    def __ended_within(self, seconds: float | None) -> bool:
        """Wait for so long; without end if that is None."""
        port = self.__place.port()
        if port is None or self.__words is None:
            ended = self.__word(1) != 0
            if not ended and seconds is None:
                self.__place.wouldwait("join")
            return ended
        done = self.__words + 1
        if seconds is None:
            return port.sleep(done)
        if port.load(done):
            return True
        return seconds > 0 and not port.choose(2) and port.sleep(done, 1)

    def is_alive(self) -> bool:
        """Has it started, and not ended?"""
        return self._ident in {MAIN, self.__place.me()} or (self.__was_started() and not self.__word(1))

    @property
    def name(self) -> str:
        """For people."""
        return self._name

    @name.setter
    def name(self, name: object) -> None:
        self._name = str(name)

    @property
    def ident(self) -> int | None:
        """As `get_ident` says in it; None before it is started."""
        return self._ident

    native_id = ident

    @property
    def daemon(self) -> bool:
        """Is it ended when none but daemons are left?"""
        return self._daemonic

    @daemon.setter
    def daemon(self, daemonic: bool) -> None:
        if self.__was_started():
            raise RuntimeError("cannot set daemon status of active thread")
        self._daemonic = bool(daemonic)

    def getName(self) -> str:  # noqa: N802  as in threading
        """The name."""
        return self.name

    def setName(self, name: object) -> None:  # noqa: N802
        """Give it that name."""
        self.name = name

    def isDaemon(self) -> bool:  # noqa: N802
        """Is it one?"""
        return self.daemon

    def setDaemon(self, daemonic: bool) -> None:  # noqa: FBT001, N802
        """Make it one."""
        self.daemon = daemonic


def current_thread(place: Place, cls: type[Thread]) -> object:
    """Who is running, as an object: that of a thread that was spawned with a port is made when it is asked for."""
    port = place.port()
    index = -1 if port is None else port.index
    found = object_of(place, cls, index)
    if port is not None:
        place.machine.askers.add(index)
        place.machine.met.append(found)
    return found


def main_thread(place: Place, cls: type[Thread]) -> object:
    """Who sets up and checks."""
    found = object_of(place, cls, -1)
    if place.port() is not None:
        place.machine.met.append(found)
    return found


def object_of(place: Place, cls: type[Thread], index: int) -> object:
    """The object of the machine's thread of that number, or of what sets up."""
    if index not in place.objects:
        found = place.objects[index] = cls.__new__(cls)
        found._name = "MainThread" if index < 0 else place.machine.names[index]  # noqa: SLF001  it makes it
        found._ident = MAIN if index < 0 else index + 1  # noqa: SLF001
        found._initialized, found._daemonic = True, False  # noqa: SLF001
    return place.objects[index]
