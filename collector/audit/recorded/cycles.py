"""I13 in the recorded events: the steps of a collection come in their order, and the phase changes in the stopped world.

One table says which step may follow which; the numbers of cycles and phases must be continued.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.audit.recorded.happened import Happened, Judge
from mutator.phase import GCmark, GCmarktermination, GCoff, GCscan
from workbuf.events import PHASE_NAMES, Event


if TYPE_CHECKING:
    from collector.audit.recorded.happened import Handlers

Step = tuple[Event, int]
"""The kind of event, and for a phase which, else the phase it comes in where that matters."""
CYCLE, STOP, STOPPED, ROOTS, CYCLE_END = (
    (kind, -1) for kind in (Event.CYCLE, Event.STOP, Event.STOPPED, Event.ROOTS, Event.CYCLE_END)
)
FOLLOWS: dict[Step, tuple[Step, ...]] = {
    CYCLE: (STOP,),
    STOP: (STOPPED,),
    STOPPED: ((Event.PHASE, GCscan), (Event.PHASE, GCmark), (Event.PHASE, GCmarktermination)),
    (Event.PHASE, GCscan): ((Event.START, GCscan),),
    (Event.START, GCscan): (ROOTS,),
    (Event.PHASE, GCmark): ((Event.START, GCmark),),
    (Event.START, GCmark): (STOP,),
    (Event.PHASE, GCmarktermination): (ROOTS,),
    ROOTS: (STOP, (Event.PHASE, GCoff)),
    (Event.PHASE, GCoff): ((Event.PHASE, GCmarktermination), (Event.START, GCoff)),
    (Event.START, GCoff): (CYCLE_END,),
    CYCLE_END: (CYCLE,),
}
HARVESTS = (945, 947)
"""Entries of the harvest's puts."""
BEFORE = {GCscan: (GCoff,), GCmark: (GCscan,), GCmarktermination: (GCmark, GCoff), GCoff: (GCmarktermination,)}
"""From which phases each is come to."""


class Cycles(Judge):
    """Follows the collector's steps."""

    rule = "cycle"

    def __init__(self, *, whole: bool, closed: bool) -> None:
        super().__init__(whole=whole)
        self.closed = closed
        self.latest: Happened | None = None
        self.last: Step | None = CYCLE_END if whole else None
        self.number = 0 if whole else None
        self.phase = GCoff if whole else -1
        self.drained = True
        """Has the collector drained in this mark phase?"""

    def handlers(self) -> Handlers:
        plain = dict.fromkeys((Event.STOP, Event.STOPPED, Event.ROOTS), self.step)
        return plain | {
            Event.CYCLE: self.cycle,
            Event.CYCLE_END: self.step,
            Event.PHASE: self.change,
            Event.START: self.start,
            Event.REACHED: self.reached,
        }

    def cycle(self, event: Happened, before: Happened | None) -> None:
        """The next number."""
        if self.number is not None and event.a != self.number + 1:
            self.find(event, f"cycle {event.a} follows cycle {self.number}")
        self.number = int(event.a)
        self.step(event, before)

    def change(self, event: Happened, before: Happened | None) -> None:
        """From the phase that it was, to one that may follow."""
        to, was = int(event.a), event.b
        if self.phase >= 0 and was != self.phase:
            self.find(event, f"the phase changes from {named(was)}, and was {named(self.phase)}")
        if was not in BEFORE.get(to, ()):
            self.find(event, f"the phase changes from {named(was)} to {named(to)}")
        if to == GCmarktermination and was == GCmark and not self.drained:
            self.find(event, "the concurrent mark is over, and the collector has not drained")
        self.drained = to != GCmark
        self.phase = to
        self.step(event, before)

    def reached(self, *_: Happened | None) -> None:
        """Somebody has found no more work; in the mark phase that is the collector."""
        self.drained = True

    def start(self, event: Happened, before: Happened | None) -> None:
        """The world goes on, and nothing but a harvest came after the change of phase."""
        if before and self.phase in (GCscan, GCmark):
            harvested = before.kind == Event.PUT and before.b in HARVESTS
            if before.kind != Event.PHASE and not harvested:
                self.find(event, f"{before.kind.name.lower()} in the stopped world, before the start")
        self.step(event, before)

    def step(self, event: Happened, _: Happened | None) -> None:
        """Any of the steps."""
        kind = event.kind
        phase = int(event.a) if kind == Event.PHASE else self.phase if kind == Event.START else -1
        step: Step = (kind, phase)
        if self.last is not None and step not in FOLLOWS.get(self.last, ()):
            self.find(event, f"{told(step)} follows {told(self.last)}")
        # In which phase the world starts is not known before the first change of phase.
        self.last, self.latest = (None if step == (Event.START, -1) else step), event

    def finish(self) -> None:
        if self.closed and self.latest and self.last != CYCLE_END:
            self.find(self.latest, f"the run is over, and {told(self.last or CYCLE)} was the collector's last step")


def named(phase: int) -> str:
    """A phase."""
    return PHASE_NAMES[phase] if 0 <= phase < len(PHASE_NAMES) else str(phase)


def told(step: Step) -> str:
    """A step in words."""
    kind, phase = step
    name = kind.name.lower()
    return name if phase < 0 else f"{name} {named(phase)}" if kind == Event.PHASE else f"{name} in phase {named(phase)}"
