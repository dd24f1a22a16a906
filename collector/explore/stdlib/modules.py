"""The stand-in modules `threading`, `queue` and `time` of a schedule.

Of `threading` only Lock, Thread and local are ours.  RLock, Condition, Semaphore, Barrier and the rest are CPython's own
classes, their functions given other globals, in which Lock means ours; `queue` is CPython's own file, loaded the same way.
So what is explored is what a program runs on.  What these classes read without their lock is a word, read atomically.

A program that uses anything else of `threading` is refused.
"""

from __future__ import annotations

import queue
import sys
import threading
import time
from functools import partial
from types import CellType, FunctionType, ModuleType
from typing import TYPE_CHECKING, Any, NoReturn

from collector.explore.stdlib.local import Local
from collector.explore.stdlib.lock import Lock, limit, patience
from collector.explore.stdlib.simplequeue import SimpleQueue
from collector.explore.stdlib.source import execute, source
from collector.explore.stdlib.thread import Thread, current_thread, main_thread
from workbuf.machine import Pause


if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from collector.explore.stdlib.place import Place


CPYTHONS = ("_RLock", "Condition", "Semaphore", "BoundedSemaphore", "Event", "Barrier", "Timer")
"""Classes of threading's that are made of locks, in an order in which bases come first."""
UNAVAILABLE = frozenset({
    "excepthook", "settrace", "setprofile", "settrace_all_threads", "setprofile_all_threads", "enumerate", "active_count",
    "activeCount", "stack_size",
})  # fmt: skip
CLOCKS = ("monotonic", "time", "perf_counter", "process_time", "thread_time")


def standins(place: Place) -> dict[str, ModuleType]:
    """By name."""
    clock = clocks(place)
    modules = {"threading": threading_of(place, clock), "time": clock}
    queues = ModuleType("queue")
    execute(source("queue"), queues, modules)
    queues.__package__ = __package__
    # The errors are the real ones, so that a test catches them by the usual name.
    for name in ("Empty", "Full", "ShutDown"):
        if hasattr(queue, name):
            setattr(queues, name, getattr(queue, name))
    vars(queues)["SimpleQueue"] = type("SimpleQueue", (SimpleQueue,), {"_SimpleQueue__queue": vars(queues)["Queue"]})
    below = ModuleType("_thread")
    vars(below)["__getattr__"] = partial(refused, place, below.__name__)
    return {**modules, "queue": queues, "_thread": below}


def refused(place: Place, module: str, name: str) -> NoReturn:
    """The program uses that of a module, and there is no stand-in for it."""
    if name.startswith("__") or not hasattr(sys.modules[module], name):
        raise AttributeError(f"module {module!r} has no attribute {name!r}")
    place.machine.execution.refuse(f"there is no stand-in for {module}.{name}")


def threading_of(place: Place, clock: ModuleType) -> ModuleType:
    """`threading`."""
    lock = type("Lock", (Lock,), {"place": place})
    module = ModuleType("threading")
    names = vars(module)
    thread = type("Thread", (Thread,), {"_Thread__place": place, "run": with_globals(threading.Thread.run, names)})
    names |= {
        **{name: value for name, value in vars(threading).items() if name not in UNAVAILABLE and name != "__name__"},
        "__all__": [name for name in threading.__all__ if name not in UNAVAILABLE],
        "__getattr__": partial(refused, place, "threading"),
        "Lock": lock,
        "_allocate_lock": lock,
        "allocate_lock": lock,
        "get_ident": place.me,
        "get_native_id": place.me,
        "_time": clock.monotonic,
        "Thread": thread,
        "current_thread": partial(current_thread, place, thread),
        "currentThread": partial(current_thread, place, thread),
        "main_thread": partial(main_thread, place, thread),
        "local": type("local", (Local,), {"_Local__place": place, "__slots__": ()}),
        # Frames of functions with these globals are passed over where a report looks for the program's line.
        "__package__": __package__,
    }
    for name in CPYTHONS:
        names[name] = rebound(getattr(threading, name), names)
        if name == "_RLock":
            names["RLock"] = type("RLock", (names["_RLock"],), {"acquire": acquire, "__enter__": acquire})
    names["Event"] = type("Event", (names["Event"],), {"_flag": word(place, "flag", bool)})
    unlocked = {"_state": word(place, "state", signed), "_count": word(place, "count", int)}
    names["Barrier"] = type("Barrier", (names["Barrier"],), unlocked)
    return module


def acquire(lock: Any, blocking: bool = True, timeout: float = -1) -> bool:  # noqa: ANN401, FBT001, FBT002  an RLock
    """Of RLock, as it is in C: it looks at its arguments in any case, and says True or False."""
    patience(blocking, timeout)
    return bool(super(type(lock), lock).acquire(blocking, timeout))


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


def with_globals(
    function: Callable[..., Any], names: dict[str, Any], own: CellType | None = None
) -> Callable[..., Any]:
    """The same function, which finds its global names in `names`, and its class in `own`."""
    if not isinstance(function, FunctionType):
        return function
    free = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    closure = tuple(own if own and name == "__class__" else cell for name, cell in free)
    again = FunctionType(function.__code__, names, function.__name__, function.__defaults__, closure or None)
    again.__kwdefaults__ = function.__kwdefaults__
    return again


def word(place: Place, name: str, read: Callable[[int], object]) -> property:
    """An attribute of an event or a barrier, a word that is read and written atomically: it is also read without the lock.

    Who holds the lock of its condition knows that nobody else writes it: to read it is no step.  The object keeps the word
    by what is no identifier: no attribute of a subclass is called so.
    """
    key = f"word of {name}"

    def get(owner: Any) -> object:  # noqa: ANN401
        a, port = vars(owner)[key], place.port()
        if port is None or owner._cond._is_owned():  # noqa: SLF001
            return read(place.machine.memory.plain[a])
        return read(port.load(a))

    def assign(owner: object, value: int) -> None:
        a = vars(owner).get(key) or vars(owner).setdefault(key, place.cell(name))
        port = place.port()
        (place.machine.poke if port is None else port.store)(a, int(value))

    return property(get, assign)


def signed(v: int) -> int:
    """The number that a word stands for, which may be below 0."""
    return v - (v >> 63 << 64)


def clocks(place: Place) -> ModuleType:
    """`time`: a thread's time goes on when it sleeps, or waits in vain."""

    def seconds() -> float:
        return place.now()

    def nanoseconds() -> int:
        return int(place.now() * 1e9)

    def sleep(duration: float) -> None:
        if limit(duration) < 0:
            raise ValueError("sleep length must be non-negative")
        port = place.port()
        if port is not None:
            port.pause(Pause.USLEEP, 1)
        place.passes(duration)

    module = ModuleType("time")
    names: Mapping[str, object] = {
        **{name: value for name, value in vars(time).items() if name != "__name__"},
        **dict.fromkeys(CLOCKS, seconds),
        **dict.fromkeys((f"{name}_ns" for name in CLOCKS), nanoseconds),
        "sleep": sleep,
    }
    vars(module).update(names)
    return module
