"""States computed from what each thread does by itself are those that there are; else they are run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from collector.explore import explore
from collector.explore.state.composition import Composition
from collector.explore.strategies.base import Options
from collector.explore.strategies.product import Product
from collector.explore.strategies.stateful import Stateful
from collector.fixtures.pool import pool
from collector.scenarios.latedecrement import LateDecrement
from tests.collector.explore import programs
from tests.collector.explore.compare import compare_arbitrary, ends
from tests.collector.explore.test_idle import let_go_by_nobody
from tests.collector.explore.traces import executions, runs_of
from workbuf.getfull import Getfull


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from collector.explore import SteppedMachine
    from collector.explore.state.automaton import Transition
    from collector.explore.state.composition import State
    from tests.collector.explore.programs import Program
    from tests.collector.explore.traces import Execution
    from workbuf.machine import Port


def searched(program: Program, *, fit: bool = True) -> Stateful:
    """A search that has seen everything."""
    search = Stateful(Options())
    search.fit = fit
    for _ in runs_of(program, search):
        pass
    return search


SMALL: dict[str, Any] = {
    "lost update": programs.lost_update(3),
    "counter": programs.counter(3),
    "barrier of two": pool(Getfull, 2, 0),
    "spin lock": programs.spin_lock(3, by_exchange=True),
    "two locks": programs.two_locks(ordered=True),
}


@pytest.mark.parametrize("name", SMALL)
def test_as_many_states_as_there_are(name: str) -> None:
    """And all ends."""
    program = SMALL[name]
    computed, run = searched(program), searched(program, fit=False)

    assert computed.computes
    assert computed.states == run.states
    found = ends([r for r in runs_of(program, Stateful(Options())) if not r.pruned])
    assert found.keys() == ends(list(executions(program, "dpor"))).keys()


@pytest.mark.parametrize(("participants", "more", "late"), [(2, 1, False), (3, 0, False), (3, 0, True)])
def test_the_barrier(participants: int, more: int, *, late: bool) -> None:
    """Of three participants there are tens of thousands of states, and few of them have to be run."""
    result = explore(pool(Getfull, participants, more, late=late), "stateful", schedules=10**6)

    assert result.exhausted, result
    assert result.states > 10 * (result.schedules + result.pruned)
    assert f"in the {result.schedules + result.pruned} schedules that were run" in result.statement


@pytest.mark.slow
def test_three_that_publish() -> None:
    """All states of three participants, one of whom publishes."""
    result = explore(pool(Getfull, 3, 1), "stateful", schedules=10**6)

    assert result.exhausted, result
    assert result.states > 100_000


def test_a_fault_happens_in_a_schedule() -> None:
    """That of three participants who count themselves out late."""
    result = explore(pool(LateDecrement, 3, 0, late=True), "stateful", schedules=10**6)

    assert result.failure
    assert "ended early" in result.failure.message


def shares(machine: SteppedMachine) -> Callable[[], None]:
    """What one thread leaves in a list, the other one finds there."""
    x = machine.word(0, "x")
    board: list[int] = []

    def writes(port: Port) -> None:
        port.load(x)
        board.append(1)

    def reads(port: Port) -> None:
        port.load(x)
        if board:
            port.store(x, 7)

    machine.spawn(writes)
    machine.spawn(reads)

    def check() -> None:
        assert machine.peek(x) == 0, "it was read"

    return check


def test_what_threads_share_is_noticed() -> None:
    """Then every state is run, and the fault is found."""
    search = Stateful(Options())
    faults = [run.fault.message for run in runs_of(shares, search) if run.fault]

    assert not search.computes
    assert any("it was read" in message for message in faults)


def holds(machine: SteppedMachine) -> Callable[[], None]:
    """Two threads have got one list before their first steps, and nobody else has it."""
    x = machine.word(0, "x")
    boards: list[list[int]] = [[]]

    def writes(port: Port) -> None:
        board = boards[0]
        port.load(x)
        board.append(1)
        port.load(x)

    def reads(port: Port) -> None:
        board = boards.pop()
        port.load(x)
        if board:
            port.store(x, 7)

    machine.spawn(writes)
    machine.spawn(reads)

    def check() -> None:
        assert machine.peek(x) == 0, "it was read"

    return check


def stores_to_a_lock(machine: SteppedMachine) -> None:
    """Who waits for the lock waits on while it is held, and goes when it is free, whatever operation does that."""
    lock, x = machine.word(0, "lock"), machine.word(0, "x")

    def stores(port: Port) -> None:
        port.store(lock, 9)
        port.load(x)
        port.store(lock, 0)

    def locks(port: Port) -> None:
        port.lock(lock)
        port.unlock(lock)

    machine.spawn(stores)
    machine.spawn(locks)


def clears_a_note(machine: SteppedMachine) -> None:
    """Who sleeps is not told of a plain write."""
    note, x = machine.word(0, "note"), machine.word(0, "x")

    def wakes(port: Port) -> None:
        port.wake(note)
        port.load(x)
        port.words[note] = 0
        port.wake(note)

    machine.spawn(wakes)
    machine.spawn(lambda port: port.sleep(note))


def reads_all(machine: SteppedMachine) -> None:
    """A slice is no read of one cell."""
    x, y = machine.word(0, "x"), machine.word(0, "y")
    mem = machine.mem

    def reads(port: Port) -> None:
        port.load(y)
        port.store(y, sum(mem[x : x + 1]))

    machine.spawn(lambda port: port.store(x, 5))
    machine.spawn(reads)


def looks_at_another(machine: SteppedMachine) -> None:
    """What a thread draws is in its port, where another one can see it."""
    x = machine.word(0, "x")

    def draws(port: Port) -> None:
        port.load(x)
        port.seed = 7
        port.load(x)

    def looks(port: Port) -> None:
        port.load(x)
        port.store(x, machine.ports[0].seed & 7)

    for port in machine.ports:
        port.seed = 0
    machine.spawn(draws)
    machine.spawn(looks)


@pytest.mark.parametrize("program", [holds, clears_a_note, reads_all, looks_at_another])
def test_what_automata_cannot_tell_is_run(program: Program) -> None:
    """And ends as it does."""
    search = Stateful(Options())
    found = ends([run for run in runs_of(program, search) if not run.pruned])

    assert not search.computes
    assert found == ends(list(executions(program, "dfs")))


def test_a_lock_that_other_operations_write_fits() -> None:
    """Its word tells who can go."""
    search = Stateful(Options())
    found = ends([run for run in runs_of(stores_to_a_lock, search) if not run.pruned])

    assert search.computes
    assert found == ends(list(executions(stores_to_a_lock, "dfs")))


@pytest.mark.parametrize(
    "vocabulary",
    [
        "locks",
        "locks that others write",
        "unlocks",
        "pauses",
        "exchanges",
        "waits and pauses",
        "waits for nobody",
        "kept",
    ],
)
def test_arbitrary_programs_fit(vocabulary: str) -> None:
    """Also if some of their schedules fail."""

    def compare(program: Program, plain: Sequence[Execution]) -> None:
        search = Stateful(Options())
        found = ends([run for run in runs_of(program, search) if not run.pruned])
        assert search.computes
        assert "livelock" in found or found == ends(plain)

    compare_arbitrary(vocabulary, 60, compare)


def adds(machine: SteppedMachine, items: Sequence[Iterable[int]], count: int = 0) -> None:
    """Each thread adds its items to a word, and counts them, if there is a word for that."""
    x = machine.word(0, "x")

    def body(port: Port) -> None:
        for item in items[port.index]:
            port.xadd(x, item)
            if count:
                port.words[count] += 1

    machine.spawn(body)
    machine.spawn(body)


def test_what_decides_nothing_is_in_no_state() -> None:
    """Neither a count nor the place in the trail where an item began that could be left out."""
    items = [1, 2, 3]
    counted = searched(lambda m: adds(m, [items, items], count=m.alloc(1, "count", statistics=True)))
    optional = searched(lambda m: adds(m, [m.optional(items), m.optional(items)]))
    plain = searched(lambda m: adds(m, [items, items]))

    assert counted.computes
    assert optional.computes
    assert counted.states == optional.states == plain.states


def test_too_many_states_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are searched one by one then, of which less is kept."""
    monkeypatch.setattr("collector.explore.strategies.product.MANY", 100)
    search = searched(SMALL["barrier of two"])

    assert not search.computes
    assert search.states > 100


