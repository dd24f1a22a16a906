"""Small programs in which a turn finds in cells what it has found before, and in Python something else.

Each fails in an interleaving that DPOR does not run, as no cell tells it from one that it does run; those in `RIGHT` do
not fail in any.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, var-annotated"
# ruff: noqa: ANN001, ANN201, ANN202, D103  the programs' names say what they are, and they are small

from __future__ import annotations

import types
from typing import TYPE_CHECKING, Any

from tests.collector.explore.kinds import of


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine

FOUND: dict[str, Callable[[SteppedMachine], Any]] = {}
"""Programs that fail, in an order that Python objects alone see."""
RIGHT: dict[str, Callable[[SteppedMachine], Any]] = {}
"""Programs that never fail, as DPOR can prove."""


@of(FOUND)
def what_the_length_of_a_list_decides(machine):
    mutex, x, y = (machine.word(0, name) for name in ("mutex", "x", "y"))
    held, other, lengths = [], [], []

    def reads(port):
        port.lock(mutex)
        n = len(held)
        port.unlock(mutex)
        port.load(x)
        if n:
            other.append(1)

    def appends(port):
        port.lock(mutex)
        held.append(1)
        port.unlock(mutex)
        port.load(y)
        lengths.append(len(other))

    machine.spawn(reads)
    machine.spawn(appends)

    def check():
        assert lengths == [0]

    return check


@of(FOUND)
def numbers_with_equal_hashes(machine):
    x, y, z = (machine.word(0, name) for name in "xyz")
    most, log = (1 << 64) - 1, []
    assert hash(most) == hash(7)

    def reads(port):
        if port.load(x) == most:
            log.append(0)
            port.load(z)
        else:
            port.load(y)

    def stores(port):
        port.store(x, 7)

    def appends(port):
        port.store(x, most)
        port.load(y)
        log.append(1)

    for body in (reads, stores, appends):
        machine.spawn(body)

    def check():
        assert log != [0, 1]

    return check


def handed_over(machine, *, taker_first):
    mutex, x, y = (machine.word(0, name) for name in ("mutex", "x", "y"))
    box, lengths = [], []

    def puts(port):
        mine = []
        port.lock(mutex)
        box.append(mine)
        port.unlock(mutex)
        port.load(x)
        mine.append(1)

    def takes(port):
        port.lock(mutex)
        got = box[-1] if box else None
        port.unlock(mutex)
        port.load(y)
        if got is not None:
            lengths.append(len(got))

    for body in (takes, puts) if taker_first else (puts, takes):
        machine.spawn(body)

    def check():
        assert lengths != [0]

    return check


@of(FOUND)
def what_was_handed_over(machine):
    return handed_over(machine, taker_first=False)


@of(FOUND)
def what_was_handed_over_to_one_that_had_ended(machine):
    return handed_over(machine, taker_first=True)


@of(FOUND)
def attributes_by_the_dictionary_alone(machine):
    x, y, flag = (machine.word(0, name) for name in ("x", "y", "flag"))
    shared, seen = types.SimpleNamespace(a=0), []

    def reads(port):
        port.load(x)
        attributes = vars(shared)
        port.store(flag, 1)
        port.load(y)
        seen.append(attributes["a"])

    def assigns(port):
        if port.load(flag):
            shared.a = 1

    machine.spawn(reads)
    machine.spawn(assigns)

    def check():
        assert seen == [0]

    return check


@of(FOUND)
def turns_that_a_lock_has_ordered_by_chance(machine):
    x, mutex = machine.word(0, "x"), machine.word(0, "mutex")
    held, lengths = [], []

    def appends(port):
        port.load(x)
        held.append(1)
        port.lock(mutex)
        port.unlock(mutex)

    def reads(port):
        port.lock(mutex)
        port.unlock(mutex)
        lengths.append(len(held))

    machine.spawn(appends)
    machine.spawn(reads)

    def check():
        assert lengths == [1]

    return check


@of(FOUND)
def what_was_appended_long_before(machine):
    mutex, x, y, flag = (machine.word(0, name) for name in ("mutex", "x", "y", "flag"))
    held, other, lengths = [], [], []

    def reads(port):
        port.lock(mutex)
        n = len(held) if port.load(flag) == 0 else 0
        port.unlock(mutex)
        port.load(x)
        if n:
            other.append(1)

    def appends(port):
        port.lock(mutex)
        held.append(1)
        port.unlock(mutex)
        port.store(flag, 1)
        port.load(y)
        lengths.append(len(other))

    machine.spawn(reads)
    machine.spawn(appends)

    def check():
        assert not other or lengths == [1]

    return check


@of(FOUND)
def what_was_handed_over_to_one_that_has_looked(machine):
    mutex, x, y, flag = (machine.word(0, name) for name in ("mutex", "x", "y", "flag"))
    box, lengths = [], []

    def takes(port):
        port.lock(mutex)
        got = box[-1] if box else None
        port.unlock(mutex)
        port.store(flag, 1)
        port.load(y)
        if got is not None:
            lengths.append(len(got))

    def puts(port):
        mine = []
        port.lock(mutex)
        box.append(mine)
        port.unlock(mutex)
        if port.load(flag):
            port.load(x)
            mine.append(1)

    machine.spawn(takes)
    machine.spawn(puts)

    def check():
        assert lengths != [1]

    return check


def stored_again(machine, put, setup):
    """Who wins stores, or looks; the third one stores as well, of which nothing is seen if the winner has."""
    won, x, y = (machine.word(0, name) for name in ("won", "x", "y"))
    held, seen = setup(), []

    def wins(port):
        if port.cas(won, 0, 1):
            put(held)

    def stores(port):
        port.load(x)
        put(held)

    def looks(port):
        if port.cas(won, 0, 2):
            port.load(y)
            seen.append(held.copy())

    for body in (wins, stores, looks):
        machine.spawn(body)

    def check():
        assert seen != [setup()]

    return check


@of(FOUND)
def an_item_that_is_stored_again(machine):
    def put(held):
        held[0] = 1

    return stored_again(machine, put, lambda: [0])


@of(FOUND)
def a_member_that_is_added_again(machine):
    return stored_again(machine, lambda held: held.add(1), set)


@of(FOUND)
def a_variable_that_is_assigned_again(machine):
    won, x, y = (machine.word(0, name) for name in ("won", "x", "y"))
    stored, seen = 0, []

    def wins(port):
        nonlocal stored
        if port.cas(won, 0, 1):
            stored = 1

    def stores(port):
        nonlocal stored
        port.load(x)
        stored = 1

    def looks(port):
        if port.cas(won, 0, 2):
            port.load(y)
            seen.append(stored)

    for body in (wins, stores, looks):
        machine.spawn(body)

    def check():
        assert seen != [0]

    return check


@of(RIGHT)
def a_list_that_a_lock_guards_and_a_turn_that_is_new(machine):
    mutex, x = machine.word(0, "mutex"), machine.word(0, "x")
    held = []

    def appends(port):
        port.lock(mutex)
        held.append(1)
        port.unlock(mutex)

    def counts(port):
        port.lock(mutex)
        n = len(held)
        port.unlock(mutex)
        port.store(x, n + 1)

    def loads(port):
        port.load(x)

    for body in (appends, counts, loads):
        machine.spawn(body)

    def check():
        assert held == [1]

    return check
