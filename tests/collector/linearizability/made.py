"""Histories for tests: listed by hand, sound ones of any length, and one whose every order has to be tried."""

from __future__ import annotations

import random
from typing import Any

from collector.audit import Operation
from collector.linearizability.models import Bag, Queue, Stack


def history(*records: tuple[Any, ...]) -> list[Operation]:
    """Operations from (call, return, thread, input, output); an output left out is None."""
    return [Operation(*record) for record in records]


def confused(width: int) -> list[Operation]:
    """Pushes that all overlap, then a pop of a value nobody brought: every order of the pushes has to be tried."""
    pushes = [Operation(0, 10, thread, ("push", thread)) for thread in range(width)]
    return [*pushes, Operation(11, 12, 0, ("pop",), "nothing like it")]


Container = type[Stack] | type[Queue] | type[Bag]


def rounds(model: Container, length: int, *, filled: int, lasting: int) -> list[Operation]:
    """A sound history of `length` operations by 4 threads: `filled` that bring, as many that take, and so on.

    One is called every 10 ticks and lasts `lasting`; the values go by the calls.
    """
    bring, take = ("enqueue", "dequeue") if model is Queue else ("push", "pop")
    held: list[int] = []
    operations = []
    for at in range(length):
        brings = at % (2 * filled) < filled
        if brings:
            held.append(at)
        answer = None if brings else held.pop(-1 if model is Stack else 0)
        given = (bring, at) if brings else (take,)
        operations.append(Operation(10 * at, 10 * at + lasting, at % 4, given, answer))
    return operations


def contended(model: type[Stack | Queue], length: int) -> list[Operation]:
    """A sound history of 3 threads that call again as soon as they return; each takes effect at a moment in between.

    They bring what they own, 8 values each to begin with, and own what they take: values come back like nodes.
    """
    rng = random.Random(1)
    spans = []
    for thread in range(3):
        now = thread
        for _ in range(length // 3):
            end = now + rng.randrange(1_000, 10_000)
            spans.append((rng.randrange(now, end), now, end, thread))
            now = end + 1
    bring, take = ("enqueue", "dequeue") if model is Queue else ("push", "pop")
    owned = [[8 * thread + node for node in range(8)] for thread in range(3)]
    held: list[int] = []
    operations = []
    for _, call, ret, thread in sorted(spans):
        if owned[thread] and rng.random() < 0.5:
            held.append(owned[thread].pop(rng.randrange(len(owned[thread]))))
            operations.append(Operation(call, ret, thread, (bring, held[-1])))
        else:
            answer = held.pop(-1 if model is Stack else 0) if held else None
            owned[thread] += [] if answer is None else [answer]
            operations.append(Operation(call, ret, thread, (take,), answer))
    return operations
