"""Small programs whose verdict is known: what each strategy may say of them.

Kinds: programs that end (never accused), that do not (never proved), that keep what they read in Python objects (the fault
is found wherever it is kept), and that are not the same from run to run (never proved).
"""

# ruff: noqa: ANN401, D103, PLW0108  the programs' names say what they are, and they are small on purpose

from __future__ import annotations

import array
import collections
import contextvars
import enum
import functools
import itertools
import os
import queue
import random
import threading
import time
import types
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from workbuf.machine import Pause


if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from collector.explore import SteppedMachine
    from workbuf.machine import Port

ENDS: dict[str, Callable[[SteppedMachine], Any]] = {}
"""Programs that end in every schedule and whose checks hold."""
HANGS: dict[str, Callable[[SteppedMachine], Any]] = {}
"""Programs that do not end, in some fair schedule at the least."""
KEEPS: dict[str, Callable[[SteppedMachine], Any]] = {}
"""Programs with a check that fails in a few schedules, by what a thread keeps in Python."""
DIFFERS: dict[str, Callable[[SteppedMachine], Any]] = {}
"""Programs that may do something else when they are run again."""


def of(kind: dict[str, Callable[[SteppedMachine], Any]]) -> Callable[[Callable[[SteppedMachine], Any]], Any]:
    """Put a program among those of its kind."""

    def add(program: Callable[[SteppedMachine], Any]) -> Callable[[SteppedMachine], Any]:
        kind[program.__name__] = program
        return program

    return add


def pause(port: Port) -> None:
    """One turn of a loop that waits."""
    port.pause(Pause.PROCYIELD, 1)


# --- programs that end -------------------------------------------------------------------------------------------------


class Slotted:
    """A counter in a slot."""

    __slots__ = ("n",)

    def __init__(self) -> None:
        self.n = 0


@dataclass
class Backoff:
    """A counter in a dataclass, with a list beside it."""

    n: int = 0
    tried: list[int] = field(default_factory=list)


def gives_up(turn: Callable[[], bool]) -> Callable[[SteppedMachine], None]:
    """A thread that waits for what nobody does, for as long as `turn()` lets it."""

    def program(machine: SteppedMachine) -> None:
        x = machine.word(0, "x")

        def waiter(port: Port) -> None:
            while not port.load(x) and turn():
                pause(port)

        machine.spawn(waiter)

    return program


@of(ENDS)
def counter_in_a_slot(machine: SteppedMachine) -> None:
    slotted = Slotted()

    def turn() -> bool:
        slotted.n += 1
        return slotted.n < 7

    gives_up(turn)(machine)


@of(ENDS)
def counter_in_a_nested_dict(machine: SteppedMachine) -> None:
    kept: dict[str, dict[str, list[int]]] = {"a": {"b": [0]}}

    def turn() -> bool:
        kept["a"]["b"][0] += 1
        return kept["a"]["b"][0] < 7

    gives_up(turn)(machine)


@of(ENDS)
def counter_in_a_closure(machine: SteppedMachine) -> None:
    n = 0

    def turn() -> bool:
        nonlocal n
        n += 1
        return n < 7

    gives_up(turn)(machine)


@of(ENDS)
def counter_in_a_bytearray(machine: SteppedMachine) -> None:
    kept = bytearray(1)

    def turn() -> bool:
        kept[0] += 1
        return kept[0] < 7

    gives_up(turn)(machine)


@of(ENDS)
def counter_in_an_array(machine: SteppedMachine) -> None:
    kept = array.array("q", [0])

    def turn() -> bool:
        kept[0] += 1
        return kept[0] < 7

    gives_up(turn)(machine)


@of(ENDS)
def counter_in_a_generator(machine: SteppedMachine) -> None:
    def seven() -> Iterator[bool]:
        yield from [True] * 7

    left = seven()
    gives_up(lambda: next(left, False))(machine)


@of(ENDS)
def counter_in_an_iterator(machine: SteppedMachine) -> None:
    left = iter(range(7))
    gives_up(lambda: next(left, None) is not None)(machine)


