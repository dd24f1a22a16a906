"""The recorder of operations: the order of calls and returns is explored, and Go's objects answer to their models."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from collector.explore import explore
from collector.explore.replay import Replay
from collector.explore.token import Token
from collector.linearizability import Operation, linearizable
from collector.linearizability.gomodels import Channel, Mutex, Note, ParallelFor
from collector.linearizability.models import Queue, Register, Stack
from collector.linearizability.recorder import Recorder
from collector.report.schedule.sentences import told
from collector.report.schedule.steps import steps
from workbuf.machine import Pause


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine
    from collector.linearizability.history import Value
    from collector.linearizability.specification import Model
    from workbuf.machine import Port


def register(machine: SteppedMachine, *, late: bool) -> Callable[[], None]:
    """A register that is written by one thread and read by another; `late`: the write returns before it is there."""
    x = machine.word(0, "x")
    recorder = Recorder(machine)

    def writer(port: Port) -> None:
        with recorder.operation(port, "write", 1):
            if not late:
                port.store(x, 1)
        if late:
            port.store(x, 1)

    def reader(port: Port) -> None:
        with recorder.operation(port, "read") as op:
            op.returns(port.load(x))

    machine.spawn(writer)
    machine.spawn(reader)
    return recorder.check(Register())


def by_the_clock(machine: SteppedMachine) -> Callable[[], None]:
    """The late register again, its times told by `port.now()`."""
    x = machine.word(0, "x")
    done: list[Operation] = []

    def writer(port: Port) -> None:
        begun = port.now()
        done.append(Operation(begun, port.now(), 0, ("write", 1)))
        port.store(x, 1)

    def reader(port: Port) -> None:
        begun = port.now()
        value = port.load(x)
        done.append(Operation(begun, port.now(), 1, ("read",), value))

    machine.spawn(writer)
    machine.spawn(reader)

    def check() -> None:
        assert linearizable(tuple(done), Register())

    return check


@pytest.mark.parametrize("strategy", ["dpor", "exhaustive", "portfolio", "random"])
def test_an_answer_that_comes_too_early(strategy: str) -> None:
    """The write has returned, and the read that is called then answers what was there before."""
    found = explore(lambda machine: register(machine, late=True), strategy, seed=1)

    assert found.failure is not None
    assert "not linearizable" in found.failure.message
    assert explore(lambda machine: register(machine, late=False), strategy, schedules=1000, seed=1).failure is None


def test_what_the_clock_cannot_see() -> None:
    """By step numbers the same fault passes: that is what calls and returns are steps for."""
    assert explore(by_the_clock, "dpor").failure is None


def test_right_is_proved() -> None:
    """Every order of calls and returns was run."""
    assert explore(lambda machine: register(machine, late=False), "dpor").exhausted


@pytest.mark.parametrize(("names", "shown"), [(("left", "right"), "left pop -> 7"), (("twin", "twin"), "m0 pop -> 7")])
def test_threads_go_by_their_names(names: tuple[str, str], shown: str) -> None:
    """As in the schedule above the history; by numbers where a name says nothing."""

    def program(machine: SteppedMachine) -> Callable[[], None]:
        recorder = Recorder(machine)

        def pop(port: Port) -> None:
            with recorder.operation(port, "pop") as op:
                op.returns(7)

        for name in names:
            machine.spawn(pop, name)
        return recorder.check(Stack())

    failure = explore(program, "dpor").failure

    assert failure is not None
    assert f"no order explains {shown}" in failure.message


def test_calls_and_returns_are_told_as_such() -> None:
    """In the table, in the sentences and on the page; an address among the arguments by its name, in the history too."""

    def program(machine: SteppedMachine) -> Callable[[], None]:
        recorder = Recorder(machine)
        node = machine.alloc(1, "node")

        def body(port: Port) -> None:
            with recorder.operation(port, "push", (node, "high")):
                pass
            with recorder.operation(port, "pop") as op:
                op.returns(None)
            with recorder.operation(port, "pop") as op:
                op.returns(node)

        machine.spawn(body)
        return recorder.check(Stack())

    failure = explore(program, "dpor").failure

    assert failure is not None
    calls = ["call push((node, 'high'))", "return", "call pop()", "return None", "call pop()", "return node"]
    assert [line[6:] for line in failure.trace.splitlines()[1:7]] == calls
    assert [said.words for said in told(failure.record)][1:] == [
        "calls push((node, 'high'))", "returns from push((node, 'high'))",
        "calls pop()", "returns None from pop()",
        "calls pop()", "returns node from pop()",
    ]  # fmt: skip
    page = steps(failure.record, "a test")["steps"]
    assert [record["text"] for record in page[1:]] == calls
    told_from = Replay(Token.decode(failure.schedule), program, sources=True).schedule.steps[1:]
    assert {step.sites[0].file for step in told_from} == {__file__}
    assert page[6]["call"] == {"operation": "pop()", "answer": "node"}
    assert "[ push node high" in failure.trace


def test_recording_hides_no_race() -> None:
    """Two plain stores between calls and returns still race."""

    def program(machine: SteppedMachine) -> None:
        x = machine.word(0, "x")
        recorder = Recorder(machine)

        def body(port: Port) -> None:
            with recorder.operation(port, "write", 1):
                port.words[x] = 1

        machine.spawn(body)
        machine.spawn(body)

    found = explore(program, "dpor")

    assert found.failure is not None
    assert found.failure.kind == "race"


def test_an_operation_that_never_returns_is_open() -> None:
    """A killed thread's operation may or may not have taken effect."""

    def program(machine: SteppedMachine) -> Callable[[], None]:
        x = machine.word(0, "x")
        recorder = Recorder(machine)

        def writer(port: Port) -> None:
            with recorder.operation(port, "write", 1):
                port.store(x, 1)

        def reader(port: Port) -> None:
            with recorder.operation(port, "read") as op:
                op.returns(port.load(x))

        machine.spawn(writer, "writer")
        machine.spawn(reader)
        machine.kill("writer")
        return recorder.check(Register())

    assert explore(program, "dpor").exhausted


