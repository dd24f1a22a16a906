"""What a failed run's log says of its failure: its kind, the phase, who took part."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from collector.hunt.observed import cast, order
from mutator.phase import GCoff
from mutator.programs.channel import Channel
from mutator.programs.registry import PROGRAMS
from workbuf.events import PHASE_NAMES, Event


if TYPE_CHECKING:
    from collections.abc import Sequence

    from collector.audit.recorded.happened import Happened
    from collector.explore.machine.fault import Fault
    from collector.explore.result import Failure
    from collector.hunt.observed import Seen
    from collector.report.log.recorded import Recorded

WAITING = ("deadlock", "livelock", "endless")
"""The explorer's words for what a run on real threads calls a hang."""

OURS = ("Violation", "Throw")
"""What ends a run that fails, unless it crashes: a word that is no address was used as one, say."""
OF_BUFFERS = ("workbuf", "currentwbuf", "logget", "logput", "buffer")
"""In messages about buffers."""
UNMARKED = "reachable objects are not marked"
FINALIZER = "finalizer"
FREED = ("use after free", "found bad pointer", "heap corrupted", FINALIZER)
"""In messages about objects whose memory has been freed, or should have been."""
FAULT = "unexpected fault address"
"""What the explorer's machine says to that."""


class Facts(NamedTuple):
    """Of the cycle in which the run failed."""

    text: str
    """The failure's last line."""
    hang: bool
    crash: bool
    fault: str
    """The planted fault's name, empty if there was none."""
    phase: str
    helpers: int
    """How many were to mark?"""
    syscalls: bool
    handoffs: bool
    """Were buffers halved for others?  That takes more than a handful of objects."""
    assists: bool
    """Did a mutator mark?  It takes as many objects to leave any of them over."""
    buffers: bool
    """Is the failure about buffers?"""
    marks: bool
    """Is it about objects that are there and were not marked, or the other way round?"""
    freed: bool
    """Is the failure about memory that has been freed?  It is there only behind the first collection."""
    finalizers: bool
    """Is it about finalizers?"""
    cycle: int
    stopped: bool
    """Was the whole of that collection one stop of the world?"""
    threads: tuple[str, ...]
    """Those that sent anything in it."""
    programs: tuple[tuple[str, ...], ...] = ()
    """What the run's mutators ran, by twos; first those that were active last."""
    order: tuple[Seen, ...] = ()
    """In which order its events came; a guide for the search."""

    def same(self, failure: Failure | Fault) -> bool:
        """Is a schedule's failure of the same kind: the same message, but for numbers; a hang; or a crash, as a run's is?"""
        if self.hang:
            return failure.kind in WAITING
        if self.crash:
            return failure.kind == "exception" or FAULT in failure.message
        return plain(failure.message) in plain(self.text)

    def __str__(self) -> str:
        planted = f"; planted: {self.fault}" if self.fault else ""
        return f"{self.text}\n  in cycle {self.cycle}, phase {self.phase}; {', '.join(self.threads)} took part{planted}"


def facts(log: Recorded) -> Facts:
    """What the log says."""
    begun = next((e for e in reversed(log.events) if e.kind == Event.CYCLE), None)
    since = begun.time if begun else 0
    events = [e for e in log.events if e.time >= since]
    changes = [e for e in log.events if e.kind == Event.PHASE]
    # A mark that is audited has just been ended: the phase before is what it was about.
    last = changes[-1] if changes else None
    phase = GCoff if last is None else int(last.b if last.a == GCoff else last.a)
    kinds = {e.kind for e in events}
    text = log.told.rstrip("\n").rpartition("\n")[2]
    return Facts(
        text=text,
        hang="violation (hang)" in text,
        crash=log.failure not in OURS,
        fault=str(log.header.get("plant", "")),
        phase=PHASE_NAMES[phase],
        # What the barrier was opened for, not who came: a helper that fails to come is what may be wrong.
        helpers=max((e.b for e in events if e.kind == Event.ROOTS), default=1) - 1,
        syscalls=Event.SYSCALL in kinds,
        handoffs=Event.HANDOFF in kinds,
        assists=Event.ASSIST in kinds,
        buffers=any(told in text for told in OF_BUFFERS),
        marks=any(told in text for told in (UNMARKED, *FREED)),
        freed=any(told in text for told in FREED),
        finalizers=FINALIZER in text,
        cycle=int(begun.a) if begun else 0,
        stopped=begun is not None and begun.b > 0,
        threads=tuple(log.threads[i] for i in sorted({e.thread for e in events})),
        programs=programs(events, log.threads),
        order=order(events, log.threads),
    )


def programs(events: Sequence[Happened], threads: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """What the mutators of the log run, by twos, those first that have a part in the small world; both ends of a channel."""
    parts = {part: t for t, part in cast(events, threads).items()}
    active = [parts[m] for m in ("mutator1", "mutator2") if m in parts]
    ran = [threads[t].rstrip("0123456789") for t in dict.fromkeys((*active, *range(len(threads))))]
    pairs: list[tuple[str, ...]] = []
    waiting: list[str] = []
    for name in (name for name in ran if name in PROGRAMS):
        if issubclass(PROGRAMS[name], Channel):
            pairs.append((name, name))
        elif waiting:
            pairs.append((waiting.pop(), name))
        else:
            waiting.append(name)
    pairs += [(name,) for name in waiting]
    return tuple(dict.fromkeys(pairs))


def plain(text: str) -> str:
    """A message without its numbers."""
    return re.sub(r"0x[0-9a-f]+|\d+", "N", text)