@of(ENDS)
def counter_in_itertools_count(machine: SteppedMachine) -> None:
    numbers = itertools.count()
    gives_up(lambda: next(numbers) < 7)(machine)


@of(ENDS)
def counter_in_a_string(machine: SteppedMachine) -> None:
    kept = types.SimpleNamespace(text="")

    def turn() -> bool:
        kept.text += "."
        return len(kept.text) < 7

    gives_up(turn)(machine)


@of(ENDS)
def counter_in_a_set(machine: SteppedMachine) -> None:
    kept: set[int] = set()

    def turn() -> bool:
        kept.add(len(kept))
        return len(kept) < 7

    gives_up(turn)(machine)


@of(ENDS)
def backoff_that_doubles(machine: SteppedMachine) -> None:
    x = machine.word(0, "x")

    def waiter(port: Port) -> None:
        wait = 1
        while not port.load(x) and wait < 200:
            port.pause(Pause.PROCYIELD, wait)
            wait *= 2

    machine.spawn(waiter)
    machine.spawn(lambda port: port.load(x))


@of(ENDS)
def backoff_object_that_is_shared(machine: SteppedMachine) -> None:
    x, backoff = machine.word(0, "x"), Backoff()

    def waiter(port: Port) -> None:
        while not port.load(x) and len(backoff.tried) < 6:
            backoff.tried.append(port.index)
            pause(port)

    machine.spawn(waiter)
    machine.spawn(waiter)


@of(ENDS)
def deadline_by_now(machine: SteppedMachine) -> None:
    x = machine.word(0, "x")

    def waiter(port: Port) -> None:
        deadline = port.now() + 12
        while not port.load(x) and port.now() < deadline:
            pause(port)

    machine.spawn(waiter)
    machine.spawn(lambda port: port.load(x))


@of(ENDS)
def retries_in_a_cell(machine: SteppedMachine) -> None:
    x, tries = machine.word(0, "x"), machine.word(0, "tries")

    def waiter(port: Port) -> None:
        while not port.load(x) and port.xadd(tries, 1) < 6:
            pause(port)

    machine.spawn(waiter)
    machine.spawn(waiter)


@of(ENDS)
def retries_by_exception(machine: SteppedMachine) -> None:
    x = machine.word(0, "x")

    class Again(Exception):
        pass

    def attempt(port: Port, n: int) -> None:
        if not port.load(x) and n < 5:
            raise Again(n)

    def waiter(port: Port) -> None:
        n = 0
        while True:
            try:
                attempt(port, n)
            except Again as again:
                n = again.args[0] + 1
                pause(port)
            else:
                return

    machine.spawn(waiter)


@of(ENDS)
def waits_until_another_has_written(machine: SteppedMachine) -> Callable[[], None]:
    x, y = machine.word(0, "x"), machine.word(0, "y")

    def waiter(port: Port) -> None:
        while not port.load(x):
            pause(port)
        port.store(y, 1)

    machine.spawn(waiter)
    machine.spawn(lambda port: port.store(x, 1))

    def check() -> None:
        assert machine.peek(y) == 1

    return check


@of(ENDS)
def waits_without_a_pause(machine: SteppedMachine) -> None:
    x = machine.word(0, "x")

    def waiter(port: Port) -> None:
        while not port.load(x):
            pass

    machine.spawn(waiter)
    machine.spawn(lambda port: port.store(x, 1))


@of(ENDS)
def spin_lock_in_a_for(machine: SteppedMachine) -> Callable[[], None]:
    lock, x = machine.word(0, "lock"), machine.word(0, "x")

    def body(port: Port) -> None:
        for _ in range(2):
            while not port.cas(lock, 0, 1):
                pause(port)
            port.words[x] += 1
            port.store(lock, 0)

    machine.spawn(body)
    machine.spawn(body)

    def check() -> None:
        assert machine.peek(x) == 4

    return check


@of(ENDS)
def turn_taking(machine: SteppedMachine) -> None:
    turn = machine.word(0, "turn")

    def body(port: Port, mine: int) -> None:
        for _ in range(2):
            while port.load(turn) != mine:
                pause(port)
            port.store(turn, 1 - mine)

    machine.spawn(lambda port: body(port, 0))
    machine.spawn(lambda port: body(port, 1))


