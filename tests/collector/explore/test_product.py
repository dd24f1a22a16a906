"""States computed from what each thread does by itself are those that there are; else they are run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from collector.explore import explore
from collector.explore.strategies.base import Options
from collector.explore.strategies.product import Product
from collector.explore.strategies.stateful import Stateful
from collector.fixtures.pool import pool
from collector.scenarios.latedecrement import LateDecrement
from tests.collector.explore import programs
from tests.collector.explore.compare import ends
from tests.collector.explore.test_idle import let_go_by_nobody
from tests.collector.explore.traces import executions, runs_of
from workbuf.getfull import Getfull


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine
    from tests.collector.explore.programs import Program
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


def test_races_are_looked_for_where_two_can_meet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not only in the schedules from which something is learned: of these none has this race."""
    failure = explore(rarely, "stateful").failure
    assert failure
    assert failure.kind == "race"

    monkeypatch.setattr(Product, "_race", lambda *_: None)
    assert explore(rarely, "stateful").exhausted


def test_no_thread_takes_a_step() -> None:
    """Then there is no state."""
    result = explore(lambda machine: machine.spawn(lambda _port: None), "stateful", schedules=50)

    assert result.exhausted
    assert result.schedules < 10


class Miscounts(Product):
    """Computes what is not so."""

    def _step(self, *told: object) -> tuple[int, ...]:
        state = super()._step(*told)  # type: ignore[arg-type]
        return (state[0] + 1, *state[1:])


class NeverLetsGo(Product):
    """Takes those who pause for stuck."""

    def _released(self, state: tuple[int, ...]) -> tuple[int, ...]:
        return state


@pytest.mark.parametrize(("wrong", "program"), [(Miscounts, pool(Getfull, 2, 0)), (NeverLetsGo, let_go_by_nobody)])
def test_what_is_computed_is_compared(wrong: type[Product], program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what happens when it is run; if it differs, nothing is computed any more."""
    monkeypatch.setattr("collector.explore.strategies.stateful.Product", wrong)
    search = searched(program)

    assert not search.computes
    assert search.exhausted
    assert search.states == searched(program, fit=False).states
