"""Small programs in which a thread keeps what it read in a Python object: the fault is found wherever it is kept."""

# ruff: noqa: ANN401, D103, PLW0108  the programs' names say what they are, and they are small on purpose

from __future__ import annotations

import array
import collections
import contextvars
import enum
import functools
import queue
import threading
import types
from typing import TYPE_CHECKING, Any

from tests.collector.explore.endingprograms import Slotted
from tests.collector.explore.kinds import of


if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from collector.explore import SteppedMachine
    from workbuf.machine import Port

    Pair = tuple[Callable[[int], object], Callable[[], int]]
    """How to keep what was read, and how to read it."""

KEEPS: dict[str, Callable[[SteppedMachine], Any]] = {}
"""Programs with a check that fails in a few schedules, by what a thread keeps in Python."""


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


def keeping_as(pair: Callable[[], Pair]) -> Callable[[SteppedMachine], Any]:
    """The program whose threads keep what they read so."""
    return lambda machine: keeping(*pair())(machine)


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


@of(KEEPS)
def on_its_port_from_before_its_first_step(machine: SteppedMachine) -> Any:
    x, y, found = machine.word(0, "x"), machine.word(0, "y"), [0]

    def reader(port: Any) -> None:
        port.kept = []
        port.kept.append(port.load(x))
        port.load(y)
        found[0] = port.kept[0]

    def writer(port: Port) -> None:
        port.store(x, 1)
        port.store(x, 0)

    machine.spawn(reader)
    machine.spawn(writer)

    def check() -> None:
        assert found != [1]

    return check