@of(ENDS)
def timed_sleep(machine: SteppedMachine) -> None:
    note = machine.word(0, "note")
    machine.spawn(lambda port: port.sleep(note, 100))


# --- programs that do not end ------------------------------------------------------------------------------------------


@of(HANGS)
def nobody_sets_the_flag(machine: SteppedMachine) -> None:
    x = machine.word(0, "x")

    def waiter(port: Port) -> None:
        while not port.load(x):
            pause(port)

    machine.spawn(waiter)


@of(HANGS)
def nobody_sets_the_flag_and_no_pause(machine: SteppedMachine) -> None:
    x = machine.word(0, "x")

    def waiter(port: Port) -> None:
        while not port.load(x):
            pass

    machine.spawn(waiter)
    machine.spawn(waiter)


@of(HANGS)
def spin_in_a_function(machine: SteppedMachine) -> None:
    x = machine.word(1, "lock")

    def acquire(port: Port) -> None:
        while port.xchg(x, 1):
            pause(port)

    machine.spawn(lambda port: [acquire(port) for _ in range(2)])
    machine.spawn(acquire)


@of(HANGS)
def spin_in_a_generator(machine: SteppedMachine) -> None:
    x = machine.word(0, "x")

    def reads(port: Port) -> Iterator[int]:
        while True:
            yield port.load(x)
            pause(port)

    machine.spawn(lambda port: any(reads(port)))


@of(HANGS)
def wakeup_before_the_sleep_is_cleared(machine: SteppedMachine) -> None:
    note = machine.word(0, "note")

    def sleeper(port: Port) -> None:
        port.store(note, 0)  # too late: the wake-up may have been there
        port.sleep(note)

    machine.spawn(sleeper)
    machine.spawn(lambda port: port.wake(note))


@of(HANGS)
def locks_in_opposite_order(machine: SteppedMachine) -> None:
    a, b = machine.word(0, "a"), machine.word(0, "b")

    def body(port: Port, first: int, second: int) -> None:
        port.lock(first)
        port.lock(second)
        port.unlock(second)
        port.unlock(first)

    machine.spawn(lambda port: body(port, a, b))
    machine.spawn(lambda port: body(port, b, a))


@of(HANGS)
def spin_locks_in_opposite_order(machine: SteppedMachine) -> None:
    a, b = machine.word(0, "a"), machine.word(0, "b")

    def body(port: Port, first: int, second: int) -> None:
        for lock in (first, second):
            while not port.cas(lock, 0, 1):
                pause(port)
        port.store(second, 0)
        port.store(first, 0)

    machine.spawn(lambda port: body(port, a, b))
    machine.spawn(lambda port: body(port, b, a))


@of(HANGS)
def two_polite_threads(machine: SteppedMachine) -> None:
    """Each gives way as soon as it sees the other: in lock step for ever."""
    want = machine.alloc(2, "want")

    def body(port: Port, mine: int, other: int) -> None:
        while True:
            port.store(want + mine, 1)
            if not port.load(want + other):
                break
            port.store(want + mine, 0)
            pause(port)
        port.store(want + mine, 0)

    machine.spawn(lambda port: body(port, 0, 1))
    machine.spawn(lambda port: body(port, 1, 0))


@of(HANGS)
def counts_while_it_hangs(machine: SteppedMachine) -> None:
    """A statistic that grows in memory that nobody reads."""
    x, spins = machine.word(0, "x"), machine.alloc(1, "spins", statistics=True)

    def waiter(port: Port) -> None:
        while not port.load(x):
            port.xadd(spins, 1)
            pause(port)

    machine.spawn(waiter)


# --- what a thread saw is kept in a Python object --------------------------------------------------------------------------


