"""Prints a trace as text: a column per thread, the values read and written, names instead of addresses.

Where the columns do not fit side by side, their entries are wrapped between words, and if that does not help, each line
begins with its thread's name.
"""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING

from collector.explore.trace.shorten import CycleStart, Omission, Repetition, shortened
from collector.explore.trace.step import PAUSES, Step
from workbuf.counted import counted


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from collector.explore.trace.shorten import Shortened
    from collector.explore.trace.step import Act, Schedule, Value, View
    from workbuf.events import Happening

WIDTH = 110
"""Characters of a line, if nobody says how many there are."""
WIDEST, NARROWEST = 34, 18
"""Characters of a column: at most, unless there is a longer word, and least where it has to be wrapped."""
MARGIN = 6
"""Characters of a step's number and what is between it and the first column."""
FORMS = {
    "load": "load {cell} = {saw}",
    "hint": "hint {cell} = {saw}",
    "read": "read {cell} = {saw}",
    "store": "store {cell} := {wrote}",
    "post": "post {cell} := {wrote}",
    "write": "write {cell} := {wrote}",
    "cas": "cas {cell} {expected} := {wrote}",
    "xchg": "xchg {cell} := {wrote}, was {saw}",
    "xadd": "xadd {cell} {operand:+d} = {wrote}",
    "or8": "or8 {cell} byte {byte} |= {operand:#x}",
    "choose": "choose {operand} = {saw}",
}
"""Of an operation whose outcome is known."""
FAILED = "cas {cell} {expected} fails: is {saw}"
PLAIN = {"read": ". {cell} = {saw}", "write": ". {cell} := {wrote}"}


def text(act: Act, threads: Sequence[str]) -> str:
    """What a thread did, in a few symbols."""
    if act.event:
        return f"[{happened(act.event)}]"
    if act.call:
        return str(act.call)
    if act.op in PAUSES:
        return f"({act.op} {act.operand})"
    if act.op == "kill" and act.operand is not None:
        return f"kill {threads[act.operand]}"
    form = f"{act.op} {{cell}}" if act.cell else act.op
    if act.saw or act.wrote:
        form = PLAIN[act.op] if act.plain and not act.racing else FORMS.get(act.op, form)
        form = form if act.ok else FAILED
    said = form.format(
        cell=act.cell,
        saw=shown(act.saw),
        wrote=shown(act.wrote),
        expected=shown(act.expected),
        operand=act.operand,
        byte=act.byte,
    )
    return f"race: {said}" if act.racing else said


def shown(value: Value | None) -> str:
    """A word."""
    if value is None:
        return ""
    return str(value) if value.pushcnt is None else f"{value}#{value.pushcnt}"


def happened(event: Happening) -> str:
    """`get buffer wbuf0, entry 504, list full`."""
    return f"{event.name} {', '.join(f'{name} {value}' for name, value in event.plain.items())}".rstrip()


def viewed(view: View) -> str:
    """`node2 -> node1 -> node0`."""
    if view.kind == "text":
        return view.text
    return (" -> " if view.kind == "list" else ", ").join(view.nodes) or "-"


def trace(schedule: Schedule, width: int = WIDTH) -> str:
    """The schedule, shortened if it is long, of a livelock once round; and how it ended."""
    return "\n".join([*Columns(schedule, width).lines(), *ending(schedule)])


def ending(schedule: Schedule) -> list[str]:
    """What failed."""
    fault = schedule.fault
    if fault is None:
        return []
    who = f"{schedule.threads[fault.thread]}: " if fault.thread >= 0 else ""
    return [f"{who}{fault.kind}: {fault.details or fault.message}"]


class Columns:
    """The steps of a schedule side by side, a column for each thread that has any, in lines of `width` characters."""

    def __init__(self, schedule: Schedule, width: int) -> None:
        self.names = schedule.threads
        self.width = width
        self.parts: Shortened = [schedule.steps[0], *shortened(schedule)]
        self.before: Mapping[str, View] = {}
        entries = [(act.thread, text(act, self.names)) for act in acts(self.parts)]
        self.widths = self._widths(entries)
        at = MARGIN
        self.starts: dict[int, int] = {}
        for t in sorted(self.widths):
            self.starts[t] = at
            at += self.widths[t] + 2
        self.end = at

    def _widths(self, entries: Sequence[tuple[int, str]]) -> dict[int, int]:
        """How wide each thread's column is; nothing if they do not fit."""
        whole: dict[int, int] = {}
        word: dict[int, int] = {}
        for t, said in entries:
            whole[t] = max(whole.get(t, len(self.names[t])), len(said))
            word[t] = max(word.get(t, len(self.names[t])), *map(len, said.split(" ")))
        for most in range(WIDEST, NARROWEST - 1, -1):
            widths = {t: max(min(n, most), word[t]) for t, n in whole.items()}
            if MARGIN + sum(n + 2 for n in widths.values()) - 2 <= self.width:
                return widths
        return {}

    def lines(self) -> Iterator[str]:
        """The text."""
        heads = (self.names[t].ljust(n + 2) for t, n in sorted(self.widths.items()))
        yield ("step  " + "".join(heads)).rstrip()
        for item in self.parts:
            match item:
                case Step():
                    if item.number >= 0:
                        yield from self._entry(item, f"{item.number:4d}")
                    for note in item.told:
                        yield from self._entry(note, "")
                    yield from self._views(item)
                case Repetition(steps, times):
                    yield f"      -- {'that' if steps == 1 else f'these {steps} steps'} {times} times more --"
                case Omission(steps):
                    yield f"      -- {counted(steps, 'step')} left out --"
                case CycleStart():
                    yield "      -- and from here on, for ever:"

    def _entry(self, act: Act, number: str) -> Iterator[str]:
        said = text(act, self.names)
        if act.thread in self.starts:
            start, room = self.starts[act.thread], self.widths[act.thread]
        else:
            start, room = MARGIN, self.width - MARGIN
            said = f"{self.names[act.thread]}: {said}"
        for i, line in enumerate(wrapped(said, room)):
            yield f"{'' if i else number:4}{' ' * (start - 4)}{'  ' if i else ''}{line}"

    def _views(self, step: Step) -> Iterator[str]:
        """What has changed in the views, behind the columns if there is room."""
        for name, view in step.views.items():
            if view != self.before.get(name) and step.number >= 0:
                said = f"{name}: {viewed(view)}"
                if self.widths and self.end + len(said) <= self.width:
                    yield f"{' ' * self.end}{said}"
                else:
                    yield from wrap(
                        said, self.width, initial_indent="      -- ", subsequent_indent=" " * 11,
                        break_long_words=False, break_on_hyphens=False,
                    )  # fmt: skip
        self.before = step.views


def acts(parts: Shortened) -> Iterator[Act]:
    """Those that get a line."""
    for item in parts:
        if isinstance(item, Step):
            if item.number >= 0:
                yield item
            yield from item.told


def wrapped(said: str, room: int) -> list[str]:
    """`said` in lines of `room` characters, the later ones two shorter, broken between words alone."""
    if len(said) <= room:
        return [said]
    first, *rest = wrap(said, room, break_long_words=False, break_on_hyphens=False)
    later = wrap(said[len(first) :].strip(), room - 2, break_long_words=False, break_on_hyphens=False) if rest else []
    return [first, *later]
