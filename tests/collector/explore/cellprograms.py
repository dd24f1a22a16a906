"""Small programs as in `askingprograms`: their threads look at the machine's cells without a step, or write there."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, var-annotated"
# ruff: noqa: ANN001, ANN201, ANN202, D103  the programs' names say what they are, and they are small

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.collector.explore.kinds import of


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine

CELLS: dict[str, Callable[[SteppedMachine], Any]] = {}
"""Programs whose check fails in some schedules."""
GUESSED: dict[str, Callable[[SteppedMachine], Any]] = {}
"""Programs that fail in some schedules: a thread uses a cell that another brings, and that nobody has told it of."""


def looking(machine, write, look):
    """One writes; the other looks, after a step that has nothing to do with it."""
    x, y, got = machine.word(0, "x"), machine.word(0, "y"), []

    def asks(port):
        port.load(y)
        got.append(look(x))

    machine.spawn(lambda port: write(port, x) and None)
    machine.spawn(asks)

    def check():
        assert got == [1]

    return check


@of(CELLS)
def what_is_in_a_cell(machine):
    return looking(machine, lambda port, x: port.store(x, 1), lambda x: machine.mem[x])


@of(CELLS)
def what_is_in_a_cell_by_another_name(machine):
    mem = machine.mem
    return looking(machine, lambda port, x: port.cas(x, 0, 1), lambda x: mem[x])


@of(CELLS)
def what_is_in_all_cells(machine):
    return looking(machine, lambda port, x: port.xadd(x, 1), lambda x: next(iter(machine.mem[x:])))


@of(CELLS)
def what_is_written_without_a_step(machine):
    return looking(machine, lambda port, x: port.words.__setitem__(x, port.load(x) + 1), lambda x: machine.mem[x])


@of(CELLS)
def what_is_written_where_it_is_looked_at(machine):
    x, y, got = machine.word(0, "x"), machine.word(0, "y"), []

    def writes(port):
        port.load(y)
        machine.mem[x] = 1

    machine.spawn(writes)
    machine.spawn(lambda port: got.append(port.load(x)))

    def check():
        assert got == [1]

    return check


@of(CELLS)
def how_many_cells_there_are(machine):
    return looking(machine, lambda port, x: port.sysalloc(x), lambda _x: len(machine.mem) - 3)


@of(CELLS)
def which_cells_there_are(machine):
    return looking(machine, lambda port, x: port.sysalloc(x), lambda _x: sum(1 for _ in machine.mem) - 3)


@of(CELLS)
def how_many_cells_there_are_by_then(machine):
    return looking(machine, lambda port, x: port.load(x) or machine.word(0), lambda _x: len(machine.mem) - 3)


@of(CELLS)
def what_a_child_looks_at_before_its_first_step(machine):
    x, y, got = machine.word(0, "x"), machine.word(0, "y"), []

    def child(port):
        got.append(machine.mem[x])
        port.load(y)

    machine.spawn(lambda port: port.store(x, 1))
    machine.spawn(lambda port: port.spawn(child))

    def check():
        assert got == [1]

    return check


def written(machine, write, read):
    """One writes a cell without a step, not by its index alone; the other reads it, after a step as well."""
    x, y, z, got = machine.word(0, "x"), machine.word(0, "y"), machine.word(0, "z"), []

    def writes(port):
        port.load(y)
        write(x)

    def reads(port):
        port.load(z)
        got.append(read(port, x))

    machine.spawn(writes)
    machine.spawn(reads)

    def check():
        assert got == [1]

    return check


@of(CELLS)
def what_is_written_in_a_slice(machine):
    return written(machine, lambda x: machine.mem.__setitem__(slice(x, x + 1), [1]), lambda _port, x: machine.mem[x])


@of(CELLS)
def what_is_written_counted_from_the_end(machine):
    return written(machine, lambda x: machine.mem.__setitem__(x - 4, 1), lambda _port, x: machine.mem[x])


@of(CELLS)
def what_is_written_with_all_cells(machine):
    return written(
        machine, lambda x: machine.mem.sort(key=lambda v: v, reverse=x > 0), lambda _port, _x: machine.mem[0]
    )


@of(CELLS)
def what_is_written_in_a_slice_and_read_with_a_step(machine):
    return written(machine, lambda x: machine.mem.__setitem__(slice(x, x + 1), [1]), lambda port, x: port.load(x))


@of(CELLS)
def what_is_written_in_a_slice_and_read_where_no_race_is_looked_for(machine):
    plain = machine.memory.plain
    return written(machine, lambda x: machine.mem.__setitem__(slice(x, x + 1), [1]), lambda _port, x: plain[x])


@of(CELLS)
def what_is_written_in_a_slice_where_no_race_is_looked_for(machine):
    plain = machine.memory.plain
    return written(machine, lambda x: plain.__setitem__(slice(x, x + 1), [1]), lambda _port, x: machine.mem[x])


def past_the_end(machine, ask, *, late=True):
    """One allocates a cell; the other finds it, or an IndexError; `late`: it is the second one by default."""
    y, got = machine.word(0, "y"), []
    end = len(machine.mem)

    def asks(port):
        port.load(y)
        try:
            ask(end)
        except IndexError:
            got.append(0)
        else:
            got.append(1)

    def allocates(port):
        port.sysalloc(1)

    for body in (allocates, asks) if late else (asks, allocates):
        machine.spawn(body)

    def check():
        assert got == [int(late)]

    return check


@of(GUESSED)
def a_cell_that_is_not_there_yet(machine):
    return past_the_end(machine, lambda a: machine.mem[a])


@of(GUESSED)
def a_cell_that_is_not_there_yet_to_write(machine):
    return past_the_end(machine, lambda a: machine.mem.__setitem__(a, 0))


@of(GUESSED)
def a_cell_that_is_not_there_yet_where_no_race_is_looked_for(machine):
    plain = machine.memory.plain
    return past_the_end(machine, lambda a: plain[a], late=False)


def guessing(machine, use, bring=lambda port: port.sysalloc(1)):
    """By default the cell is there."""
    y, a = machine.word(0, "y"), len(machine.mem)

    def uses(port):
        port.load(y)
        use(port, a + 1)

    z = machine.word(0, "z")

    def brings(port):
        port.load(z)
        bring(port)

    machine.spawn(brings)
    machine.spawn(uses)


@of(GUESSED)
def a_step_on_a_cell_that_may_not_be_there(machine):
    return guessing(machine, lambda port, a: port.load(a))


@of(GUESSED)
def a_step_on_a_cell_that_who_brings_it_writes(machine):
    return guessing(machine, lambda port, a: port.cas(a, 0, 2), lambda port: port.store(port.sysalloc(2), 1))


@of(GUESSED)
def a_lock_that_may_not_be_there(machine):
    return guessing(machine, lambda port, a: port.lock(a))


@of(GUESSED)
def a_note_that_may_not_be_there(machine):
    return guessing(machine, lambda port, a: port.sleep(a, 5))


@of(GUESSED)
def a_plain_access_to_a_cell_that_may_not_be_there(machine):
    return guessing(machine, lambda port, a: port.words[a])


@of(GUESSED)
def a_child_whose_first_step_is_on_a_cell_that_may_not_be_there(machine):
    return guessing(machine, lambda port, a: port.spawn(lambda its: its.xadd(a, 1)))


@of(GUESSED)
def a_step_on_a_cell_that_is_brought_without_one(machine):
    return guessing(machine, lambda port, a: port.load(a), lambda _port: machine.word(0))


def a_cell_that_another_has_told_of(machine):
    """Its address goes from hand to hand: in a cell, under a lock, by a spawn."""
    lock, head, kept = machine.word(0, "lock"), machine.word(0, "head"), machine.word(0, "kept")

    def brings(port):
        a = port.sysalloc(2)
        port.words[a] = 1
        port.store(head, a)
        port.spawn(lambda its: its.xadd(a + 1, 1))

    def takes(port):
        a = port.load(head)
        if a:
            assert port.words[a] == 1
            port.xadd(a + 1, 1)
            port.lock(lock)
            port.words[kept] = a
            port.unlock(lock)

    def looks(port):
        port.lock(lock)
        a = port.words[kept]
        port.unlock(lock)
        if a:
            port.cas(a + 1, 0, 1)

    for body in (brings, takes, looks):
        machine.spawn(body)


def a_look_that_steps_order(machine):
    """An oracle in the body: what it looks at nobody writes any more."""
    x, done = machine.word(0, "x"), machine.word(0, "done")

    def body(port):
        port.xadd(x, 1)
        if port.xadd(done, 1) == 2:
            assert machine.mem[x] == 2

    machine.spawn(body)
    machine.spawn(body)


def a_look_at_all_cells_while_others_spawn(machine):
    """A thread that is spawned is in no cell."""
    x, found = machine.word(1, "x"), []
    machine.spawn(lambda port: port.spawn(lambda its: its.load(x)))
    machine.spawn(lambda port: found.append(port.load(x) + sum(machine.mem)))

    def check():
        assert found == [2]

    return check
