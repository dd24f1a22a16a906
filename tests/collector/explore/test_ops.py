"""The table of operations, row by row, against what the machine does; and that a wrong row is found."""

from __future__ import annotations

import inspect
from contextlib import suppress
from functools import cache, partial
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

import pytest

from collector.explore.machine import ops
from collector.explore.machine.fault import Refused
from collector.explore.machine.ops import TABLE
from collector.explore.machine.plainpoints import PlainPoints
from collector.explore.program import new_machine, run_and_check, set_up
from collector.explore.races.fasttrack import FastTrack
from collector.explore.races.report import Witness
from collector.explore.strategies.dpor.dependence import dependent, pending
from collector.explore.trace.recorder import Recorder
from workbuf.machine import WORD, Pause, Port


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from collector.explore.machine.machine import SteppedMachine
    from collector.explore.machine.ops import Op
    from collector.explore.machine.taps import Tap

NO_OPERATIONS = {"check", "now", "label", "event"}
"""Methods that touch no word and are no steps."""
MADE_OF = {"hints": ops.HINT, "fill": ops.WRITE, "trylock": ops.CAS}
"""Methods that are another operation, or several of one."""
VALUES = (0, 1)
CONTENTS = (0, 1, 2, 5)
"""What is in the word at first."""
FIRST, SECOND = 0, 1
"""The two threads, who go in this order."""
DATA = 2
"""A cell that one writes plainly and the other reads."""
NOTE = 3
"""A note that nobody wakes."""
NONE = object()


def unlisted(port: type) -> set[str]:
    """Methods of a port that no row is about."""
    methods = {name for name in dir(port) if not name.startswith("_") and callable(getattr(port, name))}
    return methods - {op.name for op in ops.METHODS} - NO_OPERATIONS - MADE_OF.keys()


class TestEveryOperationHasARow:
    """And every row an operation."""

    def test_of_the_machine(self) -> None:
        """Its ports' operations, with their operands."""
        machine = new_machine()
        machine.spawn(lambda _port: None)
        port = machine.ports[FIRST]
        for op in ops.METHODS:
            parameters = inspect.signature(getattr(port, op.name)).parameters.values()
            assert len(parameters) == len(op.operands), op.name
            default = [each.default for each in parameters if each.default is not each.empty]
            assert default == ([] if op.default is None else [op.default]), op.name
        operations = {name for name, value in vars(port).items() if callable(value)} - {"point", "wrote"}
        assert operations - NO_OPERATIONS - MADE_OF.keys() == {op.name for op in ops.METHODS}
        machine.close()

    def test_of_the_interface(self) -> None:
        """What `workbuf.machine` asks of a port."""
        assert unlisted(Port) == set()

    def test_a_new_one_without(self) -> None:
        """Is found."""

        class Wider(Port):
            def and8(self, byte: int, mask: int, /) -> None: ...

        assert unlisted(Wider) == {"and8"}

    def test_rows_stand_at_their_codes(self) -> None:
        """Which are called as they are, and those that may write come last."""
        assert [op.code for op in TABLE] == list(range(len(TABLE)))
        assert all(getattr(ops, op.name.upper()) == op.code for op in TABLE)
        assert all(op.code >= ops.STORE for op in TABLE if op.writes)
        assert not any(op.access and not op.writes for op in TABLE[ops.STORE :])


class Use(NamedTuple):
    """An operation with its operands, but for the cell."""

    op: Op
    operands: tuple[int, ...] = ()

    def do(self, port: Port, cell: int) -> object:
        """Do it to `cell`."""
        if self.op.code == ops.READ:
            return port.words[cell]
        if self.op.code == ops.WRITE:
            port.words[cell] = self.operands[0]
            return None
        where = {"cell": (cell,), "byte": (cell * WORD,)}.get(self.op.operands[0], ())
        return getattr(port, self.op.name)(*where, *self.operands)

    def __str__(self) -> str:
        return f"{self.op.name}{self.operands}"


