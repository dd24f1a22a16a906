"""A replayed schedule as plain records: what the step-through page and `explain` are made of.

    {"title", "scenario", "variant", "token", "threads": [name, ..], "lists": [name of a view, ..],
     "sites": [{"function", "file", "line"}, ..], "code": {file: {line: text}},
     "fault": null or {"kind", "message", "thread", "details"},
     "steps": [{"at", "thread", "text", "words", "source": [number of a site, innermost first, ..],
                "notes": [{"thread", "text", "words", "plain", "source"}, ..],
                "sets": [[cell, value], ..], "views": {name: text}, "switch", "circle"}, ..]}

The first record is no step: `at` is -1, and it holds what there is before any.  `at` is the step's number in traces and
tokens.  `views` are whole, as after the step: lists, caches, and what is in whose hands; `notes` are what the thread did
between this step and its next one: events, pauses, plain accesses.  `switch`: another thread than in the record before.
Of a livelock there is the way into the circle and then once round it: `circle`.
"""

from __future__ import annotations

import linecache
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from collector.report.schedule.hands import Hands
from collector.report.schedule.operation import operation
from collector.report.schedule.sentences import Teller


if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from collector.explore.replay import Replay
    from collector.explore.state.fair import Lasso
    from collector.explore.trace.source import Site
    from collector.explore.trace.trace import Row

ROOT = Path(__file__).parents[3]
AROUND = 4
"""Lines of source kept on either side of one that was executed."""


@dataclass
class Sources:
    """The source lines of a schedule, each once."""

    sites: list[dict[str, Any]] = field(default_factory=list)
    code: dict[str, dict[int, str]] = field(default_factory=dict)
    known: dict[Site, int] = field(default_factory=dict)

    def numbers(self, source: Sequence[Site]) -> list[int]:
        """The numbers of these sites."""
        return [self._number(site) for site in source]

    def _number(self, site: Site) -> int:
        if site not in self.known:
            self.known[site] = len(self.sites)
            file = shortened(site.file)
            self.sites.append({"function": site.function.rpartition("<locals>.")[2], "file": file, "line": site.line})
            lines = linecache.getlines(site.file)
            first, last = max(site.line - AROUND, 1), min(site.line + AROUND, len(lines))
            kept = {number: lines[number - 1].rstrip() for number in range(first, last + 1)}
            self.code.setdefault(file, {}).update(kept)
        return self.known[site]


def shortened(file: str) -> str:
    """A source file's name within the project; of another one, only its last part."""
    path = Path(file)
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else path.name


def steps(replay: Replay, title: str, scenario: str = "", variant: str = "", token: str = "") -> dict[str, Any]:
    """The records of a schedule that was replayed with its sources."""
    machine, recorder = replay.machine, replay.recorder
    recorder.finish()
    sources = Sources()

    def bufname(b: int) -> str:
        return machine.name(b).partition(".")[0]

    teller, hands = Teller(machine.names, bufname), Hands(machine.names, bufname)
    views = dict(recorder.first)
    records = [record(-1, -1, "start", "Nothing has happened yet", [])]
    for row in recorder.rows:
        text, where = row.text(), sources.numbers(row.source)
        if row.at >= 0:
            close(records[-1], views, hands)
            records.append(record(row.at, row.thread, text, teller.step(row.at, row.thread, text), where))
            records[-1]["switch"] = row.thread != records[-2]["thread"]
        else:
            note = {"thread": row.thread, "text": text, "words": words(teller, records[-1]["at"], row, text)}
            records[-1]["notes"].append({**note, "plain": row.plain, "source": where})
        did = operation(text)
        if did.cell and did.now:
            records[-1]["sets"].append([did.cell, did.now])
        for view in row.views:
            what, _, now = view.partition(": ")
            views[what] = now
        if row.event:
            hands.event(row.thread, row.event)
    close(records[-1], views, hands)
    fault = replay.fault
    if fault and fault.lasso:
        records = once(records, fault.lasso)
    known = {view for step in records for view, shown in step["views"].items() if shown != "-" or view in views}
    return {
        "title": title,
        "scenario": scenario,
        "variant": variant,
        "token": token,
        "threads": machine.names[:],
        "lists": [view for view in records[-1]["views"] if view in known],
        "sites": sources.sites,
        "code": sources.code,
        "fault": fault
        and {
            "kind": fault.kind,
            "message": fault.message,
            "thread": fault.thread,
            "details": fault.details.replace(f"{ROOT}{os.sep}", ""),
        },
        "steps": records,
    }


def record(at: int, thread: int, text: str, said: str, source: list[int]) -> dict[str, Any]:
    """A step's record, with nothing after it yet."""
    return {
        "at": at,
        "thread": thread,
        "text": text,
        "words": said,
        "source": source,
        "notes": [],
        "sets": [],
        "views": {},
        "switch": False,
        "circle": False,
    }


def once(records: list[dict[str, Any]], lasso: Lasso) -> list[dict[str, Any]]:
    """The records up to the circle, and then those of one round."""
    circle = [step for step in records if lasso.begin <= step["at"] < lasso.end]
    for step in circle:
        step["circle"] = True
    return [step for step in records if step["at"] < lasso.begin] + circle


def close(done: dict[str, Any], views: Mapping[str, str], hands: Hands) -> None:
    """A record is complete: note how the lists, the caches and the hands stand."""
    done["views"] = {**views, **hands.views(views)}


def words(teller: Teller, at: int, row: Row, text: str) -> str:
    """What happened between two steps, in words."""
    if row.event:
        return teller.event(row.event)
    if row.plain:
        return teller.plain(at, row.thread, text)
    return f"pauses {text}"
