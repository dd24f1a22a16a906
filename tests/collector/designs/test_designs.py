"""Every design through the seed's checks: the audits of stress runs, the referee, the stepped machine's schedules."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from collector import heaps
from collector.designs.go15 import Go15
from collector.designs.go16 import Go16
from collector.designs.registry import DESIGNS
from collector.explore import explore
from collector.fixtures.cycles import cycle
from collector.fixtures.lives import hides, moves, publishes, wanders
from collector.heaps.referee import compare
from collector.hunt.worlds import TimelessM
from collector.runtime import AuditedM, Config
from collector.stress.run import Plan, Stress, StressM
from collector.stress.survivors import BUSY, Keep
from mutator.phase import GCmark, GCoff, GCscan
from mutator.world import RUNTIME
from tests.worlds import Bench
from workbuf.buffer import capacity
from workbuf.throw import Throw


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.designs.design import Design
    from collector.explore import SteppedMachine

    Check = Callable[[], object]

SAMPLES = Path(__file__).parents[2] / "heaps"
LIVES = {"move and hide": (moves, hides), "publish and wander": (publishes, wanders)}

each = pytest.mark.parametrize("design", DESIGNS.values(), ids=DESIGNS)


@each
def test_a_design_has_its_commit_and_goes_before_the_classes_of_a_run(design: Design) -> None:
    """A name, a sentence, a commit of Go's; what it overrides is the run's, and what a run adds stands above it."""
    assert DESIGNS[design.name] is design
    assert design.commits
    assert design.what.endswith(".")
    made = design.applied(StressM)
    assert issubclass(made, StressM)
    if design.m:
        assert made.__mro__[1] is design.m
        assert any(name in vars(design.m) for name in dir(StressM) if not name.startswith("__"))


@each
@pytest.mark.race(schedules=100_000, seconds=0.25)
@pytest.mark.parametrize(
    "strategy",
    [pytest.param(name, marks=pytest.mark.race(strategy=name)) for name in ("random", "pct")],
)
@pytest.mark.parametrize(("objects", "lives"), [(3, "move and hide"), (12, "publish and wander")])
def test_a_collection_loses_nothing(
    machine: SteppedMachine, design: Design, objects: int, lives: str, strategy: str
) -> Check:
    """Schedule after schedule, two mutators and a helper, every audit on."""
    del strategy  # the mark has it
    return cycle(machine, objects, 1, LIVES[lives], design.applied(AuditedM))


def test_an_object_found_through_a_global_in_the_second_mark_is_seen_whole() -> None:
    """Before its writer has shaded it, so nothing but its bits orders its mask; with this seed it was a race."""

    def program(machine: SteppedMachine) -> Check:
        return cycle(machine, 12, 1, LIVES["publish and wander"], DESIGNS["go1.5"].applied(AuditedM))

    assert not explore(program, "pct", schedules=100, seed=1).failure


class NoBarrier(AuditedM):
    """Shades nothing."""

    def shade(self, b: int) -> None:
        """Nothing."""


@each
def test_a_barrier_that_shades_nothing_is_found(design: Design, seed: int) -> None:
    """In every design: so the schedules above would have shown it."""
    planted = type("Planted", (NoBarrier, design.applied(TimelessM)), {})

    def program(machine: SteppedMachine) -> Check:
        return cycle(machine, 3, 0, LIVES["move and hide"], planted)

    failure = explore(program, "pct", schedules=100_000, seed=seed, races=False, shrink=False).failure
    assert failure
    assert "reachable objects are not marked" in failure.message


@each
def test_real_threads(design: Design, seed: int) -> None:
    """Audited cycles, concurrent ones and one with helpers; a design that changes no part of the fast loop marks with it."""
    config = Config(mutators=3, helpers=2, arena=1 << 26, wbufsize=design.wbufsize)
    plan = Plan(config, ("pushpop", "hider", "bintree"), cycles=3, period=0.03, seed=seed, patience=40)
    run = Stress(plan, heaps.read("synthetic:random,n=1500,m=4000,threads=4"), design.applied(StressM))

    run.run()

    assert len(run.reports) == 3
    assert all(report.reach.marked >= report.reach.reachable for report in run.reports)
    assert all(m.fused for m in run.ms)


@each
def test_the_referee(design: Design, seed: int) -> None:
    """What Go kept of its heap, the design keeps."""
    before, after = (heaps.read(str(SAMPLES / f"go119-pair-small.heapdump.{name}.gz")) for name in ("before", "after"))
    config = Config(mutators=len(BUSY), helpers=2, wbufsize=design.wbufsize)
    kept = Keep(Plan(config, BUSY, cycles=2, period=0.1, seed=seed), before, m=design.applied(StressM)).result(before)

    verdict = compare(before, after, kept.kept)
    assert (kept.violation, verdict.missing, verdict.kept > 0) == ("", 0, True)


def bench(name: str) -> Bench:
    """A world of that design, in the mark phase."""
    design = DESIGNS[name]
    made = Bench(design.applied(AuditedM), wbufsize=design.wbufsize)
    made.phase(GCmark)
    return made


def test_the_parents_barrier_takes_a_buffer_and_puts_it_back() -> None:
    """Each time, two list operations; 125 entries fit, and nothing is ever in a cache."""
    world = bench("parent")
    m = world.start(world.mutators[0])
    objects = [world.leaf() for _ in range(126)]

    m.shade(objects[0])
    (b,) = world.look.buffers()
    assert world.look.state(b) == (False, [910, 80701181, 0, 0], objects[:1])
    for p in objects[1:125]:
        m.shade(p)

    assert capacity(DESIGNS["parent"].wbufsize) == 125
    assert m.cas_attempts == 2 * 125 - 1, "all but the first pop one, and push it"
    assert world.places() == {"empty": 0, "partial": 0, "full": 1}
    assert world.look.cache(m.record) == 0
    m.shade(objects[125])
    assert world.places() == {"empty": 0, "partial": 1, "full": 1}


def test_the_parent_takes_a_buffer_for_a_marked_object_too() -> None:
    """And puts it back empty."""
    world = bench("parent")
    m = world.start(world.mutators[0])
    p = world.leaf()
    world.setmark(p)

    m.shade(p)

    assert world.places() == {"empty": 1, "partial": 0, "full": 0}


def test_the_parents_scan_leaves_what_it_found_on_a_list() -> None:
    """Block by block: where the seed would have it in the cache of whoever scanned."""
    world = bench("parent")
    world.phase(GCscan)
    m = world.gcm
    slots = world.world.bss
    world.machine.poke(slots.base, world.leaf())

    assert m.scanblock(slots.base * 8, slots.n * 8, slots.mask, 0) == 0
    assert world.places() == {"empty": 0, "partial": 1, "full": 0}
    assert m.harvestwbufs() == 0


def test_the_parents_assist_leaves_the_rest_on_partial() -> None:
    """After a buffer's worth: of 200 objects in a list the 126th."""
    world = bench("parent")
    m = world.start(world.mutators[0])
    m.shade(world.chain(200)[0])

    m.gchelpwork()

    assert m.scanned == 125
    (b,) = world.look.buffers()
    assert world.look.state(b)[1][0] == 525
    assert world.places() == {"empty": 0, "partial": 1, "full": 0}


