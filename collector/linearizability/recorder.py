"""Records the history of one schedule of the stepped machine; calls and returns are steps, so their order is explored.

    recorder = Recorder(machine)

    def body(port):
        with recorder.operation(port, "push", 3):
            stack.push(port, 3)
        with recorder.operation(port, "pop") as op:
            op.returns(stack.pop(port))

    return recorder.check(Stack())

Theory of operation.  What linearizability asks of two operations is whether one returned before the other was called.
Step numbers of the operations' own steps (`port.now()`) cannot say it: a thread runs on to its first step as soon as it
is begun, so that every first operation would seem to begin together, and an answer that comes too early would be missed.
So a call and a return are a step each, on one cell of the recorder: a call posts to it, a return hints at it.  Two calls
conflict, and a call with a return, but not two returns: every order that matters is explored.  A post and a hint order
nothing for the race detector, so recording hides no race, and the post leaves the cell as it is, so it wakes nobody.

Relied on.  Between two steps a thread is alone: the count of moments needs no atomic.

Not modelled.  Real threads: what they did is recorded by the clock (`collector.linearizability.history.merge`).
"""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from collector.explore.machine.address import Address
from collector.linearizability.history import Operation
from collector.linearizability.linearizable import linearizable


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from collector.explore import SteppedMachine
    from collector.explore.machine.machine import Stands
    from collector.linearizability.history import Value
    from collector.linearizability.specification import Model
    from workbuf.machine import Port


S = TypeVar("S")


@dataclass
class Open:
    """An operation that has been called."""

    call: int
    """The moment, counted in calls and returns of all threads."""
    thread: int
    name: str
    """The thread's, which need not be its own."""
    input: Value
    output: Value = None
    answers: bool = False
    """It says what it answers."""
    ret: int | None = None
    """None: it has not come back."""

    def returns(self, output: Value) -> None:
        """Say what it answers; without this, None."""
        self.output = output
        self.answers = True


class Node(int):
    """An address that is spelt by the name of what it points to."""

    name: str

    def __repr__(self) -> str:
        return self.name


class Recorder:
    """The history of one schedule.  Make one in the program's set-up, each time it is called."""

    def __init__(self, machine: SteppedMachine) -> None:
        self.cell = machine.word(0, "history")
        self.moment = 0
        self.machine = machine
        self.operations: list[Open] = []
        self.latest: dict[int, Open] = {}
        """What each thread calls, or returns from."""
        machine.operations[self.cell] = self.stands

    @contextmanager
    def operation(self, port: Port, *given: Value) -> Iterator[Open]:
        """The operation `given`, say "push", 3, of the thread of `port`, from here to the end of the block.

        One that is left by an exception, or never left, stays open: it may or may not have taken effect.
        """
        called = self.latest[port.index] = Open(0, port.index, port.name, given)
        port.post(self.cell, 0)
        self.moment += 1
        called.call = self.moment
        self.operations.append(called)
        yield called
        self.latest[port.index] = called
        port.hint(self.cell)
        self.moment += 1
        called.ret = self.moment

    def stands(self, thread: int) -> Stands:
        """What the step of that thread on the cell stands for: name, arguments and answer of the operation."""
        called = self.latest[thread]
        name, *arguments = called.input if isinstance(called.input, tuple) else (called.input,)
        answer = None if not called.call else (called.output,) if called.answers else ()
        return name, arguments, answer

    def history(self) -> tuple[Operation, ...]:
        """What was recorded, in order of call; threads by their names, or by numbers where several share a name."""
        sharing = Counter(name for _, name in {(called.thread, called.name) for called in self.operations})
        return tuple(
            Operation(
                called.call,
                called.ret,
                called.name if sharing[called.name] == 1 else called.thread,
                self._spelt(called.input),
                self._spelt(called.output),
            )
            for called in self.operations
        )

    def _spelt(self, v: Value) -> Value:
        """`v`; where a schedule is written down, with names for the addresses in it."""
        if isinstance(v, tuple):
            return tuple(map(self._spelt, v))
        name = v.pointer(self.machine.memory) if isinstance(v, Address) else None
        if name is None:
            return v
        node = Node(v)
        node.name = str(name)
        return node

    def check(self, model: Model[S]) -> Callable[[], None]:
        """A check for the end of a schedule: its history is linearizable, as `model` has it."""

        def check() -> None:
            verdict = linearizable(self.history(), model)
            if not verdict:
                raise AssertionError(str(verdict))

        return check
