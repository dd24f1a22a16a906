"""How many mutations of a good log are noticed: one event removed, doubled, or exchanged with another.

    python -m scripts.mutate_log [--of N] [--seed N] [LOG]

The log of a stress run (LOG, or one made now) is judged after each mutation: an event left out; the same event a second
time right after; an event exchanged with its thread's next; with the next of another thread; with one further on in its
thread.  Printed by kind of event: noticed of tried, and why the rest cannot be.  Exit status 1 if one passes for no reason
that is known.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from collector.audit.recorded.judge import judge
from collector.report.log.recorded import Recorded
from collector.report.tables import table
from workbuf.events import Event


if TYPE_CHECKING:
    from collections.abc import Sequence

    from collector.audit.recorded.happened import Happened

MUTATIONS = ("removed", "doubled", "swapped in thread", "swapped across", "moved in thread")
FURTHER = 20
BELONGS = "nothing says to which root job or stack a get or a put belongs"
NUMBERS = "how many objects or turns, which Ps at a stop, whether a call had to wait: that is said nowhere else"
MAY_PASS: dict[tuple[str, Event | None], str] = {
    ("removed", Event.SCANSTACK): "a stack is scanned again in mark termination only if its goroutine has run",
    ("doubled", Event.STEAL): "what was stolen may have been stolen again before the first of it was begun",
    ("swapped across", None): "the protocol leaves the order of these two threads' events open",
    **{
        (how, kind): BELONGS
        for how in ("swapped in thread", "moved in thread")
        for kind in (Event.ROOT, Event.SCANSTACK, Event.STEAL)
    },
    **{
        ("moved in thread", kind): NUMBERS
        for kind in (
            *(Event.DRAIN_END, Event.ASSIST_END, Event.HELP_END, Event.SYSCALL_END, Event.STOP, Event.STOPPED),
            *(Event.RESUME, Event.REACHED),
        )
    },
}
"""Mutations that can lead to another log that a run could have written, by kind of event (None: any), and why."""
ALIKE = {("moved in thread", Event.HANDOFF): "how many entries a handoff moves is said nowhere else"}
"""The same, where it is exchanged with another of its own kind."""
STRESS = (
    *("--heap", "synthetic:random,n=120", "--mutators", "3", "--helpers", "2", "--cycles", "2"),
    *("--programs", "rewire,channel,syscalls", "--quiet", "--seed", "7"),
)


def mutated(events: list[Happened], how: str, at: int, draw: Random) -> list[Happened] | None:
    """The events with one changed; None if there is no such mutation at that place."""
    event = events[at]
    if how == "removed":
        return events[:at] + events[at + 1 :]
    if how == "doubled":
        return [*events[: at + 1], event, *events[at + 1 :]]
    across = how == "swapped across"
    others = [i for i in range(at + 1, min(at + 400, len(events))) if (events[i].thread != event.thread) == across]
    others = [i for i in others if events[i][1:] != event[1:]]
    if not others:
        return None
    other = others[min(draw.randrange(1, FURTHER), len(others) - 1)] if how == "moved in thread" else others[0]
    changed = list(events)
    changed[at] = events[other]._replace(time=event.time)
    changed[other] = event._replace(time=events[other].time)
    return changed


def noticed(events: list[Happened], log: Recorded) -> bool:
    """Would `inspect LOG check` find fault with them, if they were those of this log?"""
    return bool(judge(events, closed=log.closed, mutators=log.mutators).findings)


def excuse(how: str, kinds: Sequence[Event]) -> str:
    """Why a mutation of events of these kinds may pass; empty if there is no reason."""
    reasons = [MAY_PASS.get((how, kind)) for kind in (None, *kinds)]
    reasons += [ALIKE.get((how, kind)) for kind in set(kinds) if len(set(kinds)) == 1]
    return next((why for why in reasons if why), "")


def sample(log: Recorded, of: int, seed: int) -> tuple[Counter[tuple[Event, str, bool]], list[str]]:
    """Mutations tried: kind of the event, how, noticed; and those that passed for no known reason.

    Each kind is drawn equally often.
    """
    unexplained: list[str] = []
    draw, events = Random(seed), log.events
    places: dict[Event, list[int]] = {}
    for at, event in enumerate(events):
        places.setdefault(event.kind, []).append(at)
    tried: Counter[tuple[Event, str, bool]] = Counter()
    kinds = sorted(places)
    while tried.total() < of:
        kind = draw.choice(kinds)
        how = draw.choice(MUTATIONS)
        changed = mutated(events, how, draw.choice(places[kind]), draw)
        if changed is not None:
            seen = noticed(changed, log)
            tried[kind, how, seen] += 1
            # Of two that were exchanged, either may be of a kind that may pass.
            moved = [one for one, other in zip(events, changed, strict=False) if one != other][:2]
            kinds_moved = [event.kind for event in moved] if "thread" in how else [kind]
            if not seen and not excuse(how, kinds_moved):
                unexplained.append(f"{how}: {moved}")
    return tried, unexplained


def recorded(path: str | None) -> Recorded:
    """The log, or that of a run made now."""
    if path:
        return Recorded(path)
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "run.log"
        subprocess.run(
            [sys.executable, "-m", "collector.run", "stress", *STRESS, "--log", str(log)],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        return Recorded(str(log))


def main() -> None:
    """Mutate, judge, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("log", nargs="?")
    parser.add_argument("--of", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    log = recorded(args.log)
    if noticed(log.events, log):
        raise SystemExit("the log itself is at fault")
    tried, unexplained = sample(log, args.of, args.seed)
    rows = []
    for kind in sorted({kind for kind, _, _ in tried}):
        cells = [kind.name.lower()]
        for how in MUTATIONS:
            yes, no = tried[kind, how, True], tried[kind, how, False]
            cells.append(f"{yes} of {yes + no}" if yes + no else "")
        rows.append(tuple(cells))
    print(f"{len(log.events)} events, {tried.total()} mutations, seed {args.seed}")
    print(table(rows, ("", *MUTATIONS)))
    for (how, excused), why in MAY_PASS.items():
        print(f"{how}, {excused.name.lower() if excused else 'any kind'}: may pass: {why}")
    for (how, excused), why in ALIKE.items():
        print(f"{how}, {excused.name.lower()} with {excused.name.lower()}: may pass: {why}")
    if unexplained:
        raise SystemExit("\n".join(("passed for no known reason:", *unexplained)))


if __name__ == "__main__":
    main()
