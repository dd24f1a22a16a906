"""The records of a trace: for each step its thread, operation, cell, values read and written, and source line.

Text, sentences, page and JSON are all made from these records.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from collector.explore.machine.memory import Pointer
from workbuf.machine import Pause


if TYPE_CHECKING:
    from collections.abc import Mapping

    from collector.explore.machine.fault import Fault, Lasso
    from collector.explore.machine.site import Site
    from workbuf.events import Happening
    from workbuf.names import Name

PAUSES = tuple(kind.name.lower() for kind in Pause)
"""The operations that are a pause and no step."""


SMALL = 1 << 16
"""Numbers below are told in decimal, others in hexadecimal."""


class Value(NamedTuple):
    """A word of memory."""

    word: int
    means: Pointer | str | None = None
    """What it points to, or how the program prints it; None: it is a number."""

    @property
    def noun(self) -> str:
        """The record that it points to, if it is known for a pointer."""
        return self.means.noun if isinstance(self.means, Pointer) else ""

    @property
    def thing(self) -> str | int:
        """What is compared when it is asked whether two words lead to the same place: the record, or the number."""
        return self.noun or self.word

    @property
    def pushcnt(self) -> int | None:
        """The push count beside the pointer, if it is one with a count."""
        return self.means.pushcnt if isinstance(self.means, Pointer) else None

    def __str__(self) -> str:
        """What it means, without the count."""
        if isinstance(self.means, str):
            return self.means
        return self.noun or (str(self.word) if self.word < SMALL else f"{self.word:#x}")


class Call(NamedTuple):
    """The call of an operation whose history is recorded, or its return."""

    operation: str
    """As it is called: `push(3)`."""
    answer: str | None = None
    """Of a return, what it answers, "" if nothing; of a call, None."""

    def __str__(self) -> str:
        return f"call {self.operation}" if self.answer is None else f"return {self.answer}".rstrip()


class View(NamedTuple):
    """What one of a program's views shows: the records in a place, or a text."""

    kind: str
    """list (linked, the top first), cache, hands, or text."""
    nodes: tuple[str, ...] = ()
    text: str = ""


@dataclass(frozen=True, kw_only=True)
class Act:
    """Something that a thread did: an operation of its port, a plain access, a pause, an event.

    What it saw and wrote is None where there is nothing, or where the schedule ended before it was known.
    """

    thread: int
    op: str
    """A kind of step (`machine.ops.NAMES`), one of PAUSES, or "event"."""
    cell: Name | None = None
    saw: Value | None = None
    """What was in the cell; of a choose, the choice."""
    wrote: Value | None = None
    """What is in it now, if the operation has changed it."""
    expected: Value | None = None
    """What a compare-and-swap is to replace."""
    operand: int | None = None
    """What xadd adds, or8 sets, choose chooses from, how long a pause is, whom a kill ends."""
    byte: int | None = None
    """Of the word, that or8 sets bits in."""
    event: Happening | None = None
    call: Call | None = None
    """What the step stands for, if it is the call or the return of an operation."""
    plain: bool = False
    """A plain access that is no step."""
    racing: bool = False
    """A plain access that takes part in the race which ended the schedule."""
    sites: tuple[Site, ...] = field(default=(), compare=False)
    """Who did it, the innermost caller first, if that was noted."""

    @property
    def ok(self) -> bool:
        """False: a compare-and-swap that found something else."""
        return self.expected is None or self.wrote is not None or self.saw is None

    @property
    def now(self) -> Value | None:
        """What is in the cell after it, if that is known."""
        return self.wrote or self.saw if self.cell else None


@dataclass(frozen=True, kw_only=True)
class Step(Act):
    """A step, and what came of it up to the next one.  Two are the same if they did the same with the same outcome."""

    number: int = field(compare=False)
    """In traces; -1 before the first step, where `op` is "start"."""
    place: int = field(compare=False)
    """In the trail, which has an entry for each value chosen, too."""
    notes: tuple[Act, ...] = field(default=(), compare=False)
    """What was done between this step and the next one: plain accesses, pauses, events."""
    views: Mapping[str, View] = field(default_factory=dict)
    """What the program's views show after it."""
    others: tuple[Act, ...] = field(default=(), compare=False)
    """What those were about to do who could have gone instead, if that was noted."""

    @property
    def told(self) -> tuple[Act, ...]:
        """The notes that every reader gets: all but the plain accesses that do not race."""
        return tuple(note for note in self.notes if note.racing or not note.plain)

    def like(self, other: Step) -> bool:
        """Did `other` do the same, with the same outcome?"""
        return self == other and self.told == other.told


@dataclass(frozen=True)
class Schedule:
    """One schedule from its beginning to its end.  `steps[0]` is no step: it shows the state before the first one."""

    threads: tuple[str, ...]
    steps: tuple[Step, ...]
    fault: Fault | None = None

    @property
    def lasso(self) -> Lasso | None:
        """Of a livelock, what repeats."""
        return self.fault.lasso if self.fault else None

    @property
    def course(self) -> tuple[tuple[Step, ...], tuple[Step, ...]]:
        """Of a livelock, the steps on the way into the circle and those once round it; else all steps, and none."""
        lasso = self.lasso
        if lasso is None:
            return self.steps, ()
        return (
            tuple(step for step in self.steps if step.place < lasso.begin),
            tuple(step for step in self.steps if lasso.begin <= step.place < lasso.end),
        )
