"""Histories put together from what threads recorded, and drawn as a picture."""

from __future__ import annotations

import re
import threading
from time import perf_counter_ns
from typing import Any

import pytest

from collector.audit import Operation, merge
from collector.linearizability import linearizable
from collector.linearizability.diagram import lanes
from collector.linearizability.models import Each, Register, Stack


Record = tuple[int, int | None, int | str, Any, Any]


class TestMerge:
    """`merge` takes what can have happened, and says what is wrong with the rest."""

    def test_in_order_of_call(self) -> None:
        """The threads' lists become one, by call; the last operation of a thread may be open."""
        history = merge(
            [
                [(0, 4, 0, ("push", 1), None), (5, None, 0, ("pop",), None)],
                [(2, 3, 1, ("pop",), 1)],
                [],
            ]
        )

        assert [operation.call for operation in history] == [0, 2, 5]
        assert history[2] == Operation(5, None, 0, ("pop",))

    def test_one_after_the_other_at_one_reading(self) -> None:
        """A coarse clock may give a return and the same thread's next call one reading."""
        assert len(merge([[(0, 4, 0, ("push", 1), None), (4, 4, 0, ("pop",), 1)]])) == 2

    @pytest.mark.parametrize(
        ("threads", "message"),
        [
            pytest.param(
                [[(0, 1, 0, ("pop",), 1), (9, 5, 0, ("pop",), 2)]],
                "list 0, record 1, (9, 5, 0, ('pop',), 2): m0 pop -> 2 returns at 5, before its call at 9",
                id="returned before it was called",
            ),
            pytest.param(
                [[], [(0, 5, 1, ("pop",), 1), (4, 6, 1, ("pop",), 2)]],
                "list 1, record 1, (4, 6, 1, ('pop',), 2): called at 4, while m1 pop -> 1 ran until 5",
                id="two at once",
            ),
            pytest.param(
                [[(0, None, 1, ("pop",), None), (4, 6, 1, ("pop",), 2)]],
                "m1 pop (open) never returned, yet its thread went on",
                id="went on without returning",
            ),
            pytest.param(
                [[(0, 1, 1, ("pop",), 1), (4, 6, 2, ("pop",), 2)]],
                "a list of m1 holds an operation of m2",
                id="two threads in one list",
            ),
            pytest.param(
                [[(0, 1, "gc", ("pop",), 1)], [(4, 6, "gc", ("pop",), 2)]],
                "gc is recorded in lists 0 and 1",
                id="one thread in two lists",
            ),
            pytest.param([[(0, 1, ("pop",), 1)]], "list 0, record 0, (0, 1, ('pop',), 1):", id="another shape"),
            pytest.param([[("0", 1, 0, ("pop",), 1)]], "list 0, record 0, ('0', 1, 0, ('pop',), 1):", id="no number"),
        ],
    )
    def test_what_cannot_have_happened(self, threads: list[list[Record]], message: str) -> None:
        """One line that says which record of which list, and what is wrong with it."""
        with pytest.raises(ValueError, match=re.escape(message)) as caught:
            merge(threads)

        assert "\n" not in str(caught.value)

    def test_from_real_threads(self) -> None:
        """Threads that read one clock round a stack with a lock, and a register without one, give sound histories."""
        lock, held = threading.Lock(), list[int]()
        cell = [0]

        def push_and_pop(thread: int, records: list[Record]) -> None:
            for turn in range(50):
                value = thread * 100 + turn
                call = perf_counter_ns()
                with lock:
                    held.append(value)
                records.append((call, perf_counter_ns(), thread, ("stack", ("push", value)), None))
                call = perf_counter_ns()
                with lock:
                    answer = held.pop() if held else None
                records.append((call, perf_counter_ns(), thread, ("stack", ("pop",)), answer))

        def write_and_read(thread: int, records: list[Record]) -> None:
            for turn in range(50):
                call = perf_counter_ns()
                cell[0] = thread * 100 + turn
                records.append((call, perf_counter_ns(), thread, ("cell", ("write", thread * 100 + turn)), None))
                call = perf_counter_ns()
                answer = cell[0]
                records.append((call, perf_counter_ns(), thread, ("cell", ("read",)), answer))

        for body, model in ((push_and_pop, Stack()), (write_and_read, Register())):
            lists: list[list[Record]] = [[] for _ in range(3)]
            threads = [threading.Thread(target=body, args=(number, lists[number])) for number in range(3)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            verdict = linearizable(merge(lists), Each(model))
            assert verdict, str(verdict)
            assert len(verdict.order) == 300


class TestOperation:
    """One operation by itself."""

    def test_returns_before_its_call(self) -> None:
        """Such times are refused where the operation is made."""
        with pytest.raises(ValueError, match="m3 pop -> 1 returns at 4, before its call at 5"):
            Operation(5, 4, 3, ("pop",), 1)

    @pytest.mark.parametrize(
        ("operation", "text"),
        [
            pytest.param(Operation(0, 1, 0, ("push", 3)), "m0 push 3 -> None", id="pair"),
            pytest.param(Operation(0, 1, "gc", ("full", ("pop",)), "x"), "gc full pop -> x", id="nested"),
            pytest.param(Operation(0, None, 1, ("pop",)), "m1 pop (open)", id="open"),
        ],
    )
    def test_printing(self, operation: Operation, text: str) -> None:
        """Who, what, and the answer."""
        assert str(operation) == text


class TestLanes:
    """The picture."""

    def test_one_row_per_moment(self) -> None:
        """What shares a reading of the clock shares a row, and a thread's return stands before its next call."""
        picture = lanes(
            [
                Operation(0, 5, 0, ("push", 1)),
                Operation(5, 8, 0, ("pop",), 1),
                Operation(5, 5, 1, ("pop",)),
            ]
        )

        assert picture.splitlines() == [
            "time  m0               m1",
            "   0  [ push 1",
            "   5  ] -> None [ pop  [ pop ] -> None",
            "   8  ] -> 1",
        ]

    def test_end_of_a_long_one(self) -> None:
        """The last rows are kept; an operation that began before them is still seen to run."""
        picture = lanes(
            [Operation(0, 9, "a", ("read",), 0), *(Operation(at, at, "b", ("read",), 0) for at in range(1, 9))], rows=2
        )

        assert picture.splitlines() == [
            "time  a       b",
            "(... 8 earlier moments)",
            "   8  |       [ read ] -> 0",
            "   9  ] -> 0",
        ]

    def test_long_values(self) -> None:
        """A long value is cut, so that the lanes stay beside each other."""
        picture = lanes([Operation(0, 1, 0, ("push", "x" * 200))])

        assert max(map(len, picture.splitlines())) < 50
        assert "..." in picture

    def test_nothing(self) -> None:
        """An empty history is an empty picture."""
        assert lanes([]) == "time"
