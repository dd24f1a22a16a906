"""A verdict printed: who did what when, what is not explained, an order of what came before."""

from __future__ import annotations

from collector.audit import Operation
from collector.linearizability import linearizable
from collector.linearizability.models import Stack
from tests.collector.linearizability.made import history, rounds


class TestPrinting:
    """What a reader of a failed check sees."""

    def test_failure(self) -> None:
        """Who did what when, what it answered, which return is not explained, and an order of all before it."""
        verdict = linearizable(
            history(
                (0, 3, 0, ("push", 1)),
                (2, 5, 1, ("pop",), 1),
                (6, 9, 0, ("pop",), 1),
                (7, 12, "gc", ("push", 4)),
                (13, 14, "gc", ("pop",), 4),
            ),
            Stack(),
        )

        assert str(verdict).splitlines() == [
            "not linearizable: no order explains m0 pop -> 1",
            "the shortest failing prefix: 4 operations, 1 of them open",
            "",
            "time  m0         m1      gc",
            "   0  [ push 1",
            "   2  |          [ pop",
            "   3  ] -> None  |",
            "   5             ] -> 1",
            "   6  [ pop",
            "   7  |                  [ push 4",
            "   9  ] -> 1             |  <-- not explained",
            "open                     ...",
            "",
            "an order that explains all before it: m0 push 1 -> None, m1 pop -> 1",
        ]

    def test_long_prefix(self) -> None:
        """Of a long prefix the end is drawn, and it says how much is missing."""
        verdict = linearizable(
            [*rounds(Stack, 1_000, filled=500, lasting=5), Operation(99_998, 99_999, 0, ("pop",), 1)], Stack()
        )

        lines = str(verdict).splitlines()
        assert len(lines) < 60
        assert any("earlier moments" in line for line in lines)
        assert "(its end)" in lines[-1]

    def test_yes(self) -> None:
        """A pass says how much was ordered."""
        assert (
            str(linearizable(history((0, 1, 0, ("push", 1))), Stack())) == "linearizable: 1 operation in order, 1 step"
        )
