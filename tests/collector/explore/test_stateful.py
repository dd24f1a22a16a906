"""Stateful search sees every state, and what a thread keeps is told from its frames."""

from __future__ import annotations

import threading
from functools import partial
from itertools import product
from typing import TYPE_CHECKING

import pytest

from collector.explore import SteppedMachine, explore, replay
from collector.explore.program import new_machine, run_and_check, set_up
from collector.explore.strategies.base import Options
from collector.explore.strategies.stateful import Stateful
from tests.collector.explore import programs
from tests.collector.explore.arbitrary import MINDS, VOCABULARIES
from tests.collector.explore.compare import compare_arbitrary, compare_stateful
from tests.collector.explore.keepingprograms import keeping
from tests.collector.explore.test_dpor import PROGRAMS
from tests.collector.explore.test_fair import not_reset
from tests.collector.explore.test_idle import told_by_a_post
from tests.collector.explore.traces import executions
from workbuf.machine import Pause
from workbuf.throw import Throw


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from collector.explore.machine.fault import Fault
    from tests.collector.explore.programs import Program
    from workbuf.machine import Port


@pytest.mark.parametrize("name", [name for name in PROGRAMS if name != "indexer"])
def test_small_models(name: str) -> None:
    """All ends of every small model."""
    compare_stateful(PROGRAMS[name], list(executions(PROGRAMS[name], "dfs")))


@pytest.mark.parametrize("vocabulary", [*VOCABULARIES, *MINDS])
def test_arbitrary_programs(vocabulary: str, seed: int) -> None:
    """All ends of arbitrary programs."""
    compare_arbitrary(vocabulary, seed, compare_stateful)


def test_the_barrier_has_few_states() -> None:
    """However many buffers there are to work through: traces grow without bound, states hardly."""
    states = []
    for budget in (1, 2, 3):
        result = explore(programs.barrier(2, budget), "stateful")
        assert result.exhausted
        assert "known" in result.statement
        states.append(result.states)

    assert states[2] - states[1] < states[1] < 3000


@pytest.mark.slow
def test_three_at_a_barrier_without_budget() -> None:
    """Exhausted with three participants."""
    result = explore(programs.barrier(3, 0), "stateful")

    assert result.exhausted


def test_it_finds_the_late_barrier() -> None:
    """And the schedule replays."""
    program = programs.barrier(2, 1, late=True)
    failure = explore(program, "stateful").failure

    assert failure is not None
    assert failure.preemptions == 3
    assert replay(failure.schedule, program).failure == failure


def test_a_livelock_is_found_and_replays() -> None:
    """A circle in which everybody runs who could."""
    failure = explore(not_reset, "stateful").failure

    assert failure is not None
    assert failure.kind == "livelock"
    assert replay(failure.schedule, not_reset).failure == failure


def test_a_circle_that_is_not_fair_is_none() -> None:
    """A thread that waits while another could go on does no wrong."""

    def program(machine: SteppedMachine) -> None:
        flag = machine.word(0, "flag")

        def waiter(port: Port) -> None:
            while not port.hint(flag):
                port.pause(Pause.OSYIELD, 1)

        machine.spawn(waiter)
        machine.spawn(lambda port: (port.load(flag), port.store(flag, 1)))

    result = explore(program, "stateful")

    assert result.failure is None
    assert result.exhausted


def test_what_only_python_knows_is_part_of_the_state() -> None:
    """An order that is kept in a list that the check alone can reach."""
    orders: set[tuple[int, ...]] = set()

    def program(machine: SteppedMachine) -> Callable[[], None]:
        x = machine.word(0, "x")
        order: list[int] = []

        def body(port: Port) -> None:
            port.load(x)
            order.append(port.index)

        machine.spawn(body)
        machine.spawn(body)
        return lambda: orders.add(tuple(order))

    assert explore(program, "stateful").exhausted
    assert orders == {(0, 1), (1, 0)}


def opaque(machine: SteppedMachine, *, told: bool) -> Callable[[], None]:
    """What was read is kept where nobody can look; told or not."""
    kept = threading.local()
    kept.v = 0
    if told:
        machine.state(lambda: kept.v)
    check: Callable[[], None] = keeping(lambda v: setattr(kept, "v", v), lambda: kept.v)(machine)
    return check


def test_what_cannot_be_looked_into_is_not_merged_but_named() -> None:
    """Nothing is lost, and it says what would help; if that is done the states are fewer."""
    search = Stateful(Options())
    for run in searched(search, partial(opaque, told=False)):
        if run:
            break
    else:
        raise AssertionError("the fault was not found")
    assert "t0 keeps a _thread._local, which cannot be looked into" in str(search.claim(1))
    assert explore(partial(opaque, told=True), "stateful").failure


