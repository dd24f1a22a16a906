"""The recorded events of one thread: each must be one that the code can come to after those before it.

What a thread does in brackets (it drains, it waits, it is parked, in a system call or blocked) is closed by its own end, and
has inside it only what can be.  Some events come in direct succession: who hands half of a buffer on has just got one for
the other half and puts the first on full.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.audit.recorded.happened import Happened, Judge
from workbuf.entry import UNIT
from workbuf.events import EMPTY, FULL, Event


if TYPE_CHECKING:
    from collector.audit.recorded.happened import Handlers

CLOSES = {
    Event.DRAIN_END: Event.DRAIN,
    Event.ASSIST_END: Event.ASSIST,
    Event.HELP_END: Event.HELP,
    Event.UNPARK: Event.PARK,
    Event.SYSCALL_END: Event.SYSCALL,
    Event.BLOCK_END: Event.BLOCK,
    Event.RESUME: Event.WAIT,
    Event.REACHED: Event.WAIT,
    Event.CYCLE_END: Event.CYCLE,
}
"""What ends a bracket, and what has begun it."""
OPENS = frozenset(CLOSES.values())
BUFFER = {Event.NEW, Event.GET, Event.PUT, Event.CACHED, Event.UNCACHED}
MARKING = BUFFER | {Event.DRAIN, Event.SCANSTACK}
OUTSIDE = MARKING | {Event.ASSIST, Event.PARK, Event.SYSCALL, Event.BLOCK, Event.HELP, Event.CYCLE}
INSIDE = {
    Event.PARK: set(),
    Event.SYSCALL: {Event.PARK},
    Event.BLOCK: {Event.PARK},
    Event.WAIT: set(),
    Event.DRAIN: BUFFER - {Event.CACHED} | {Event.WAIT, Event.HANDOFF},
    Event.ASSIST: BUFFER - {Event.CACHED},
    Event.HELP: MARKING | {Event.ROOT, Event.STEAL},
    Event.CYCLE: MARKING
    | {Event.ROOTS, Event.ROOT, Event.STEAL, Event.HARVESTED, Event.PHASE, Event.STOP, Event.STOPPED, Event.START},
}
"""What may happen inside a bracket, beside its end."""
LEADING = {Event.NEW, Event.HANDOFF, Event.HARVESTED, Event.RESUME, Event.REACHED, Event.STOP, Event.HELP_END}
LEADING_ENTRIES = {358, 915}
"""After these something certain comes next, in the same thread."""
LED_ENTRIES = {942, 945, 947}
"""Before these something certain comes."""
WITHIN = dict.fromkeys((496, 504, 877, 915, 942), Event.DRAIN) | dict.fromkeys(
    (544, 545, 839, 1175, 1177, 1228), Event.ASSIST
)
"""Entries of gets and puts that a thread comes to only while it drains, or assists."""
BARRIERS = (1181, 1191)
"""Entries of the write barrier's, to which a thread comes outside of both."""
NAMES = {kind: kind.name.lower() for kind in Event}