def test_go_1_5_fetches_a_buffer_only_for_what_it_greys() -> None:
    """None for a marked object, none for one without pointers; a full one is given away at once."""
    world = bench("go1.5")
    m = world.start(world.mutators[0])
    marked = world.leaf()
    world.setmark(marked)

    m.shade(marked)
    m.shade(world.noscan())
    assert world.look.buffers() == []
    for _ in range(23):
        m.shade(world.leaf())

    assert world.places() == {"empty": 0, "partial": 0, "full": 1}
    assert world.look.cache(m.record) == 0


@pytest.mark.parametrize("name", ["go1.5", "go1.6", "go1.12"])
def test_a_cached_buffer_is_not_forgotten_for_another(name: str) -> None:
    """As in the seed's shade: who leaves one where one is has lost that."""
    world = bench(name)
    m = world.start(world.mutators[0])
    assert isinstance(m, Go15)
    world.phase(GCoff)
    first, second = world.chain(2)
    world.phase(GCmark)
    m.shade(first)
    b = world.full(m, [second])

    with pytest.raises(Throw, match="currentwbuf lost"):
        m.leave(b)


def test_go_1_5_caches_nothing_in_the_second_mark_and_allocates_black() -> None:
    """Each object that a barrier greys is on full at once; what is born is marked."""
    world = bench("go1.5")
    m = world.start(world.mutators[0])
    assert world.marked(m.new(16, 1)) == [False]
    p = world.leaf()
    world.machine.poke(world.world.runtime + RUNTIME.gcblackenpromptly, 1)

    m.shade(p)

    assert world.places() == {"empty": 0, "partial": 0, "full": 1}
    assert world.marked(m.new(16, 1)) == [True]


