"""Counts the traces of small programs by sleep sets alone, on a model of their words: what DPOR has to come to.

Programs of more threads than plain search gets through.  Godefroid's sleep sets run one interleaving of each trace if every
step that can be taken is tried in every state, as here.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from random import Random

    from collector.explore import SteppedMachine
    from workbuf.machine import Port

Ops = tuple["Op", ...]
Rest = tuple[Ops, ...]
"""What is left to do, by thread."""
Words = tuple[int, ...]
LEAST, MOST = 20, 200


class Op(NamedTuple):
    """What a thread does: load, store, cas or xadd of a word; or it chooses, and goes on as in one of the `ways`."""

    kind: str
    word: int = 0
    a: int = 0
    """That it stores, or expects."""
    b: int = 0
    """That a cas writes."""
    ways: tuple[Ops, ...] = ()


class Taken(NamedTuple):
    """A step, as others depend on it."""

    thread: int
    word: int
    write: bool
    value: int
    """That was chosen."""


def program_of(threads: Rest) -> Callable[[SteppedMachine], None]:
    """The program that the machine runs."""

    def program(machine: SteppedMachine) -> None:
        x = machine.alloc(2, "x")

        def do(port: Port, ops: Ops) -> None:
            for op in ops:
                match op.kind:
                    case "load":
                        port.load(x + op.word)
                    case "store":
                        port.store(x + op.word, op.a)
                    case "cas":
                        port.cas(x + op.word, op.a, op.b)
                    case "xadd":
                        port.xadd(x + op.word, 1)
                    case "choose":
                        do(port, op.ways[port.choose(2)])

        for ops in threads:
            machine.spawn(partial(do, ops=ops))

    return program


def drawn(draw: Random) -> Rest:
    """A program of four or five threads."""

    def op(*, choosing: bool) -> Op:
        if choosing and draw.random() < 0.25:
            ways = (tuple(op(choosing=False) for _ in range(draw.randint(0, 1))) for _ in range(2))
            return Op("choose", ways=tuple(ways))
        kind = draw.choice(("load", "load", "load", "store", "store", "cas", "xadd"))
        return Op(kind, draw.randrange(2), draw.randrange(3), draw.randrange(3))

    return tuple(tuple(op(choosing=True) for _ in range(draw.choice((1, 1, 2)))) for _ in range(draw.choice((4, 5))))


def some(draw: Random, number: int) -> Iterator[tuple[Rest, int]]:
    """So many programs of neither few nor many traces, each with how many it has."""
    while number:
        threads = drawn(draw)
        count = traces(threads, MOST)
        if LEAST <= count <= MOST:
            number -= 1
            yield threads, count


def traces(threads: Rest, most: int) -> int:
    """How many traces it has; counting ends behind `most`."""
    found = 0
    todo: list[tuple[Words, Rest, list[Taken]]] = [((0, 0), threads, [])]
    while todo and found <= most:
        words, rest, asleep = todo.pop()
        steps = [step for t, ops in enumerate(rest) if ops for step in steps_of(words, ops[0], t)]
        found += not steps
        for step in steps:
            if step not in asleep:
                todo.append((*after(words, rest, step), [other for other in asleep if not dependent(other, step)]))
                asleep = [*asleep, step]
    return found


def steps_of(words: Words, op: Op, t: int) -> Iterator[Taken]:
    """What thread `t` can do now."""
    if op.kind == "choose":
        yield from (Taken(t, -1, write=False, value=value) for value in range(2))
    else:
        yield Taken(t, op.word, op.kind in {"store", "xadd"} or (op.kind == "cas" and words[op.word] == op.a), -1)


def dependent(x: Taken, y: Taken) -> bool:
    """Does their order matter?"""
    return x.thread == y.thread or (x.word == y.word >= 0 and (x.write or y.write))


def after(words: Words, rest: Rest, step: Taken) -> tuple[Words, Rest]:
    """What is there behind a step."""
    op, *left = rest[step.thread]
    if op.kind == "choose":
        left = [*op.ways[step.value], *left]
    elif step.write:
        new = {"store": op.a, "cas": op.b, "xadd": words[op.word] + 1}[op.kind]
        words = (*words[: op.word], new, *words[op.word + 1 :])
    return words, (*rest[: step.thread], tuple(left), *rest[step.thread + 1 :])
