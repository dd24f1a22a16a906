"""Stand-ins for `threading.Thread`, `local` and what says which thread is running."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from collector.explore.stdlib.place import Place
    from workbuf.machine import Port


class Thread:
    """As `threading.Thread` is documented; a daemon is like any other."""

    place: ClassVar[Place]

    def __init__(
        self,
        group: None = None,  # noqa: ARG002  as in threading
        target: Callable[..., object] | None = None,
        name: str | None = None,
        args: Iterable[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
        *,
        daemon: bool | None = None,
    ) -> None:
        self.name = name or self.place.unique("Thread")
        self.daemon = bool(daemon)
        self.ident: int | None = None
        self._target, self._args, self._kwargs = target, tuple(args), dict(kwargs or {})
        self._done = self.place.cell(f"{self.name}.done")
        self._started = False

    def start(self) -> None:
        """Begin to run."""
        if self._started:
            raise RuntimeError("threads can only be started once")
        self._started = True
        port = self.place.port()
        (self.place.machine if port is None else port).spawn(self._body, self.name)

    def _body(self, port: Port) -> None:
        self.ident = port.index + 1
        self.place.objects[port.index] = self
        self.run()
        port.wake(self._done)

    def run(self) -> None:
        """What it does."""
        if self._target is not None:
            self._target(*self._args, **self._kwargs)

    def join(self, timeout: float | None = None) -> None:
        """Wait until it has ended, or the time is over."""
        if not self._started:
            raise RuntimeError("cannot join thread before it is started")
        port = self.place.port()
        if port is None:
            if not self.place.machine.peek(self._done):
                self.place.wouldwait("join")
        elif timeout is None:
            port.sleep(self._done)
        elif not port.load(self._done) and (port.choose(2) or not port.sleep(self._done, 1)):
            self.place.clocks[port.index] += timeout

    def is_alive(self) -> bool:
        """Has it started, and not ended?"""
        port = self.place.port()
        return self._started and not (self.place.machine.peek if port is None else port.load)(self._done)


def current_thread(cls: type[Thread]) -> object:
    """Who is running, as an object: that of a thread that was spawned with a port is made when it is asked for."""
    port, objects = cls.place.port(), cls.place.objects
    index = -1 if port is None else port.index
    if index not in objects:
        found = objects[index] = cls.__new__(cls)
        found.name = "MainThread" if port is None else port.name
        found.daemon, found.ident = False, index + 1
    if port is not None:
        cls.place.machine.askers.add(index)
        cls.place.machine.met.append(objects[index])
    return objects[index]


class Local:
    """As `threading.local`: every thread has attributes of its own."""

    place: ClassVar[Place]

    def __getattribute__(self, name: str) -> Any:  # noqa: ANN401  whatever was put there
        if name.startswith("__"):
            return object.__getattribute__(self, name)
        mine = own(self)
        if name in mine:
            return mine[name]
        return object.__getattribute__(self, name)

    def __setattr__(self, name: str, value: object) -> None:
        own(self)[name] = value

    def __delattr__(self, name: str) -> None:
        if name not in own(self):
            raise AttributeError(name)
        del own(self)[name]


def own(local: Local) -> dict[str, Any]:
    """The attributes of the running thread."""
    attributes: dict[int, dict[str, Any]] = object.__getattribute__(local, "__dict__")
    return attributes.setdefault(type(local).place.me(), {})
