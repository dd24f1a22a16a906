"""Why an object was lost: the way to it from a root, who wrote the last edge, and who should have seen it and did not.

Everything is read from what was recorded before the run failed: the path that the audit found in the stopped world, the
events in the rings, the last pointer stores of each M.  An edge is seen by one of three: the scan of the root that holds it;
the barrier of its store, if that was made while the barrier was on; or else the scan of the marked object that holds it,
which comes out of the buffer in which it is queued.  What is not recorded is said to be so.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from collector.report.run.withoutp import withoutp
from mutator.phase import GCmark, GCmarktermination, GCoff, GCscan
from workbuf.counted import counted
from workbuf.entry import decode
from workbuf.events import LIST_NAMES, OF_BUFFERS, PHASE_NAMES, Event
from workbuf.machine import WORD


if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from collector.audit.lostpath import LostPath, Queued
    from collector.stress.stores import Store
    from workbuf.recorder import Record

SHOWN = 5
"""Objects of a long path that are shown, the last ones."""
COURSE = 8
"""Events of a buffer that are told: the last ones, and before them the first of its cycle and the first harvest in it."""
RAN = (Event.ASSIST, Event.SYSCALL)
"""What a goroutine does itself, beside its stores.  It may be parked, or told to, without having run in between."""


@dataclass
class Why:
    """What is known: the sentences, and for the picture the nodes of the path and what is written on its edges."""

    lines: list[str] = field(default_factory=list)
    nodes: list[tuple[str, str]] = field(default_factory=list)
    """A root or an object, and its state: root, marked, queued, lost; or several objects, left out."""
    edges: list[str] = field(default_factory=list)
    """Of the edge into each object."""


class Explained:
    """Explains one path.  `records` and `stores` are by time; `bufname` turns a buffer's cell into its name."""

    def __init__(
        self,
        path: LostPath,
        records: Sequence[Record],
        stores: Sequence[Store],
        threads: Sequence[str],
        bufname: Callable[[int], str],
    ) -> None:
        self.path = path
        self.records = records
        self.stores = stores
        self.threads = threads
        self.bufname = bufname
        self.end = records[-1].time if records else 0
        self.phases = [(r.time, r.a) for r in records if r.kind == Event.PHASE]
        self.first = next((r.b for r in records if r.kind == Event.PHASE), GCoff)
        self.lost = path.objects[-1]
        self.store = self._storeof(path.cells[-1], self.lost)

    def why(self) -> Why:
        """All of it."""
        path = self.path
        known = Why()
        known.nodes.append((path.root.name, "root"))
        steps = list(zip(path.cells, path.objects, strict=True))
        if len(steps) > SHOWN:
            left = f"{counted(len(steps) - SHOWN, 'object')} left out"
            known.lines.append(f"  (the path begins at {path.root.name}; {left})")
            known.nodes.append((left, "left"))
            known.edges.append("")
        for at, (cell, obj) in enumerate(steps):
            holder = path.objects[at - 1] if at else 0
            state = "lost" if at == len(steps) - 1 else "marked"
            if state == "marked" and at == len(steps) - 2 and path.queued:
                state = "queued"
            stored = self._storeof(cell, obj)
            if len(steps) - at <= SHOWN:
                where = f"word {cell - holder // WORD} of {holder:#x}" if holder else path.root.name
                known.lines.append(f"  {where} points to {obj:#x}, {self._told(state)}{self._written(stored)}")
                known.nodes.append((f"{obj:#x}", state))
                known.edges.append(f"{self.threads[stored.thread]}, {self.ago(stored.time)}" if stored else "")
        known.lines += self._seen()
        return known

    def _told(self, state: str) -> str:
        return {"lost": "which is not marked: lost", "queued": "marked and not scanned"}.get(state, "marked")

    def _written(self, store: Store | None) -> str:
        if store is None:
            return ""
        how = "sent" if store.sent else "stored"
        return f" ({how} by {self.threads[store.thread]} {self.ago(store.time)}, in phase {self.phase(store.time)[1]})"

    def _seen(self) -> list[str]:
        """Who should have seen the last edge, and what that did instead."""
        root = self.path.root
        if self.path.queued:
            return self._unscanned(self.path.queued)
        if self.store and self.store.sent:
            return self._send(self.store)
        if len(self.path.objects) == 1:
            return self._stack(root.goroutine) if root.kind == "stack" else self._rootjob(root.job, root.kind)
        if self.store and self.phase(self.store.time)[0] in (GCmark, GCmarktermination):
            return self._barrier(self.store)
        return self._holder()

    def _barrier(self, store: Store) -> list[str]:
        """The store's own barrier."""
        who = self.threads[store.thread]
        lines = [f"the barrier of that store should have shaded {self.lost:#x}:"]
        took = self._after(store)
        if not took:
            return [*lines, f"  no barrier ran: {who} took no buffer between this store and its next"]
        b = took[-1].a
        lines.append(f"  {who} took {self.bufname(b)} for it, {self.ago(took[0].time)}; yet the object is not marked")
        return lines + self._course(b, took[-1].time)

    def _send(self, store: Store) -> list[str]:
        """A value written into the stack of a goroutine that was blocked."""
        goroutine = self.path.root.goroutine
        who = self.threads[store.thread]
        lines = [f"the send's barrier should have shaded {self.lost:#x}, since the receiver's stack counts as scanned:"]
        took = self._after(store)
        if took:
            lines.append(f"  {who} took {self.bufname(took[-1].a)} for it; yet the object is not marked")
        else:
            lines.append(f"  no barrier ran: {who} took no buffer after the send")
        return lines + self._scans(goroutine)

    def _stack(self, goroutine: int) -> list[str]:
        """A root on a stack."""
        return [f"the scan of goroutine {goroutine}'s stack should have found it:", *self._scans(goroutine)]

    def _scans(self, goroutine: int) -> list[str]:
        """When the stack was scanned."""
        scans = [r for r in self.records if r.kind == Event.SCANSTACK and r.a == goroutine and r.time >= self._cycle()]
        if not scans:
            return [f"  goroutine {goroutine}'s stack was not scanned in this cycle"]
        last = scans[-1]
        by, phase = self.threads[last.thread], self.phase(last.time)
        lines = [
            f"  the stack was last scanned by {by} {self.ago(last.time)}, in phase {phase[1]}, {counted(last.b, 'frame')}"
        ]
        if phase[0] == GCscan:
            lines[-1] += "; in mark termination it was not scanned again"
            did = [(s.time, "it stored a pointer") for s in self.stores if s.thread == goroutine]
            did += [
                (r.time, Event(r.kind).name.lower()) for r in self.records if r.thread == goroutine and r.kind in RAN
            ]
            ran = min((each for each in did if each[0] > last.time), default=None)
            if ran and goroutine < len(self.threads):
                lines.append(f"  though {self.threads[goroutine]} ran after that: {ran[1]} {self.ago(ran[0])}")
        return lines

    def _rootjob(self, job: int, kind: str) -> list[str]:
        """A root that a job of its own scans."""
        since = max((t for t, phase in self.phases if phase == GCmarktermination), default=0)
        done = [r for r in self.records if r.kind == Event.ROOT and r.a == job and r.time >= since]
        lines = [f"root job {job}, the scan of the {kind}, should have found it in mark termination:"]
        if not done:
            return [*lines, "  it was not executed there"]
        by, ago = self.threads[done[-1].thread], self.ago(done[-1].time)
        return [*lines, f"  {by} executed it {ago}, and did not mark what it points to"]

    def _unscanned(self, where: Queued) -> list[str]:
        """The object before it is still in a buffer."""
        holder = self.path.objects[-2]
        name, at = self.bufname(where.buffer), hex(where.buffer * WORD)
        place = f"in {self.threads[where.cache]}'s cache" if where.cache >= 0 else "on no list and in no cache"
        lines = [f"the scan of {holder:#x} should have found it, which is still queued in {name} ({at}), {place}:"]
        outside = withoutp(where.buffer, self.records, self.threads)
        if outside:
            lines += outside
        elif where.cache >= 0:
            who = self.threads[where.cache]
            harvests = [r for r in self.records if r.kind == Event.HARVESTED and r.time >= self._cycle()]
            took = ", ".join(f"{self.bufname(r.a)} of {self.threads[r.b]}" for r in harvests) or "nothing taken"
            lines.append(
                f"  the harvest should have taken it out of {who}'s cache; recorded of it in this cycle: {took}"
            )
        return lines + self._course(where.buffer, 0)

    def _holder(self) -> list[str]:
        """The edge was there before the barrier was on: the scan of the object that holds it must see it."""
        holder = self.path.objects[-2]
        lines = [f"no barrier was due for that edge: the scan of {holder:#x}, which is marked, should have found it:"]
        shading = [
            s
            for s in self.stores
            if s.value == holder and s.time >= self._cycle() and self.phase(s.time)[0] in (GCmark, GCmarktermination)
        ]
        if not shading:
            return [*lines, "  a marker has greyed it, and what a marker does to single objects is not recorded"]
        store = shading[0]
        who = self.threads[store.thread]
        took = self._after(store)
        lines.append(f"  it was shaded by a barrier, when {who} stored a pointer to it {self.ago(store.time)}")
        if not took:
            return [*lines, "  which took no buffer to queue it in"]
        lines.append(f"  and should be queued in {self.bufname(took[-1].a)}, but is in no buffer, and was not scanned")
        return lines + self._course(took[-1].a, took[-1].time)

    def _after(self, store: Store) -> list[Record]:
        """What the thread did with buffers between a store and its next one."""
        until = next((s.time for s in self.stores if s.thread == store.thread and s.time > store.time), self.end + 1)
        kinds = (Event.UNCACHED, Event.GET, Event.CACHED)
        own = [r for r in self.records if r.thread == store.thread and store.time <= r.time < until]
        last = next((i for i, r in enumerate(own) if r.kind == Event.CACHED), len(own))
        return [r for r in own[: last + 1] if r.kind in kinds]

    def _course(self, b: int, since: int) -> list[str]:
        """Where a buffer went from then on."""
        own = [r for r in self.records if r.kind in OF_BUFFERS and r.a == b and r.time > since]
        shown = {*range(len(own))[-COURSE:]}
        recent = [i for i, r in enumerate(own) if r.time > max(since, self._cycle())]
        shown.update(recent[:1], [i for i in recent if own[i].kind == Event.HARVESTED][:1])
        said, before = [], -1
        for i in sorted(shown):
            if i > before + 1:
                said.append(f"    ({i - before - 1} left out)")
            said.append(f"    {self.threads[own[i].thread]} {self._does(own[i])}, {self.ago(own[i].time)}")
            before = i
        return [f"  {self.bufname(b)} went:", *said] if said else []

    def _storeof(self, cell: int, obj: int) -> Store | None:
        """The store that made an edge, if it is among those kept."""
        last = next((s for s in reversed(self.stores) if s.cell == cell), None)
        return last if last and last.value >= obj else None

    def _cycle(self) -> int:
        return max((r.time for r in self.records if r.kind == Event.CYCLE), default=0)

    def phase(self, time: int) -> tuple[int, str]:
        """The phase at that time, and its name."""
        phase = next((p for t, p in reversed(self.phases) if t <= time), self.first)
        return phase, PHASE_NAMES[phase]

    def ago(self, time: int) -> str:
        """A time before the end."""
        return f"{(self.end - time) / 1000:.1f} us before the end"

    def _does(self, record: Record) -> str:
        """What an event does to a buffer."""
        match record.kind:
            case Event.GET:
                return f"got it off {LIST_NAMES.get(record.c, record.c)} ({decode(record.b)})"
            case Event.PUT:
                return f"put it on {LIST_NAMES.get(record.c, record.c)} ({decode(record.b)})"
            case Event.HARVESTED:
                return f"harvested it from {self.threads[record.b]}'s cache, with {counted(record.c, 'entry')}"
            case Event.CACHED:
                return "left it in its cache"
            case Event.UNCACHED:
                return "took it out of its cache"
            case Event.HANDOFF:
                return f"handed {record.c} of its entries on"
            case _:
                return "made it"
