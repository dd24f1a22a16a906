"""Stand-in for `threading.Thread`, and what says which thread is running.

Theory of operation.  A thread has two words: that it was started, and a note that is woken when it has ended.  Who has
started it knows that it was, and so does everybody if the program did while it set up; others ask the word.
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

    place: ClassVar[Place]
    run: Callable[[], None]
    """CPython's own."""
    KEPT: ClassVar = frozenset({
        "_initialized", "_target", "_args", "_kwargs", "_name", "_daemonic", "_ident", "_starter", "_words",
    })  # fmt: skip
    """The attributes that it keeps for itself."""
    _initialized = False

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
        place = self.place
        if group is not None:
            raise AssertionError("group argument must be None for now")
        if context is not None:
            place.machine.execution.refuse("no stand-in gives a thread its context: leave it out")
        self._words: int | None = place.cell("thread", 2)
        self._name = str(name) if name else self._numbered(target)
        place.machine.label(self._words, 2, self._name, ("started", "done"))
        self._target, self._args, self._kwargs = target, args, kwargs or {}
        self._daemonic = place.in_daemon() if daemon is None else bool(daemon)
        self._ident: int | None = None
        self._starter: int | None = None
        self._initialized = True

    def _numbered(self, target: object) -> str:
        """The next name, as threading gives them."""
        names = self.place.names
        names["Thread-"] += 1
        said = getattr(target, "__name__", "")
        return f"Thread-{names['Thread-']}{said and f' ({said})'}"

    def _word(self, which: int) -> int:
        """What one of its words says: 0, that it was started; 1, that it has ended."""
        place = self.place
        if self._words is None:
            place.machine.execution.refuse(f"{self._name} is no threading.Thread, so only it itself knows how it is")
        port = place.port()
        return (place.machine.peek if port is None else port.load)(self._words + which)

    def _was_started(self) -> bool:
        return self._starter in {MAIN, self.place.me()} or self._word(0) != 0

    def start(self) -> None:
        """Begin to run."""
        place = self.place
        if not self._initialized:
            raise RuntimeError("thread.__init__() not called")
        a, port = self._words, place.port()
        if a is None:
            was = 1
        elif port is None:
            was = place.machine.peek(a)
            place.machine.poke(a, 1)
        else:
            was = port.xchg(a, 1)
        if was:
            raise RuntimeError("threads can only be started once")
        self._starter = place.me()
        if self._daemonic:
            ending(place)
        (place.machine if port is None else port).spawn(self._body, self._name)

    def _body(self, port: Port) -> None:
        place = self.place
        self._ident = port.index + 1
        place.objects[port.index] = self
        if self._daemonic:
            place.daemons.add(port.index)
        with suppress(SystemExit):  # which ends a thread, and says nothing
            self.run()
        assert self._words is not None  # noqa: S101  it was started
        port.wake(self._words + 1)

    def join(self, timeout: float | None = None) -> None:
        """Wait until it has ended, or the time is over."""
        if not self._initialized:
            raise RuntimeError("Thread.__init__() not called")
        if not self._was_started():
            raise RuntimeError("cannot join thread before it is started")
        if self._ident == self.place.me():
            raise RuntimeError("cannot join current thread")
        if timeout is not None:
            timeout = limit(timeout)
        if not self._ended_within(timeout):
            self.place.passes(timeout or 0)

    def _ended_within(self, seconds: float | None) -> bool:
        """Wait for so long; without end if that is None."""
        port = self.place.port()
        if port is None or self._words is None:
            ended = self._word(1) != 0
            if not ended and seconds is None:
                self.place.wouldwait("join")
            return ended
        done = self._words + 1
        if seconds is None:
            return port.sleep(done)
        if port.load(done):
            return True
        return seconds > 0 and not port.choose(2) and port.sleep(done, 1)

    def is_alive(self) -> bool:
        """Has it started, and not ended?"""
        return self._ident in {MAIN, self.place.me()} or (self._was_started() and not self._word(1))

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
        if self._was_started():
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


def current_thread(cls: type[Thread]) -> object:
    """Who is running, as an object: that of a thread that was spawned with a port is made when it is asked for."""
    port = cls.place.port()
    index = -1 if port is None else port.index
    found = object_of(cls, index)
    if port is not None:
        cls.place.machine.askers.add(index)
        cls.place.machine.met.append(found)
    return found


def main_thread(cls: type[Thread]) -> object:
    """Who sets up and checks."""
    found = object_of(cls, -1)
    if cls.place.port() is not None:
        cls.place.machine.met.append(found)
    return found


def object_of(cls: type[Thread], index: int) -> object:
    """The object of the machine's thread of that number, or of what sets up."""
    place = cls.place
    if index not in place.objects:
        found = place.objects[index] = cls.__new__(cls)
        found._name = "MainThread" if index < 0 else place.machine.names[index]  # noqa: SLF001  it makes it
        found._ident = found._starter = MAIN if index < 0 else index + 1  # noqa: SLF001
        found._initialized, found._daemonic, found._words = True, False, None  # noqa: SLF001
    return place.objects[index]
