"""What sequential models answer, refuse, and must not lose."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from collector.audit import Operation
from collector.linearizability import linearizable
from collector.linearizability.models import Bag, Each, Queue, Register, Stack
from collector.linearizability.specification import UNSEEN, partition


if TYPE_CHECKING:
    from collections.abc import Sequence

    from collector.linearizability.specification import Model


def one_by_one(*pairs: tuple[Any, Any]) -> list[Operation]:
    """A history of one thread from (input, output)."""
    return [Operation(2 * at, 2 * at + 1, 0, given, output) for at, (given, output) in enumerate(pairs)]


class TestContents:
    """What is there first, and what there is when nothing is."""

    @pytest.mark.parametrize(
        ("model", "take", "answers"),
        [
            pytest.param(Stack((1, 2)), "pop", (2, 1, None), id="a stack is given from the bottom up"),
            pytest.param(Queue((1, 2)), "dequeue", (1, 2, None), id="a queue oldest first"),
            pytest.param(Bag((1, 1, 2)), "pop", (1, 2, 1, None), id="a bag with copies"),
            pytest.param(Stack(empty=0), "pop", (0, 0), id="nil of a stack"),
            pytest.param(Queue(empty=0), "dequeue", (0,), id="nil of a queue"),
            pytest.param(Bag(empty=0), "pop", (0, 0), id="nil of a bag"),
        ],
    )
    def test_drained(self, model: Model[Any], take: str, answers: tuple[Any, ...]) -> None:
        """Taken one after the other the contents come as they should, and nothing else does."""
        assert linearizable(one_by_one(*(((take,), answer) for answer in answers)), model).answer == "yes"
        wrong = (*answers[:-1], "wrong")
        assert linearizable(one_by_one(*(((take,), answer) for answer in wrong)), model).answer == "no"

    def test_register(self) -> None:
        """A register begins as it is told to, and a swap says whether it did."""
        sound = one_by_one(
            (("read",), 5),
            (("cas", 5, 6), True),
            (("cas", 5, 7), False),
            (("read",), 6),
            (("write", 1), None),
            (("read",), 1),
        )

        assert linearizable(sound, Register(5)).answer == "yes"
        assert linearizable(sound, Register(6)).answer == "no"

    def test_equal_stacks_are_one_state(self) -> None:
        """However a stack came by its contents, it is the same state: that is what the search remembers."""
        model = Stack()
        bottom = model.init()
        once = bottom.push(1).push(2)
        again = model.step(bottom.push(1).push(3), ("pop",), 3)[1].push(2)

        assert once is again

    def test_bag_forgets_the_order(self) -> None:
        """However a bag came by its contents, it is the same state."""
        model = Bag()
        empty = model.init()

        assert empty.put(1).put(2).put(1) == empty.put(1).put(1).put(2)
        assert empty.put(1).put(2).taken(2) == empty.put(1)
        assert empty.put(1).taken(2) is None


class TestParts:
    """How a bag is split by value."""

    def test_by_value(self) -> None:
        """Pushes and pops of one value are a part; a pop that is still open ties no values together."""
        history = one_by_one((("push", 1), None), (("push", 2), None), (("pop",), 1))
        crashed = Operation(9, None, 1, ("pop",))

        parts = partition(Bag(), [*history, crashed])

        assert sorted(map(len, parts)) == [1, 1, 2]
        assert [history[0], history[2]] in parts

    def test_empty_answer(self) -> None:
        """A pop that found nothing speaks of all values, so they stay together."""
        history = one_by_one((("push", 1), None), (("pop",), 1), (("pop",), None), (("push", 2), None))

        assert list(map(list, partition(Bag(), history))) == [history]


class TestRefused:
    """Errors, not verdicts."""

    @pytest.mark.parametrize("model", [Stack(), Queue(), Register(), Bag()], ids=lambda model: type(model).__name__)
    def test_unknown_operation(self, model: Model[Any]) -> None:
        """An operation the model does not know is refused with those it knows."""
        with pytest.raises(ValueError, match=r"^\('peek',\) is nothing that a \w+ does: it knows \("):
            linearizable([Operation(0, 1, 0, ("peek",), 1)], model)

    def test_no_name(self) -> None:
        """Among many objects an input has to name its own."""
        with pytest.raises(ValueError, match=r"it knows \(name, input\)"):
            linearizable([Operation(0, 1, 0, ("pop",), 1)], Each(Stack()))

    def test_partition_that_loses_an_operation(self) -> None:
        """A part left out would pass unseen."""

        class Losing(Stack):
            """Gives away all but the first operation."""

            def partition(self, history: Sequence[Operation]) -> list[Sequence[Operation]]:
                """All but the first."""
                return [history[1:]]

        with pytest.raises(ValueError, match=r"Losing\.partition: 1 operations in the parts, 2 in the history"):
            partition(Losing(), one_by_one((("push", 1), None), (("pop",), 1)))


class TestOwn:
    """Models that others write."""

    def test_least_model(self) -> None:
        """`init` and `step` are enough, with no word about open operations: UNSEEN equals what it is compared with."""

        class Counter:
            """Adds one and answers the new value."""

            def init(self) -> int:
                """Zero."""
                return 0

            def step(self, state: int, _given: str, output: int) -> tuple[bool, int]:
                """One more."""
                return output == state + 1, state + 1

        crashed = [Operation(0, None, 0, "xadd"), Operation(5, 6, 1, "xadd", 2)]

        assert linearizable(crashed, Counter()).answer == "yes"
        assert linearizable([*crashed, Operation(7, 8, 1, "xadd", 4)], Counter()).answer == "no"

    def test_what_a_state_forbids(self) -> None:
        """An open operation that could not have gone through in a state did not go through in it."""

        class Semaphore:
            """Begins at 0 and does not go below."""

            def init(self) -> int:
                """Nothing to take."""
                return 0

            def step(self, state: int, given: str, output: int) -> tuple[bool, int]:
                """Up, down, or how many."""
                match given:
                    case "up":
                        return True, state + 1
                    case "down":
                        return state > 0, state - 1
                    case _:
                        return output == state, state

        down = Operation(0, None, 0, "down")
        up = Operation(1, 2, 1, "up")

        assert linearizable([down, Operation(3, 4, 1, "value", -1)], Semaphore()).answer == "no"
        assert linearizable([down, up, Operation(3, 4, 1, "value", 0)], Semaphore()).answer == "yes"

    def test_unseen_answer(self) -> None:
        """It is equal to everything from either side, and says what it is."""
        assert UNSEEN == 1
        assert (UNSEEN != 1) is False
        assert UNSEEN in (1, 2)
        assert repr(UNSEEN) == "UNSEEN"