def test_go_1_5_marks_on_until_the_caches_are_flushed() -> None:
    """A list whose head a barrier has cached is marked before the last stop; the seed leaves it to that."""
    scanned = {}
    for name in ("seed", "go1.5", "go1.6", "go1.12"):
        world = bench(name)
        m = world.start(world.mutators[0])
        world.phase(GCoff)
        nodes = world.chain(50)
        world.phase(GCmark)
        m.shade(nodes[0])
        world.start(world.gcm)
        m.entersyscall()
        world.setwork(nproc=1)

        world.gcm.gcmark_m()
        scanned[name] = sum(world.marked(*nodes))
        assert m.cas_attempts <= 1

    assert scanned == {"seed": 1, "go1.5": 50, "go1.6": 50, "go1.12": 50}


def test_go_1_6_goes_over_a_buffers_end_without_a_list_operation() -> None:
    """K-9: a buffer's worth and one more, then one less, and so on; the second buffer takes what is over."""
    world = bench("go1.6")
    m = world.start(world.mutators[0])
    assert isinstance(m, Go16)
    full = capacity(DESIGNS["go1.6"].wbufsize)
    for _ in range(full + 1):
        m.shade(world.leaf())
    before = m.cas_attempts

    for _ in range(5):
        b = m.takecached()
        m.popobject(b)
        b = m.whenempty(b) or b
        m.popobject(b)
        m.leave(b)
        for _ in range(2):
            m.shade(world.leaf())

    assert m.cas_attempts == before
    assert world.places() == {"empty": 0, "partial": 0, "full": 0}
    assert world.look.work("nbuffers") == 2


def test_go_1_6_gives_one_away_when_both_are_full() -> None:
    """Not before; and the first barrier of a P that has nothing takes a buffer with work along."""
    world = bench("go1.6")
    m, other = (world.start(each) for each in world.mutators)
    full = capacity(DESIGNS["go1.6"].wbufsize)

    for _ in range(2 * full):
        m.shade(world.leaf())
    assert world.places() == {"empty": 0, "partial": 0, "full": 0}
    m.shade(world.leaf())
    assert world.places() == {"empty": 0, "partial": 0, "full": 1}

    other.shade(world.leaf())
    assert world.places() == {"empty": 0, "partial": 0, "full": 0}
    assert m.harvestwbufs() == 4


def test_go_1_12_looks_again_in_the_stopped_world() -> None:
    """#27993: what a barrier has cached after everybody was asked is marked before mark termination begins."""
    world = bench("go1.12")
    m = world.start(world.mutators[0])
    world.phase(GCoff)
    nodes = world.chain(50)
    world.phase(GCmark)
    world.start(world.gcm)
    m.shade(nodes[0])
    m.entersyscall()
    world.gcm.stoptheworld()

    world.gcm.gcinstalloffwb()

    assert world.marked(*nodes) == [True] * 50
    assert world.gcm.scanned == 50


def test_from_go_1_5_on_a_mark_waits_for_assists(monkeypatch: pytest.MonkeyPatch) -> None:
    """K-4: every P takes part in the mark, and counts as waiting but for the collector's, and one that assists."""
    world = bench("go1.5")
    m = world.start(world.mutators[0])
    m.shade(world.chain(2)[0])
    drain, seen = m.drainobjects, []

    def drainobjects(wbuf: int, count: int) -> int:
        seen.append(world.look.work("nwait"))
        return drain(wbuf, count)

    monkeypatch.setattr(m, "drainobjects", drainobjects)
    world.gcm.gcinstallmarkwb()
    ps = world.look.work("nproc")
    m.gchelpwork()

    assert ps == 3
    assert (seen, world.look.work("nwait")) == ([1], 2)
    assert m.scanned == 2
