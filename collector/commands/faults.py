"""Test the checks: run planted faults and mutants of the source; which check detects which, and how soon?

Without --mutants the planted faults are run; with it, the mutants that a syntax-tree tool makes of the protocol's files.
With --store, what is done is not done again, and tables are of all that the file has.  A row of an earlier protocol is run
again; one that was not, because of --within, stands in the tables and is told to be of that protocol.
"""

from __future__ import annotations

from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from collector.commands.files import Named, Output
from collector.commands.parser import PROGRAM, meant
from collector.commands.status import OK, VIOLATION
from collector.commands.usage import UsageError, atleast, positive


if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from collector.mutation.matrix import Limits
    from collector.mutation.mutants import Mutant
    from collector.mutation.store import Store

EXAMPLES = {
    "faults --only pop-by-store harvest-nothing": "two planted faults",
    "faults --mutants --file workbuf/lfstack.py --within 60": "mutants of one file, as many as fit into a minute",
    "faults --store faults.jsonl --markdown collector/guide/faults.md": "all planted faults, and the guide's page",
}
ENDS = {VIOLATION: "one survived that is not judged equivalent, or one that is was detected; the last lines say which"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `faults`."""
    add = parser.add_argument
    add("--only", nargs="+", default=[], metavar="NAME", help="these planted faults, or mutants by their ids")
    add("--mutants", action="store_true", help="mutants of the source, instead of planted faults")
    add("--file", nargs="+", default=[], metavar="FILE", help="mutants of these files, as workbuf/lists.py")
    add("--every", type=atleast(1), default=1, metavar="N", help="every Nth of the mutants (1: all)")
    add("--seconds", type=positive, default=10.0, metavar="S", help="of stress, and of a fault's strategies (10)")
    add("--schedules", type=atleast(1), default=3000, metavar="N", help="at most N schedules of a race program (3000)")
    add("--seeds", type=atleast(1, 100), default=3, metavar="N", help="seeds of the strategies that draw (3)")
    add("--seed", type=atleast(0), default=1, metavar="N", help="seed of the first search, and of stress (1)")
    add("--within", type=positive, metavar="S", help="begin no further one after S seconds")
    add("--store", type=Named, metavar="FILE", help="keep what is done in FILE, and go on from what it has")
    add("--markdown", type=Output, metavar="FILE", help="write the tables as the guide's page; - is standard output")
    add("--json", type=Output, metavar="FILE", help="write every row; - is standard output")


def main(args: argparse.Namespace) -> int:
    """Run, print, write; returns the exit status."""
    from collector.commands.stressexecution import interpreter  # noqa: PLC0415  not for the help
    from collector.faults import FAULTS  # noqa: PLC0415
    from collector.mutation.judgement import aside  # noqa: PLC0415
    from collector.mutation.matrix import Limits  # noqa: PLC0415
    from collector.mutation.mutants import FILES, digest, every  # noqa: PLC0415
    from collector.mutation.store import Store  # noqa: PLC0415

    strange = [name for name in args.file if name not in FILES]
    if strange:
        raise UsageError(
            f"--file {strange[0]}: no file of the protocol{meant(strange[0], FILES)}; there are {', '.join(FILES)}"
        )
    mutants = every(args.file or FILES)
    known = mutants if args.mutants or args.file else FAULTS
    unknown = [name for name in args.only if name not in known]
    if unknown:
        raise UsageError(
            f"--only {unknown[0]}: no such {'mutant' if known is mutants else 'fault'}{meant(unknown[0], known)}"
        )
    try:
        store = Store(Path(args.store) if args.store else None, digest(), interpreter())
    except OSError as error:
        raise UsageError(f"--store {args.store}: {error.strerror}") from None
    except ValueError as error:
        raise UsageError(f"--store {args.store}: {error}") from None
    limits = Limits(args.schedules, args.seconds, args.seeds, args.seed)
    begun = monotonic()
    over = begun + args.within if args.within else None
    if known is mutants:
        sample = [name for name in list(mutants)[:: args.every] if not aside(name)]
        run_mutants(mutants, args.only or sample, store, limits, over)
    else:
        run_faults(args.only or list(FAULTS), store, limits, over)
    return told(args, store, mutants, monotonic() - begun)


def run_faults(names: list[str], store: Store, limits: Limits, over: float | None) -> None:
    """Those that are missing in the store, a line each."""
    from collector.mutation.matrix import fault_row  # noqa: PLC0415  as above
    from collector.report.faults import fault_line  # noqa: PLC0415

    def run(name: str) -> str:
        store.add(fault_row(name, limits))
        return "  ".join(fault_line(store.faults[name]))

    each(store.missing(names), run, over)


def run_mutants(known: dict[str, Mutant], names: list[str], store: Store, limits: Limits, over: float | None) -> None:
    """Those that are missing in the store, a line each."""
    from collector.mutation.matrix import functions_run, mutant_row  # noqa: PLC0415
    from collector.report.faults import mutant_line  # noqa: PLC0415

    def run(name: str) -> str:
        if not store.ran:
            store.add_ran(functions_run())
        store.add(mutant_row(known[name], store.ran, limits))
        return mutant_line(store.mutants[name])

    each(store.missing(names), run, over)


def each(names: list[str], run: Callable[[str], str], over: float | None) -> None:
    """Run them one after the other, and print what comes of each; until the time is over, or somebody interrupts.

    Of one that is interrupted nothing is said or kept.
    """
    from collector.report.progress import Progress  # noqa: PLC0415  as above

    with Progress("faults", len(names)) as progress:
        for done, name in enumerate(names):
            if over is not None and monotonic() > over:
                progress.line(f"the time is over: {len(names) - done} of {len(names)} were not run")
                return
            try:
                progress.line(run(name))
            except KeyboardInterrupt:
                progress.line(f"{PROGRAM} faults: interrupted after {done} of {len(names)}")
                raise
            progress.advance()


def told(args: argparse.Namespace, store: Store, mutants: dict[str, Mutant], seconds: float) -> int:
    """Print and write the tables; returns the exit status."""
    from collector.commands.parser import RUN  # noqa: PLC0415  as above
    from collector.faults import FAULTS  # noqa: PLC0415
    from collector.mutation.judgement import aside  # noqa: PLC0415
    from collector.mutation.matrix import SURVIVED, WRONG  # noqa: PLC0415
    from collector.report.faults import BRIEF, FILES, by_options, fault_line, files, old, page, record, totals  # noqa: PLC0415
    from collector.report.streams import oneline  # noqa: PLC0415
    from collector.report.tables import table  # noqa: PLC0415

    # In the order of the catalogue and of the source: what is run again keeps its place.
    faults = [store.faults[name] for name in FAULTS if name in store.faults]
    rows = {name: store.mutants[name] for name in mutants if name in store.mutants and not aside(name)}
    if args.mutants or args.file:
        print(table(files(mutants.values(), rows), FILES))
        verdicts = {name: row.verdict for name, row in rows.items()}
    else:
        print(table(map(fault_line, faults), BRIEF))
        print(totals(faults))
        verdicts = {row.name: row.verdict for row in faults}
    earlier = old(store.faults, rows, store.earlier)
    print(f"{seconds:.0f} s, {store.version}" + (f"\n{earlier}" if earlier else ""))
    if args.json:
        about = {"version": store.version, "earlier": store.earlier, "seconds": round(seconds, 1)}
        args.json.writejson({**record(faults, mutants, rows), **about})
    if args.markdown:
        options = by_options([*faults, *rows.values()])
        made = f"Made by `{RUN} faults`, and with `--mutants`, {options}; {store.version}.{earlier and '  '}{earlier}"
        args.markdown.writetext(page(faults, mutants, rows, made))
    now = ((name, verdict) for name, verdict in verdicts.items() if name not in store.earlier)
    wrong = {name: verdict for name, verdict in now if verdict in (SURVIVED, WRONG)}
    for name, verdict in wrong.items():
        print(f"failed: {oneline(name)}: {verdict}")
    return VIOLATION if wrong else OK
