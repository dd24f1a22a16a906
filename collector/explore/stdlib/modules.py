"""The stand-in modules `threading`, `queue` and `time` of a schedule.

Of `threading` only Lock, Thread and local are ours.  RLock, Condition, Semaphore, Barrier and the rest are CPython's own
classes, their functions given other globals, in which Lock means ours; `queue` is CPython's own file, loaded the same way.
So what is explored is what a program runs on.
"""

from __future__ import annotations

import queue
import threading
import time
from functools import partial
from types import CellType, FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

from collector.explore.stdlib.lock import Lock
from collector.explore.stdlib.source import execute, source
from collector.explore.stdlib.thread import Local, Thread, current_thread
from workbuf.machine import Pause


if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from collector.explore.stdlib.place import Place


CPYTHONS = ("_RLock", "Condition", "Semaphore", "BoundedSemaphore", "Event", "Barrier", "Timer")
"""Classes of threading's that are made of locks, in an order in which bases come first."""
UNAVAILABLE = ("start_new_thread", "excepthook", "settrace", "setprofile", "enumerate", "active_count")


def standins(place: Place) -> dict[str, ModuleType]:
    """By name."""
    clock = clocks(place)
    modules = {"threading": threading_of(place, clock), "time": clock}
    queues = ModuleType("queue")
    execute(source("queue"), queues, modules)
    queues.__package__ = __package__
    # The errors are the real ones, so that a test catches them by the usual name; SimpleQueue is the one in Python.
    for name in ("Empty", "Full", "ShutDown"):
        if hasattr(queue, name):
            setattr(queues, name, getattr(queue, name))
    queues.__dict__["SimpleQueue"] = queues.__dict__["_PySimpleQueue"]
    return {**modules, "queue": queues}


def threading_of(place: Place, clock: ModuleType) -> ModuleType:
    """`threading`."""
    lock = type("Lock", (Lock,), {"place": place})
    thread = type("Thread", (Thread,), {"place": place})
    module = ModuleType("threading")
    names = vars(module)
    names |= {
        **{name: value for name, value in vars(threading).items() if name not in UNAVAILABLE and name != "__name__"},
        "Lock": lock,
        "_allocate_lock": lock,
        "allocate_lock": lock,
        "get_ident": place.me,
        "_time": clock.monotonic,
        "Thread": thread,
        "current_thread": partial(current_thread, thread),
        "currentThread": partial(current_thread, thread),
        "local": type("local", (Local,), {"place": place}),
        # Frames of functions with these globals are passed over where a report looks for the program's line.
        "__package__": __package__,
    }
    for name in CPYTHONS:
        names[name] = rebound(getattr(threading, name), names)
        if name == "_RLock":
            names["RLock"] = names["_RLock"]
    names["Event"] = type("Event", (names["Event"],), {"_flag": flag(place)})
    return module


def rebound(cls: type, names: dict[str, Any]) -> type:
    """A class like `cls` whose functions, and bases, find what they name in `names`."""
    bases = tuple(names.get(base.__name__, base) for base in cls.__bases__)
    own = CellType()
    """What `super()` and `__class__` mean in its functions."""
    made = {
        name: with_globals(value, names, own) if isinstance(value, FunctionType) else value
        for name, value in vars(cls).items()
        if name not in {"__dict__", "__weakref__"}
    }
    for name, value in made.items():
        if isinstance(value, property):
            get, assign = value.fget, value.fset
            made[name] = property(get and with_globals(get, names, own), assign and with_globals(assign, names, own))
    own.cell_contents = type(cls)(cls.__name__, bases, made)
    again: type = own.cell_contents
    return again


def with_globals(function: Callable[..., Any], names: dict[str, Any], own: CellType) -> Callable[..., Any]:
    """The same function, which finds its global names in `names`, and its class in `own`."""
    if not isinstance(function, FunctionType):
        return function
    free = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    closure = tuple(own if name == "__class__" else cell for name, cell in free)
    again = FunctionType(function.__code__, names, function.__name__, function.__defaults__, closure or None)
    again.__kwdefaults__ = function.__kwdefaults__
    return again


def flag(place: Place) -> property:
    """An event's flag, which `is_set` reads without its lock: a word, read and written atomically."""

    def read(event: threading.Event) -> bool:
        port = place.port()
        return bool((place.machine.peek if port is None else port.load)(vars(event)["cell"]))

    def write(event: threading.Event, value: bool) -> None:  # noqa: FBT001  an attribute's value
        a = vars(event).get("cell") or vars(event).setdefault("cell", place.cell("event"))
        port = place.port()
        (place.machine.poke if port is None else port.store)(a, int(value))

    return property(read, write)


def clocks(place: Place) -> ModuleType:
    """`time`: a thread's time goes on when it sleeps, or waits in vain."""

    def seconds() -> float:
        return place.now()

    def nanoseconds() -> int:
        return int(place.now() * 1e9)

    def sleep(duration: float) -> None:
        port = place.port()
        if port is not None:
            port.pause(Pause.USLEEP, 1)
        place.clocks[-1 if port is None else port.index] += duration

    module = ModuleType("time")
    names: Mapping[str, object] = {
        **{name: value for name, value in vars(time).items() if name != "__name__"},
        **dict.fromkeys(("monotonic", "time", "perf_counter", "process_time", "thread_time"), seconds),
        **dict.fromkeys(("monotonic_ns", "time_ns", "perf_counter_ns"), nanoseconds),
        "sleep": sleep,
    }
    vars(module).update(names)
    return module