def keeping(keep: Callable[[int], object], read: Callable[[], object]) -> Callable[[SteppedMachine], Any]:
    """One keeps what it read; the check fails if it was read in the middle of the other's two stores."""

    def program(machine: SteppedMachine) -> Callable[[], None]:
        x, y = machine.word(0, "x"), machine.word(0, "y")

        def reader(port: Port) -> None:
            keep(port.load(x))
            port.load(y)

        def writer(port: Port) -> None:
            port.store(x, 1)
            port.store(x, 0)

        machine.spawn(reader)
        machine.spawn(writer)

        def check() -> None:
            assert read() != 1

        return check

    return program


class Account:
    """Attributes of an object, of its class, and in a slot."""

    total = 0

    def __init__(self) -> None:
        self.v = 0


@of(KEEPS)
def in_an_attribute(machine: SteppedMachine) -> Any:
    account = Account()
    return keeping(lambda v: setattr(account, "v", v), lambda: account.v)(machine)


@of(KEEPS)
def in_a_class_attribute(machine: SteppedMachine) -> Any:
    Account.total = 0
    return keeping(lambda v: setattr(Account, "total", v), lambda: Account.total)(machine)


@of(KEEPS)
def in_a_slot(machine: SteppedMachine) -> Any:
    slotted = Slotted()
    return keeping(lambda v: setattr(slotted, "n", v), lambda: slotted.n)(machine)


GLOBAL = 0


@of(KEEPS)
def in_a_global(machine: SteppedMachine) -> Any:
    def keep(v: int) -> None:
        global GLOBAL  # noqa: PLW0603  this is what is tried
        GLOBAL = v

    keep(0)
    return keeping(keep, lambda: GLOBAL)(machine)


@of(KEEPS)
def in_a_nonlocal(machine: SteppedMachine) -> Any:
    kept = 0

    def keep(v: int) -> None:
        nonlocal kept
        kept = v

    return keeping(keep, lambda: kept)(machine)


@of(KEEPS)
def in_a_list_of_lists(machine: SteppedMachine) -> Any:
    kept: list[list[int]] = [[], []]
    return keeping(kept[1].append, lambda: kept[1][0])(machine)


@of(KEEPS)
def in_a_bytearray(machine: SteppedMachine) -> Any:
    kept = bytearray()
    return keeping(kept.append, lambda: kept[0])(machine)


@of(KEEPS)
def in_an_array(machine: SteppedMachine) -> Any:
    kept = array.array("Q")
    return keeping(kept.append, lambda: kept[0])(machine)


@of(KEEPS)
def in_a_defaultdict(machine: SteppedMachine) -> Any:
    kept: dict[str, list[int]] = collections.defaultdict(list)
    return keeping(lambda v: kept["seen"].append(v), lambda: kept["seen"][0])(machine)


@of(KEEPS)
def in_a_counter(machine: SteppedMachine) -> Any:
    kept: collections.Counter[int] = collections.Counter()
    return keeping(lambda v: kept.update([v]), lambda: kept[1])(machine)


@of(KEEPS)
def in_an_ordered_dict(machine: SteppedMachine) -> Any:
    kept: collections.OrderedDict[str, int] = collections.OrderedDict()
    return keeping(lambda v: kept.__setitem__("v", v), lambda: kept["v"])(machine)


@of(KEEPS)
def in_a_set(machine: SteppedMachine) -> Any:
    kept: set[int] = set()
    return keeping(kept.add, lambda: int(1 in kept))(machine)


@of(KEEPS)
def in_a_generator(machine: SteppedMachine) -> Any:
    def last() -> Generator[int, int, None]:
        value = 0
        while True:
            value = (yield value) or value

    kept = last()
    next(kept)
    return keeping(kept.send, lambda: next(kept))(machine)


@of(KEEPS)
def in_an_exception(machine: SteppedMachine) -> Any:
    kept: list[Exception] = []
    return keeping(lambda v: kept.append(ValueError(v)), lambda: kept[0].args[0])(machine)


class Colour(enum.Enum):
    """What was read, as an enum's member."""

    WHITE = 0
    BLACK = 1


@of(KEEPS)
def in_an_enum(machine: SteppedMachine) -> Any:
    account = types.SimpleNamespace(colour=Colour.WHITE)
    return keeping(lambda v: setattr(account, "colour", Colour(v)), lambda: account.colour.value)(machine)


