"""The detection matrix as tables, as the guide's page, and as a record for JSON."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from collector.faults import FAULTS
from collector.mutation.judgement import aside, equivalent
from collector.mutation.kill import RACE, STRESS
from collector.mutation.matrix import ASIDE, EQUIVALENT, KILLED, SURVIVED, WRONG, FaultRow, MutantRow
from collector.report.museum import count, shortened
from collector.report.streams import oneline
from collector.report.tables import markdown
from collector.scenarios.museum import STRATEGIES
from workbuf.counted import counted


if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from collector.mutation.kill import Kill
    from collector.mutation.mutants import Mutant

HEAD = ("fault", "ids", "race program", "fails", *STRATEGIES, "switches", "stress s", "stress fails")
BRIEF = ("fault", "verdict", "race program", "schedules", "stress s", "fails")
FILES = ("file", "mutants", ASIDE, "run", "killed by race", "killed by stress", EQUIVALENT, "holes")


def fault_line(row: FaultRow) -> tuple[str, ...]:
    """A planted fault, for a terminal."""
    race, stress = row.race, row.stress
    return (
        row.name,
        row.verdict,
        race.program if race else "-",
        str(race.schedules) if race else "-",
        f"{stress.seconds:.1f}" if stress else "-",
        fails(stress or race),
    )


def mutant_line(row: MutantRow) -> str:
    """A mutant, for a terminal."""
    kill = row.kill
    by = f"{kill.by}, {kill.program}: {fails(kill)}" if kill else equivalent(row.id)
    return f"{row.verdict}: {oneline(row.id)}, line {row.line}{by and ': '}{by}"


def fails(kill: Kill | None) -> str:
    """What failed, short enough for a cell."""
    return shortened(oneline(kill.check)) if kill else "-"


def fault_cells(row: FaultRow) -> tuple[str, ...]:
    """A planted fault, for the page."""
    strategies = (row.strategies.get(name) for name in STRATEGIES)
    return (
        row.name,
        " ".join(FAULTS[row.name].bugs),
        row.race.program if row.race else "-",
        fails(row.race),
        *(count(found) if found else "-" for found in strategies),
        str(row.switches) if row.strategies else "-",
        f"{row.stress.seconds:.1f}" if row.stress else "-",
        fails(row.stress),
    )


def files(known: Iterable[Mutant], rows: Mapping[str, MutantRow]) -> list[tuple[str, ...]]:
    """A row for each file, and their sum."""
    counts: dict[str, Counter[str]] = {}
    for mutant in known:
        of = counts.setdefault(mutant.file, Counter())
        of["made"] += 1
        row = rows.get(mutant.id)
        if row:
            of["run"] += 1
            of[row.kill.by if row.kill else row.verdict] += 1
        elif aside(mutant.id):
            of[ASIDE] += 1
    columns = ("made", ASIDE, "run", RACE, STRESS, EQUIVALENT, SURVIVED)
    counts["all"] = sum(counts.values(), Counter())
    return [(file, *(str(of[column]) for column in columns)) for file, of in counts.items()]


def record(faults: Iterable[FaultRow], known: Mapping[str, Mutant], mutants: Mapping[str, MutantRow]) -> dict[str, Any]:
    """Everything, for JSON."""
    unrun = [each for each in known if each not in mutants]
    return {
        "faults": {row.name: {**asdict(row), "verdict": row.verdict, "ids": FAULTS[row.name].bugs} for row in faults},
        "mutants": {
            row.id: {**asdict(row), "verdict": row.verdict, "why": equivalent(row.id)} for row in mutants.values()
        },
        "set_aside": {each: aside(each) for each in unrun if aside(each)},
        "not_run": [each for each in unrun if not aside(each)],
    }


def totals(faults: Sequence[FaultRow]) -> str:
    """The planted faults in a sentence."""
    verdicts = Counter(row.verdict for row in faults)
    told = ", ".join(
        f"{verdicts[verdict]} {verdict}" for verdict in (KILLED, EQUIVALENT, SURVIVED, WRONG) if verdicts[verdict]
    )
    race, stress = sum(bool(row.race) for row in faults), sum(bool(row.stress) for row in faults)
    both = sum(bool(row.race and row.stress) for row in faults)
    if not faults:
        return "no planted fault has been run"
    count = counted(len(faults), "planted fault")
    return f"{count}: {told}; race programs kill {race}, stress {stress}, both {both}"


def by_options(rows: Iterable[FaultRow | MutantRow]) -> str:
    """With which options the rows were run, and how many with each."""
    counts = Counter(row.limits for row in rows)
    return ", ".join(
        f"{number} of the rows with {f'`{options}`' if options else 'options that were not kept'}"
        for options, number in counts.most_common()
    )


def old(faults: Iterable[str], mutants: Iterable[str], earlier: Mapping[str, str]) -> str:
    """Which of these rows are of an earlier protocol, in a sentence; empty if none is."""
    of = [[name for name in names if name in earlier] for names in (faults, mutants)]
    protocols = sorted({earlier[name] for names in of for name in names})
    if not protocols:
        return ""
    return (
        f"{len(of[0])} planted faults and {len(of[1])} mutants were run with an earlier protocol "
        f"({', '.join(protocols)}) and not again since."
    )


def page(faults: Sequence[FaultRow], known: Mapping[str, Mutant], mutants: Mapping[str, MutantRow], made: str) -> str:
    """The guide's page."""
    real = [row for row in faults if row.verdict != EQUIVALENT]
    same = [(row.name, FAULTS[row.name].equivalent) for row in faults if row.verdict == EQUIVALENT]
    holes = [row for row in mutants.values() if row.verdict in (SURVIVED, WRONG)]
    judged: dict[str, list[str]] = {}
    for row in mutants.values():
        if row.verdict == EQUIVALENT:
            judged.setdefault(equivalent(row.id), []).append(code(row.id))
    parts = [PAGE, made, "## Planted faults", f"{totals(faults)}.", markdown(HEAD, map(fault_cells, real))]
    unrun = [name for name in FAULTS if name not in {row.name for row in faults}]
    parts += [f"Not run: {', '.join(unrun)}."] if unrun else []
    parts += ["Equivalent, and why:", markdown(("fault", "why"), same)]
    parts += [
        "## Mutants of the source",
        MUTANTS,
        share(known, mutants),
        markdown(FILES, files(known.values(), mutants)),
    ]
    parts += ["Holes, which nothing has killed in the time it had:"]
    parts += [
        markdown(("mutant", "line"), [(code(row.id), str(known[row.id].line)) for row in holes]) if holes else "None."
    ]
    parts += ["Survivors that were judged equivalent:"]
    parts += [
        markdown(("why", "mutants"), [(why, "; ".join(ids)) for why, ids in judged.items()]) if judged else "None."
    ]
    return "\n\n".join(parts) + "\n"


