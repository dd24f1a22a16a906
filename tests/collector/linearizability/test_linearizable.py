"""The verdicts of `linearizable` on histories made by hand: the literature's, planted faults, open operations, time."""

from __future__ import annotations

import pytest

from collector.audit import Operation
from collector.linearizability import linearizable
from collector.linearizability.models import Bag, Each, Queue, Register, Stack
from collector.linearizability.search import Budget, search
from tests.collector.linearizability.made import history


class TestLiterature:
    """Histories that have been judged before."""

    def test_overlapping_enqueues_may_take_effect_in_either_order(self) -> None:
        """Herlihy and Wing 1990, figure 1(a): x and y are enqueued at once, x leaves first; z is still on its way."""
        verdict = linearizable(
            history(
                (0, 3, "A", ("enqueue", "x")),
                (1, 4, "B", ("enqueue", "y")),
                (5, 6, "B", ("dequeue",), "x"),
                (7, 8, "A", ("dequeue",), "y"),
                (9, None, "A", ("enqueue", "z")),
            ),
            Queue(),
        )

        assert verdict
        assert [operation.output for operation in verdict.order] == [None, None, "x", "y"]

    def test_fifo_order_violated(self) -> None:
        """Herlihy and Wing 1990, figure 1(b): x was in before y, yet y leaves while x is there."""
        verdict = linearizable(
            history(
                (0, 1, "A", ("enqueue", "x")),
                (2, 3, "B", ("enqueue", "y")),
                (4, 5, "A", ("dequeue",), "y"),
                (6, 7, "A", ("enqueue", "z")),
            ),
            Queue(),
        )

        assert verdict.answer == "no"
        assert len(verdict.prefix) == 3
        assert verdict.failure is not None
        assert verdict.failure.culprit.output == "y"

    def test_effect_before_the_return(self) -> None:
        """Herlihy and Wing 1990, figure 1(c): x leaves before the enqueue that brings it has returned."""
        assert linearizable(history((0, 9, "A", ("enqueue", "x")), (1, 2, "B", ("dequeue",), "x")), Queue())

    def test_dequeued_twice(self) -> None:
        """Herlihy and Wing 1990, figure 1(d): y is dequeued twice."""
        verdict = linearizable(
            history(
                (0, 3, "A", ("enqueue", "x")),
                (1, 4, "B", ("enqueue", "y")),
                (5, 6, "A", ("dequeue",), "y"),
                (7, 8, "B", ("dequeue",), "y"),
            ),
            Queue(),
        )

        assert verdict.answer == "no"
        assert len(verdict.prefix) == 4

    def test_new_old_inversion(self) -> None:
        """Lamport 1986: during one write a first reader sees the new value and a later one the old; not atomic."""
        write = (0, 9, "w", ("write", 1))
        inverted = history(write, (1, 2, "r", ("read",), 1), (3, 4, "s", ("read",), 0))
        overlapping = history(write, (1, 3, "r", ("read",), 1), (3, 4, "s", ("read",), 0))

        assert linearizable(inverted, Register()).answer == "no"
        assert linearizable(overlapping, Register()).answer == "yes"

    def test_sequentially_consistent_is_not_enough(self) -> None:
        """A read that begins after a write has returned sees it, although other orders of the threads would do."""
        verdict = linearizable(history((0, 1, 0, ("write", 1)), (2, 3, 1, ("read",), 0)), Register())

        assert verdict.answer == "no"

    def test_linearizability_is_local(self) -> None:
        """Herlihy and Wing 1990, theorem 1: two queues are each judged alone, and their orders interleave in real time."""
        verdict = linearizable(
            history(
                (0, 1, "A", ("p", ("enqueue", "x"))),
                (2, 3, "B", ("q", ("enqueue", "y"))),
                (4, 9, "A", ("q", ("dequeue",)), "y"),
                (5, 6, "B", ("p", ("dequeue",)), "x"),
            ),
            Each(Queue()),
        )

        assert verdict
        assert [operation.input[0] for operation in verdict.order] == ["p", "q", "q", "p"]

    def test_both_queues_out_of_order(self) -> None:
        """Herlihy and Wing 1990, on queues: each thread takes what it brought second; either queue shows it."""
        verdict = linearizable(
            history(
                (0, 1, "A", ("p", ("enqueue", "x"))),
                (2, 3, "B", ("q", ("enqueue", "y"))),
                (4, 5, "A", ("q", ("enqueue", "x"))),
                (6, 7, "B", ("p", ("enqueue", "y"))),
                (8, 9, "A", ("p", ("dequeue",)), "y"),
                (8, 10, "B", ("q", ("dequeue",)), "x"),
            ),
            Each(Queue()),
        )

        assert verdict.answer == "no"
        assert {operation.input[0] for operation in verdict.prefix} == {"p"}, "the part that fails first, and no other"