def uses(*, words: bool = True) -> Iterator[Use]:
    """Every operation with all small operands; those that touch a word, or the others."""
    for op in TABLE:
        if op.access and words:
            if op.code == ops.SLEEP:
                yield from (Use(op, (0,)), Use(op, (-1,)))
            else:
                yield from (Use(op, operands) for operands in product(VALUES, repeat=len(op.operands) - 1))
    if not words:
        yield Use(TABLE[ops.CHOOSE], (1,))
        yield Use(TABLE[ops.SYSALLOC], (1,))
        yield Use(TABLE[ops.PAUSE], (Pause.PROCYIELD, 1))


class Outcome(NamedTuple):
    """What came of a schedule of a few uses of one cell."""

    results: tuple[object, ...]
    """Of each thread's use; one that blocks or throws has none."""
    threw: bool
    word: int
    """What is in the cell in the end."""


def schedule(
    bodies: Sequence[Callable[[Port, int], object]],
    init: int = 0,
    taps: Iterable[Tap] = (),
    order: Sequence[int] = (FIRST, SECOND),
    observe: Callable[[SteppedMachine], Callable[[int], None]] | None = None,
) -> Outcome:
    """Run each body with a port and one cell that holds `init`, each to its end in that order."""
    results: list[object] = [NONE] * len(bodies)
    cells: list[int] = []

    def run(t: int, port: Port) -> None:
        results[t] = bodies[t](port, cells[0])

    def program(machine: SteppedMachine) -> None:
        cells.append(machine.word(init, "word"))
        assert machine.word(0, "data") == DATA
        assert machine.word(0, "note") == NOTE
        for t in range(len(bodies)):
            machine.spawn(partial(run, t))

    machine = new_machine(taps=tuple(taps))
    try:
        set_up(machine, program)
        observers = [observe(machine)] if observe else []
        fault = None
        with suppress(Refused):  # in the end, where somebody waits for what is written plainly
            fault = run_and_check(
                machine,
                lambda _i: next((t for t in order if t in machine.runnable), machine.runnable[0]),
                lambda _t, _n: 0,
                None,
                observers,
            )
        return Outcome(tuple(results), fault is not None and fault.kind != "deadlock", machine.mem[cells[0]])
    finally:
        machine.close()


def idle(_port: Port, _cell: int) -> None:
    """A body that does nothing."""


def late(body: Callable[[Port, int], object]) -> Callable[[Port, int], object]:
    """`body`, not before the other thread has ended, or lets time pass."""

    def then(port: Port, cell: int) -> object:
        port.sleep(NOTE, 0)
        return body(port, cell)

    return then


class Watching:
    """One use of a cell that holds `init`, compared with a row."""

    def __init__(self, op: Op, use: Use, init: int) -> None:
        self.op, self.use, self.init = op, use, init
        self.recorder = Recorder()
        self.write = self.change = self.stepped = self.wrong = False
        self.out = schedule([self.body], init, (PlainPoints(), self.recorder), observe=self.observer)

    def observer(self, machine: SteppedMachine) -> Callable[[int], None]:
        """Looks at the step before it is taken: does it write, and what is there not yet?"""

        def observe(t: int) -> None:
            self.recorder.observe(t)
            op, operand, found = self.op, machine.expects[t], self.init
            self.write = {
                ops.NEVER: False, ops.ALWAYS: True, ops.IF_FOUND: operand == found, ops.IF_NEW: operand != found,
            }[op.writes]  # fmt: skip
            self.wrong |= pending(machine, t).write != self.write
            self.change = self.write and ops.changes(op.code, operand, found)
            self.stepped = True

        return observe

    def body(self, port: Port, cell: int) -> None:
        """Does it."""
        self.use.do(port, cell)
        self.wrong |= (cell in port.execution.threads.seen[FIRST]) != self.op.reads  # type: ignore[attr-defined]

    def compare(self) -> None:
        """What came of it, and what the recorder has noted."""
        op, word = self.op, self.out.word
        assert self.change == (word != self.init) or op.writes == ops.IF_FOUND  # whose operand is what it expects
        step = self.recorder.schedule(None).steps[1]
        outcome = ops.OUTCOMES[op.code]
        if op.reads and outcome:
            assert step.saw
            assert step.saw.word == self.init
        if outcome - {"saw"}:
            assert step.wrote or not self.write
            assert not step.wrote or step.wrote.word == word


