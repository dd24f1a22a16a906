"""A schedule in sentences: what each step does, and what makes it remarkable.

Theory of operation.  `Teller` follows the steps and remembers, for every thread, what it read where, and for every cell,
who changed it.  So it can say of a compare-and-swap that fails who was quicker, and of one that succeeds that what it
builds on is out of date: the cell was changed and looks the same again (ABA), or the value it installs has been replaced
where it was read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from collector.report.schedule.operation import Operation, operation
from workbuf.entry import decode
from workbuf.events import FIELDS, LIST_NAMES, PHASE_NAMES, Event


if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

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
    "read": "reads {cell}",
    "write": "writes {cell}",
}
PLAIN = {True: "writes {wrote} to {cell}, plainly", False: "reads {cell}, plainly: {saw}"}
EVENTS = {
    Event.NEW: "has made {a}",
    Event.GET: "now owns {a}, off the {c} list ({b})",
    Event.PUT: "gives {a} up, for the {c} list ({b})",
    Event.CACHED: "keeps {a} in its cache",
    Event.UNCACHED: "takes {a} out of its cache",
    Event.HARVESTED: "has harvested {a}, with {c} objects in it, from the cache of M {b}",
    Event.HANDOFF: "hands half of {a} on: keeps {b} objects, moves {c}",
    Event.WAIT: "waits in getfull: nwait {a}",
    Event.RESUME: "waits no longer: nwait {a}",
    Event.REACHED: "sees that all wait: the mark is over",
    Event.CYCLE: "begins cycle {a}",
    Event.PHASE: "changes the phase from {b} to {a}",
    Event.STOP: "stops the world, and waits for {a} more Ps",
    Event.STOPPED: "has stopped the world",
    Event.START: "starts the world",
    Event.ROOT: "takes root job {a}",
    Event.STEAL: "steals {b} root jobs from share {a}",
    Event.CYCLE_END: "ends cycle {a}",
    Event.ASSIST: "begins to assist, in phase {a}",
    Event.ASSIST_END: "has assisted: {a} objects scanned",
    Event.SCANSTACK: "scans the stack of goroutine {a}, {b} frames",
    Event.PARK: "parks",
    Event.UNPARK: "goes on after the stop",
    Event.SYSCALL: "enters a system call",
    Event.SYSCALL_END: "is back from its system call",
    Event.HELP: "begins to help, as helper {a}",
    Event.HELP_END: "has helped: {a} objects scanned",
    Event.BLOCK: "blocks, with goroutine {a}",
    Event.BLOCK_END: "blocks no longer",
    Event.DRAIN: "begins to drain",
    Event.DRAIN_END: "has drained: {a} objects scanned",
}


class Write(NamedTuple):
    """A change of a cell."""

    step: int
    thread: int
    value: str


class Teller:
    """Tells a schedule step by step.  `names` are the threads'; `bufname` turns a buffer's cell into its name."""

    def __init__(self, names: Sequence[str], bufname: Callable[[int], str]) -> None:
        self.names = names
        self.bufname = bufname
        self.reads: dict[int, dict[str, tuple[int, str]]] = {}
        """For each thread, the step at which it last read a cell, and what was there."""
        self.writes: dict[str, list[Write]] = {}

    def step(self, at: int, thread: int, text: str) -> str:
        """Step number `at` of `thread`, without its subject."""
        did = operation(text)
        said = self._say(did, thread) or text
        self._remember(at, thread, did)
        return said

    def plain(self, at: int, thread: int, text: str) -> str:
        """A plain access of `thread` after step number `at`."""
        did = operation(text)
        self._remember(at, thread, did)
        return filled(PLAIN[bool(did.wrote)], did)

    def event(self, event: Sequence[int]) -> str:
        """An event: its kind and its three numbers."""
        kind, *numbers = event
        a, b, c = (self._number(what, value) for what, value in zip(FIELDS[Event(kind)], numbers, strict=True))
        return EVENTS[Event(kind)].format(a=a, b=b, c=c)

    def _number(self, what: str, value: int) -> str:
        if what == "buffer":
            return self.bufname(value)
        if what == "entry":
            return short(value)
        if what in ("phase", "before"):
            return PHASE_NAMES[value]
        return LIST_NAMES.get(value, str(value)) if what == "list" else str(value)

    def _say(self, did: Operation, thread: int) -> str:
        if did.op == "cas":
            return self._cas(did, thread)
        if did.op == "xchg":
            return xchg(did)
        return filled(SIMPLE[did.op], did) if did.op in SIMPLE else ""

    def _cas(self, did: Operation, thread: int) -> str:
        """A compare-and-swap, and whose doing its outcome is."""
        since = self.reads.get(thread, {}).get(did.cell, (-1, ""))[0]
        others = self._others(did.cell, thread, since)
        if not did.wrote:
            because = f", because {others}" if others else ""
            return f"cannot replace {value(did.expected)} in {did.cell}: {value(did.saw)} is there{because}"
        if did.wrote == "0":
            said = f"empties {did.cell} of {value(did.expected)}"
        else:
            said = f"installs {value(did.wrote)} in {did.cell}"
            said += f" in place of {value(did.expected)}" if did.expected != "0" else ""
        although = [f"{others}, and it only looks the same again"] if others else []
        although += self._stale(did, thread)
        return f"{said}, although {'; and '.join(although)}" if although else said

    def _stale(self, did: Operation, thread: int) -> list[str]:
        """That the value installed was read from a cell which says something else by now."""
        noun = did.wrote.partition("#")[0]
        found = [
            (step, cell, read)
            for cell, (step, read) in self.reads.get(thread, {}).items()
            if cell != did.cell and noun != "0" and read.partition("#")[0] == noun
        ]
        for step, cell, read in sorted(found, reverse=True)[:1]:
            others = self._others(cell, thread, step)
            if others and self.writes[cell][-1].value != read:
                by_now = value(self.writes[cell][-1].value)
                return [f"{noun} was read from {cell} at step {step}, where by now {by_now} stands"]
        return []

    def _others(self, cell: str, thread: int, since: int) -> str:
        """`pusher changed it at steps 4 and 7`: who but `thread` did, after step `since`; empty if nobody."""
        by: dict[int, list[int]] = {}
        for write in self.writes.get(cell, ()):
            if write.step > since and write.thread != thread:
                by.setdefault(write.thread, []).append(write.step)
        return " and ".join(
            f"{self.names[t]} changed it at {'step' if len(at) == 1 else 'steps'} {listed(at)}" for t, at in by.items()
        )

    def _remember(self, at: int, thread: int, did: Operation) -> None:
        if did.saw and did.cell and did.op != "xchg":
            self.reads.setdefault(thread, {})[did.cell] = (at, did.saw)
        if did.wrote:
            self.writes.setdefault(did.cell, []).append(Write(at, thread, did.wrote))


def xchg(did: Operation) -> str:
    """An exchange: give, take, or both."""
    if did.wrote != "0":
        out = "" if did.saw == "0" else f" and takes {value(did.saw)} out"
        return f"puts {value(did.wrote)} into {did.cell}{out}"
    return f"finds nothing in {did.cell}" if did.saw == "0" else f"takes {value(did.saw)} out of {did.cell}"


def value(text: str) -> str:
    """`node2#0` as `node2, count 0`, other values as they are."""
    noun, hash_, count = text.partition("#")
    return f"{noun}, count {count}" if hash_ else noun


def short(entry: int) -> str:
    """An entry number's operation and number; what function passes it if it says so: `getfull in drainworkbuf, 504`."""
    found = decode(entry)
    return f"{found.operation} in {found.site.function}, {entry}" if found.site else str(found)


def filled(form: str, did: Operation) -> str:
    """`form` with the operation's parts in it."""
    return form.format(cell=did.cell, saw=value(did.saw), wrote=value(did.wrote), operand=did.operand.removeprefix("+"))


def listed(numbers: Sequence[int]) -> str:
    """`4, 7 and 10`."""
    *head, last = map(str, numbers)
    return f"{', '.join(head)} and {last}" if head else last