def searched(search: Stateful, program: Program) -> Iterator[Fault | None]:
    """The faults of all schedules of a search."""
    machine = new_machine()
    try:
        while not search.done:
            check = set_up(machine, program)
            yield run_and_check(machine, *search.begin(machine), check)
            search.end(machine)
    finally:
        machine.close()


def deadline(machine: SteppedMachine) -> None:
    """Waits until a time; what others do meanwhile goes by in as many steps, whatever it is."""
    x, late = machine.word(0, "x"), machine.word(0, "late")

    def waiter(port: Port) -> None:
        until = port.now() + 6
        while port.now() < until:
            if port.load(x):
                return
        port.store(late, 1)

    machine.spawn(waiter)
    machine.spawn(lambda port: port.store(x, 1))


def test_time_is_part_of_the_state_if_asked_for() -> None:
    """All ends, and the statement says so."""
    assert ends(deadline, "stateful", "late") == ends(deadline, "dfs", "late") == {0, 1}
    assert "asks for the time" in explore(deadline, "stateful").statement


def ends(program: Program, strategy: str, word: str) -> set[int]:
    """What a word holds at the end of all schedules."""
    found: set[int] = set()

    def noting(machine: SteppedMachine) -> Callable[[], None]:
        program(machine)
        cell = next(a for a in range(len(machine.mem)) if machine.name(a) == word)
        return lambda: found.add(machine.peek(cell))

    assert explore(noting, strategy, races=False).exhausted
    return found


def swapping(machine: SteppedMachine, *, bounded: bool) -> None:
    """Three threads take a lock by exchanges, for ever or so often that it comes to the same."""
    lock = machine.word(0, "lock")

    def body(port: Port) -> None:
        for _ in iter(int, 1) if not bounded else range(3):
            while port.xchg(lock, 1):
                port.pause(Pause.PROCYIELD, 1)
            break
        port.store(lock, 0)

    for _ in range(3):
        machine.spawn(body)


def test_a_loop_around_a_spin_does_not_multiply_the_states() -> None:
    """An iterator that stands still is no new state."""
    results = [explore(partial(swapping, bounded=bounded), "stateful", races=False) for bounded in (False, True)]

    assert all(result.exhausted for result in results)
    assert results[0].states == results[1].states


def chosen(port: Port, x: int) -> None:
    """What was chosen is an argument and nothing else."""
    port.store(x, port.choose(4))


def taken_away(port: Port, x: int) -> None:
    """Python's hash of -1 is that of -2."""
    port.xadd(x, -1 - port.choose(2))


def drawn_from(port: Port, x: int) -> None:
    """How much of an iterator is left is in none of its variables."""
    left = iter(range(4))
    while next(left) < 3:
        port.xadd(x, 1)
        if port.choose(2):
            break


def closed_over(port: Port, x: int) -> None:
    """The function is the same but for what it closes over."""

    def adder(v: int) -> Callable[[], object]:
        return lambda: port.xadd(x, v)

    add = adder(port.choose(3))
    port.load(x)
    add()


def thrown(port: Port, x: int) -> None:
    """A throw that is caught is as good as a result."""

    def unlocked() -> int:
        try:
            port.unlock(x)
        except Throw:
            return 1
        return 0

    port.store(x, 4 + unlocked() + unlocked() + port.choose(2))


def written_twice(port: Port, x: int) -> None:
    """Where plain writes are steps, the second one is another step than the first."""
    for _ in range(3):
        port.words[x] = 1
    port.store(x, port.load(x) + port.choose(2))


BODIES = [chosen, taken_away, drawn_from, closed_over, thrown]


@pytest.mark.parametrize(("body", "plain"), [*product(BODIES, [False, True]), (written_twice, True)])
def test_what_a_thread_keeps_is_part_of_the_state(body: Callable[[Port, int], None], *, plain: bool) -> None:
    """Every end is seen, wherever Python keeps what leads to it."""

    def ends(strategy: str) -> set[int]:
        found: set[int] = set()

        def program(machine: SteppedMachine) -> Callable[[], None]:
            x = machine.word(8, "x")
            machine.spawn(lambda port: body(port, x))
            machine.spawn(lambda port: port.load(x))
            return lambda: found.add(machine.peek(x))

        assert explore(program, strategy, plain_points=plain, races=False).exhausted
        return found

    assert ends("stateful") == ends("dfs")


def test_it_says_on_which_paths_races_were_looked_for() -> None:
    """Paths that lead to one state may order more or less."""
    assert explore(told_by_a_post, "dpor").failure is not None
    assert "Data races were looked for in the" in explore(told_by_a_post, "stateful").statement
    assert "Data races" not in explore(told_by_a_post, "stateful", races=False).statement