def check(op: Op) -> None:
    """Assert that what a row says of its word is what the machine does to it, and what the recorder notes."""
    same = [use for use in uses() if use.op.code == op.code]
    watched = [Watching(op, use, init) for use, init in product(same, CONTENTS)]
    done = [one for one in watched if one.stepped and not one.out.threw]
    assert not any(one.wrong for one in watched)
    for one in done:
        one.compare()
    assert any(one.out.word != one.init for one in done) == (op.writes != ops.NEVER)
    assert any(not one.stepped for one in watched) == op.waits


WORDS = [op for op in TABLE if op.access]
"""Rows that touch a word."""


@pytest.mark.parametrize("op", WORDS, ids=lambda op: op.name)
def test_reads_writes_and_waits(op: Op) -> None:
    """As the row says, and not if it said something else."""
    check(op)
    wrong = [op._replace(reads=not op.reads), op._replace(waits=not op.waits)]
    wrong += [op._replace(writes=writes) for writes in (ops.NEVER, ops.ALWAYS, ops.IF_FOUND, ops.IF_NEW)]
    for row in wrong:
        lock_free = op.code == ops.LOCK and row.writes == ops.IF_FOUND  # it is taken where it finds 0: the same
        if row != op and not lock_free:
            with pytest.raises(AssertionError):
                check(row)


def conflicts() -> list[str]:
    """Two operations on one word whose order matters, although DPOR says that it does not."""
    found = []
    for a, b, init in product(uses(), uses(), CONTENTS):
        depend: list[bool] = []

        def observer(machine: SteppedMachine, depend: list[bool] = depend) -> Callable[[int], None]:
            return lambda _t: depend.append(dependent(pending(machine, FIRST), pending(machine, SECOND)))

        one = schedule((a.do, b.do), init, [PlainPoints()], (FIRST, SECOND), observer)
        if depend and not depend[0]:
            other = schedule((a.do, b.do), init, [PlainPoints()], (SECOND, FIRST))
            if one != other and not (one.threw and other.threw):
                found.append(f"{a} and {b} from {init}")
    return found


def test_what_is_independent_commutes(monkeypatch: pytest.MonkeyPatch) -> None:
    """And what is not is found, if it is said to be."""
    assert conflicts() == []
    monkeypatch.setattr(ops, "DEPENDING", ops.DEPENDING | {ops.XADD})
    assert any("xadd" in conflict for conflict in conflicts())


class Pair(NamedTuple):
    """Two operations, the first one's thread first, and whether each was done or has failed."""

    a: int
    done: bool
    b: int
    then: bool


@cache
def pairs() -> tuple[list[tuple[Use, Use, int, Pair]], set[Pair]]:
    """All uses after each other that come to an end; and of which pairs the second may tell that the first was done."""
    found, visible = [], set()
    for a, b, init in product(uses(), uses(), CONTENTS):
        after, without = schedule((a.do, late(b.do)), init), schedule((idle, late(b.do)), init)
        if after.threw or without.threw or NONE in after.results:
            continue
        if b.op.code == ops.LOCK and a.op.code != ops.UNLOCK:
            continue  # not all that free a lock do so with small operands
        first, second = after.results
        done = a.op.failure is None or bool(first if a.op.result == "done" else first != a.operands[0])
        then = b.op.failure is None or bool(second if b.op.result == "done" else second != b.operands[0])
        pair = Pair(a.op.code, done, b.op.code, then)
        found.append((a, b, init, pair))
        if second != without.results[SECOND]:
            visible.add(pair)
    return found, visible


