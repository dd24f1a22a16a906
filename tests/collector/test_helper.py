"""Helpers: how many, which, what each checks, and how the last one wakes the master."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from collector.runtime import AuditedM
from mutator.phase import GCmarktermination, GCscan
from mutator.world import MAX_GCPROC, MRECORD, SCHED
from tests.worlds import Bench
from workbuf.local import WORK
from workbuf.throw import Throw


if TYPE_CHECKING:
    from workbuf.machine import Port


def idle(bench: Bench, *ms: AuditedM) -> None:
    """Put them on the list of idle Ms, the last one on top."""
    sched = bench.world.sched
    for m in ms:
        bench.machine.poke(m.record + MRECORD.schedlink, bench.peek(sched + SCHED.midle))
        bench.machine.poke(sched + SCHED.midle, m.record)
        bench.machine.poke(sched + SCHED.nmidle, bench.peek(sched + SCHED.nmidle) + 1)


@pytest.mark.parametrize(
    ("mutators", "idles", "ncpu", "ps", "nproc"),
    [
        (3, 0, 8, 4, 1),
        (3, 2, 8, 4, 3),
        (3, 2, 2, 4, 2),
        (3, 2, 1, 4, 1),
        (0, 2, 8, 1, 1),
        (0, 2, 8, 2, 2),
        (0, 2, 8, 9, 3),
        (1, 5, 8, 2, 2),
        (40, 50, 64, 41, MAX_GCPROC),
    ],
)
def test_gcprocs_is_bounded_by_ps_processors_idle_ms_and_32(
    mutators: int, idles: int, ncpu: int, ps: int, nproc: int
) -> None:
    """The caller and as many idle Ms as all of them allow."""
    bench = Bench(mutators=mutators, helpers=idles, ncpu=ncpu, gomaxprocs=ps)
    idle(bench, *bench.helpers)

    assert bench.peek(bench.world.sched + SCHED.gomaxprocs) == ps
    assert bench.gcm.gcprocs() == bench.model.config.markers == nproc


@pytest.mark.parametrize(("mutators", "ps"), [(0, 4), (2, 4), (3, 4), (5, 6)])
def test_a_model_has_ps_for_its_helpers(mutators: int, ps: int) -> None:
    """Unless it is told how many: one for each M with a goroutine, and idle ones until three helpers can mark."""
    bench = Bench(mutators=mutators, helpers=3)
    idle(bench, *bench.helpers)

    assert bench.peek(bench.world.sched + SCHED.gomaxprocs) == ps
    assert bench.gcm.gcprocs() == 4


def test_every_m_with_a_goroutine_needs_a_p() -> None:
    """A model with fewer Ps would have to schedule goroutines, which it does not."""
    with pytest.raises(ValueError, match=r"^GOMAXPROCS 2: each of 3 Ms that run goroutines has a P of its own$"):
        Bench(mutators=2, gomaxprocs=2)


def test_a_model_has_processors_for_its_helpers() -> None:
    """Unless it is told how many: helpers + 1."""
    assert Bench(helpers=3).world.ncpu == 4


def test_helpgc_wakes_as_many_as_it_was_asked_for() -> None:
    """Off the top of the list, numbered from 1; the rest sleeps on."""
    bench = Bench(helpers=3)
    idle(bench, *bench.helpers)

    bench.gcm.helpgc(3)

    first, second, third = bench.helpers
    helpgc = [bench.peek(m.record + MRECORD.helpgc) for m in (third, second, first)]
    assert helpgc == [1, 2, 0]
    assert [bench.peek(m.record + MRECORD.park) for m in (third, second, first)] == [1, 1, 0]
    assert bench.peek(bench.world.sched + SCHED.midle) == first.record
    assert bench.peek(bench.world.sched + SCHED.nmidle) == 1


def test_helpgc_throws_when_there_are_too_few(bench: Bench) -> None:
    """Somebody has left the list since gcprocs counted it."""
    idle(bench, *bench.helpers)

    with pytest.raises(Throw, match=r"^fatal error: gcprocs inconsistency$"):
        bench.gcm.helpgc(3)


def test_gchelperstart_throws_at_a_number_that_no_helper_has(bench: Bench) -> None:
    """There are 32 markers at most, 0 the master."""
    (m,) = bench.helpers
    bench.machine.poke(m.record + MRECORD.helpgc, MAX_GCPROC)
    with pytest.raises(Throw, match=r"^fatal error: gchelperstart: bad m->helpgc$"):
        m.gchelperstart()

    bench.machine.poke(m.record + MRECORD.helpgc, MAX_GCPROC - 1)
    m.gchelperstart()


def test_gchelperstart_throws_on_an_m_with_a_goroutine(bench: Bench) -> None:
    """Its stack would have to be scanned while it marks."""
    m = bench.mutators[0]
    bench.machine.poke(m.record + MRECORD.helpgc, 1)

    with pytest.raises(Throw, match=r"gchelper not running on g0 stack"):
        m.gchelperstart()


def test_gchelperstart_forgets_what_the_m_knew_of_spans(bench: Bench) -> None:
    """They may have been freed since it marked last."""
    (m,) = bench.helpers
    m.spanof[5] = (0,) * 7

    m.gchelperstart()

    assert not m.spanof


def marking(bench: Bench, nproc: int) -> None:
    """Mark termination is under way, the root jobs shared out among `nproc`, everybody else waiting in getfull."""
    bench.phase(GCmarktermination)
    bench.gcm.resetwork(nproc)
    bench.gcm.setuproots(nproc)
    bench.setwork(nwait=nproc - 1)
    for i, m in enumerate(bench.helpers):
        bench.machine.poke(m.record + MRECORD.helpgc, i + 1)


def test_a_helper_marks_and_counts_itself_and_the_last_one_wakes_the_master() -> None:
    """Two of them: roots, what they lead to, the barrier, ndone; alldone with the second."""
    bench = Bench(helpers=2)
    nodes = bench.chain(40)
    bench.setbss(nodes[0])
    marking(bench, 3)

    bench.helpers[0].gchelper()
    assert (bench.look.work("ndone"), bench.look.work("alldone")) == (1, 0)
    assert bench.marked(*nodes) == [True] * 40
    assert bench.look.work("nwait") == 3

    bench.setwork(nwait=2)
    bench.helpers[1].gchelper()
    assert (bench.look.work("ndone"), bench.look.work("alldone")) == (2, 1)
    assert bench.problems() == []


def test_a_helper_reads_nproc_before_it_counts_itself(bench: Bench) -> None:
    """Right after the last count the master may have begun anew, with another nproc."""

    class Starting:
        """A port whose count of the last helper is followed by a new collection's nproc."""

        def __init__(self, port: Port) -> None:
            self.port = port

        def __getattr__(self, name: str) -> Any:  # noqa: ANN401  whatever the port has
            return getattr(self.port, name)

        def xadd(self, a: int, delta: int) -> int:
            """Add, and go on."""
            value = self.port.xadd(a, delta)
            if a == bench.world.work + WORK.ndone:
                bench.setwork(nproc=9)
            return value

    marking(bench, 2)
    bench.again(bench.helpers[0], through=Starting(bench.port)).gchelper()

    assert bench.look.work("alldone") == 1


