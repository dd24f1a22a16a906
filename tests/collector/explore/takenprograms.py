"""Small programs like those of `orderprograms`, in which it does not show afterwards which object a turn has used.

It takes the object out of where it found it, or has it from something that tells nothing of what it holds, or from code
that is made and gone within the turn.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, var-annotated"
# ruff: noqa: ANN001, ANN201, ANN202, D103, PLC3002, PLW0108, PLW0603, RUF015  small, and each takes its own way

from __future__ import annotations

import collections
import ctypes
import functools
import io
import itertools
import queue
import types
from typing import TYPE_CHECKING, Any

from tests.collector.explore.kinds import of


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine

TAKEN: dict[str, Callable[[SteppedMachine], Any]] = {}
"""Programs whose check fails in some schedules."""
counted = 0
written = []


def after(machine, write, read):
    """One writes, the other reads, each after a load of a cell of its own; a check that it read after that."""
    x, y, found = machine.word(0, "x"), machine.word(0, "y"), []

    def first(port):
        port.load(x)
        write()

    def second(port):
        port.load(y)
        found.append(read())

    machine.spawn(first)
    machine.spawn(second)

    def check():
        assert found == [1], "read before it was written"

    return check


def taking(name, make):
    """A program in which `make(inner)` says how a list is read that the other thread appends to."""

    def program(machine):
        inner = []
        return after(machine, lambda: inner.append(1), make(inner))

    TAKEN[name] = program


def gone(holder, take):
    """The length of what is taken out of `holder`."""
    return lambda: len(take(holder))


def set_to_none(holder):
    """An attribute is read, and assigned."""

    def read():
        found = len(holder.items)
        holder.items = None
        return found

    return read


def rebound(inner):
    """A variable is read, and assigned."""

    def read():
        nonlocal inner
        found = len(inner)
        inner = None
        return found

    return read


taking("popped", lambda inner: gone([inner], list.pop))
taking("popped_by_key", lambda inner: gone({"a": inner}, lambda held: held.pop("a")))
taking("popped_from_a_deque", lambda inner: gone(collections.deque([inner]), collections.deque.popleft))
taking("got_from_a_queue", lambda inner: gone(iter([inner]), next))
taking("out_of_a_list_of_lists", lambda inner: gone([[[inner]]], lambda held: held.pop()[0].pop()))
taking("an_attribute_that_is_assigned", lambda inner: set_to_none(types.SimpleNamespace(items=inner)))
taking("a_variable_that_is_assigned", rebound)
taking("the_last_of_a_generator", lambda inner: functools.partial(sum, (len(inner) for _ in [0])))
taking("repeated", lambda inner: gone(itertools.repeat(inner), next))
taking("a_partial_that_is_popped", lambda inner: (lambda held: lambda: held.pop()())([functools.partial(len, inner)]))


@of(TAKEN)
def by_a_key_that_a_function_within_assigns(machine):
    held = [0, 0]

    def read(k):
        def count():
            nonlocal k
            k += 1

        count()
        return held[k]

    return after(machine, lambda: held.__setitem__(1, 1), lambda: read(0))


class Ruling:
    """Goes before an object's own attribute, since it can delete it."""

    def __get__(self, of: Ruled, _kind: type) -> int:
        return len(of.items)

    def __delete__(self, _of: Ruled) -> None:
        raise AttributeError


class Ruled:
    v = Ruling()

    def __init__(self) -> None:
        self.items: list[int] = []


@of(TAKEN)
def through_an_attribute_that_its_class_rules(machine):
    held = Ruled()
    vars(held)["v"] = -1
    return after(machine, lambda: held.items.append(1), lambda: held.v)


class Called:
    def method(self, port, x):
        port.load(x)
        return 0


@of(TAKEN)
def by_a_method_that_another_one_replaces(machine):
    held, x = Called(), machine.word(0, "x")
    y, z, found = machine.word(0, "y"), machine.word(0, "z"), []

    def first(port):
        port.load(z)
        vars(held)["method"] = lambda port, x: 1 + port.load(x)

    def second(port):
        port.load(y)
        found.append(held.method(port, x))

    machine.spawn(first)
    machine.spawn(second)

    def check():
        assert found == [1]

    return check