def ordered(pair: Pair) -> bool:
    """Does the first come before the second in Go's memory model?  It does if both are atomic and the second sees it."""
    if {TABLE[pair.a].access, TABLE[pair.b].access} != {ops.ATOMIC}:
        return False
    if pair.a == ops.LOCK or (pair.b == ops.SLEEP and not pair.then):
        return False  # what a lock leaves is for its unlock alone; a sleep that has timed out was woken by nobody
    return pair in pairs()[1]


def raced(*bodies: Callable[[Port, int], object], init: int = 0) -> bool:
    """Is there a race for DATA?  FastTrack and the witness agree whether there is any."""
    witness, track = Witness(fatal=False), FastTrack(fatal=False)
    for tap in (witness, track):
        schedule(bodies, init, [tap], range(len(bodies)))
    assert track.raced == bool(witness.races)
    return any(race.address == DATA for race in witness.races.values())


def write_then(use: Use) -> Callable[[Port, int], object]:
    """A plain write, and `use` behind it."""

    def body(port: Port, cell: int) -> None:
        port.words[DATA] = 1
        use.do(port, cell)

    return body


def then_read(use: Use) -> Callable[[Port, int], object]:
    """`use`, and a plain read behind it."""

    def body(port: Port, cell: int) -> None:
        use.do(port, cell)
        assert port.words[DATA] == 1

    return body


def mistakes(code: int) -> Iterator[str]:
    """Where the detector sees no race though nothing orders, or one though something does, in pairs with that one."""
    for a, b, init, pair in pairs()[0]:
        if code in {pair.a, pair.b} and raced(write_then(a), late(then_read(b)), init=init) == ordered(pair):
            yield f"{a}, {b} from {init}"


@pytest.mark.parametrize("op", WORDS, ids=lambda op: op.name)
def test_there_is_a_race_exactly_where_nothing_orders(op: Op, monkeypatch: pytest.MonkeyPatch) -> None:
    """And if the row orders less or more, or something else, that is found."""
    assert list(mistakes(op.code)) == []
    wrong = [op._replace(order=order) for order in range(ops.ACQ_REL + 1)]
    wrong += [op._replace(failure=order) for order in range(ops.ACQ_REL + 1) if op.failure is not None]
    for row in wrong:
        if row != op and op.access == ops.ATOMIC:
            monkeypatch.setattr(ops, "TABLE", [row if each is op else each for each in TABLE])
            assert next(mistakes(op.code), None), row
    if op in ops.METHODS and op.access == ops.KNOWING:
        row = op._replace(access=ops.ATOMIC, order=ops.ACQ_REL)
        monkeypatch.setattr(ops, "TABLE", [row if each is op else each for each in TABLE])
        assert next(mistakes(op.code), None), row


@pytest.mark.parametrize("use", list(uses(words=False)), ids=str)
def test_what_touches_no_word_orders_nothing(use: Use) -> None:
    """Both threads do it, and race."""
    assert use.op.order == ops.NOTHING
    assert raced(write_then(use), then_read(use))


def test_spawning_orders(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread knows what its parent knew, as the row says."""

    def parent(port: Port, _cell: int) -> None:
        port.words[DATA] = 1
        port.spawn(child)

    def child(port: Port) -> None:
        assert port.words[DATA] == 1

    assert not raced(parent)
    monkeypatch.setattr(ops, "TABLE", [op._replace(order=ops.NOTHING) if op.name == "spawn" else op for op in TABLE])
    assert raced(parent)


def test_bits_are_left_beside_and_stores_replace() -> None:
    """Whoever loads the word knows all that has set bits in it, and of those that have stored only the last one."""
    load, bits, store = Use(TABLE[ops.LOAD]), Use(TABLE[ops.OR8], (1,)), Use(TABLE[ops.STORE], (1,))

    assert not raced(write_then(bits), bits.do, then_read(load))
    assert not raced(write_then(store), bits.do, then_read(load))
    assert raced(write_then(store), store.do, then_read(load))