class TestFaults:
    """Each planted fault is caught where it becomes visible."""

    def test_pop_that_returns_a_value_twice(self) -> None:
        """An ABA hands out one node twice: the second pop is the one that nothing explains."""
        records = history(
            (0, 1, 0, ("push", 7)),
            (2, 6, 0, ("pop",), 7),
            (3, 7, 1, ("pop",), 7),
            (8, 9, 1, ("pop",)),
        )

        for verdict in (linearizable(records, Stack()), linearizable(records, Bag())):
            assert verdict.answer == "no"
            assert verdict.failure is not None
            assert verdict.failure.culprit is records[2]
            assert verdict.failure.shortest

    def test_stale_read(self) -> None:
        """A read of a value that two writes before it have replaced is refused at its own return."""
        records = history(
            (0, 1, 0, ("write", 1)),
            (2, 3, 0, ("write", 2)),
            (4, 8, 1, ("read",), 1),
            (5, 6, 0, ("write", 3)),
            (9, 10, 1, ("read",), 3),
        )

        verdict = linearizable(records, Register())

        assert verdict.answer == "no"
        assert verdict.failure is not None
        assert verdict.failure.culprit is records[2]

    def test_lost_compare_and_swap(self) -> None:
        """Two swaps from one old value cannot both succeed."""
        both = history((0, 5, 0, ("cas", 0, 1), True), (1, 6, 1, ("cas", 0, 2), True))
        one = history((0, 5, 0, ("cas", 0, 1), False), (1, 6, 1, ("cas", 0, 2), True))

        assert linearizable(both, Register()).answer == "no"
        assert linearizable(one, Register()).answer == "yes"

    def test_bag_accepts_what_a_stack_refuses(self) -> None:
        """A pop of the lower value is out of order for a stack and none of a bag's business."""
        records = history(
            (0, 1, 0, ("push", 1)), (2, 3, 0, ("push", 2)), (4, 5, 0, ("pop",), 1), (6, 7, 0, ("pop",), 2)
        )

        assert linearizable(records, Stack()).answer == "no"
        assert linearizable(records, Bag()).answer == "yes"

    def test_lost_value(self) -> None:
        """An empty answer while a value is there, put in before and taken by nobody, is refused by all three."""
        pushed = history((0, 1, 0, ("push", 1)), (2, 3, 1, ("pop",)))
        enqueued = history((0, 1, 0, ("enqueue", 1)), (2, 3, 1, ("dequeue",)))

        assert linearizable(pushed, Stack()).answer == "no"
        assert linearizable(pushed, Bag()).answer == "no"
        assert linearizable(enqueued, Queue()).answer == "no"

    def test_value_out_of_nowhere(self) -> None:
        """A value that nobody brought is refused."""
        assert linearizable(history((0, 1, 0, ("pop",), 5)), Stack()).answer == "no"
        assert linearizable(history((0, 1, 0, ("pop",), 5)), Bag()).answer == "no"
        assert linearizable(history((0, 1, 0, ("dequeue",), 5)), Queue()).answer == "no"

    def test_fault_of_one_object_among_many(self) -> None:
        """The first object that is found to fail is the answer; those with few operations are looked at first."""
        verdict = linearizable(
            history(
                (0, 1, 0, ("late", ("push", 1))),
                (2, 9, 0, ("late", ("pop",)), 2),
                (3, 4, 1, ("sound", ("push", 1))),
                (5, 6, 1, ("early", ("pop",)), 3),
            ),
            Each(Stack()),
        )

        assert [operation.input[0] for operation in verdict.prefix] == ["early"]


