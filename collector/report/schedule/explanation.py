"""Explains a schedule in numbered sentences, and at each context switch says where the old thread stands.

The numbers are those of the steps in traces and on the step-through page.  Repetitions, of a thread that spins, say, are
described once, with their number.
"""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING

from collector.explore.trace.shorten import CycleStart, Omission, Repetition, shortened
from collector.explore.trace.step import PAUSES, Step
from collector.report.schedule.sentences import told
from workbuf.counted import counted


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from collector.explore.trace.step import Schedule, View

INDENT = " " * 6
WAITS = {"lock": "waits for {cell}", "sleep": "sleeps on {cell}"}


def explained(schedule: Schedule, title: str, of: str, width: int) -> str:
    """The text, in lines of `width` characters; `of` says what the schedule is one of."""
    steps = schedule.course[0] + schedule.course[1]
    lines = [*wrapped(title, width), *wrapped(f"{of}: {counted(len(steps) - 1, 'step')}", width), ""]
    lines += sentences(schedule, width)
    fault = schedule.fault
    if fault is None:
        return "\n".join([*lines, "", "Nothing failed."])
    who = f" in {schedule.threads[fault.thread]}" if fault.thread >= 0 else ""
    lines += ["", *wrapped(f"That is the failure{who}, {fault.kind}: {fault.message}", width)]
    if fault.details not in ("", fault.message):
        lines.append(fault.details)
    return "\n".join(lines)


def sentences(schedule: Schedule, width: int) -> Iterator[str]:
    """A paragraph for every step, with what came of it, and one for every switch."""
    names = schedule.threads
    words = {step.place: said for step, said in zip(schedule.steps, told(schedule), strict=True)}
    before = schedule.steps[0]
    at_first = f"At first {listing(before.views)}." if before.views else "The beginning."
    yield from wrapped(at_first, width, INDENT)
    for item in shortened(schedule):
        match item:
            case Repetition(length, times, until):
                what = f"{names[before.thread]} does" if length == 1 else f"These {length} steps come"
                yield f"{INDENT}{what} the same {times} times more, until step {until}."
            case Omission(steps):
                yield f"{INDENT}{counted(steps, 'step')} left out here."
            case CycleStart():
                yield f"{INDENT}And from here on, for ever:"
            case Step():
                if item.thread != before.thread:
                    yield from wrapped(switch(schedule, before, item), width, INDENT)
                said = [f"{names[item.thread]} {words[item.place].words}"]
                for note, noted in zip(item.notes, words[item.place].notes, strict=True):
                    if note in item.told:
                        said.append(noted if note.thread == item.thread else f"{names[note.thread]} {noted}")
                yield from wrapped(f"{'; '.join(said)}.", width, f"{item.number:4d}. ", INDENT)
                changed = {name: view for name, view in item.views.items() if view != before.views.get(name)}
                if changed:
                    yield from wrapped(f"Now {listing(changed)}.", width, f"{INDENT}  ")
                before = item


def listing(views: Mapping[str, View]) -> str:
    """`full is node2 -> node1, empty holds nothing`."""
    return ", ".join(f"{name} {place(view)}" for name, view in views.items())


def place(view: View) -> str:
    """What is there."""
    if view.kind == "text":
        return f"is {view.text}"
    return f"is {' -> '.join(view.nodes)}" if view.nodes else "holds nothing"


def switch(schedule: Schedule, last: Step, step: Step) -> str:
    """Who goes on at `step`, and where that leaves the one who took the `last` step before it."""
    names = schedule.threads
    if last.thread < 0:
        return f"{names[step.thread]} begins."
    following = next((later for later in schedule.steps[step.number + 1 :] if later.thread == last.thread), None)
    if following is None:
        return f"{names[step.thread]} goes on."
    if last.notes and last.notes[-1].op in PAUSES:
        left = "lets others go first"
    elif following.op in WAITS:
        left = WAITS[following.op].format(cell=following.cell)
    elif following.cell:
        left = f"is left before its next step, the {following.op} of {following.cell}"
    else:
        left = "is left standing"
    return f"{names[last.thread]} {left}; {names[step.thread]} goes on."


def wrapped(said: str, width: int, first: str = "", later: str = "") -> Sequence[str]:
    """A paragraph, broken between words alone."""
    return fill(
        said,
        width,
        initial_indent=first,
        subsequent_indent=later or first,
        break_long_words=False,
        break_on_hyphens=False,
    ).split("\n")
