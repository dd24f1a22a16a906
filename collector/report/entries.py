"""Prints an entry of the catalogue, and makes the guide's table "What the default corrects"."""

from __future__ import annotations

from dataclasses import asdict
from textwrap import fill
from typing import TYPE_CHECKING, Any

from collector.catalogue.entries import Bug, Experiment, corrections
from collector.report.tables import linewidth
from collector.scenarios.contents import CONTENTS


if TYPE_CHECKING:
    from collections.abc import Sequence

    from collector.catalogue.entries import Correction, Entry
    from collector.faults import Fault

KINDS = {
    "fault": "a fault: something is lost, thrown or waits for ever",
    "cost": "a cost: time or memory, no object",
    "sound": "sound: it looks wrong and is not",
    "report": "a report: what was seen in the field",
}


def record(entry: Entry, scenarios: Sequence[str], faults: Sequence[Fault]) -> dict[str, Any]:
    """The entry's fields, for --json, with the scenarios that show it and the names of the faults that plant it."""
    return {**asdict(entry), "scenarios": list(scenarios), "faults": [fault.name for fault in faults]}


def told(entry: Entry, scenarios: Sequence[str], faults: Sequence[Fault]) -> str:
    """The entry, a line for each thing known of it, and how to run what shows it."""
    lines = [f"{entry.id}: {entry.title}"]
    if isinstance(entry, Bug):
        lines += [fact("kind", KINDS[entry.kind]), fact("seed", "has it" if entry.seed else "does not have it")]
        lines.append(fact("happens", entry.happens))
        lines += [fact("Go", known)] if (known := go(entry)) else []
        if entry.correction:
            lines.append(fact("default", corrected(entry.correction)))
        lines += [fact("here", entry.here)] if entry.here else []
    elif isinstance(entry, Experiment):
        lines += [fact("about", ", ".join(entry.bugs))] if entry.bugs else []
    else:
        lines.append(fact("says", entry.says))
        lines += [fact("guards", ", ".join(entry.guards))] if entry.guards else []
        lines.append(fact("tests", ", ".join(entry.tests)))
    lines += [fact("scenario", f"{name}: python -m collector.run {shows(name)} {name}") for name in scenarios]
    if isinstance(entry, Bug) and entry.unshown:
        lines.append(fact("scenario", f"none.  {entry.unshown}"))
    elif isinstance(entry, Experiment) and not scenarios:
        lines.append(fact("scenario", "none yet"))
    lines += [fact("planted", f"{fault.name}: {planted(fault)}") for fault in faults]
    return "\n".join(lines)


def shows(scenario: str) -> str:
    """The command that shows a scenario: a cost has no failure to explain."""
    return "explain" if "failing" in CONTENTS[scenario].variants else "museum"


def fact(name: str, text: str) -> str:
    """One line, or several that stand under the text's first word."""
    return fill(text, linewidth(), initial_indent=f"  {name:9} ", subsequent_indent=" " * 12, break_on_hyphens=False)


def planted(fault: Fault) -> str:
    """How to run with a fault, or why that shows nothing."""
    if fault.equivalent:
        return f"no run can tell it from the protocol: {fault.equivalent}"
    if fault.unseen:
        return f"a stress run does not see it: {fault.unseen}"
    return f"python -m collector.run stress --plant {fault.name}"


def go(bug: Bug) -> str:
    """Go's issues and commits."""
    commits = [f"{commit.id} (CL {commit.cl})" if commit.cl else commit.id for commit in bug.commits]
    return ", ".join([*(f"#{issue}" for issue in bug.issues), *commits])


def corrected(correction: Correction) -> str:
    """What the default does instead."""
    return f"{correction.default} ({', '.join(correction.commits)}): {', '.join(correction.where)}"


def corrections_table() -> str:
    """What the default corrects, in Markdown."""
    rows = [
        f"| {', '.join(of.ids)}: {of.seed} | {of.wrong} | {of.default} ({', '.join(of.commits)}) |"
        for of in corrections()
    ]
    return "\n".join(["| at the seed | what goes wrong | the default |", "|---|---|---|", *rows])
