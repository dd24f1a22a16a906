"""Checks that failing schedules replay identically on every interpreter, on greenlets and on threads.

    python scripts/replay_failures.py [--failures 100] [--seed 1] [PYTHON ...]

Finds failures of the scenarios' failing variants by several strategies and seeds, some of them shrunk, and keeps their
tokens.  Then each interpreter named (and the one that runs this) replays every token on greenlets and on threads in a
process of its own.  A digest is taken of all that `replay` prints: steps, values, lists, events and the failure.  Exit
status 1 unless all digests are equal and no replay diverged.  A PYTHON needs the project's dependencies.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
import sysconfig
from collections import Counter
from hashlib import blake2b
from itertools import count
from time import perf_counter
from typing import TYPE_CHECKING

from collector.explore import explore, replay
from collector.explore.token import Token
from collector.scenarios.registry import SCENARIOS


if TYPE_CHECKING:
    from collections.abc import Iterator

CARRIERS = ("greenlets", "threads")
STRATEGIES = ("random", "urw", "pct", "pos", "surw", "dpor")
MOST = 2_000
"""Schedules in which a strategy has to find the fault, else the next one tries."""


def failures(seed: int) -> Iterator[str]:
    """Tokens of failures, a different variant each time."""
    failing = [
        (name, which)
        for name, scenario in SCENARIOS.items()
        for which, variant in scenario.variants.items()
        if variant.fails
    ]
    known = set()
    for i in count():
        for k, (name, which) in enumerate(failing):
            variant = SCENARIOS[name].variants[which]
            failure = explore(
                variant.program,
                STRATEGIES[(i + k) % len(STRATEGIES)],
                schedules=MOST,
                seed=seed + i,
                races=variant.races or i % 4 == 0,  # now and then what is told is a race, with its stacks
                shrink=i % 4 == 1,
                about={"scenario": name, "variant": which},
            ).failure
            if failure and failure.schedule not in known:
                known.add(failure.schedule)
                yield failure.schedule


def replayed(token: str, vehicle: str) -> tuple[str, bool]:
    """A digest of all that the replay of `token` says, and whether it took other steps than when it was found."""
    about = Token.decode(token).about
    program = SCENARIOS[str(about["scenario"])].variants[str(about["variant"])].program
    result = replay(token, program, vehicle=vehicle)
    failure = result.failure
    said = f"{failure}\n{failure.trace}\n{failure.where}" if failure else result.statement
    return blake2b(said.encode(), digest_size=16).hexdigest(), bool(result.warnings) or failure is None


def serve() -> None:
    """Replay the tokens on stdin, one a line, on greenlets and on threads; `ask` reads what is printed."""
    tokens = sys.stdin.read().split()
    unlocked = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
    said = {"python": f"{platform.python_version()}{' free-threaded' if unlocked else ''}"}
    for vehicle in CARRIERS:
        begun = perf_counter()
        sums = [replayed(token, vehicle) for token in tokens]
        print(json.dumps({**said, "vehicle": vehicle, "sums": sums, "seconds": perf_counter() - begun}))


def ask(python: str, tokens: list[str]) -> Iterator[tuple[str, str, list[tuple[str, bool]], float]]:
    """What `python` makes of the tokens, on greenlets and on threads."""
    done = subprocess.run(
        [python, __file__, "--serve"], input="\n".join(tokens), capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"{python}: {done.stderr.strip() or f'ended with status {done.returncode}'}")
    for line in done.stdout.splitlines():
        answer = json.loads(line)
        yield answer["python"], answer["vehicle"], [tuple(pair) for pair in answer["sums"]], answer["seconds"]


def main() -> int:
    """Find, replay, compare; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pythons", nargs="*", metavar="PYTHON")
    parser.add_argument("--failures", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.serve:
        serve()
        return 0
    found = failures(args.seed)
    tokens = [next(found) for _ in range(args.failures)]
    of: Counter[str] = Counter()
    for token in tokens:
        about = Token.decode(token).about
        of[f"{about['scenario']} {about['variant']}"] += 1
    print(f"{len(tokens)} failures, seed {args.seed}: {', '.join(f'{n} of {what}' for what, n in of.items())}\n")
    print(f"{'python':24}{'vehicle':12}{'replayed':>9}{'identical':>11}{'diverged':>10}{'seconds':>9}")
    first: list[str] = []
    held = True
    for python in (sys.executable, *args.pythons):
        for name, vehicle, sums, seconds in ask(python, tokens):
            digests = [digest for digest, _ in sums]
            first = first or digests
            same = sum(mine == theirs for mine, theirs in zip(digests, first, strict=True))
            diverged = sum(other for _, other in sums)
            held = held and same == len(tokens) and not diverged
            print(f"{name:24}{vehicle:12}{len(digests):9}{same:11}{diverged:10}{seconds:9.1f}", flush=True)
    print("\nall identical" if held else "\nNOT all identical")
    return int(not held)


if __name__ == "__main__":
    sys.exit(main())
