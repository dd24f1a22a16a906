"""Small programs whose outcome depends on an order that only Python objects see.

In each of ORDERED two threads take steps on cells of their own, and what they leave in a shared object, or find there,
depends on who came first.  No cell tells, so the steps commute as far as the machine's memory goes.  What they share here
is changed by its methods and items; see `assignedprograms` for names, attributes and functions that are assigned.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, var-annotated"
# ruff: noqa: ANN001, ANN201, ANN202, D103  the programs' names say what they are, and they are small

from __future__ import annotations

import collections
import functools
import io
import itertools
import types
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.collector.explore.kinds import of


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from collector.explore import SteppedMachine
    from workbuf.machine import Port

    Told = Callable[[], list[Any]]
    Note = Callable[[Port, int], object]

ORDERED: dict[str, Callable[[SteppedMachine], Any]] = {}
"""Programs whose check fails in some schedules."""


def two(machine: SteppedMachine, note: Note) -> None:
    """Two threads that load a cell of their own, then take a note, with their port and number."""
    cells = [machine.word(0, f"x{i}") for i in range(2)]

    def thread(i: int) -> Callable[[Port], None]:
        def body(port: Port) -> None:
            port.load(cells[i])
            note(port, i)

        return body

    for i in range(2):
        machine.spawn(thread(i))


def in_order(told: Told) -> Callable[[], None]:
    """A check that thread 0 came first, as by default it does."""

    def check() -> None:
        assert told() == [0, 1], "out of order"

    return check


@of(ORDERED)
def appended_to_a_list(machine):
    log = []
    two(machine, lambda _port, i: log.append(i))
    return in_order(lambda: log)


@of(ORDERED)
def appended_to_a_deque(machine):
    log = collections.deque()
    two(machine, lambda _port, i: log.append(i))
    return in_order(lambda: [*log])


@of(ORDERED)
def keys_of_a_dictionary(machine):
    log = {}

    def note(_port, i):
        log[i] = True

    two(machine, note)
    return in_order(lambda: [*log])


@of(ORDERED)
def members_of_a_set_that_lie_behind_each_other(machine):
    x, y, seen = machine.word(0, "x"), machine.word(0, "y"), set()
    machine.spawn(lambda port: port.load(x) or seen.add(0))
    machine.spawn(lambda port: port.load(y) or seen.add(8))
    return in_order(lambda: [v // 8 for v in seen])


@of(ORDERED)
def from_one_list_to_another(machine):
    here, there, seen = [1], [], []

    def note(_port, i):
        if i == 0:
            there.append(here.pop())
        else:
            seen.extend(there)

    two(machine, note)
    return in_order(lambda: [0, 1] if seen else [1, 0])


@dataclass
class Board:
    lines: list[int] = field(default_factory=list)
    tops: list[int] = field(default_factory=list)

    def write(self, i: int) -> None:
        self.lines.append(i)

    def push(self, i: int) -> None:
        if not self.tops:
            self.tops.append(i)


@of(ORDERED)
def by_a_method(machine):
    board = Board()
    two(machine, lambda _port, i: board.write(i))
    return in_order(lambda: board.lines)


@of(ORDERED)
def by_a_bound_method(machine):
    board = Board()
    write = board.write
    two(machine, lambda _port, i: write(i))
    return in_order(lambda: board.lines)


@of(ORDERED)
def by_a_builtin_bound_method(machine):
    log = []
    append = log.append
    two(machine, lambda _port, i: append(i))
    return in_order(lambda: log)


@of(ORDERED)
def by_a_partial(machine):
    log = []
    two(machine, functools.partial(lambda log, _port, i: log.append(i), log))
    return in_order(lambda: log)


@of(ORDERED)
def only_the_first_writes(machine):
    board = Board()
    two(machine, lambda _port, i: board.push(i))

    def check() -> None:
        assert board.tops == [0]

    return check


@of(ORDERED)
def written_in_a_later_schedule_only(machine):
    x, y = machine.word(0, "x"), machine.word(0, "y")
    log = []

    def writer(port):
        if port.load(x):
            log.append(1)
        port.load(y)

    def reader(port):
        port.store(x, 1)
        port.load(y)
        if log:
            port.store(x, 2)

    machine.spawn(writer)
    machine.spawn(reader)

    def check() -> None:
        assert machine.peek(x) < 2

    return check


@of(ORDERED)
def in_a_default_argument(machine):
    def note(_port, i=-1, log=[]):  # noqa: B006
        if i >= 0:
            log.append(i)
        return log

    note(None).clear()
    two(machine, note)
    return in_order(lambda: note(None))


class Kept:
    log: list[int] = []  # noqa: RUF012
    last = -1


@of(ORDERED)
def in_a_class_attribute(machine):
    Kept.log = []
    two(machine, lambda _port, i: Kept.log.append(i))
    return in_order(lambda: Kept.log)


LOG: list[int] = []


@of(ORDERED)
def in_a_global(machine):
    LOG.clear()
    two(machine, lambda _port, i: LOG.append(i))
    return in_order(lambda: LOG)


@of(ORDERED)
def numbers_from_an_iterator(machine):
    numbers, got = itertools.count(), [-1, -1]

    def note(_port, i):
        got[i] = next(numbers)

    two(machine, note)
    return in_order(lambda: got)


@of(ORDERED)
def numbers_from_a_generator(machine):
    def counting() -> Iterator[int]:
        yield from (0, 1)

    numbers, got = counting(), [-1, -1]

    def note(_port, i):
        got[i] = next(numbers)

    two(machine, note)
    return in_order(lambda: got)


@of(ORDERED)
def written_to_a_stream(machine):
    text = io.StringIO()
    two(machine, lambda _port, i: text.write(str(i)))
    return in_order(lambda: [*map(int, text.getvalue())])


@of(ORDERED)
def words_allocated_without_a_step(machine):
    got = [0, 0]

    def note(_port, i):
        got[i] = machine.word(0, "fresh")

    two(machine, note)
    return in_order(lambda: [0, 1] if got[0] < got[1] else [1, 0])


@of(ORDERED)
def words_allocated_with_and_without_a_step(machine):
    x, got = machine.word(0, "x"), [0, 0]

    def without(port):
        port.load(x)
        got[0] = machine.word(0, "fresh")

    def allocates(port):
        got[1] = port.sysalloc(1)

    machine.spawn(without)
    machine.spawn(allocates)
    return in_order(lambda: [0, 1] if got[0] < got[1] else [1, 0])


@of(ORDERED)
def told_by_a_listener(machine):
    log = []

    def note(port, i):
        port.event = lambda *_: log.append(i)
        port.event("told", 0, 0, 0)

    two(machine, note)
    return in_order(lambda: log)


@of(ORDERED)
def appended_by_an_argument_of_a_step(machine):
    log, x, y = [], machine.word(0, "x"), machine.word(1, "y")
    machine.spawn(lambda port: log.append(port.load(x)))
    machine.spawn(lambda port: log.append(port.load(y)))
    return in_order(lambda: log)


@of(ORDERED)
def read_by_one_of_them(machine):
    x, y, seen = machine.word(0, "x"), machine.word(0, "y"), types.SimpleNamespace(flag=False)

    def raises(port):
        port.load(y)
        seen.flag = True

    def looks(port):
        port.load(x)
        assert not seen.flag

    machine.spawn(looks)
    machine.spawn(raises)


@of(ORDERED)
def read_through_a_helper(machine):
    x, y, flags = machine.word(0, "x"), machine.word(0, "y"), [False]

    def up():
        return flags[0]

    def raises(port):
        port.load(y)
        flags[0] = True

    def looks(port):
        port.load(x)
        if up():
            raise AssertionError

    machine.spawn(looks)
    machine.spawn(raises)


@of(ORDERED)
def how_many_are_inside(machine):
    locks = [machine.word(0, f"lock{i}") for i in range(2)]
    inside, most = [0], [0]

    def thread(i):
        def body(port):
            port.lock(locks[i])
            inside[0] += 1
            most[0] = max(most[0], inside[0])
            port.load(locks[i])
            inside[0] -= 1
            port.unlock(locks[i])

        return body

    machine.spawn(thread(0))
    machine.spawn(thread(1))

    def check():
        assert most[0] == 1, "two inside"

    return check


@of(ORDERED)
def after_a_choice(machine):
    log, x, y = [], machine.word(0, "x"), machine.word(0, "y")

    def chooses(port):
        port.load(x)
        log.append(0)
        port.choose(1)
        log.append(1)

    def between(port):
        port.load(y)
        log.append(2)

    machine.spawn(chooses)
    machine.spawn(between)

    def check():
        assert log != [0, 2, 1]

    return check


@of(ORDERED)
def only_if_a_value_was_found(machine):
    """Two threads count under a lock, in memory; who has found 2 notes it, and a third thread notes something as well."""
    lock, count, y = machine.word(0, "lock"), machine.word(0, "count"), machine.word(0, "y")
    log = []

    def counts(port):
        for _ in range(2):
            port.lock(lock)
            v = port.words[count]
            port.words[count] = v + 1
            port.unlock(lock)
            if v == 2 and port.index == 0:
                log.append(0)

    def notes(port):
        if port.load(count) == 9:
            log.append(9)
        port.load(y)
        log.append(1)

    machine.spawn(notes)
    machine.spawn(counts)
    machine.spawn(counts)
    machine.names.reverse()

    def check():
        assert log != [0, 1]

    return check