@of(KEEPS)
def in_a_partial(machine: SteppedMachine) -> Any:
    kept: list[Callable[[], int]] = []
    return keeping(lambda v: kept.append(functools.partial(int, v)), lambda: kept[0]())(machine)


@of(KEEPS)
def in_a_lambda(machine: SteppedMachine) -> Any:
    kept: list[Callable[[], int]] = []
    return keeping(lambda v: kept.append(lambda: v), lambda: kept[0]())(machine)


@of(KEEPS)
def in_a_position(machine: SteppedMachine) -> Any:
    """How far an iterator has come."""
    left = iter([0, 1, 1, 1])
    return keeping(lambda v: next(left) if v else None, lambda: next(left))(machine)


@of(KEEPS)
def in_a_queue(machine: SteppedMachine) -> Any:
    """An object with locks inside, which cannot be looked into."""
    kept: queue.SimpleQueue[int] = queue.SimpleQueue()
    return keeping(kept.put, kept.get)(machine)


@of(KEEPS)
def in_a_context_variable(machine: SteppedMachine) -> Any:
    kept: contextvars.ContextVar[list[int]] = contextvars.ContextVar("kept")
    box: list[int] = []
    kept.set(box)
    seen = kept.get()
    return keeping(seen.append, lambda: box[0])(machine)


@of(KEEPS)
def in_a_thread_local(machine: SteppedMachine) -> Any:
    kept = threading.local()
    kept.v = 0
    return keeping(lambda v: setattr(kept, "v", v), lambda: kept.v)(machine)


@of(KEEPS)
def in_an_lru_cache(machine: SteppedMachine) -> Any:
    @functools.lru_cache
    def cached(v: int) -> int:
        return v

    return keeping(cached, lambda: int(cached.cache_info().currsize and cached(1) and cached.cache_info().hits))(
        machine
    )


# --- programs that may do something else when they are run again ---------------------------------------------------------


@of(DIFFERS)
def random_value(machine: SteppedMachine) -> None:
    x = machine.word(0, "x")
    machine.spawn(lambda port: port.store(x, random.getrandbits(32)))
    machine.spawn(lambda port: port.load(x))


@of(DIFFERS)
def random_number_of_threads(machine: SteppedMachine) -> None:
    x = machine.word(0, "x")
    for _ in range(random.randrange(2, 5)):
        machine.spawn(lambda port: port.xadd(x, 1))


@of(DIFFERS)
def clock_decides(machine: SteppedMachine) -> None:
    x = machine.word(0, "x")

    def body(port: Port) -> None:
        if time.perf_counter_ns() % 2:
            port.xadd(x, 1)
        port.load(x)

    machine.spawn(body)
    machine.spawn(body)


@of(DIFFERS)
def identity_decides(machine: SteppedMachine) -> None:
    x = machine.word(0, "x")
    machine.spawn(lambda port: port.store(x, id(object()) & 0xFFFF | id(port) & 0xFF0000))
    machine.spawn(lambda port: port.store(x, uuid.uuid4().int & 0xFFFF))


@of(DIFFERS)
def system_entropy(machine: SteppedMachine) -> None:
    x = machine.word(0, "x")
    machine.spawn(lambda port: port.store(x, int.from_bytes(os.urandom(4))))
    machine.spawn(lambda port: port.load(x))


RUNS = itertools.count()


@of(DIFFERS)
def a_count_of_runs(machine: SteppedMachine) -> None:
    x = machine.word(0, "x")
    number = next(RUNS)
    machine.spawn(lambda port: port.store(x, number))
    machine.spawn(lambda port: port.load(x))


@functools.cache
def remembered(key: int) -> list[int]:
    """A list that lives as long as the process."""
    return [key]


@of(DIFFERS)
def a_list_that_outlives_the_run(machine: SteppedMachine) -> None:
    x = machine.word(0, "x")

    def body(port: Port) -> None:
        kept = remembered(0)
        kept.append(0)
        if len(kept) % 5 == 0:
            port.xadd(x, 1)
        port.load(x)

    machine.spawn(body)
    machine.spawn(body)
