"""The mutation operators: what they make of a small function, and what they leave out."""

from __future__ import annotations

import ast

from collector.mutation.operators import changes, functions


SOURCE = '''
class Thing:
    def work(self, n):
        """Not a statement to drop."""
        port, words = self.port, self.port.words
        old = port.xchg(n, 0)
        words[n] = 1
        words[n + 1] = old
        if old:
            port.wake(n)
        return old
'''


def made() -> dict[tuple[str, str], str]:
    """Kind and changed source of every mutant of the function, and the statements it then has."""
    ((name, function),) = functions(ast.parse(SOURCE))
    assert name == "Thing.work"
    return {(change.kind, change.was): ast.unparse(change.made()) for change in changes(function)}


def test_what_is_made() -> None:
    """Statements dropped, a condition negated, neighbours swapped that do not depend on each other, an atomic made plain."""
    assert sorted(made()) == [
        ("drop", "port.wake(n)"),
        ("drop", "return old"),
        ("drop", "words[n + 1] = old"),
        ("drop", "words[n] = 1"),
        ("negate", "old"),
        ("plain", "port.xchg(n, 0)"),
        ("swap", "old = port.xchg(n, 0) <> words[n] = 1"),
        ("swap", "words[n] = 1 <> words[n + 1] = old"),
    ]


def test_what_becomes_of_it() -> None:
    """The source of the changed function."""
    mutants = made()

    assert "if not old:" in mutants["negate", "old"]
    assert "old = (port.load(n), port.store(n, 0))[0]" in mutants["plain", "port.xchg(n, 0)"]
    assert "words[n + 1] = old\n    words[n] = 1" in mutants["swap", "words[n] = 1 <> words[n + 1] = old"]
    assert "if old:\n        pass" in mutants["drop", "port.wake(n)"]


class Port:
    """Two words, plain or not."""

    def __init__(self) -> None:
        self.words = {8: 5, 1: 0}

    def load(self, a: int) -> int:
        return self.words[a]

    def store(self, a: int, v: int) -> None:
        self.words[a] = v


def test_a_plain_atomic_does_the_same_alone() -> None:
    """With nobody in between."""
    for call, answer, left in (
        ("port.cas(8, 5, 7)", True, 7),
        ("port.cas(8, 4, 7)", False, 5),
        ("port.xchg(8, 7)", 5, 7),
        ("port.xadd(8, -6)", (1 << 64) - 1, (1 << 64) - 1),
    ):
        port = Port()
        ((_, function),) = functions(ast.parse(f"def f(port):\n    return {call}"))
        (plain,) = [change for change in changes(function) if change.kind == "plain"]
        scope: dict[str, object] = {"port": port}

        assert eval(ast.unparse(plain.made().body[0]).removeprefix("return "), scope) == answer  # noqa: S307
        assert port.words[8] == left


def test_a_plain_mark_sets_the_byte() -> None:
    """The mask goes to the byte's place in its word."""
    port = Port()
    ((_, function),) = functions(ast.parse("def f(port):\n    port.or8(11, 4)"))
    (plain,) = [change for change in changes(function) if change.kind == "plain"]
    exec(ast.unparse(plain.made().body[0]), {"port": port})  # noqa: S102

    assert port.words[1] == 4 << 24