def test_in_the_scan_phase_a_helper_does_not_drain(bench: Bench) -> None:
    """Nothing is scanned but roots then."""
    nodes = bench.chain(2)
    bench.setbss(nodes[0])
    marking(bench, 2)
    bench.phase(GCscan)

    bench.helpers[0].gchelper()

    assert bench.marked(*nodes) == [True, False]
    assert bench.look.work("ndone") == 1


def test_a_helper_that_comes_back_with_a_buffer_throws(bench: Bench) -> None:
    """Draining everything consumes it."""

    class Unextinguished(AuditedM):
        """Brings one back."""

        def scanblock(self, b: int, n: int, ptrmask: int, wbuf: int) -> int:
            """Drain, and take another."""
            return super().scanblock(b, n, ptrmask, wbuf) or self.getempty(460)

    marking(bench, 2)

    with pytest.raises(Throw, match="gchelper did not extinguish wbuf"):
        bench.again(bench.helpers[0], Unextinguished).gchelper()


def test_idle_ms_help_in_every_collection_and_go_home_at_the_end() -> None:
    """Three collections with two helpers on their own threads; every one of them is joined."""
    bench = Bench(mutators=2, helpers=2)
    bench.setbss(*(bench.chain(100)[0] for _ in range(8)))
    seen: list[list[int]] = []

    def master(m: AuditedM) -> None:
        def collect(m: AuditedM) -> None:
            for _ in range(3):
                while m.port.hint(m.sched + SCHED.nmidle) < 2:
                    m.port.check()
                m.gcwork(1)
                seen.append([m.port.words[m.work + at] for at in (WORK.nproc, WORK.nwait, WORK.ndone)])
                m.bgsweep()
            m.dismissidle()

        m.mstart(collect)

    helpers = [(record, lambda m: m.idlem()) for record in bench.model.helpers]
    bench.run((bench.model.gcm, master), *helpers)

    assert seen == [[3, 3, 2]] * 3
    assert bench.problems() == []
    assert [bench.peek(m.record + MRECORD.helpgc) for m in bench.helpers] == [0, 0]


def test_who_is_sent_home_on_the_way_to_the_list_does_not_lie_down(bench: Bench) -> None:
    """It sees it under the lock."""
    bench.gcm.dismissidle()

    bench.helpers[0].idlem()

    assert bench.peek(bench.world.sched + SCHED.nmidle) == 0
