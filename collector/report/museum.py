"""The museum's tables in Markdown, and its record for JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from collector.catalogue.entries import Bug, entries
from collector.explore.claim import Kind
from collector.report.streams import oneline
from collector.report.tables import markdown
from collector.scenarios.museum import STRATEGIES
from workbuf.counted import counted


if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from collector.scenarios.museum import Exhibit, Found, Passed

HEAD = ("exhibit", "ids", "kind", "fails", *STRATEGIES, "switches", "fixed")
BRIEF = ("exhibit", "variant", *STRATEGIES, "switches", "fixed")
ORIGINALS = ("exhibit", "variant", "go-weave", "share", "share here")
COSTS = ("exhibit", "ids", "what", "seed", "remedy", "both clean")


def record(exhibits: Iterable[Exhibit], unshown: Mapping[str, str]) -> dict[str, Any]:
    """Everything, for JSON."""
    return {
        "exhibits": {of.scenario.name: exhibit(of) for of in exhibits},
        "not_expressible": dict(unshown),
    }


def exhibit(of: Exhibit) -> dict[str, Any]:
    """One exhibit's verdicts and figures."""
    scenario = of.scenario
    return {
        "title": scenario.title,
        "ids": scenario.bugs,
        "kind": scenario.kind,
        "failing": {
            failing.variant: {
                "message": failing.message,
                "schedules": {name: found.schedules or None for name, found in failing.strategies.items()},
                "found": {name: [found.found, found.seeds] for name, found in failing.strategies.items()},
                "switches": failing.switches,
                "preemptions": failing.preemptions,
                "schedule": failing.token,
            }
            for failing in of.failing
        },
        "fixed": {passed.variant: {**passed.claim.record, "schedules": passed.schedules} for passed in of.passed},
        "costs": [
            {"what": cost.what, "seed": seed, "remedy": fix}
            for cost, (seed, fix) in zip(scenario.costs, of.costs, strict=True)
        ],
        "originals": {
            name: {"failures": scenario.originals[name][0], "paths": scenario.originals[name][1], "rate_here": rate}
            for name, rate in of.rates.items()
        },
        "wrong": of.wrong,
        "seconds": round(of.seconds, 1),
    }


def rows(of: Exhibit) -> list[tuple[str, ...]]:
    """A row for each failing variant; what is fixed stands in the first."""
    scenario = of.scenario
    fixed = "; ".join(claimed(passed) for passed in of.passed)
    name, ids, kind = scenario.name, " ".join(scenario.bugs), scenario.kind
    found = [
        (
            shortened(oneline(failing.message)),
            *(count(failing.strategies[strategy]) for strategy in STRATEGIES),
            str(failing.switches),
        )
        for failing in of.failing
    ]
    return [("", "", "", *row, "") if at else (name, ids, kind, *row, fixed) for at, row in enumerate(found)]


TOLD = 48
"""Characters of a failure that a cell has room for."""


def shortened(text: str) -> str:
    """Its beginning."""
    return text if len(text) <= TOLD else f"{text[: TOLD - 3]}..."


def count(found: Found) -> str:
    """The median, or how many seeds found it where most did not."""
    if found.schedules:
        return str(found.schedules)
    return f"{found.found} of {found.seeds}" if found.found else "-"


def claimed(passed: Passed) -> str:
    """What is claimed of a fixed variant, in a few words."""
    claim = passed.claim
    if claim.kind is Kind.PROVED:
        return f"proved, {counted(claim.number, str(claim.seen).removesuffix('s'))}"
    clean = f"{counted(passed.schedules, 'schedule')} clean"
    if claim.kind is Kind.BOUNDED:
        return f"{clean}, all with {claim.within}"
    return clean if claim.passed else str(claim.kind)


def brief(of: Exhibit) -> list[tuple[str, ...]]:
    """The rows for a terminal: variants by name, no ids."""
    fixed = "; ".join(claimed(passed) for passed in of.passed)
    return [
        (
            "" if at else of.scenario.name,
            failing.variant,
            *(count(failing.strategies[strategy]) for strategy in STRATEGIES),
            str(failing.switches),
            "" if at else fixed,
        )
        for at, failing in enumerate(of.failing)
    ]


def costs(of: Exhibit) -> list[tuple[str, ...]]:
    """A row for each of its costs."""
    scenario = of.scenario
    clean = "; ".join(claimed(passed) for passed in of.passed)
    return [
        (scenario.name, " ".join(scenario.bugs), cost.what, f"{seed:.3g}", f"{fix:.3g}", clean)
        for cost, (seed, fix) in zip(scenario.costs, of.costs, strict=True)
    ]


def originals(of: Exhibit) -> list[tuple[str, ...]]:
    """A row for each variant whose failures in go-weave are known."""
    told: list[tuple[str, ...]] = []
    for name, rate in of.rates.items():
        failures, paths = of.scenario.originals[name]
        told.append((of.scenario.name, name, f"{failures} of {paths}", f"{failures / paths:.2%}", f"{rate:.2%}"))
    return told


def unshown() -> dict[str, str]:
    """Why no scenario shows them, by the ids of the bugs that none does."""
    return {name: entry.unshown for name, entry in entries().items() if isinstance(entry, Bug) and entry.unshown}


def page(exhibits: Sequence[Exhibit], command: str, seconds: float) -> str:
    """The guide's page: both tables, and what no scenario shows."""
    failing = [row for of in exhibits for row in rows(of)]
    counted = [row for of in exhibits for row in costs(of)]
    rest = list(unshown().items())
    made = f"Made by `{command}` in {seconds:.0f} seconds.  `python -m collector.run explain ID` prints an id's entry."
    parts = [PAGE, made]
    parts += ["## Faults, and what is sound", markdown(HEAD, failing)]
    parts += ["## Costs", markdown(COSTS, counted)]
    parts += ["## Beside go-weave", BESIDE, markdown(ORIGINALS, [row for of in exhibits for row in originals(of)])]
    parts += ["## Without an exhibit", markdown(("id", "why"), rest)]
    return "\n\n".join(parts) + "\n"


PAGE = """\
# The museum

Known bugs of Go's work buffers and of their later designs, each as a small program for the stepped machine: a variant that
fails, and one with Go's own fix that does not.  A *fault* fails at the seed or in a later design.  A *cost* loses no object:
a figure is counted, at the seed and with the remedy.  What is *sound* looks wrong and is not: `fixed` is the protocol as it
is, and what fails has lost what the protocol relies on.

The columns of strategies are schedules up to the first failure, the median over seeds (`dpor` and `exhaustive` know no
seed); a hyphen means never within the limit, `1 of 5` that most seeds did not find it.  `switches` are the context switches
of the shrunk schedule.  `python -m collector.run explain EXHIBIT --variant V` tells a failure in sentences."""

BESIDE = """\
Paths of the original models that failed, counted with Go 1.19, and the share of random schedules that fail here.  The
paths are random ones, but for runqempty, where they are all that a depth-first search found."""