def share(known: Mapping[str, Mutant], mutants: Mapping[str, MutantRow]) -> str:
    """How many of the mutants have been run, in a sentence."""
    left = sum(name in mutants or not aside(name) for name in known)
    told = (
        f"Of {len(known)} mutants {len(known) - left} are set aside; {len(mutants)} of the other {left} have been run."
    )
    return told if len(mutants) == left else f"{told}  Nothing is known of the rest: `--store` goes on with them."


def code(mutant: str) -> str:
    """An id in a cell of a table: its lines in one."""
    return oneline(mutant)


PAGE = """\
# Planted faults and mutants

Do the checks detect a wrong protocol?  Two sets of wrong ones are run.  *Planted faults* (`stress --plant list`) are methods
spoilt by hand, a sentence each.  *Mutants* are made from the protocol's source by its syntax tree: a statement dropped, a
condition negated, neighbours swapped, an atomic made a load and a store.

Each is run against two kinds of checks, never against unit tests, each kind in a process of its own.  *Race programs* are
small programs for the stepped machine, with the fixed variants of the museum and small whole collections; the columns of
strategies are schedules up to the first failure as in the museum: the median over seeds, a hyphen where none found it.
Each search has its share of `--seconds`, so on a busy machine a hyphen may mean no more than too little time.
*Stress* runs real threads, turn after turn with other programs, until a check fails: seconds to that.

What no check fails for has *survived*: a hole, unless it is *equivalent*, that is, no run can tell it from the protocol.
`collector/mutation/judged.toml` has the reason for each that was so judged, and the patterns by which mutants are *set
aside* without a run, because what they change is no part of the protocol: events for the recorder, statistics, and checks,
which never fire in a correct protocol (`museum ownership checks debugwbufs` shows what each of those is good for).

To see one: `faults --only NAME`, `stress --plant NAME`, `explore fault:NAME` for those with a program of their own."""

MUTANTS = """\
A statement's drop is not made where it is a variable's only assignment: nothing but a NameError comes of it.  Of swaps, only
those of two statements that touch memory or call something are made.  The columns after *run* are of those that were run."""
