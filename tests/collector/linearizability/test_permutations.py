"""`linearizable` held against the definition itself: every order of every choice of open operations, tried out.

Nothing here is shared with the checker but the records: the objects are plain tuples, and an order is right when real
time allows it and the object can have given each answer that was seen.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, replace
from itertools import chain, combinations, permutations
from typing import TYPE_CHECKING, Any

import pytest

from collector.audit import Operation
from collector.linearizability import linearizable
from collector.linearizability.models import Bag, Each, Queue, Register, Stack
from collector.linearizability.specification import unseen


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from collector.linearizability.history import Value
    from collector.linearizability.specification import Model


HISTORIES = 1_000
"""Drawn for each kind of object."""

State = tuple[Any, ...]
Outcomes = list[tuple[Any, State]]
"""What an operation may answer, each with the state it leaves."""


def stack(state: State, given: Value) -> Outcomes:
    """A stack, the top at the end."""
    match given:
        case ("push", value):
            return [(None, (*state, value))]
        case _:
            return [(state[-1], state[:-1])] if state else [(None, state)]


def queue(state: State, given: Value) -> Outcomes:
    """A queue, the oldest first."""
    match given:
        case ("enqueue", value):
            return [(None, (*state, value))]
        case _:
            return [(state[0], state[1:])] if state else [(None, state)]


def register(state: State, given: Value) -> Outcomes:
    """A register, a state of one value; never written, it holds 0."""
    held = state[0] if state else 0
    match given:
        case ("write", value):
            return [(None, (value,))]
        case ("cas", old, new):
            return [(True, (new,))] if held == old else [(False, state)]
        case _:
            return [(held, state)]


def bag(state: State, given: Value) -> Outcomes:
    """A bag, sorted."""
    match given:
        case ("push", value):
            return [(None, tuple(sorted((*state, value))))]
        case _:
            taken = [(state[at], state[:at] + state[at + 1 :]) for at in range(len(state))]
            return [*taken] if taken else [(None, state)]


def pair(state: State, given: Value) -> Outcomes:
    """Two stacks, named 0 and 1."""
    name, inner = given
    both = state or ((), ())
    return [(answer, (after, both[1]) if name == 0 else (both[0], after)) for answer, after in stack(both[name], inner)]


@dataclass(frozen=True)
class Kind:
    """A model, the plain object it is held against, and how to draw an operation on it."""

    model: Model[Any]
    outcomes: Callable[[State, Any], Outcomes]
    draw: Callable[[random.Random], tuple[Any, ...]]
    answers: tuple[Any, ...]
    """What a wrong answer is drawn from."""


def container(bring: str, take: str) -> Callable[[random.Random], tuple[Any, ...]]:
    """Operations on a collection of small numbers."""
    return lambda rng: (bring, rng.randrange(6)) if rng.random() < 0.55 else (take,)


def on_register(rng: random.Random) -> tuple[Any, ...]:
    """Operations on a register of small numbers."""
    values = rng.randrange(3), rng.randrange(3)
    return rng.choice([("read",), ("write", values[0]), ("cas", *values)])


KINDS = {
    "stack": Kind(Stack(), stack, container("push", "pop"), (None, *range(6))),
    "queue": Kind(Queue(), queue, container("enqueue", "dequeue"), (None, *range(6))),
    "register": Kind(Register(), register, on_register, (0, 1, 2, True, False)),
    "bag": Kind(Bag(), bag, container("push", "pop"), (None, *range(6))),
    "pair": Kind(Each(Stack()), pair, lambda rng: (rng.randrange(2), container("push", "pop")(rng)), (None, *range(6))),
}


def explained(order: Sequence[Operation], outcomes: Callable[[State, Any], Outcomes]) -> bool:
    """Whether the operations, one after the other in this order, agree with real time and with the object."""
    for later, operation in enumerate(order):
        if any(operation.ret is not None and operation.ret < other.call for other in order[:later]):
            return False
    states: set[State] = {()}
    for operation in order:
        states = {
            after
            for state in states
            for answer, after in outcomes(state, operation.input)
            if operation.ret is None or answer == operation.output
        }
    return bool(states)


def defined(history: Sequence[Operation], outcomes: Callable[[State, Any], Outcomes]) -> bool:
    """Linearizability by its definition: some order of all that returned and of some that did not is right."""
    returned = [operation for operation in history if operation.ret is not None]
    still_open = [operation for operation in history if operation.ret is None]
    choices = chain.from_iterable(combinations(still_open, size) for size in range(len(still_open) + 1))
    return any(explained(order, outcomes) for choice in choices for order in permutations([*returned, *choice]))


def prefixes(history: Sequence[Operation]) -> Iterable[list[Operation]]:
    """The history as it stood at each of its returns; of returns at one time, the later called is the later."""
    returns = sorted((o.ret, o.call, at) for at, o in enumerate(history) if o.ret is not None)
    for last in range(len(returns)):
        over = {at for _, _, at in returns[: last + 1]}
        yield [
            operation if at in over else replace(operation, ret=None, output=None)
            for at, operation in enumerate(history)
            if operation.call <= returns[last][0]
        ]


def asks(given: Value) -> bool:
    """Whether the answer of such an operation tells anything."""
    name = given[0]
    return asks(given[1]) if isinstance(name, int) else name in {"pop", "dequeue", "read", "cas"}


def drawn(rng: random.Random, kind: Kind, lengths: Sequence[int]) -> list[Operation]:
    """A history: what threads would have got from the object, and for one half of them a wrong answer put in.

    Times are small numbers, so that many are equal; a thread's last operation may be open, with an effect or without.
    """
    threads = rng.randint(2, 3)
    spans: list[tuple[float, int, int | None, int]] = []
    clocks = [rng.randrange(4) for _ in range(threads)]
    for _ in range(rng.choice(lengths)):
        thread = rng.randrange(threads)
        call = clocks[thread]
        end = call + rng.randrange(6)
        clocks[thread] = end + rng.randrange(3)
        spans.append((rng.uniform(call, end), call, end, thread))
    for thread in range(threads):
        mine = [at for at, span in enumerate(spans) if span[3] == thread]
        if mine and rng.random() < 0.25:
            moment, call, _, _ = spans[mine[-1]]
            spans[mine[-1]] = (moment if rng.random() < 0.5 else math.inf, call, None, thread)
    state: State = ()
    operations = []
    for _, call, ret, thread in sorted(spans, key=lambda span: span[0]):
        given = kind.draw(rng)
        answer, state = rng.choice(kind.outcomes(state, given))
        operations.append(Operation(call, ret, thread, given, None if ret is None else answer))
    answered = [at for at, each in enumerate(operations) if each.ret is not None and asks(each.input)]
    if answered and rng.random() < 0.6:
        at = rng.choice(answered)
        operations[at] = replace(operations[at], output=rng.choice(kind.answers))
    rng.shuffle(operations)
    return operations


@pytest.mark.parametrize("name", KINDS)
def test_same_verdict_as_the_definition(name: str, seed: int) -> None:
    """On small histories the verdict, the order, and the end of the shortest failing prefix are those of the definition."""
    kind = KINDS[name]
    rng = random.Random(seed)
    count = {"yes": 0, "no": 0}
    for number in range(HISTORIES):
        history = drawn(rng, kind, (2, 3, 4, 4, 5, 5, 6))
        verdict = linearizable(history, kind.model)
        where = f"{name}, seed {seed}, history {number}: {history}\n{verdict}"
        assert verdict.answer == ("yes" if defined(history, kind.outcomes) else "no"), where
        count[verdict.answer] += 1
        if verdict:
            ordered = [operation for operation in verdict.order if operation.ret is not None]
            assert explained(verdict.order, kind.outcomes), where
            assert sorted(map(id, ordered)) == sorted(id(each) for each in history if each.ret is not None), where
            continue

        failure = verdict.failure
        assert failure is not None, where
        shortest = next(prefix for prefix in prefixes(history) if not defined(prefix, kind.outcomes))
        assert failure.shortest, where
        assert failure.end == max(operation.ret for operation in shortest if operation.ret is not None), where
        assert not defined(failure.prefix, kind.outcomes), where
        assert failure.culprit in failure.prefix, where
        assert explained(failure.order, kind.outcomes), where
        unanswered = [
            replace(each, ret=None, output=None) if each is failure.culprit else each for each in failure.prefix
        ]
        assert {each for each in unanswered if each.ret is not None} <= set(failure.order), where
    assert min(count.values()) > HISTORIES // 10, "the histories drawn are all alike and prove nothing"


@dataclass(frozen=True)
class Bare:
    """A model that says what it must and nothing that helps the search."""

    whole: Model[Any]

    def init(self) -> Value:
        return self.whole.init()

    def step(self, state: Value, given: Value, output: Value) -> tuple[bool, Value]:
        return self.whole.step(state, given, output)

    def unseen(self, state: Value, given: Value) -> Iterable[Value]:
        return unseen(self.whole)(state, given)


@pytest.mark.parametrize("values", [3, 1000])
@pytest.mark.parametrize("name", ["stack", "queue", "bag"])
def test_what_helps_the_search_decides_nothing(name: str, values: int, seed: int) -> None:
    """On longer histories, of few values or distinct ones, what models say beforehand changes no verdict, nor a prefix."""
    bring, take = ("enqueue", "dequeue") if name == "queue" else ("push", "pop")
    kind = replace(KINDS[name], draw=lambda rng: (bring, rng.randrange(values)) if rng.random() < 0.55 else (take,))
    rng = random.Random(seed)
    count = {"yes": 0, "no": 0}
    for number in range(HISTORIES // 5):
        history = drawn(rng, kind, range(8, 20))
        taken = [at for at, each in enumerate(history) if asks(each.input) and each.ret is not None]
        if len(taken) > 1 and rng.random() < 0.5:
            one, other = rng.sample(taken, 2)
            exchanged = history[one].output, history[other].output
            history[other], history[one] = (
                replace(history[at], output=output) for at, output in zip((other, one), exchanged, strict=True)
            )
        verdict, bare = linearizable(history, kind.model), linearizable(history, Bare(kind.model))
        where = f"{name}, seed {seed}, history {number}: {history}\n{verdict}\n{bare}"
        assert verdict.answer == bare.answer, where
        count[verdict.answer] += 1
        if verdict.failure is not None and bare.failure is not None:
            # A bag's parts are judged one by one, to the first that fails: another may fail earlier.
            same = verdict.failure.end == bare.failure.end
            assert same or (name == "bag" and verdict.failure.end > bare.failure.end), where
    assert min(count.values()) > HISTORIES // 50, "the histories drawn are all alike and prove nothing"
