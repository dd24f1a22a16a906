"""Stateful search sees every state, and what a thread keeps is told from its frames."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from collector.explore import explore, replay
from collector.explore.state.temporaries import has_temporaries
from tests.collector.explore import programs
from tests.collector.explore.arbitrary import VOCABULARIES
from tests.collector.explore.compare import compare_arbitrary, compare_stateful
from tests.collector.explore.test_dpor import PROGRAMS
from tests.collector.explore.test_fair import not_reset
from tests.collector.explore.traces import executions
from workbuf.machine import Pause
from workbuf.throw import Throw


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine
    from workbuf.machine import Port


@pytest.mark.parametrize("name", [name for name in PROGRAMS if name != "indexer"])
def test_small_models(name: str) -> None:
    """All ends of every small model."""
    compare_stateful(PROGRAMS[name], list(executions(PROGRAMS[name], "dfs")))


@pytest.mark.parametrize("vocabulary", VOCABULARIES)
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


def test_what_only_python_knows_is_part_of_the_state_if_told() -> None:
    """An order that is kept in a list is invisible, unless the program shows it."""

    def ends(*, told: bool) -> int:
        orders: set[tuple[int, ...]] = set()

        def program(machine: SteppedMachine) -> Callable[[], None]:
            x = machine.word(0, "x")
            order: list[int] = []

            def body(port: Port) -> None:
                port.load(x)
                order.append(port.index)

            machine.spawn(body)
            machine.spawn(body)
            if told:
                machine.state(lambda: tuple(order))
            return lambda: orders.add(tuple(order))

        assert explore(program, "stateful").exhausted
        return len(orders)

    assert ends(told=True) == 2
    assert ends(told=False) <= 2


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


@pytest.mark.parametrize("body", [chosen, taken_away, drawn_from, closed_over, thrown, written_twice])
@pytest.mark.parametrize("plain", [False, True])
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


def test_it_says_which_numbers_it_took_for_one() -> None:
    """A loop that counts its turns has as many states as one wants to tell apart."""

    def program(machine: SteppedMachine) -> None:
        x, y = machine.word(0, "x"), machine.word(0, "y")

        def waiter(port: Port) -> None:
            turn = 0
            while not port.load(x):
                port.load(y)
                turn += 1
                port.pause(Pause.PROCYIELD, turn)

        def writer(port: Port) -> None:
            for k in range(40):
                port.store(y, ~k & 1)
            port.store(x, 1)

        machine.spawn(waiter)
        machine.spawn(writer)

    result = explore(program, "stateful")

    assert "pauses in a row counted as one" in result.statement
    assert "counted as one" not in explore(programs.barrier(2, 0), "stateful").statement


class TestTemporaries:
    """Whether a frame that is in a call keeps anything outside its variables."""

    def test_it_is_told_for_every_kind_of_call(self) -> None:
        """Operands, arguments under way and iterators are kept; results, receivers and own arguments are not."""
        found: list[bool] = []

        def here(*_arguments: object, **_named: object) -> int:
            found.append(has_temporaries(sys._getframe(1)))
            return 1

        class Word:
            def __getitem__(self, _a: int) -> int:
                found.append(has_temporaries(sys._getframe(1)))
                return 0

            def __setitem__(self, _a: int, _v: int) -> None:
                found.append(has_temporaries(sys._getframe(1)))

        words = Word()

        def body() -> int:
            x = here()  # no
            here(x, named=1)  # no
            x = 1 + here()  # yes
            x = here() + here()  # no, yes
            for _ in range(1):
                here()  # yes
            while here() != 1:  # no
                pass
            x = words[1]  # no
            words[1] = 2  # no
            words[1] += 1  # yes: where to put it; then no
            x = here(here())  # yes, no
            x = here() and 0  # no
            try:
                here()  # no
            finally:
                here()  # no
            return here() or x  # no

        body()

        assert found == [False, False, True, False, True, True, False, False, False, True, False, True] + [False] * 5
