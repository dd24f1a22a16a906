"""Queues in modules written with `queue`, and how modules are loaded."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING, Any
from weakref import ProxyType

import pytest

from collector.explore import explore
from collector.explore.claim import Kind
from collector.explore.stdlib import load
from collector.explore.stdlib.load import STANDINS
from tests.collector.explore.stdlib import threaded
from tests.collector.explore.stdlib.programs import NAME, of, proved


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine
    from collector.explore.stdlib.place import Place


class TestQueues:
    """CPython's own, and threads that use them."""

    def test_a_pool(self) -> None:
        """A queue of one place, a thread that is joined."""

        def check(pool: Any) -> None:  # noqa: ANN401
            assert pool.done == [1, 2]

        proved(of(lambda pool: pool.run([1, 2]), make=lambda module: module.Pool(), check=check))

    def test_a_time_limit_may_pass_or_not(self) -> None:
        """Both are explored; the clock of who has waited in vain says so."""
        got: set[int | None] = set()

        def program(machine: SteppedMachine) -> None:
            module = load(machine, NAME)
            jobs = module.queue.Queue()
            machine.spawn(lambda _port: jobs.put(1))
            machine.spawn(lambda _port: got.add(module.waits_for(jobs, 2.5)))

        proved(program)
        assert got == {1, None}

    @pytest.mark.parametrize("strategy", ["dpor", "stateful", "portfolio"])
    def test_a_wait_with_a_limit_ends(self, strategy: str) -> None:
        """Whether nobody could run meanwhile is a part of the state of who waits."""

        def program(machine: SteppedMachine) -> None:
            module = load(machine, NAME)
            said, jobs = module.threading.Condition(), module.queue.Queue()

            def waits(_port: object) -> None:
                jobs.qsize()
                with said:
                    said.wait(1)

            machine.spawn(waits)
            machine.spawn(lambda _port: jobs.empty())

        result = explore(program, strategy, early=0, seconds=60)
        assert result.claim.kind is Kind.PROVED, str(result)

    @pytest.mark.parametrize("strategy", ["dpor", "stateful", "portfolio"])
    def test_a_deadline_is_no_livelock(self, strategy: str) -> None:
        """A thread's clock goes on as it sleeps; without a clock that it asks, it goes round for ever."""

        def deadline(machine: SteppedMachine) -> None:
            module = load(machine, NAME)
            event = module.threading.Event()
            machine.spawn(lambda _port: module.polls(event, 1.0))

        def none(machine: SteppedMachine) -> None:
            module = load(machine, NAME)
            event = module.threading.Event()
            machine.spawn(lambda _port: module.polls_for_ever(event))

        assert explore(deadline, strategy).failure is None
        failure = explore(none, strategy).failure
        assert failure is not None
        assert failure.kind == "livelock"

    def test_waiting_alone_ends_in_time(self) -> None:
        """Nobody puts anything: no deadlock."""
        got: set[int | None] = set()
        program = of(
            lambda slot: got.add(slot.patient(1)),
            make=lambda module: module.Slot(),
        )
        proved(program)
        assert got == {None}

    def test_errors_are_the_usual_ones(self) -> None:
        """So that a test catches them by their names."""

        def program(machine: SteppedMachine) -> None:
            jobs = load(machine, NAME).queue.Queue(1)
            jobs.put(1)
            with pytest.raises(queue.Full):
                jobs.put_nowait(2)

        assert explore(program).failure is None

    @pytest.mark.parametrize(
        ("name", "error"),
        [
            ("empty", "Empty"),
            ("late", "Empty"),
            ("full", "Full"),
            ("lock", "RuntimeError: release unlocked lock"),
            ("rlock", "RuntimeError: cannot release un-acquired lock"),
            ("semaphore", "ValueError: Semaphore released too many times"),
            ("condition", "RuntimeError: cannot notify on un-acquired lock"),
            ("limit", "TypeError: 'NoneType' object cannot be interpreted as an integer"),
            ("forever", "OverflowError: timestamp out of range"),
            ("tired", "TypeError: 'str' object cannot be interpreted as an integer"),
            ("runs_again", "AttributeError: 'Thread' object has no attribute '_target'"),
        ],
    )
    def test_what_they_raise_is_the_programs_failure(self, name: str, error: str) -> None:
        """Nobody catches it: no fault of the explorer's, which would lose the schedule."""
        result = explore(of(lambda wrong: getattr(wrong, name)(), make=lambda module: module.Wrong()))

        assert result.failure
        assert result.failure.kind == "exception"
        assert error in result.failure.message
        assert result.failure.where.startswith(f"{threaded.__file__}:")

    def test_what_a_thread_cannot_call_is_the_programs_failure(self) -> None:
        """The library calls it, so that is the line."""
        failure = explore(of(lambda wrong: wrong.calls(), make=lambda module: module.Wrong())).failure

        assert failure is not None
        assert failure.message == "TypeError: Wrong.condition() takes 1 positional argument but 3 were given"
        assert failure.where.startswith(f"{threading.__file__}:")


class TestLoading:
    """A module afresh for every schedule."""

    def test_the_real_module_is_left_alone(self) -> None:
        """And what it makes when it is imported is new in each schedule."""

        def program(machine: SteppedMachine) -> Callable[[], object]:
            module = load(machine, NAME)
            assert module.made == []
            module.made.append(1)

            def body(_port: object) -> None:
                with module.GUARD:
                    module.made.append(2)

            machine.spawn(body)
            machine.spawn(body)

            def check() -> None:
                assert module.made == [1, 2, 2]

            return check

        proved(program)
        assert threaded.made == []
        assert isinstance(threaded.GUARD, type(threading.Lock()))

    def test_what_is_overlooked_is_said(self) -> None:
        """A global that changes, slots: nothing is proved, unless they are named."""
        name = "tests.collector.explore.stdlib.globals"

        def program(machine: SteppedMachine, unwatched: tuple[str, ...] = ()) -> None:
            count = load(machine, name, unwatched=unwatched).count
            machine.spawn(lambda _port: count())
            machine.spawn(lambda _port: count())

        result = explore(program, "dpor")
        assert result.claim.kind is Kind.UNDECIDED
        assert any("the global total of " in warning for warning in result.warnings)
        assert any("Slotted has slots" in warning for warning in result.warnings)
        proved(lambda machine: program(machine, ("total", "Slotted")))

    def test_the_machine_is_not_kept(self) -> None:
        """By what is kept for all its schedules."""
        places: list[Place] = []

        def program(machine: SteppedMachine) -> None:
            load(machine, NAME)
            places.append(STANDINS[machine][0])

        explore(program)
        assert all(isinstance(place.machine, ProxyType) for place in places)

    def test_no_source(self) -> None:
        """Is said by its name."""

        def program(machine: SteppedMachine) -> None:
            load(machine, "no_such_module")

        with pytest.raises(ModuleNotFoundError, match="no_such_module"):
            explore(program)
