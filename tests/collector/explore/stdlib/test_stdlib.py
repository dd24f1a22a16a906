"""Classes written with `threading` and `queue` are explored as they are."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING, Any
from weakref import ProxyType

import pytest

from collector.explore import explore, replay
from collector.explore.claim import Kind
from collector.explore.stdlib import load
from collector.explore.stdlib.load import STANDINS
from tests.collector.explore.stdlib import threaded


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import Result, SteppedMachine
    from collector.explore.program import Program
    from collector.explore.stdlib.place import Place
    from workbuf.machine import Port

NAME = threaded.__name__


def of(*bodies: Callable[[Any], object], make: Callable[[Any], Any], check: Callable[[Any], object] = bool) -> Program:
    """Each of `bodies` in a thread, on what `make` makes of the module; `check` looks at that when all have ended."""

    def program(machine: SteppedMachine) -> Callable[[], object]:
        thing = make(load(machine, NAME))
        for body in bodies:

            def thread(_port: object, body: Callable[[Any], object] = body) -> None:
                body(thing)

            machine.spawn(thread)

        def last() -> None:
            check(thing)

        return last

    return program


def account(*calls: str) -> Program:
    """Withdrawals, each by a thread."""

    def check(thing: Any) -> None:  # noqa: ANN401
        assert thing.balance >= 0, "overdrawn"

    bodies = [lambda thing, call=call: getattr(thing, call)(60) for call in calls]
    return of(*bodies, make=lambda module: module.Account(100), check=check)


def proved(program: Program) -> Result:
    """It is, by DPOR."""
    result = explore(program, "dpor", seconds=60)
    assert result.claim.kind is Kind.PROVED, str(result)
    return result


def line_of(text: str) -> int:
    """Where that stands in the module for the first time."""
    with open(threaded.__file__, encoding="utf-8") as file:  # noqa: PTH123
        return next(number for number, line in enumerate(file, 1) if text in line)


class TestAttributes:
    """Those of the module's objects."""

    def test_what_a_lock_orders(self) -> None:
        proved(account("withdraw", "withdraw"))

    def test_a_race_names_the_line(self) -> None:
        """Of the source as it is."""
        failure = explore(account("hasty", "hasty")).failure
        assert failure is not None
        assert failure.kind == "race"
        assert "Account.balance" in failure.message
        assert failure.where.startswith(f"{threaded.__file__}:")

    @pytest.mark.parametrize("vehicle", ["greenlets", "threads"])
    def test_as_steps(self, vehicle: str) -> None:
        """What comes of it is found, with the line where the schedule goes wrong, and replays."""
        program = account("hasty", "hasty")
        failure = explore(program, plain_points=True, races=False, vehicle=vehicle).failure
        assert failure is not None
        assert failure.message == "overdrawn"
        assert "Account.lock" in str(failure.trace)
        again = replay(failure.schedule, program)
        assert again.failure is not None
        assert again.failure.message == "overdrawn"

    def test_a_list_that_nobody_guards(self) -> None:
        """To fetch it counts as a write, unless it is named."""
        program = of(lambda log: log.say("a"), lambda log: log.say("b"), make=lambda module: module.Log())
        assert "Log.lines" in str(explore(program).failure)

        def unwatched(machine: SteppedMachine) -> None:
            log = load(machine, NAME, unwatched=("lines",)).Log()
            for line in "ab":

                def says(_port: object, line: str = line) -> None:
                    log.say(line)

                machine.spawn(says)

        assert explore(unwatched).failure is None

    def test_what_is_changed_after_it_was_handed_over(self) -> None:
        """No word tells what is within a list."""

        def program(machine: SteppedMachine) -> Callable[[], None]:
            ledger, x, found = load(machine, NAME).Ledger(), machine.word(0, "x"), []

            def puts(port: Port) -> None:
                line: list[str] = []
                ledger.put(line)
                port.load(x)
                line.append("late")

            def reads(port: Port) -> None:
                line = ledger.last()
                port.load(x)
                found.append(None if line is None else line[:])

            machine.spawn(puts)
            machine.spawn(reads)

            def check() -> None:
                assert found != [[]], "read before it was changed"

            return check

        assert explore(program, "exhaustive", shrink=False).failure is not None
        for bound in (None, 9):
            result = explore(program, "dpor", preemptions=bound, shrink=False)
            assert result.failure or "share line, and no step orders" in result.statement, str(result)

    def test_lists_under_locks_of_their_own(self) -> None:
        proved(
            of(
                lambda two: (two[0].put([]), two[0].put([]), two[1].put([])),
                lambda two: (two[2].put([]), two[2].put([]), two[1].put([])),
                make=lambda module: [module.Ledger() for _ in range(3)],
            )
        )


