"""Small programs whose threads ask the machine itself for what depends on who has gone when, or hang something on a port.

As those of `orderprograms`, they fail in interleavings that no cell tells from the one in which thread 0 comes first.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, var-annotated"
# ruff: noqa: ANN001, ANN201, ANN202, D103, PLW0108  the programs' names say what they are, and they are small

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.collector.explore.keepingprograms import keeping
from tests.collector.explore.kinds import of
from tests.collector.explore.takenprograms import after
from workbuf.machine import Pause


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine

ASKING: dict[str, Callable[[SteppedMachine], Any]] = {}
"""They ask the machine."""
HUNG: dict[str, Callable[[SteppedMachine], Any]] = {}
"""They hang something on a port or on the machine."""
LEFT: dict[str, Callable[[SteppedMachine], Any]] = {}
"""They leave something on a port for the next run, past what notes that, and then no longer fail."""
COUNTING: dict[str, Callable[[SteppedMachine], Any]] = {}
"""They end, since they count there."""


@of(ASKING)
def how_long_the_trail_is(machine):
    return after(machine, lambda: None, lambda: int(len(machine.trail) > 1))


@of(ASKING)
def whether_another_has_ended(machine):
    return after(machine, lambda: None, lambda: int(machine.has_ended(0)))


@of(ASKING)
def who_can_go(machine):
    return after(machine, lambda: None, lambda: int(machine.runnable in ([1], [])))


@of(ASKING)
def what_a_thread_is_called(machine):
    return after(machine, lambda: machine.names.__setitem__(0, "zero"), lambda: int(machine.names[0] == "zero"))


@of(ASKING)
def which_views_there_are(machine):
    return after(machine, lambda: machine.view("late", lambda: 1), lambda: int("late" in machine.views))


def handed(machine, write, read):
    """A thread hands its port to another one, and does something with it after its step."""
    ports = []
    x, y, found = machine.word(0, "x"), machine.word(0, "y"), []

    def first(port):
        ports.append(port)
        port.load(x)
        write(port)

    def second(port):
        port.load(y)
        found.append(read(ports[0]))

    machine.spawn(first)
    machine.spawn(second)

    def check():
        assert found == [1], "read before it was written"

    return check


@of(HUNG)
def an_attribute_of_a_port(machine):
    return handed(machine, lambda port: setattr(port, "late", 1), lambda port: getattr(port, "late", 0))


@of(HUNG)
def the_seed_of_a_port(machine):
    return handed(machine, lambda port: setattr(port, "seed", 1), lambda port: port.seed)


@of(HUNG)
def an_operation_of_a_port_that_is_replaced(machine):
    return handed(machine, lambda port: setattr(port, "hint", len), lambda port: int(port.hint is len))


@of(HUNG)
def an_attribute_of_a_port_among_all_of_them(machine):
    return handed(machine, lambda port: port.__dict__.update(late=1), lambda port: port.__dict__.get("late", 0))


@of(HUNG)
def an_operation_that_takes_no_step_any_more(machine):
    x, y, log, found = machine.word(0, "x"), machine.word(0, "y"), [], []

    def appends(port):
        port.load(x)
        log.append(1)

    def looks(port):
        port.load = lambda _a: 0
        port.store(y, 1)
        port.load(y)
        found.append(len(log))
        port.store(y, 2)

    machine.spawn(appends)
    machine.spawn(looks)

    def check():
        assert found == [1]

    return check


@of(HUNG)
def a_list_on_the_machine(machine):
    machine.log = []
    return after(machine, lambda: machine.log.append(1), lambda: len(machine.log))


def only_in_its_first_run(machine, first):
    """One fails if it comes late, unless there was a run before."""
    x = machine.word(0, "x")

    def late(port):
        fails = first(port)
        assert not (port.load(x) and fails)

    machine.spawn(late)
    machine.spawn(lambda port: port.store(x, 1))


@of(LEFT)
def an_attribute_past_what_notes_it(machine):
    def first(port):
        found = hasattr(port, "late")
        object.__setattr__(port, "late", 1)
        return not found

    return only_in_its_first_run(machine, first)


@of(LEFT)
def an_operation_past_what_notes_it(machine):
    def first(port):
        found = port.hint is len
        object.__setattr__(port, "hint", len)
        return not found

    return only_in_its_first_run(machine, first)


@of(LEFT)
def among_what_it_is_to_have(machine):
    return only_in_its_first_run(
        machine, lambda port: port.own.setdefault("late", port) is port and not port.own.update(late=1)
    )


@of(COUNTING)
def in_an_attribute_of_its_port(machine):
    x = machine.word(0, "x")

    def waiter(port):
        port.turns = 0
        while not port.load(x) and port.turns < 7:
            port.turns += 1
            port.pause(Pause.PROCYIELD, 1)

    machine.spawn(waiter)


@of(COUNTING)
def in_a_list_on_the_machine(machine):
    x = machine.word(0, "x")
    machine.turns = []

    def waiter(port):
        while not port.load(x) and len(machine.turns) < 7:
            machine.turns.append(1)
            port.pause(Pause.PROCYIELD, 1)

    machine.spawn(waiter)


@of(COUNTING)
def in_an_operation_that_it_replaces(machine):
    """Once in each schedule, however many were run."""
    x, loads = machine.word(0, "x"), []

    def body(port):
        load = port.load

        def counted(a):
            loads.append(a)
            return load(a)

        port.load = counted
        port.load(x)

    machine.spawn(body)
    machine.spawn(lambda port: port.store(x, 1))

    def check():
        assert loads == [x]

    return check


def kept_in_a_list_on_the_machine(machine):
    machine.kept = []
    return keeping(lambda v: machine.kept.append(v), lambda: machine.kept[0])(machine)


def names_of_its_own(machine):
    """It asks its own objects what they are called, and the machine for nothing."""
    x = machine.word(0, "x")

    class Node:
        def __init__(self, name) -> None:
            self.machine, self.name, self.trail = machine, name, []

        def go(self, port):
            self.trail.append(port.load(x))
            assert self.name
            assert self.machine

    for name in "ab":
        machine.spawn(Node(name).go)

    def check():
        assert len(machine.trail) == machine.mem[x] + 2
        assert machine.has_ended(0)

    return check
