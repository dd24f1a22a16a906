"""Records one schedule: its steps and their outcomes, and the events, pauses and plain accesses between them.

Exploration records nothing.  A schedule that is to be shown is run again on a machine with a `Recorder` for a tap.  It
keeps numbers while the schedule runs, and makes the records of `trace.step` at the end, since a cell may get its name after
the step that touched it.  After each step it evaluates the program's views (`SteppedMachine.view`: the content of a list,
say).

A plain access is no step, unless it was made one (`machine.plainpoints`): then it is the step that was picked for it.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from threading import get_ident
from typing import TYPE_CHECKING, Any

from collector.explore.machine import ops
from collector.explore.machine.address import Address
from collector.explore.machine.misuse import Stuck
from collector.explore.machine.site import callers
from collector.explore.machine.taps import Tap
from collector.explore.trace.step import Act, Call, Schedule, Step, Value, View
from workbuf.events import Reader
from workbuf.machine import MASK64


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from collector.explore.machine.fault import Fault
    from collector.explore.machine.machine import Stands, SteppedMachine
    from collector.explore.machine.ports import SteppedPort
    from collector.explore.machine.site import Site
    from collector.explore.machine.taps import After
    from collector.explore.races.report import Race
    from workbuf.machine import Words

ENDLESS = "(does not come to an end)"
"""What is shown of a view that does not."""
DEPTH = 8
"""Callers kept of a step."""
RECORDING = (str(Path(__file__).parents[2] / "linearizability" / "recorder.py"), contextlib.__file__)
"""Files whose lines record a call or a return; the line that is shown is that of the caller."""
FIELDS = {
    op.code: [(k, name) for k, name in enumerate((*op.operands, op.result)) if name in ops.OUTCOMES[op.code]]
    for op in ops.METHODS
    if ops.OUTCOMES[op.code]
}
"""Of operations whose outcome is noted: where among operands and result each field of the record stands."""


@dataclass
class Noted:
    """A step, or what was done between two, in numbers; see `trace.step.Act`."""

    thread: int
    op: str
    cell: int = 0
    """0: it touches none."""
    saw: int | None = None
    wrote: int | None = None
    expected: int | None = None
    operand: int | None = None
    byte: int | None = None
    event: tuple[int, int, int, int] | None = None
    operation: Stands | None = None
    plain: bool = False
    racing: bool = False
    number: int = -1
    """Of the step; of anything else, -1."""
    place: int = -1
    sites: tuple[Site, ...] = ()
    views: Mapping[str, View] = field(default_factory=dict)
    notes: list[Noted] = field(default_factory=list)
    others: list[Noted] = field(default_factory=list)


class Recorder(Tap):
    """Records one schedule; with the source lines of the steps if `sources`."""

    machine: SteppedMachine

    def __init__(self, *, sources: bool = False) -> None:
        self.sources = sources
        self.steps = [Noted(-1, "start")]
        self.current: dict[int, Noted] = {}
        """The step of each thread that was picked last."""

    @cached_property
    def reader(self) -> Reader:
        """For what the events say, where there are any."""
        return Reader(lambda b: self.machine.named(b).noun, ())

    def fit(self, port: SteppedPort) -> None:
        i = port.index
        port.words = NotedWords(self, i, port.words)
        port.event = lambda kind, a=0, b=0, c=0: self._between(Noted(i, "event", event=(kind, a, b, c)))

    def after(self, port: SteppedPort) -> dict[int, After]:
        i, done = port.index, self._done
        after: dict[int, After] = {code: partial(done, i, code) for code in FIELDS}
        after[ops.PAUSE] = lambda _result, kind, n: self._between(Noted(i, kind.name.lower(), operand=n))
        return after

    def _done(self, i: int, code: int, result: object, *operands: object) -> None:
        """Thread `i` has done the step that was picked last: what came of it."""
        step = self.current[i]
        known = (*operands, result)
        for k, name in FIELDS[code]:
            setattr(step, name, known[k])
        if code >= ops.CAS:
            complete(step, code, self.machine.memory.words, result)

    def observe(self, t: int) -> None:
        """Thread `t` is about to take its step."""
        self.look()
        machine = self.machine
        step = self._announced(t, sources=self.sources)
        step.number, step.place = len(self.steps) - 1, len(machine.trail)
        if self.sources:
            others = (other for other in machine.runnable if other != t)
            step.others = [_stored(self._announced(other, sources=False), machine) for other in others]
        self.current[t] = step
        self.steps.append(step)

    def _announced(self, t: int, *, sources: bool) -> Noted:
        """The step that thread `t` has announced."""
        machine = self.machine
        kind, a = machine.kinds[t], machine.addrs[t]
        step = Noted(t, ops.NAMES[kind])
        if kind == ops.KILL:
            step.operand = a
        else:
            step.cell = a
            if a in machine.operations:
                step.operation = machine.operations[a](t)
        if sources:
            step.sites = callers(DEPTH, machine.frame(t))
            if step.operation:
                step.sites = tuple(site for site in step.sites if site.file not in RECORDING)
        return step

    def ahead(self, t: int) -> Act:
        """What thread `t`, which has not ended, does when it goes next, as far as that does not depend on the others."""
        return self._act(_stored(self._announced(t, sources=self.sources), self.machine))

    def accessed(self, i: int, op: str, a: int, saw: int | None, wrote: int | None, before: Noted | None) -> None:
        """Thread `i` has made a plain access, or was ended while it made it; its last step before that was `before`.

        One to a slice of the memory, which nobody refuses where races are not looked for, is no cell's and is not told.
        """
        if isinstance(a, slice):
            return
        now = self.current.get(i)
        if now is not None and now is not before:
            now.saw, now.wrote = saw, wrote
        elif not self.machine.execution.unwinding:
            self._between(Noted(i, op, a, saw, wrote, plain=True))

    def _between(self, noted: Noted) -> None:
        """The thread that is running has done something that is no step."""
        if self.sources:
            noted.sites = callers(DEPTH)
        self.steps[-1].notes.append(noted)

    def look(self) -> None:
        """What the views show after the last step."""
        views = {what: view(self._shown(what, say)) for what, say in self.machine.views.items()}
        before = self.steps[-2].views if len(self.steps) > 1 else {}
        self.steps[-1].views = before if views == before else views

    def _shown(self, what: str, say: Callable[[], object]) -> object:
        """What a view shows; one that does not come to an end is not asked again."""
        execution = self.machine.execution
        execution.calling = get_ident()
        try:
            return answer(say)
        except Stuck:
            self.machine.views[what] = lambda: ENDLESS
            execution.stuck = ""  # no thread is
            return ENDLESS
        finally:
            execution.calling = 0

    def schedule(self, fault: Fault | None, races: Sequence[Race] = ()) -> Schedule:
        """The schedule, which is over."""
        self.look()
        if fault and fault.kind == "race":
            for race in races:
                self._mark(race)
        return Schedule(tuple(self.machine.names), tuple(map(self._step, self.steps)), fault)

    def _mark(self, race: Race) -> None:
        """The plain accesses that `race` is between."""
        for access in (race.earlier, race.later):
            for noted in reversed(self.steps[access.step + 1].notes):
                if noted.plain and (noted.thread, noted.cell) == (access.thread, race.address):
                    noted.racing = True
                    break

    def _step(self, noted: Noted) -> Step:
        return Step(
            **self._fields(noted),
            number=noted.number,
            place=noted.place,
            notes=tuple(map(self._act, noted.notes)),
            views=noted.views,
            others=tuple(map(self._act, noted.others)),
        )

    def _act(self, noted: Noted) -> Act:
        return Act(**self._fields(noted))

    def _fields(self, noted: Noted) -> dict[str, Any]:
        a = noted.cell
        value = self.value
        return {
            "thread": noted.thread,
            "op": noted.op,
            "cell": self.machine.named(a) if a else None,
            "saw": value(a, noted.saw),
            "wrote": value(a, noted.wrote),
            "expected": value(a, noted.expected),
            "operand": noted.operand,
            "byte": noted.byte,
            "event": self.reader.read(*noted.event) if noted.event else None,
            "call": self._call(*noted.operation) if noted.operation else None,
            "plain": noted.plain,
            "racing": noted.racing,
            "sites": noted.sites,
        }

    def _call(self, name: object, arguments: Sequence[object], answer: Sequence[object] | None) -> Call:
        operation = f"{name}({', '.join(map(self._spelled, arguments))})"
        return Call(operation, None if answer is None else ", ".join(map(self._spelled, answer)))

    def _spelled(self, v: object) -> str:
        """A value of the program."""
        if isinstance(v, tuple):
            return f"({', '.join(map(self._spelled, v))})"
        return str(v.pointer(self.machine.memory) or int(v)) if isinstance(v, Address) else repr(v)

    def cells(self, words: Sequence[int], part: str = "") -> Iterator[tuple[str, Value]]:
        """The cells in whose names `part` occurs, with what is in them when these are the memory's `words`."""
        for a in range(1, len(words)):
            name, value = self.machine.name(a), self.value(a, words[a])
            if part in name and value:
                yield name, value

    def value(self, a: int, v: int | None) -> Value | None:
        """What cell `a` holds when its word is `v`."""
        if v is None:
            return None
        v &= MASK64  # what the cell holds; an operand may be negative
        machine = self.machine
        means = answer(machine.formatter, a, v) if machine.formatter and a else None
        if means is None and isinstance(v, Address):
            means = v.pointer(machine.memory)
        return Value(int(v), means)


