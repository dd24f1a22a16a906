"""The summary of a stress run, as a table and as JSON.

`migrations`, `steals`, CAS failures and handoffs show that the threads really interleaved: a run in which they are 0 shows
little.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from collector.audit.violation import Violation
from collector.report.tables import table
from collector.stress.markers import marks
from workbuf.counted import counted
from workbuf.events import Event
from workbuf.local import WORK


if TYPE_CHECKING:
    from collector.stress.run import Stress

NONE = "no cycle has ended"


@dataclass(frozen=True)
class Summary:
    """Figures of a run.  Objects are those of the last cycle; `freed`, counts of operations and `floating` of the whole."""

    cycles: int
    mutators: int
    helpers: int
    objects: int
    reachable: int
    marked: int
    lost: int
    floating: int
    freed: int
    violations: int
    buffers: int
    buffers_leaked: int
    migrations: int
    steals: int
    cas_attempts: int
    cas_failures: int
    handoffs: int
    nwait_max: int
    stw_share: float
    """Objects scanned while the world was stopped / objects scanned."""
    wall_s: float
    seed: int
    python: str
    atomics: str
    harvested: list[tuple[int, int]] = field(default_factory=list)
    """Buffers with work harvested at the start of mark and in mark termination, a pair a cycle."""
    gets: int = 0
    puts: int = 0
    assists: int = 0
    waits: int = 0
    self_scans: int = 0
    events_dropped: int = 0
    nproc: int = 0
    """Markers of the last mark termination."""
    marks: list[dict[str, Any]] = field(default_factory=list)
    """Of every mark termination its markers, `nproc`, and the objects that each has `scanned` there, the master first."""
    interrupted: bool = False
    scenario: str = ""
    """The one that the run was of, if any; then the next four."""
    driven_unit: str = ""
    driven_number: float = 0.0
    driven_default: float = 0.0
    """The same of the default run."""
    driven: bool = False

    @classmethod
    def of(cls, run: Stress, python: str, wall: float, error: BaseException | None) -> Summary:
        """What `run` counted, complete or not."""
        reports, recorder, config = run.reports, run.recorder, run.plan.config
        last = reports[-1].reach if reports else None
        total, tally = recorder.total, run.tally()
        scanned = sum(r.stats.scanned_after - r.stats.scanned_before for r in reports)
        stopped = sum(r.stats.scanned_after - r.stats.scanned_markterm for r in reports)
        kind = error.kind if isinstance(error, Violation) else ""
        return cls(
            cycles=len(reports),
            mutators=config.mutators,
            helpers=config.helpers,
            objects=last.objects if last else run.objects,
            reachable=last.reachable if last else 0,
            marked=last.marked if last else 0,
            lost=error.count if isinstance(error, Violation) and kind == "lost" else 0,
            floating=sum(r.reach.floating for r in reports),
            freed=run.freed,
            violations=int(error is not None and not isinstance(error, KeyboardInterrupt)),
            buffers=run.machine.peek(run.world.work + WORK.nbuffers),
            buffers_leaked=error.count if isinstance(error, Violation) and kind == "leak" else 0,
            migrations=tally.migrations,
            steals=recorder.steals,
            cas_attempts=tally.cas_attempts,
            cas_failures=tally.cas_failures,
            handoffs=total(Event.HANDOFF),
            nwait_max=recorder.nwait_max,
            stw_share=round(stopped / scanned, 4) if scanned else 0.0,
            wall_s=round(wall, 2),
            seed=run.plan.seed,
            python=python,
            atomics=run.machine.binding,
            harvested=[(r.stats.harvested_mark, r.stats.harvested_markterm) for r in reports],
            gets=total(Event.GET),
            puts=total(Event.PUT),
            assists=total(Event.ASSIST),
            waits=total(Event.WAIT),
            self_scans=total(Event.SCANSTACK),
            events_dropped=recorder.dropped,
            **marks([r.stats for r in reports]),
            interrupted=isinstance(error, KeyboardInterrupt),
        )

    def json(self) -> dict[str, Any]:
        """All figures, by name."""
        return dict(vars(self))

    def rows(self) -> list[tuple[str, str]]:
        """The table: what, and its figures."""
        rate = 1000 * self.cas_failures / self.cas_attempts if self.cas_attempts else 0.0
        objects = f"{self.objects} in the last: {self.reachable} reachable, {self.marked} marked, lost {self.lost}"
        lost = f", lost {self.lost}" if self.lost else ""
        harvested = " ".join(f"{a}+{b}" for a, b in self.harvested[-8:])
        driven = f"{self.driven_number:g} {self.driven_unit}; {self.driven_default:g} in the default run"
        return [
            *([("driven", driven)] if self.scenario else []),
            ("cycles", f"{self.cycles}, {self.wall_s} s with loading"),
            ("objects", objects if self.cycles else f"{self.objects} loaded; {NONE}{lost}"),
            (
                "floating, freed",
                f"{counted(self.floating, 'object')} marked though dead, {self.freed} freed, in all cycles",
            ),
            ("scanned stopped", f"{100 * self.stw_share:.1f} % of the objects scanned" if self.cycles else NONE),
            ("buffers", f"{self.buffers} made, {self.buffers_leaked} leaked; {self.gets} gets, {self.puts} puts"),
            ("owner migrations", f"{self.migrations} gets of a buffer last put by another M"),
            ("steals", f"{self.steals} of them with work in it, from the lists full and partial"),
            (
                "CAS on list heads",
                f"{counted(self.cas_attempts, 'attempt')}, {counted(self.cas_failures, 'failure')}: {rate:.2f} per thousand",
            ),
            ("handoffs", f"{counted(self.handoffs, 'buffer')} split, half of each for threads that wait"),
            (
                "barrier",
                f"{counted(self.waits, 'wait')} in getfull for work or for the end, nwait peak {self.nwait_max}",
            ),
            ("markers", self.markers()),
            ("assists", f"{counted(self.assists, 'time')} a mutator helped to mark, for what it allocated"),
            ("stack scans", f"{counted(self.self_scans, 'stack')} that a goroutine scanned itself, when asked"),
            ("last harvests", f"{harvested} buffers with work, at mark + mark termination" if self.cycles else NONE),
        ]

    def markers(self) -> str:
        """How many marked together, and what helpers have scanned in mark termination."""
        if not self.marks:
            return "no mark termination has ended"
        counts = Counter(mark["nproc"] for mark in self.marks)
        by = sum(sum(mark["scanned"][1:]) for mark in self.marks)
        of = sum(sum(mark["scanned"]) for mark in self.marks)
        *others, (most, n) = sorted(counts.items())
        cycles = "".join(f"{nproc} in {n}, " for nproc, n in others) + f"{most} in {counted(n, 'mark termination')}"
        return f"{cycles}; helpers scanned {by} of the {of} objects there"

    def table(self) -> str:
        """The table, as text."""
        return table(self.rows())

    def okline(self) -> str:
        """The last line of a run in which everything held."""
        return (
            f"ok: {counted(self.cycles, 'cycle')}, lost {self.lost}, leaked {self.buffers_leaked},"
            f" violations {self.violations}, migrations {self.migrations}, seed {self.seed}"
        )
