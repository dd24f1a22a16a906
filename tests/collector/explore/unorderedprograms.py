"""Small right programs that look like those of `orderprograms`.

What is shared stays as it is, or is each thread's own, or a lock orders it.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, var-annotated"
# ruff: noqa: ANN001, ANN201, ANN202, D103, PERF401  the programs' names say what they are, and they are small

from __future__ import annotations

import contextlib
import types
from typing import TYPE_CHECKING, Any

from tests.collector.explore.kinds import of
from tests.collector.explore.orderprograms import in_order, two


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine

UNORDERED: dict[str, Callable[[SteppedMachine], Any]] = {}
"""Programs whose checks hold in all, as DPOR can prove."""


@of(UNORDERED)
def what_nobody_changes(machine):
    table, names = {0: [1, 2], 1: [3]}, ("a", "b")
    got = [None, None]
    two(machine, lambda _port, i: got.__getitem__(i) or (table[i], names[i]))


@of(UNORDERED)
def an_item_of_its_own(machine):
    got = [None, None]

    def note(_port, i):
        got[i] = i

    two(machine, note)
    return in_order(lambda: got)


@of(UNORDERED)
def a_key_of_its_own(machine):
    got = {0: None, 1: None}

    def note(_port, i):
        got[i] = i

    two(machine, note)
    return in_order(lambda: [*got.values()])


@of(UNORDERED)
def an_attribute_of_its_own(machine):
    x, y, got = machine.word(0, "x"), machine.word(1, "y"), types.SimpleNamespace(a=None, b=None)

    def first(port):
        got.a = port.load(x)

    def second(port):
        got.b = port.load(y)

    machine.spawn(first)
    machine.spawn(second)
    return in_order(lambda: [got.a, got.b])


@of(UNORDERED)
def a_list_of_its_own(machine):
    x, y, held = machine.word(0, "x"), machine.word(1, "y"), [[], []]

    def first(port):
        held[0].append(port.load(x))
        port.load(x)
        held[0].append(7)

    def second(port):
        held[1].append(port.load(y))

    machine.spawn(first)
    machine.spawn(second)

    def check():
        assert held == [[0, 7], [1]]

    return check


@of(UNORDERED)
def a_member_of_a_set(machine):
    seen = set()
    two(machine, lambda _port, i: seen.add(i))
    return in_order(lambda: sorted(seen))


@of(UNORDERED)
def a_member_by_its_own_number(machine):
    seen = set()
    two(machine, lambda port, _i: seen.add(port.index))
    return in_order(lambda: [*seen])


@of(UNORDERED)
def under_a_lock(machine):
    lock, total, log = machine.word(0, "lock"), [0], []

    def thread(i):
        def body(port):
            port.lock(lock)
            total[0] += i
            log.append(i)
            port.unlock(lock)

        return body

    for i in range(3):
        machine.spawn(thread(i))

    def check():
        assert total == [3]
        assert sorted(log) == [0, 1, 2]

    return check


@of(UNORDERED)
def handed_over(machine):
    full, box = machine.word(0, "full"), []

    def gives(port):
        box.append(7)
        port.store(full, 1)

    def takes(port):
        if port.load(full):
            assert box.pop() == 7

    machine.spawn(gives)
    machine.spawn(takes)


@of(UNORDERED)
def what_one_thread_keeps(machine):
    x, kept = machine.word(0, "x"), []

    def reads(port):
        for _ in range(2):
            kept.append(port.load(x))

    machine.spawn(reads)
    machine.spawn(lambda port: port.store(x, 1))

    def check():
        assert len(kept) == 2

    return check


@of(UNORDERED)
def a_context_that_cleans_up(machine):
    """A lock's, by a generator, which ends before it dies."""
    lock, other, got = machine.word(0, "lock"), machine.word(0, "other"), []

    @contextlib.contextmanager
    def holding(port):
        port.lock(lock)
        try:
            yield
        finally:
            port.unlock(lock)

    def note(port, i):
        with holding(port):
            got.append(i)
            port.load(other)

    two(machine, note)
    return lambda: None if sorted(got) == [0, 1] else False
