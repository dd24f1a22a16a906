"""A schedule for reading aloud: numbered sentences, and at each switch who is left standing where and who goes on.

The numbers are the steps' own, as traces, tokens and the step-through page have them.  A thread that does the same few
things again and again, spinning say, is told of once, and then how often.
"""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING, Any

from collector.report.schedule.operation import operation


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

WIDTH = 110
INDENT = " " * 6
LONGEST, FEWEST = 6, 2
"""Of what is done again: how many steps at most, and how often at least."""
WAITS = {"lock": "waits for {cell}", "sleep": "sleeps on {cell}", "pause": "lets others go first"}


def explained(records: Mapping[str, Any]) -> str:
    """The text; `records` are those of `collector.report.schedule.steps`."""
    lines = [records["title"]]
    lines += [f"{records['scenario']} {records['variant']}: {len(records['steps']) - 1} steps", ""]
    lines += sentences(records)
    fault = records["fault"]
    if fault is None:
        return "\n".join([*lines, "", "Nothing failed."])
    who = f" in {records['threads'][fault['thread']]}" if fault["thread"] >= 0 else ""
    lines += ["", f"That is the failure{who}, {fault['kind']}: {fault['message']}"]
    if fault["details"] not in ("", fault["message"]):
        lines.append(fault["details"])
    return "\n".join(lines)


def sentences(records: Mapping[str, Any]) -> Iterator[str]:
    """A line for every step, with what came of it below, and one for every switch."""
    steps, names = records["steps"], records["threads"]
    drawn = [name for name in records["lists"] if not name.startswith("held by")]
    yield f"{INDENT}At first {listing(steps[0]['views'], drawn)}." if drawn else f"{INDENT}The beginning."
    folds = {begin: (end, times) for begin, end, times in repeats(steps)}
    untold = 0
    for i, step in enumerate(steps):
        if i in folds:
            untold, times = folds[i]
            last = steps[untold - 1]["at"]
            yield f"{INDENT}{names[step['thread']]} does the same {times} times more, until step {last}."
        if i == 0 or i < untold:
            continue
        if step["circle"] and not steps[i - 1]["circle"]:
            yield f"{INDENT}And from here on, for ever:"
        if step["switch"]:
            yield f"{INDENT}{switch(steps, names, i)}"
        said = [f"{names[step['thread']]} {step['words']}", *afterwards(step, names)]
        number = f"{step['at']:4d}. "
        yield fill(f"{'; '.join(said)}.", WIDTH, initial_indent=number, subsequent_indent=INDENT)
        before = steps[i - 1]["views"]
        changed = [name for name in drawn if step["views"][name] != before[name]]
        if changed:
            yield f"{INDENT}  Now {listing(step['views'], changed)}."


def repeats(steps: Sequence[Mapping[str, Any]]) -> Iterator[tuple[int, int, int]]:
    """Where a thread repeats what it has just done: (first record of the repetitions, first one after them, how many)."""
    same = [
        (
            step["thread"],
            step["words"],
            step["views"],
            step["circle"],
            [note["words"] for note in step["notes"] if not note["plain"]],
        )
        for step in steps
    ]
    at = 1
    while at < len(same):
        for length in range(1, LONGEST + 1):
            end = at + length
            while end + length <= len(same) and same[end : end + length] == same[at : at + length]:
                end += length
            times = (end - at) // length - 1
            if times >= FEWEST and len({thread for thread, *_ in same[at : at + length]}) == 1:
                yield at + length, end, times
                at = end - 1
                break
        at += 1


def afterwards(step: Mapping[str, Any], names: Sequence[str]) -> Iterator[str]:
    """What was said of the step before the next one, plain accesses left out."""
    for note in step["notes"]:
        if not note["plain"]:
            other = "" if note["thread"] == step["thread"] else f"{names[note['thread']]} "
            yield f"{other}{note['words']}"


def listing(views: Mapping[str, str], drawn: Sequence[str]) -> str:
    """`full is node2 -> node1, empty holds nothing`."""
    return ", ".join(f"{name} {'holds nothing' if views[name] == '-' else 'is ' + views[name]}" for name in drawn)


def switch(steps: Sequence[Mapping[str, Any]], names: Sequence[str], i: int) -> str:
    """Who goes on at step `i`, and where that leaves the one who went before."""
    new, old = steps[i]["thread"], steps[i - 1]["thread"]
    if old < 0:
        return f"{names[new]} begins."
    following = next((step for step in steps[i:] if step["thread"] == old), None)
    if following is None:
        return f"{names[new]} goes on."
    did = operation(following["text"])
    if steps[i - 1]["notes"] and steps[i - 1]["notes"][-1]["words"].startswith("pauses"):
        left = WAITS["pause"]
    elif did.op in WAITS:
        left = WAITS[did.op].format(cell=did.cell)
    else:
        left = f"is left before its next step, the {did.op} of {did.cell}" if did.cell else "is left standing"
    return f"{names[old]} {left}; {names[new]} goes on."