class TestLocks:
    """Lock, RLock and those made of them."""

    def test_opposite_orders_deadlock(self) -> None:
        program = of(
            lambda two: two[0].transfer(two[1], 1),
            lambda two: two[1].transfer(two[0], 1),
            make=lambda module: (module.Account(5), module.Account(5)),
        )
        failure = explore(program).failure
        assert failure is not None
        assert failure.kind == "deadlock"
        assert "waits for Account2.lock" in failure.message

    def test_a_condition(self) -> None:
        """Of a dataclass; who is woken asks again."""
        put, take = lambda slot: slot.put(1), lambda slot: slot.take()
        proved(of(put, put, take, take, make=lambda module: module.Slot()))

    def test_who_does_not_ask_again(self) -> None:
        """Finds an empty list."""
        put, take = lambda slot: slot.put(1), lambda slot: slot.takes_at_once()
        failure = explore(of(put, take, take, put, make=lambda module: module.Slot())).failure
        assert failure is not None
        assert "IndexError" in failure.message

    @pytest.mark.parametrize(
        "bodies", [("says", "hears"), ("counts", "counts"), ("counts_twice", "counts_twice"), ("meets", "meets")]
    )
    def test_the_others(self, bodies: tuple[str, str]) -> None:
        """Each pair of bodies passes in every order."""
        calls = [lambda meeting, name=name: getattr(meeting, name)() for name in bodies]
        proved(of(*calls, make=lambda module: module.Meeting()))

    @pytest.mark.parametrize("name", ["note_on_thread", "note_in_local"])
    def test_what_is_hung_on_a_thread_or_found_through_its_own(self, name: str) -> None:
        """No word tells of it."""

        def program(machine: SteppedMachine) -> Callable[[], None]:
            module, words = load(machine, NAME), [machine.word(0, each) for each in "xy"]
            hall, found = module.Hall(), []

            def writes(port: Port) -> None:
                port.load(words[0])
                hall.write()

            def reads(port: Port) -> None:
                hall.enter()
                port.load(words[1])
                found.append(getattr(hall, name)())

            machine.spawn(writes)
            machine.spawn(reads)

            def check() -> None:
                assert found == [1], "read before it was written"

            return check

        assert explore(program, "exhaustive", shrink=False).failure is not None
        for bound in (None, 9):
            result = explore(program, "dpor", preemptions=bound, shrink=False)
            assert "no step orders" in result.statement, str(result)

    @pytest.mark.parametrize("strategy", ["stateful", "portfolio", "exhaustive"])
    def test_what_a_thread_hangs_on_itself_is_a_part_of_the_state(self, strategy: str) -> None:
        """It finds it by no variable."""

        def program(machine: SteppedMachine) -> Callable[[], None]:
            module, x, y, found = load(machine, NAME), machine.word(0, "x"), machine.word(0, "y"), [0]

            def reads(port: Port) -> None:
                module.note_on_itself(port.load(x))
                port.load(y)
                found[0] = module.noted_on_itself()

            def writes(port: Port) -> None:
                port.store(x, 1)
                port.store(x, 0)

            machine.spawn(reads)
            machine.spawn(writes)

            def check() -> None:
                assert found != [1]

            return check

        assert explore(program, strategy, shrink=False).failure is not None

    def test_a_list_of_each_threads_own(self) -> None:
        """In one object."""
        proved(of(*[lambda hall: hall.keeps()] * 3, make=lambda module: module.Hall()))

    def test_released_by_another(self) -> None:
        """Lets one in who waits: DPOR sees what plain depth-first search does."""
        ends: dict[str, set[tuple[int, ...]]] = {"dpor": set(), "dfs": set()}
        for strategy, seen in ends.items():

            def program(machine: SteppedMachine, seen: set[tuple[int, ...]] = seen) -> Callable[[], object]:
                module = load(machine, NAME)
                lock, word = module.Lock(), []
                lock.acquire()

                def waits(_port: object) -> None:
                    with lock:
                        word.append(0)

                machine.spawn(waits)
                machine.spawn(lambda _port: module.hands_over(lock, word))
                machine.spawn(lambda _port: word.append(2 + lock.locked()))
                return lambda: seen.add(tuple(word))

            assert explore(program, strategy).exhausted
        assert ends["dpor"] == ends["dfs"]
        assert len(ends["dfs"]) > 1

    def test_wrong_uses_are_refused(self) -> None:
        """As threading does."""

        def program(machine: SteppedMachine) -> None:
            lock = load(machine, NAME).Lock()

            def body(_port: object) -> None:
                with pytest.raises(RuntimeError, match="release unlocked lock"):
                    lock.release()
                with pytest.raises(ValueError, match="non-blocking"):
                    lock.acquire(False, 1)  # noqa: FBT003  as people do
                with pytest.raises(ValueError, match="non-negative"):
                    lock.acquire(timeout=-2)

            machine.spawn(body)

        proved(program)

    def test_the_set_up_waits_for_nobody(self) -> None:
        """It is refused, with the line."""

        def program(machine: SteppedMachine) -> None:
            lock = load(machine, NAME).Lock()
            lock.acquire()
            lock.acquire()

        claim = explore(program).claim
        assert claim.kind is Kind.REFUSED
        assert "would wait for ever" in claim.reason


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
        ],
    )
    def test_what_they_raise_is_the_programs_failure(self, name: str, error: str) -> None:
        """Nobody catches it: no fault of the explorer's, which would lose the schedule."""
        result = explore(of(lambda wrong: getattr(wrong, name)(), make=lambda module: module.Wrong()))

        assert result.failure
        assert result.failure.kind == "exception"
        assert error in result.failure.message
        assert result.failure.where.startswith(f"{threaded.__file__}:")


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
