"""Describes each step of a schedule in a sentence, with the interference by other threads.

`Teller` follows the steps and remembers what each thread has read, and who has changed each cell.  So it can say which
thread made a compare-and-swap fail.  Of one that succeeds it can say that it used an outdated value: the cell was changed
and has the same value again (ABA), or the value it installs has been replaced at the place where it was read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from collector.explore.machine.ops import OUTCOMES, TABLE
from collector.explore.trace.step import PAUSES
from workbuf.counted import counted
from workbuf.entry import Entry
from workbuf.events import Event


if TYPE_CHECKING:
    from collections.abc import Sequence

    from collector.explore.trace.step import Act, Call, Schedule, Step, Value
    from workbuf.events import Happening
    from workbuf.names import Name

SIMPLE = {
    "load": "reads {cell}: {saw}",
    "hint": "looks at {cell} in passing: {saw}",
    "store": "stores {wrote} in {cell}",
    "post": "writes {wrote} to {cell}",
    "xadd": "adds {operand} to {cell}, which becomes {wrote}",
    "or8": "sets {operand} in {cell}",
    "choose": "chooses {saw} of {operand}",
    "lock": "acquires {cell}",
    "unlock": "releases {cell}",
    "wake": "wakes whoever sleeps on {cell}",
    "sleep": "sleeps on {cell} no longer",
    "spawn": "starts a further thread",
    "sysalloc": "takes fresh memory from the system",
    "pause": "pauses again",
    "kill": "ends {cell} where it stands",
    "read": "reads {cell}: {saw}",
    "write": "writes {wrote} to {cell}",
}
VALUED = frozenset(op.name for op in TABLE if op.access and OUTCOMES[op.code])
"""Operations that see or write something, unless the schedule ends in them."""
PLAIN = {"read": "reads {cell}, plainly: {saw}", "write": "writes {wrote} to {cell}, plainly"}
RACES = ", in the race"
UNKNOWN = "comes to the {op} of {cell}"
"""Of an operation that the schedule ended in."""
EVENTS = {
    Event.NEW: "has made {buffer}",
    Event.GET: "now owns {buffer}, off the {list} list ({entry})",
    Event.PUT: "gives {buffer} up, for the {list} list ({entry})",
    Event.CACHED: "keeps {buffer} in its cache",
    Event.UNCACHED: "takes {buffer} out of its cache",
    Event.HARVESTED: "has harvested {buffer}, with {nobj:object} in it, from m{owner}'s cache",
    Event.HANDOFF: "hands half of {buffer} on: keeps {kept:object}, moves {moved}",
    Event.WAIT: "waits in getfull: nwait {nwait}",
    Event.RESUME: "waits no longer: nwait {nwait}",
    Event.REACHED: "sees that all wait: the mark is over",
    Event.CYCLE: "begins cycle {number}",
    Event.PHASE: "changes the phase from {before} to {phase}",
    Event.STOP: "stops the world, and waits for {waiting:more P}",
    Event.STOPPED: "has stopped the world",
    Event.START: "starts the world",
    Event.ROOTS: "prepares {jobs:root job} for {nproc:marker}, and the barrier that they end at",
    Event.ROOT: "takes root job {index}",
    Event.STEAL: "steals {jobs:root job} from share {share}",
    Event.CYCLE_END: "ends cycle {number}",
    Event.ASSIST: "begins to assist, in phase {phase}",
    Event.ASSIST_END: "has assisted: {scanned:object} scanned",
    Event.SCANSTACK: "scans the stack of goroutine {goroutine}, {frames:frame}",
    Event.PARK: "parks",
    Event.UNPARK: "goes on after the stop",
    Event.SYSCALL: "enters a system call",
    Event.SYSCALL_END: "is back from its system call",
    Event.HELP: "begins to help, as helper {helper}",
    Event.HELP_END: "has helped: {scanned:object} scanned",
    Event.BLOCK: "blocks, with goroutine {goroutine}",
    Event.BLOCK_END: "blocks no longer",
    Event.DRAIN: "begins to drain",
    Event.DRAIN_END: "has drained: {scanned:object} scanned",
    Event.LOST: "has no record of up to {count:event} before this one",
}


class Number(int):
    """A number of an event's; `{nobj:object}` in its sentence says how many objects."""

    def __format__(self, what: str) -> str:
        return counted(self, what) if what else str(self)


class Write(NamedTuple):
    """A change of a cell."""

    step: int
    thread: int
    value: Value


class Told(NamedTuple):
    """A step in words, without its subject, and the notes that come with it."""

    words: str
    notes: tuple[str, ...]


