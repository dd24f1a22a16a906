"""Locks, and what threads share beside them, in modules written with `threading`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from collector.explore import explore
from collector.explore.claim import Kind
from collector.explore.stdlib import load
from tests.collector.explore.stdlib.programs import NAME, of, proved


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine
    from workbuf.machine import Port


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
                with pytest.raises(ValueError, match=r"timeout value must be (positive|a non-negative number)"):
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
