"""What `linearizable` says when a limit is reached, and how far it gets with long histories."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from collector.audit import Operation
from collector.linearizability import linearizable
from collector.linearizability.models import Bag, Each, Queue, Register, Stack
from tests.collector.linearizability.made import Container, confused, contended, history, rounds


if TYPE_CHECKING:
    from collector.linearizability.specification import Model


class TestLimits:
    """A limit reached is unknown, and never a pass."""

    def test_steps(self) -> None:
        """A budget of questions ends the search with the answer unknown."""
        verdict = linearizable(confused(12), Stack(), steps=1000)

        assert verdict.answer == "unknown"
        assert not verdict
        assert (verdict.limit, verdict.steps) == ("1000 steps", 1000)
        assert "unknown" in str(verdict)

    def test_seconds(self) -> None:
        """So does a time limit; here the clock gains a second whenever it is read."""
        ticks = count()

        verdict = linearizable(confused(12), Stack(), seconds=10, clock=lambda: next(ticks))

        assert verdict.answer == "unknown"
        assert verdict.limit == "10 s"
        assert next(ticks) == 11
        assert verdict.steps == 9 * 64, "the clock is not read for every question"

    def test_no_time_at_all(self) -> None:
        """With nothing to spend nothing is known, even of a history that is sound."""
        assert linearizable(history((0, 1, 0, ("push", 1))), Stack(), steps=0).answer == "unknown"
        assert linearizable(history((0, 1, 0, ("push", 1))), Stack(), seconds=0, clock=lambda: 0).answer == "unknown"

    def test_every_budget_gives_the_same_answer_or_none(self) -> None:
        """With a growing budget: unknown, then no without a claim to the shortest prefix, then no with it."""
        records = history((0, 9, 0, ("pop",), 5), (1, 2, 1, ("pop",)), (3, 4, 1, ("push", 7)), (5, 6, 1, ("push", 8)))
        model = Stack(initial=(3,))
        full = linearizable(records, model)
        assert full.failure is not None

        stages: list[tuple[str, bool]] = []
        for steps in range(full.steps + 1):
            verdict = linearizable(records, model, steps=steps)
            stage = (verdict.answer.value, verdict.failure is not None and verdict.failure.shortest)
            if not stages or stages[-1] != stage:
                stages.append(stage)
            if verdict.failure is not None:
                assert linearizable(verdict.prefix, model).answer == "no", "whatever prefix is shown does fail"

        assert stages == [("unknown", False), ("no", False), ("no", True)]

    def test_a_part_that_fails_is_not_kept_from_by_one_that_is_hard(self) -> None:
        """A part that fails is a no, whatever the budget would have said of another, and wherever it stands."""
        failing = Operation(20, 21, 0, ("b", ("pop",)), 1)
        hard = [Operation(each.call, each.ret, each.thread, ("a", each.input), each.output) for each in confused(12)]

        for history_ in ([failing, *hard], [*hard, failing]):
            verdict = linearizable(history_, Each(Stack()), steps=1000)

            assert verdict.answer == "no"
            assert verdict.failure is not None
            assert verdict.failure.shortest
            assert verdict.failure.culprit == failing
            assert verdict.steps < 1000


class TestLength:
    """Long histories: no recursion, and work in proportion to the length where little is ambiguous."""

    @pytest.mark.parametrize("model", [Stack, Queue, Bag])
    @pytest.mark.parametrize("lasting", [5, 15, 35])
    def test_sound(self, model: Container, lasting: int) -> None:
        """10,000 operations, 5,000 values deep, are explained with few questions, whether or not threads overlap."""
        records = rounds(model, 10_000, filled=5_000, lasting=lasting)

        verdict = linearizable(records, model(), steps=40_000)

        assert verdict, str(verdict)
        assert len(verdict.order) == 10_000

    @pytest.mark.parametrize("model", [Stack, Queue, Bag])
    @pytest.mark.parametrize(
        ("filled", "lasting"), [pytest.param(5_000, 5, id="deep"), pytest.param(3, 15, id="overlapping")]
    )
    def test_fault_at_the_end(self, model: Container, filled: int, lasting: int) -> None:
        """A wrong answer, the last of 10,000, is found by trying all there is to try, and the prefix ends with it."""
        *sound, last = rounds(model, 10_000, filled=filled, lasting=lasting)
        wrong = replace(last, output="wrong")

        verdict = linearizable([*sound, wrong], model(), steps=1_000_000)

        assert verdict.answer == "no"
        assert verdict.failure is not None
        assert verdict.failure.culprit == wrong
        assert verdict.failure.shortest

    @pytest.mark.parametrize("model", [Stack, Queue])
    def test_contended(self, model: type[Stack | Queue]) -> None:
        """Where every operation overlaps others, what later answers tell keeps the search from going astray."""
        records = contended(model, 3_000)

        for shuffled in (records, random.Random(2).sample(records, len(records))):
            verdict = linearizable(shuffled, model(), steps=20_000)
            assert verdict, str(verdict)

    @pytest.mark.parametrize(
        ("model", "bring", "take", "taken"),
        [
            pytest.param(Queue(), "enqueue", "dequeue", 11, id="queue"),
            pytest.param(Stack(), "push", "pop", 0, id="stack"),
        ],
    )
    def test_never_taken(self, model: Model[Any], bring: str, take: str, taken: int) -> None:
        """Of many values that came at once, the one that is taken came first to a queue and last to a stack."""
        came = [Operation(thread, 20, thread, (bring, thread)) for thread in range(12)]

        verdict = linearizable([*came, Operation(21, 22, 0, (take,), taken)], model, steps=500)

        assert verdict, str(verdict)

    def test_remembered(self) -> None:
        """What was done and the state left are remembered: 8 writes at once are 2^8 sets, not 8! orders."""
        writes = [Operation(0, 9, thread, ("write", thread)) for thread in range(8)]

        verdict = linearizable([*writes, Operation(10, 11, 0, ("read",), "wrong")], Register(), steps=2 * 8 * 8 * 2**8)

        assert verdict.answer == "no"
        assert verdict.failure is not None
        assert verdict.failure.shortest

    def test_open_operations_that_change_nothing(self) -> None:
        """Reads that never returned are not tried in every combination."""
        reads = [Operation(0, None, thread, ("read",)) for thread in range(12)]

        verdict = linearizable([*reads, Operation(1, 2, 12, ("read",), "wrong")], Register(), steps=100)

        assert verdict.answer == "no"

    def test_many_values_that_are_the_same(self) -> None:
        """A bag counts: 2,000 copies of one value, and the pop after the last of them finds nothing."""
        records = [Operation(at, at, 0, ("push", "token")) for at in range(0, 4_000, 2)]
        records += [Operation(at, at, 0, ("pop",), "token") for at in range(4_000, 8_000, 2)]

        assert linearizable([*records, Operation(9_000, 9_001, 0, ("pop",))], Bag()).answer == "yes"
        assert linearizable([*records, Operation(9_000, 9_001, 0, ("pop",), "token")], Bag()).answer == "no"