class Teller:
    """Tells a schedule step by step.  `names` are the threads'."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = names
        self.reads: dict[int, dict[Name, tuple[int, Value]]] = {}
        """For each thread, the step at which it last read a cell, and what was there."""
        self.writes: dict[Name, list[Write]] = {}

    def step(self, step: Step) -> Told:
        """The next step."""
        if step.number < 0:
            said = "Nothing has happened yet"
        else:
            said = self._say(step)
            self._remember(step.number, step)
        return Told(said, tuple(self._note(step.number, note) for note in step.notes))

    def _note(self, at: int, note: Act) -> str:
        """What was done after step number `at`."""
        if note.event:
            return event(note.event)
        if note.op in PAUSES:
            return f"pauses ({note.op} {note.operand})"
        self._remember(at, note)
        said = filled(PLAIN[note.op] if note.now else UNKNOWN, note)
        return said + RACES if note.racing else said

    def _say(self, did: Step) -> str:
        if did.call:
            return called(did.call)
        if did.op == "kill" and did.operand is not None:
            return SIMPLE["kill"].format(cell=self.names[did.operand])
        if did.op in VALUED and did.saw is None and did.wrote is None:
            return filled(UNKNOWN, did)
        if did.op == "cas" and did.cell and did.saw:
            return self._cas(did, did.cell, did.saw)
        if did.op == "xchg" and did.saw and did.wrote:
            return xchg(did, did.saw, did.wrote)
        return filled(SIMPLE.get(did.op, did.op), did)

    def _cas(self, did: Step, cell: Name, saw: Value) -> str:
        """A compare-and-swap, and whose doing its outcome is."""
        since = self.reads.get(did.thread, {}).get(cell, (-1, None))[0]
        others = self._others(cell, did.thread, since)
        if not did.wrote:
            because = f", because {others}" if others else ""
            return f"cannot replace {value(did.expected)} in {cell}: {value(saw)} is there{because}"
        if not did.wrote.word:
            said = f"empties {cell} of {value(did.expected)}"
        else:
            said = f"installs {value(did.wrote)} in {cell}"
            said += f" in place of {value(did.expected)}" if saw.word else ""
        although = [f"{others}, and it only looks the same again"] if others else []
        although += self._stale(did, did.wrote)
        return f"{said}, although {'; and '.join(although)}" if although else said

    def _stale(self, did: Step, wrote: Value) -> list[str]:
        """That the value installed was read from a cell which says something else by now."""
        found = [
            (step, cell, read)
            for cell, (step, read) in self.reads.get(did.thread, {}).items()
            if cell != did.cell and wrote.word and read.thing == wrote.thing
        ]
        for step, cell, read in sorted(found, reverse=True)[:1]:
            others = self._others(cell, did.thread, step)
            if others and self.writes[cell][-1].value != read:
                by_now = value(self.writes[cell][-1].value)
                return [f"{wrote} was read from {cell} at step {step}, where by now {by_now} stands"]
        return []

    def _others(self, cell: Name, thread: int, since: int) -> str:
        """`pusher changed it at steps 4 and 7`: who but `thread` did, after step `since`; empty if nobody."""
        by: dict[int, list[int]] = {}
        for write in self.writes.get(cell, ()):
            if write.step > since and write.thread != thread:
                by.setdefault(write.thread, []).append(write.step)
        return " and ".join(
            f"{self.names[t]} changed it at {'step' if len(at) == 1 else 'steps'} {listed(at)}" for t, at in by.items()
        )

    def _remember(self, at: int, did: Act) -> None:
        if did.cell and did.wrote:
            self.writes.setdefault(did.cell, []).append(Write(at, did.thread, did.wrote))
        elif did.cell and did.saw:
            self.reads.setdefault(did.thread, {})[did.cell] = (at, did.saw)


def told(schedule: Schedule) -> list[Told]:
    """Every step of a schedule in words."""
    teller = Teller(schedule.threads)
    return [teller.step(step) for step in schedule.steps]


def called(call: Call) -> str:
    """A call or a return in words."""
    if call.answer is None:
        return f"calls {call.operation}"
    return f"returns {call.answer} from {call.operation}" if call.answer else f"returns from {call.operation}"


def event(happening: Happening) -> str:
    """An event in words."""
    return EVENTS[happening.kind].format(**{name: said(v) for name, v in happening.fields.items()})


def said(field: object) -> object:
    """A field of an event, to be put into its sentence."""
    if isinstance(field, Entry):
        return short(field)
    return Number(field) if isinstance(field, int) else field


def xchg(did: Step, saw: Value, wrote: Value) -> str:
    """An exchange: give, take, or both."""
    if wrote.word:
        out = f" and takes {value(saw)} out" if saw.word else ""
        return f"puts {value(wrote)} into {did.cell}{out}"
    return f"takes {value(saw)} out of {did.cell}" if saw.word else f"finds nothing in {did.cell}"


def value(word: Value | None) -> str:
    """A word with a push count as `node2, count 0`, others as traces have them."""
    if word is None:
        return ""
    return str(word) if word.pushcnt is None else f"{word}, count {word.pushcnt}"


def short(entry: Entry) -> str:
    """An entry number's operation and number; what function passes it if it says so: `getfull in drainworkbuf, 504`."""
    return f"{entry.operation} in {entry.site.function}, {entry.number}" if entry.site else str(entry)


def filled(form: str, did: Act) -> str:
    """`form` with the operation's parts in it."""
    operand = f"{did.operand:#x}" if did.op == "or8" and did.operand is not None else did.operand
    return form.format(op=did.op, cell=did.cell, saw=value(did.saw), wrote=value(did.wrote), operand=operand)


def listed(numbers: Sequence[int]) -> str:
    """`4, 7 and 10`."""
    *head, last = map(str, numbers)
    return f"{', '.join(head)} and {last}" if head else last