class Courses(Judge):
    """Follows every thread through its brackets."""

    rule = "course"

    def __init__(self, *, whole: bool, closed: bool) -> None:
        super().__init__(whole=whole)
        self.closed = closed
        self.inside: dict[int, list[Happened]] = {}
        """Open brackets, by thread."""
        self.drains: set[int] = set()
        """Threads that drain until nothing is left anywhere."""
        self.known: set[int] = set()
        """Threads whose open brackets are all known."""

    def handlers(self) -> Handlers:
        return dict.fromkeys(set(Event) - {Event.LOST}, self.see)

    def see(self, event: Happened, before: Happened | None) -> None:
        """Any event."""
        stack = self.inside.get(event.thread)
        if stack is None:
            stack = self.inside[event.thread] = []
            if self.whole:
                self.known.add(event.thread)
        kind = event.kind
        if kind in CLOSES:
            self._close(event, stack)
            if kind == Event.DRAIN_END:
                all_ = event.thread in self.drains
                self.drains.discard(event.thread)
                if all_ and before and before.kind != Event.REACHED:
                    self.find(event, "drained all there was, and has not seen the end of the mark")
        else:
            if stack:
                if kind not in INSIDE[stack[-1].kind]:
                    self.find(event, f"{NAMES[kind]} inside {NAMES[stack[-1].kind]}, which has no end")
                    if kind in OPENS and kind == stack[-1].kind:
                        stack.pop()
            elif kind not in OUTSIDE and event.thread in self.known:
                self.find(event, f"{NAMES[kind]} outside of what it is a part of")
            if kind in OPENS:
                stack.append(event)
                if kind == Event.DRAIN and event.a:
                    self.drains.add(event.thread)
            elif kind in (Event.GET, Event.PUT):
                inside = WITHIN.get(event.b % UNIT)
                if inside and event.thread in self.known and not (stack and stack[-1].kind == inside):
                    self.find(event, f"{NAMES[kind]} {event.b} outside of {NAMES[inside]}")
                elif stack and event.b % UNIT in BARRIERS and stack[-1].kind in (Event.ASSIST, Event.DRAIN):
                    self.find(event, f"{NAMES[kind]} {event.b} inside {NAMES[stack[-1].kind]}")
        if before is not None and (before.kind in LEADING or before.b in LEADING_ENTRIES or event.b in LED_ENTRIES):
            wrong = succession(before, event)
            if wrong:
                self.find(event, wrong)

    def finish(self) -> None:
        for stack in self.inside.values() if self.closed else ():
            if stack:
                self.find(stack[-1], f"the run is over, and {NAMES[stack[-1].kind]} has no end")

    def _close(self, event: Happened, stack: list[Happened]) -> None:
        begun = CLOSES[event.kind]
        if stack and stack[-1].kind == begun:
            opening = stack.pop()
            if event.kind in (Event.CYCLE_END, Event.BLOCK_END) and opening.a != event.a:
                self.find(event, f"{NAMES[event.kind]} of {event.a} ends that of {opening.a}")
        elif not stack and event.thread not in self.known:
            pass  # begun before the recording
        elif any(opening.kind == begun for opening in stack):
            inner = stack[-1].kind
            self.find(event, f"{NAMES[event.kind]} inside {NAMES[inner]}, which has no end")
            while stack.pop().kind != begun:
                pass
        else:
            self.find(event, f"{NAMES[event.kind]} without a {NAMES[begun]}")


def succession(before: Happened, event: Happened) -> str:
    """What is wrong with one event of a thread right after another; empty if nothing is."""
    was, kind = before.kind, event.kind
    if kind == Event.PUT:
        if event.b == 942 and not (was == Event.HANDOFF and before.a == event.a):
            return f"{event.a} is put for others right after {NAMES[was]}, not after it was halved"
        if event.b in (945, 947) and not (was == Event.HARVESTED and before.a == event.a):
            return f"{event.a} is put as harvested right after {NAMES[was]}"
    if was == Event.GET:
        if before.b == 915 and not (kind == Event.HANDOFF and before.a != event.a):
            return f"{before.a} was got for half of another buffer, and {NAMES[kind]} follows"
    elif was == Event.PUT:
        if before.b == 358 and kind != Event.NEW and not (kind == Event.GET and event.b == 359):
            return f"{before.a} was full, and {NAMES[kind]} follows, not another buffer"
    elif was == Event.NEW:
        if not (kind == Event.GET and event.a == before.a and event.c == EMPTY):
            return f"{before.a} was made, and {NAMES[kind]} follows, not its first get"
    elif was == Event.HANDOFF:
        if not (kind == Event.PUT and event.a == before.a and event.b == 942 and event.c == FULL):
            return f"{before.a} was halved, and {NAMES[kind]} follows, not its put"
    elif was == Event.HARVESTED:
        to, entry = (FULL, 947) if before.c else (EMPTY, 945)
        if not (kind == Event.PUT and event.a == before.a and event.b == entry and event.c == to):
            return f"{before.a} was harvested with {before.c} entries, and {NAMES[kind]} follows, not its put"
    elif was == Event.RESUME:
        if kind not in (Event.GET, Event.WAIT):
            return f"{NAMES[kind]} follows the end of waiting"
    elif was == Event.REACHED:
        if kind != Event.DRAIN_END:
            return f"{NAMES[kind]} follows the end of the mark"
    elif was == Event.STOP:
        if kind != Event.STOPPED:
            return f"{NAMES[kind]} follows stop, not stopped"
    elif was == Event.HELP_END and kind != Event.PARK:
        return f"{NAMES[kind]} follows the end of helping"
    return ""