def answer(say: Callable[..., object], *given: int) -> Any:  # noqa: ANN401  whatever a program shows
    """What a view or a formatter of the program returns; a text if it raises, which must not hide the failure."""
    try:
        return say(*given)
    except (Exception, SystemExit) as error:  # noqa: BLE001  whatever it raises
        return f"({type(error).__name__})"


class NotedWords:
    """`port.words` that tells of its loads and stores, and of one that ends its thread, too: it may be what races."""

    def __init__(self, recorder: Recorder, i: int, words: Words) -> None:
        self.recorder = recorder
        self.index = i
        self.words = words

    def __getitem__(self, a: int) -> int:
        i, say, saw = self.index, self.recorder, None
        before = say.current.get(i)
        try:
            saw = self.words[a]
        finally:
            say.accessed(i, "read", a, saw, None, before)
        return saw

    def __setitem__(self, a: int, v: int) -> None:
        i, say = self.index, self.recorder
        before = say.current.get(i)
        try:
            self.words[a] = v
        finally:
            say.accessed(i, "write", a, None, v, before)


def _stored(announced: Noted, machine: SteppedMachine) -> Noted:
    """A step that somebody is about to take, with what it will store, if it does so whatever it finds."""
    kind = machine.kinds[announced.thread]
    if kind in ops.STORING and not ops.TABLE[kind].result:
        announced.wrote = machine.expects[announced.thread]
    return announced


def view(shown: object) -> View:
    """What a program's view has returned, as a View."""
    return shown if isinstance(shown, View) else View("text", text=str(shown))


def complete(step: Noted, code: int, mem: Sequence[int], result: object) -> None:
    """Work out what neither the operands nor the result of a step tell.

    Nobody has taken a step since: what is in a cell now is what it left there.
    """
    if code == ops.CAS:
        step.saw = step.expected if result else mem[step.cell]
        step.wrote = step.wrote if result else None
    elif code == ops.XADD and step.wrote is not None and step.operand is not None:
        step.saw = step.wrote - step.operand & MASK64
    elif code == ops.OR8 and step.byte is not None:
        step.wrote, step.byte = mem[step.byte >> 3], step.byte & 7