def rarely(machine: SteppedMachine) -> None:
    """Who reads `x` races only where he comes first: else the store of what was there orders the two."""
    x, a = machine.word(0, "x"), machine.word(0, "a")

    def writes(port: Port) -> None:
        port.load(a)
        port.words[x] = 1
        port.store(a, 0)
        port.load(a)

    def reads(port: Port) -> None:
        port.load(a)
        port.store(a, port.words[x] & 0)

    machine.spawn(writes)
    machine.spawn(reads)


def rarely_at_first(machine: SteppedMachine) -> None:
    """The same, and it is written before the first step."""
    x, a = machine.word(0, "x"), machine.word(0, "a")

    def writes(port: Port) -> None:
        port.words[x] = 1
        port.store(a, 0)
        port.load(a)

    def reads(port: Port) -> None:
        port.load(a)
        port.store(a, port.words[x] & 0)

    machine.spawn(writes)
    machine.spawn(reads)


@pytest.mark.parametrize("program", [rarely, rarely_at_first])
def test_races_are_looked_for_where_two_can_meet(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not only in the schedules from which something is learned: of these none has this race."""
    failure = explore(program, "stateful").failure
    assert failure
    assert failure.kind == "race"

    monkeypatch.setattr(Product, "_race", lambda *_: None)
    assert explore(program, "stateful").exhausted


def test_no_thread_takes_a_step() -> None:
    """Then there is no state."""
    result = explore(lambda machine: machine.spawn(lambda _port: None), "stateful", schedules=50)

    assert result.exhausted
    assert result.schedules < 10


class Miscounts(Composition):
    """Computes what is not so."""

    def after(self, state: State, t: int, transition: Transition) -> State:
        wrong = super().after(state, t, transition)
        return (wrong[0] + 1, *wrong[1:])


class NeverLetsGo(Composition):
    """Takes those who pause for stuck."""

    def released(self, state: State) -> State:
        return state


@pytest.mark.parametrize(("wrong", "program"), [(Miscounts, pool(Getfull, 2, 0)), (NeverLetsGo, let_go_by_nobody)])
def test_what_is_computed_is_compared(
    wrong: type[Composition], program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With what happens when it is run; if it differs, nothing is computed any more."""
    monkeypatch.setattr("collector.explore.strategies.product.Composition", wrong)
    search = searched(program)

    assert not search.computes
    assert search.exhausted
    assert search.states == searched(program, fit=False).states