class TestOpen:
    """Operations that never returned, in the history or in a prefix of it."""

    @pytest.mark.parametrize(
        ("answer", "expected"),
        [
            pytest.param(1, "yes", id="took effect"),
            pytest.param(0, "yes", id="did not"),
            pytest.param(2, "no", id="other"),
        ],
    )
    def test_open_write_may_or_may_not_have_happened(self, answer: int, expected: str) -> None:
        """A thread that died in a write leaves the old value or the new one."""
        records = history((0, None, 0, ("write", 1)), (5, 6, 1, ("read",), answer))

        assert linearizable(records, Register()).answer == expected

    def test_open_operation_takes_effect_once(self) -> None:
        """The value of one open push is popped once."""
        once = history((0, None, 0, ("push", 1)), (5, 6, 1, ("pop",), 1))
        twice = [*once, Operation(7, 8, 1, ("pop",), 1)]

        assert linearizable(once, Stack()).answer == "yes"
        assert linearizable(twice, Stack()).answer == "no"

    def test_open_operation_has_no_effect_before_its_call(self) -> None:
        """What an operation returned cannot come from one called later."""
        assert linearizable(history((5, None, 0, ("push", 1)), (0, 4, 1, ("pop",), 1)), Stack()).answer == "no"

    def test_open_pop_of_a_bag_took_any_value(self) -> None:
        """Of two values an open pop may have taken either, but not both."""
        start = history((0, 1, 0, ("push", 1)), (2, 3, 0, ("push", 2)), (4, None, 0, ("pop",)))
        for left in (1, 2):
            drained = [*start, Operation(5, 6, 1, ("pop",), left), Operation(7, 8, 1, ("pop",))]
            assert linearizable(drained, Bag()).answer == "yes"
        assert linearizable([*start, Operation(5, 6, 1, ("pop",))], Bag()).answer == "no"

    def test_later_answer_is_not_held_against_an_earlier_prefix(self) -> None:
        """While a pop runs it may have taken what is missing; only the other answer it then gives is the fault."""
        records = history((0, 9, 0, ("pop",), 5), (1, 2, 1, ("pop",)), (3, 4, 1, ("push", 7)))

        verdict = linearizable(records, Stack(initial=(3,)))

        assert verdict.failure is not None
        assert verdict.failure.culprit is records[0]
        assert verdict.failure.order[0] == Operation(0, None, 0, ("pop",)), (
            "it explains what was before, as an open pop"
        )


class TestSearch:
    """What the search itself says."""

    def test_furthest_return(self) -> None:
        """Where no order exists, it names the return that every order stops at, by rank among the returns."""
        records = history(
            (0, 5, 0, ("push", 1)),
            (1, 6, 1, ("push", 2)),
            (7, 8, 0, ("pop",), 1),
            (9, 10, 0, ("pop",), 3),
            (11, 12, 0, ("pop",), 2),
        )

        assert search(records, Stack(), Budget()) == ([], 3)
        assert search(records[:3], Stack(), Budget()) == ([records[1], records[0], records[2]], None)

    @pytest.mark.parametrize(
        "model",
        [pytest.param(Queue(initial=(1,)), id="there before"), pytest.param(Queue(empty=1), id="said of nothing")],
    )
    def test_values_from_elsewhere_tell_nothing(self, model: Queue) -> None:
        """A 1 that was dequeued before the one enqueued says nothing about when that one came."""
        records = history(
            (0, 5, 0, ("enqueue", 1)),
            (0, 6, 1, ("enqueue", 2)),
            (1, 2, 2, ("dequeue",), 1),
            (7, 8, 2, ("dequeue",), 2),
            (9, 10, 2, ("dequeue",), 1),
        )

        assert linearizable(records[:4], model).answer == "yes"
        assert linearizable(records, model).answer == "yes"

    def test_open_taking_leaves_the_rest_untold(self) -> None:
        """1 may have gone to a dequeue that never returned, so it may have come before 2, as 3 tells that it did."""
        records = history(
            (0, 3, 0, ("enqueue", 1)),
            (0, 9, 1, ("enqueue", 2)),
            (4, 5, 0, ("enqueue", 3)),
            (0, None, 2, ("dequeue",)),
            (10, 11, 0, ("dequeue",), 3),
            (12, 13, 0, ("dequeue",), 2),
        )

        assert linearizable(records, Queue()).answer == "yes"

    def test_value_that_comes_back_too_soon(self) -> None:
        """The dequeue may have taken either x, as the second came while it ran; then the first came after y."""
        records = history(
            (0, 9, 0, ("enqueue", "x")),
            (4, 5, 1, ("dequeue",), "x"),
            (5, 6, 2, ("enqueue", "x")),
            (7, 9, 2, ("enqueue", "y")),
            (10, 11, 1, ("dequeue",), "y"),
            (12, 13, 1, ("dequeue",), "x"),
        )

        assert linearizable(records, Queue()).answer == "yes"


class TestTime:
    """What overlaps, and what the intervals mean."""

    def test_equal_times_overlap(self) -> None:
        """A return and a call at one reading of the clock say nothing about which was first."""
        push = Operation(0, 5, 0, ("push", 1))

        assert linearizable([push, Operation(5, 6, 1, ("pop",))], Stack()).answer == "yes"
        assert linearizable([push, Operation(6, 7, 1, ("pop",))], Stack()).answer == "no"

    def test_order_of_the_records_does_not_matter(self) -> None:
        """Only the times count, not the order in which the history lists its operations."""
        records = history((4, 5, 0, ("pop",), 1), (0, 1, 0, ("push", 1)), (2, 3, 1, ("push", 2)))

        assert linearizable(records, Stack()).answer == "no"
        assert linearizable(reversed(records), Stack()).answer == "no"

    def test_empty_history(self) -> None:
        """Nothing happened: nothing is wrong; the same with open operations only."""
        assert linearizable([], Stack()).answer == "yes"
        assert linearizable(history((0, None, 0, ("pop",))), Stack()).answer == "yes"
