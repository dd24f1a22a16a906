"""The verifying mark: silent where nothing is missed, loud at a miss anywhere in the graph.  (I14.)"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from collector.runtime import CollectorM
from mutator.heap import CHECKMARKED, MARKED
from mutator.world import RUNTIME, SCHED
from tests.worlds import Bench
from workbuf.machine import WORD
from workbuf.throw import Throw


if TYPE_CHECKING:
    from collector.runtime import AuditedM


class Checked(CollectorM):
    """A collector that verifies, and whose first mark may have missed something: then `missed` is unmarked again.

    No audit looks on: the verifying mark is on its own.
    """

    missed = 0
    arms = 0
    marks = 0

    def __init__(self, *args: object) -> None:
        super().__init__(*args)  # type: ignore[arg-type]
        self.checkmark_enabled = True

    def marked(self) -> None:
        """Forget a mark after the first of the two."""
        self.marks += 1
        if self.missed and not self.checkmarking:
            _, hbits, _ = self.heapBitsForObject(self.missed)
            self.port.words[hbits // WORD] &= ~(MARKED << hbits % WORD * 8)

    def arm_sweep(self) -> None:
        """Count."""
        self.arms += 1
        super().arm_sweep()


def collector(bench: Bench, missed: int = 0) -> Checked:
    """The collector's M, running."""
    gcm: Checked = bench.m(bench.model.gcm, Checked)
    bench.start(gcm)
    gcm.missed = missed
    return gcm


@pytest.mark.parametrize("force", [0, 1])
def test_a_mark_that_missed_nothing_passes(bench: Bench, force: int) -> None:
    """From globals, stacks and finalizers; every reachable object is reached again, the sweep is armed once."""
    nodes = [bench.chain(30) for _ in range(3)]
    bench.setbss(nodes[0][0])
    bench.frame(bench.mutators[0].curg, nodes[1][0])
    p = bench.obj(nodes[2][0])
    bench.gcm.setfinalizer(p, bench.leaf())
    noscan = bench.noscan()
    bench.frame(bench.mutators[1].curg, noscan)
    gcm = collector(bench)

    gcm.gcwork(force)

    assert (gcm.marks, gcm.arms, gcm.checkmarking) == (2, 1, False)
    assert all(all(bench.checkmarked(*chain)) for chain in nodes)
    assert bench.checkmarked(noscan, p) == [True, False]
    gcm.bgsweep()
    assert not any(bench.bits(q) & (MARKED | CHECKMARKED) for chain in nodes for q in chain)


@pytest.mark.parametrize("depth", [0, 1, 2, 50, 99])
@pytest.mark.parametrize("root", ["a stack", "bss"])
def test_a_missed_mark_is_found_however_deep_it_lies(bench: Bench, depth: int, root: str) -> None:
    """Below a root that is only on a stack, too; the seed's form sees depth 0 below bss, and nothing else (K-10, K-11)."""
    nodes = bench.chain(100)
    if root == "bss":
        bench.setbss(nodes[0])
    else:
        bench.frame(bench.mutators[0].curg, nodes[0])
    gcm = collector(bench, nodes[depth])

    with pytest.raises(Throw) as thrown:
        gcm.gcwork(0)

    assert thrown.value.text == "checkmark found unmarked object"
    first, second, source, target = thrown.value.printed
    line = "runtime:greyobject: checkmarks finds unexpected unmarked object obj="
    assert first == f"{line} {nodes[depth]:#x}"
    if depth:
        assert second == f"runtime: found obj at *({nodes[depth - 1]:#x}+0x0)"
        assert source.startswith(f"runtime: base= {nodes[depth - 1]:#x} s.start=")
    assert target.startswith(f"runtime: obj= {nodes[depth]:#x} s.start=")


def test_a_verifying_mark_that_does_not_stick_throws(bench: Bench) -> None:
    """Its setting and its reading would be at odds about where it is."""

    class Deaf:
        """A port whose or8 does nothing."""

        def __getattr__(self, name: str) -> Any:  # noqa: ANN401  whatever the port has
            return getattr(bench.port, name)

        def or8(self, byte: int, mask: int) -> None:
            """Nothing."""

    p = bench.leaf()
    bench.setmark(p)
    bench.machine.poke(bench.world.runtime + RUNTIME.checkmarkphase, 1)
    m = bench.again(bench.gcm, through=Deaf())
    m.readcheckmark()
    _, hbits, bits = m.heapBitsForObject(p)

    with pytest.raises(Throw, match=r"^fatal error: setCheckmarked and isCheckmarked disagree$"):
        m.greyobject(p, 0, 0, hbits, bits, m.getempty(359))


def test_a_missed_object_without_pointers_is_found(bench: Bench) -> None:
    """It is never queued, but it is looked at."""
    p = bench.noscan()
    bench.setbss(bench.obj(p))

    with pytest.raises(Throw, match="checkmark found unmarked object"):
        collector(bench, p).gcwork(1)


def test_a_missed_referent_of_a_finalizer_is_found(bench: Bench) -> None:
    """And its closure would be."""
    referent = bench.leaf()
    bench.gcm.setfinalizer(bench.obj(referent), bench.world.bss.slot(0))

    with pytest.raises(Throw, match="checkmark found unmarked object"):
        collector(bench, referent).gcwork(1)


def test_garbage_may_be_unmarked(bench: Bench) -> None:
    """That is what it is."""
    bench.chain(20)

    collector(bench).gcwork(0)


def test_it_is_off_unless_it_is_wanted(bench: Bench) -> None:
    """One mark, and the sweep armed by it."""
    gcm = collector(bench)
    gcm.checkmark_enabled = False

    gcm.gcwork(0)

    assert (gcm.marks, gcm.arms) == (1, 1)


def test_a_verifying_mark_inside_another_throws(bench: Bench) -> None:
    """They would share their bits."""
    gcm = collector(bench)
    bench.machine.poke(bench.world.runtime + RUNTIME.checkmarkphase, 1)

    with pytest.raises(Throw, match="gccheckmark_m, entered with checkmarkphase already true"):
        gcm.gccheckmark_m()


def test_helpers_verify_too() -> None:
    """On their own threads, with every audit."""
    bench = Bench(mutators=2, helpers=2)
    bench.setbss(*(bench.chain(200)[0] for _ in range(8)))
    seen: list[tuple[int, int]] = []

    def master(m: AuditedM) -> None:
        def collect(m: AuditedM) -> None:
            m.checkmark_enabled = True
            while m.port.hint(m.sched + SCHED.nmidle) < 2:
                m.port.check()
            m.gcwork(1)
            m.bgsweep()
            assert m.reach
            seen.append((m.cycle.nproc, m.reach.marked))
            m.dismissidle()

        m.mstart(collect)

    bench.run((bench.model.gcm, master), *((record, lambda m: m.idlem()) for record in bench.model.helpers))

    assert seen == [(3, 1600)]
