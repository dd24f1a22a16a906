"""A schedule as JSON: the data of the step-through page, and of `explain --json` and `replay --json`.

    {"title", "scenario", "variant", "token", "threads": [name, ..], "lists": [name of a view, ..],
     "sites": [{"function", "file", "line"}, ..], "code": {file: {line: text}},
     "fault": null or {"kind", "message", "thread", "details"},
     "steps": [{"at", "place", .., "notes": [{..}, ..], "views": {name: text}, "places": {name: {"kind", "nodes"}},
                "sets": [[cell, value], ..], "switch", "circle",
                "others": [{"thread", "text", "lead": null or {"steps": [[thread, text], ..], "more", "failure", "token",
                                                                        "command"}}, ..]}, ..]}

The first of `steps` is not a step: its `at` is -1, and it shows the state before the first one.  `at` is the step's
number in traces, `place` its place in the token's trail.  A step and a note (what the thread did between this step and
its next one: events, pauses, plain accesses) are `trace.step.Act`:

    {"thread", "op", "cell": null or {"name", "noun"}, "saw", "wrote", "expected": null or {"word", "text", "noun", "count"},
     "operand", "byte", "ok", "event": null or {"kind", and its fields by name}, "plain", "racing",
     "source": [number of a site, innermost first, ..], "nouns": [what it names, ..], "text", "words"}

`text` is what traces print of it, `words` what `explain` says.  `views` and `places` are whole, as after the step: lists,
caches, and what is in whose hands; a view that is a text has no place.  `switch`: another thread than in the step before.
Of a livelock there is the way into the circle and then once round it: `circle`.  `others` are the threads that could
have taken a step instead of this one, and what each was about to do; `lead`, where that leads, if it was followed: the first
steps from there on, and how many come behind them; `command` replays it.
"""

from __future__ import annotations

import linecache
import os
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path
from shlex import quote
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from collector.explore.token import Token
from collector.explore.trace.trace import shown, text, viewed
from collector.report.schedule.ownership import held
from collector.report.schedule.sentences import told


if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from collector.explore.machine.site import Site
    from collector.explore.trace.step import Act, Schedule, Value, View
    from collector.report.schedule.alternatives import Lead

ROOT = Path(__file__).parents[3]
AROUND = 4
"""Lines of source kept on either side of one that was executed."""


@dataclass
class Sources:
    """The source lines of a schedule, each once."""

    sites: list[dict[str, Any]] = field(default_factory=list)
    code: dict[str, dict[int, str]] = field(default_factory=dict)
    known: dict[Site, int] = field(default_factory=dict)

    def number(self, site: Site) -> int:
        """The number of a site."""
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


def steps(
    schedule: Schedule,
    title: str,
    scenario: str = "",
    variant: str = "",
    token: str = "",
    leads: Mapping[tuple[int, int], Lead] = MappingProxyType({}),
) -> dict[str, Any]:
    """The JSON of a schedule that was replayed with its sources; `leads` as `alternatives.leads` has them."""
    sources = Sources()
    threads = schedule.threads
    into, circle = schedule.course
    made = {}
    for step, said, hands in zip(schedule.steps, told(schedule), held(schedule), strict=True):
        views = {**step.views, **hands}
        notes = [act(note, threads, words, sources) for note, words in zip(step.notes, said.notes, strict=True)]
        made[step.place] = {
            "at": step.number,
            "place": step.place,
            **act(step, threads, said.words, sources),
            "notes": notes,
            "sets": [[str(did.cell), shown(did.now)] for did in (step, *step.notes) if did.now],
            "views": {name: viewed(view) for name, view in views.items()},
            "places": {name: place(view) for name, view in views.items() if view.kind != "text"},
            "switch": False,
            "circle": False,
            "others": [
                {
                    "thread": other.thread,
                    "text": text(other, threads),
                    "lead": lead(leads.get((step.place, other.thread))),
                }
                for other in step.others
            ],
        }
    records = [made[step.place] for step in (*into, *circle)]
    for before, record in pairwise(records):
        record["switch"] = record["thread"] != before["thread"]
    for step in circle:
        made[step.place]["circle"] = True
    ever = {name for record in records for name, where in record["places"].items() if where["nodes"]}
    fault = schedule.fault
    return {
        "title": title,
        "scenario": scenario,
        "variant": variant,
        "token": token,
        "threads": list(threads),
        "lists": [name for name in records[-1]["views"] if name in ever or name in schedule.steps[-1].views],
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


def act(did: Act, threads: Sequence[str], words: str, sources: Sources) -> dict[str, Any]:
    """What a thread did, as JSON."""
    values = (did.saw, did.wrote, did.expected)
    nouns = [did.cell.noun] if did.cell else []
    nouns += [value.noun for value in values if value and value.noun]
    if did.event and "buffer" in did.event.fields:
        nouns.append(str(did.event.fields["buffer"]))
    return {
        "thread": did.thread,
        "op": did.op,
        "cell": did.cell and {"name": str(did.cell), "noun": did.cell.noun},
        **{name: word(value) for name, value in zip(("saw", "wrote", "expected"), values, strict=True)},
        "operand": did.operand,
        "byte": did.byte,
        "ok": did.ok,
        "event": did.event and {"kind": did.event.name, **did.event.plain},
        "call": did.call and {"operation": did.call.operation, "answer": did.call.answer},
        "plain": did.plain,
        "racing": did.racing,
        "source": [sources.number(site) for site in did.sites],
        "nouns": list(dict.fromkeys(nouns)),
        "text": text(did, threads),
        "words": words,
    }


def word(value: Value | None) -> dict[str, Any] | None:
    """A word, as JSON."""
    return value and {"word": value.word, "text": shown(value), "noun": value.noun, "count": value.pushcnt}


def lead(found: Lead | None) -> dict[str, Any] | None:
    """Where it leads that another thread goes, as JSON."""
    return {**asdict(found), "command": replaying(found.token)} if found else None


def replaying(token: str) -> str:
    """The command that replays that schedule: of a scenario, or of a test."""
    test = Token.decode(token).about.get("test")
    if test is None:
        return f"python -m collector.run replay {token}"
    return f"python -m pytest {quote(str(test))} --race-replay {token}"


def place(view: View) -> Mapping[str, Any]:
    """What is in a place, as JSON."""
    return {"kind": view.kind, "nodes": list(view.nodes)}