@of(TAKEN)
def from_a_simple_queue(machine):
    inner, handed = [], queue.SimpleQueue()
    handed.put(inner)
    return after(machine, lambda: inner.append(1), lambda: len(handed.get()))


@of(TAKEN)
def from_a_list_of_the_thread_itself(machine):
    x, y, found, inner = machine.word(0, "x"), machine.word(0, "y"), [], []

    def first(port):
        port.load(x)
        inner.append(1)

    def second(port):
        own = [inner]
        port.load(y)
        found.append(len(own.pop()))
        port.load(y)

    machine.spawn(first)
    machine.spawn(second)

    def check():
        assert found == [1]

    return check


@of(TAKEN)
def through_a_view_of_memory(machine):
    held = bytearray(1)
    return after(machine, lambda: held.__setitem__(0, 1), functools.partial(memoryview(held).__getitem__, 0))


@of(TAKEN)
def through_a_view_of_values(machine):
    held = {}
    values = held.values()
    return after(machine, lambda: held.update(a=1), lambda: len(values))


@of(TAKEN)
def through_a_proxy(machine):
    held = {}
    proxy = types.MappingProxyType(held)
    return after(machine, lambda: held.update(a=1), lambda: len(proxy))


@of(TAKEN)
def through_the_attributes_of_an_object(machine):
    held = types.SimpleNamespace(a=0)
    attributes = vars(held)
    return after(machine, lambda: setattr(held, "a", 1), lambda: attributes["a"])


@of(TAKEN)
def attributes_that_are_written_by_their_dictionary(machine):
    held = Counted()
    attributes = vars(held)
    return after(machine, lambda: attributes.update(a=1), lambda: held.a)


class Counted:
    a = 0


@of(TAKEN)
def through_the_attributes_of_a_class(machine):
    Counted.a = 0
    attributes = vars(Counted)
    return after(machine, lambda: setattr(Counted, "a", 1), lambda: attributes["a"])


@of(TAKEN)
def by_a_base_that_is_assigned(machine):
    class Other:
        a = 1

    class Derived(Counted):
        pass

    Counted.a = 0
    held = Derived()
    return after(machine, lambda: setattr(Derived, "__bases__", (Other,)), lambda: held.a)


@of(TAKEN)
def a_global_in_a_function_that_is_made_and_called(machine):
    global counted
    counted = 0

    def write():
        global counted
        counted = 1

    return after(machine, write, lambda: (lambda: counted)())


@of(TAKEN)
def a_global_in_a_comprehension(machine):
    written.clear()
    return after(machine, lambda: written.append(1), lambda: [len(written) for _ in (1,)][0])


@of(TAKEN)
def in_a_buffer_that_the_parent_has_made(machine):
    x, y, found = machine.word(0, "x"), machine.word(0, "y"), []

    def parent(port):
        text = io.StringIO()

        def child(its):
            its.load(y)
            found.append(len(text.getvalue()))

        port.spawn(child)
        port.load(x)
        text.write("1")

    machine.spawn(parent)

    def check():
        assert found == [1]

    return check


def called_back(name, run):
    """A program in which C code goes over a list while it calls `run`'s function, which takes a step."""

    def program(machine):
        x, y, items, found = machine.word(0, "x"), machine.word(0, "y"), [1, 2], []

        def first(port):
            port.load(x)
            items.append(4)

        def second(port):
            found.append(run(lambda k: port.load(y) + k, items))

        machine.spawn(first)
        machine.spawn(second)

        def check():
            assert found == [7]

        return check

    TAKEN[name] = program


called_back("by_map_in_sum", lambda step, items: sum(map(step, items)))
called_back("by_map_in_list", lambda step, items: sum(list(map(step, items))))
called_back("by_map_in_arguments", lambda step, items: sum([*map(step, items)]))
called_back("by_reduce", lambda step, items: functools.reduce(lambda a, k: a + step(k), items))


@of(TAKEN)
def by_cs_data_in_the_memory_of_another_object(machine):
    memory = bytearray(4)
    seen = ctypes.c_int.from_buffer(memory)
    return after(machine, lambda: memory.__setitem__(0, 1), lambda: seen.value)
