"""The order of a failed run as a guide for schedules: who made buffers change hands, and between which turns of the cycle.

A run's cycle has thousands of events, the small world a few dozen.  So of each thread and kind only the first and the last
event between two phases count.  The first schedule follows that order as far as the world goes along: the thread of the next
event that is still to come goes, until it has come or has been waited for long enough.  The later schedules follow its
neighbours: some events moved to earlier or later, the two mutators exchanged, now and then a step at random.
"""

from __future__ import annotations

from collections import defaultdict, deque
from typing import TYPE_CHECKING, NamedTuple

from collector.explore.strategies.base import Sampler
from workbuf.events import OF_BUFFERS, Event


if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from collector.audit.recorded.happened import Happened
    from collector.explore.machine.execution import Draw, Pick
    from collector.explore.machine.machine import SteppedMachine
    from collector.explore.machine.ports import SteppedPort
    from collector.explore.strategies.base import Options

KINDS = OF_BUFFERS | {
    Event.PHASE, Event.STOP, Event.START, Event.ROOTS, Event.SCANSTACK, Event.WAIT, Event.RESUME, Event.REACHED,
    Event.SYSCALL, Event.SYSCALL_END, Event.ASSIST, Event.HELP,
}  # fmt: skip
"""What is followed: owners of buffers, and between which turns of the collection they changed."""
MUTATORS, HELPERS = 2, 1
"""Those of the run that take part: the last to have done something."""
PATIENCE = 80
"""Steps that an event is waited for."""
AHEAD = 6
"""Events whose thread may go where that of the next one cannot."""
FAR = 8
"""Places that an event is moved by at most in a neighbour."""
RARELY = 0.02
"""How often a step is at random in every other neighbour."""


class Seen(NamedTuple):
    """An event, and which thread of a small world has its part."""

    thread: str
    kind: Event


def order(events: Sequence[Happened], threads: Sequence[str]) -> tuple[Seen, ...]:
    """The order to follow, of a cycle's events; `threads` are the names of the log's."""
    parts = cast(events, threads)
    windows: list[list[Seen]] = [[]]
    for event in events:
        if event.kind in KINDS and event.thread in parts:
            windows[-1].append(Seen(parts[event.thread], event.kind))
        if event.kind == Event.PHASE:
            windows.append([])
    return tuple(seen for window in windows for seen in ends(window))


def cast(events: Sequence[Happened], threads: Sequence[str]) -> dict[int, str]:
    """Which thread of the log plays which of the world's: `gc`, and of the others those that were active last."""
    parts: dict[int, str] = {}
    mutators = helpers = 0
    for t in dict.fromkeys(event.thread for event in reversed(events) if event.kind in OF_BUFFERS):
        if threads[t] == "gc":
            parts[t] = "gc"
        elif threads[t].startswith("helper"):
            helpers += 1
            if helpers <= HELPERS:
                parts[t] = f"helper{helpers}"
        else:
            mutators += 1
            if mutators <= MUTATORS:
                parts[t] = f"mutator{mutators}"
    return parts


def ends(window: Sequence[Seen]) -> Iterable[Seen]:
    """The first and the last of each."""
    first = {seen: at for at, seen in reversed(list(enumerate(window)))}
    last = {seen: at for at, seen in enumerate(window)}
    return [window[at] for at in sorted({*first.values(), *last.values()})]


class Observed(Sampler):
    """Follows an observed order, and then its neighbours."""

    name = "observed"

    def __init__(self, options: Options, seen: Sequence[Seen]) -> None:
        super().__init__(options)
        self.order = seen
        self.runs = 0
        self.come: dict[tuple[int, int], deque[int]] = {}
        """By thread and kind: places in the order of events that are still to come."""
        self.over: list[bool] = []
        """Of each place in the order: has its event come?"""

    def begin(self, machine: SteppedMachine) -> tuple[Pick, Draw]:
        threads = {name: t for t, name in enumerate(machine.names)}
        todo = [(threads[seen.thread], seen.kind) for seen in self._neighbour() if seen.thread in threads]
        self.runs += 1
        come: defaultdict[tuple[int, int], deque[int]] = defaultdict(deque)
        self.come = come
        for at, seen in enumerate(todo):
            come[seen].append(at)
        self.over = over = [False] * len(todo)
        for t in threads.values():
            self._listen(machine.ports[t])
        runnable, random = machine.runnable, self.rng.random
        chance = RARELY if self.runs % 2 == 0 else 0.0
        at = waited = 0

        def pick(_i: int) -> int:
            nonlocal at, waited
            while at < len(todo) and (over[at] or waited >= PATIENCE):
                at += 1
                waited = 0
            waited += 1
            if random() >= chance:
                for place in range(at, min(at + AHEAD, len(todo))):
                    if not over[place] and todo[place][0] in runnable:
                        return todo[place][0]
            return runnable[int(random() * len(runnable))]

        return pick, self.draw

    def _listen(self, port: SteppedPort) -> None:
        """Note that an event has come."""
        before = port.event

        def event(kind: int, a: int = 0, b: int = 0, c: int = 0) -> None:
            waiting = self.come.get((port.index, kind))
            if waiting:
                self.over[waiting.popleft()] = True
            before(kind, a, b, c)

        port.event = event

    def _neighbour(self) -> Sequence[Seen]:
        """The order itself, then others near to it."""
        if not self.runs:
            return self.order
        rng, near = self.rng, list(self.order)
        for _ in range(rng.randint(1, min(self.runs, FAR)) if near else 0):
            seen = near.pop(at := rng.randrange(len(near)))
            near.insert(max(at + rng.randint(-FAR, FAR), 0), seen)
        if self.runs % 3 == 0:
            other = {"mutator1": "mutator2", "mutator2": "mutator1"}
            near = [Seen(other.get(seen.thread, seen.thread), seen.kind) for seen in near]
        return near