def queue_by_two_words(machine: SteppedMachine, *, atomic: bool) -> Callable[[], None]:
    """A queue of two slots whose tail is taken by an xadd, or by a load and a store."""
    tail, slots = machine.word(0, "tail"), machine.alloc(4, "slots")
    recorder = Recorder(machine)

    def put(port: Port, value: int) -> None:
        with recorder.operation(port, "enqueue", value):
            if atomic:
                at = port.xadd(tail, 1) - 1
            else:
                at = port.load(tail)
                port.store(tail, at + 1)
            port.store(slots + at, value)

    machine.spawn(lambda port: put(port, 1))
    machine.spawn(lambda port: put(port, 2))

    def drained() -> None:
        last = 1 << 30
        taken = [
            Operation(last + 2 * i, last + 2 * i + 1, 9, ("dequeue",), machine.peek(slots + i) or None)
            for i in range(2)
        ]
        verdict = linearizable((*recorder.history(), *taken), Queue())
        assert verdict, str(verdict)

    return drained


def test_a_history_goes_on_in_a_check() -> None:
    """What was put is taken out in the check, and judged with the rest."""
    assert explore(lambda machine: queue_by_two_words(machine, atomic=True), "dpor").exhausted
    assert explore(lambda machine: queue_by_two_words(machine, atomic=False), "dpor").failure is not None


def spinlock(machine: SteppedMachine, *, broken: bool) -> Callable[[], None]:
    """A lock by compare-and-swap, or by a load and a store."""
    word = machine.word(0, "lock")
    recorder = Recorder(machine)

    def body(port: Port) -> None:
        with recorder.operation(port, "lock", port.index):
            if broken:
                while port.load(word):
                    port.pause(Pause.PROCYIELD, 1)
                port.store(word, 1)
            else:
                while not port.cas(word, 0, 1):
                    port.pause(Pause.PROCYIELD, 1)
        with recorder.operation(port, "unlock", port.index):
            port.store(word, 0)

    machine.spawn(body)
    machine.spawn(body)
    return recorder.check(Mutex())


def test_mutex() -> None:
    """Two holders are seen in the history alone."""
    assert explore(lambda machine: spinlock(machine, broken=False), "dpor").exhausted
    assert explore(lambda machine: spinlock(machine, broken=True), "dpor").failure is not None


def test_note() -> None:
    """A note: the sleeper comes back after the wake-up."""

    def program(machine: SteppedMachine) -> Callable[[], None]:
        note = machine.word(0, "note")
        recorder = Recorder(machine)

        def sleeper(port: Port) -> None:
            with recorder.operation(port, "sleep") as op:
                op.returns(port.sleep(note))

        def waker(port: Port) -> None:
            with recorder.operation(port, "wake"):
                port.wake(note)

        machine.spawn(sleeper)
        machine.spawn(waker)
        return recorder.check(Note())

    assert explore(program, "dpor").exhausted


@pytest.mark.parametrize(
    ("model", "good", "bad"),
    [
        (Note(), [("wake", (), None), ("sleep", (), True)], [("sleep", (), True), ("wake", (), None)]),
        (Note(), [("wake", (), None), ("clear", (), None), ("wake", (), None)], [("wake", (), None)] * 2),
        (
            Channel(1),
            [("send", (1,), None), ("recv", (), 1), ("send", (2,), None)],
            [("send", (1,), None), ("send", (2,), None)],
        ),
        (Channel(2), [("send", (1,), None), ("send", (2,), None), ("recv", (), 1)], [("recv", (), 1)]),
        (Channel(2), [("send", (1,), None)], [("send", (1,), None), ("send", (2,), None), ("recv", (), 2)]),
        (ParallelFor(2), [("take", (), 1), ("take", (), 0), ("done", (), None)], [("take", (), 1), ("take", (), 1)]),
        (ParallelFor(2), [("take", (), 1)], [("take", (), 1), ("done", (), None)]),
        (ParallelFor(2), [("take", (), 0)], [("take", (), 2)]),
        (Mutex(), [("lock", (1,), None), ("unlock", (1,), None)], [("lock", (1,), None), ("lock", (2,), None)]),
        (Mutex(), [("lock", (1,), None)], [("lock", (1,), None), ("unlock", (2,), None)]),
        (Stack(), [("push", (1,), None), ("pop", (), 1)], [("push", (1,), None), ("pop", (), None)]),
    ],
)
def test_models(
    model: Model[object],
    good: list[tuple[str, tuple[object, ...], object]],
    bad: list[tuple[str, tuple[object, ...], object]],
) -> None:
    """One operation after another: what each model allows, and what it does not."""

    def answer(operations: list[Value]) -> str:
        return linearizable(
            tuple(
                Operation(2 * at, 2 * at + 1, 0, (name, *given), output)
                for at, (name, given, output) in enumerate(operations)
            ),
            model,
        ).answer

    assert answer(good) == "yes"
    assert answer(bad) == "no"
