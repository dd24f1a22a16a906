"""A broken protocol is caught: each fault is one method changed, and meets the audit or the throw that is there for it.

Deterministic collections on one thread, in which a mutator gets its turn at the collector's stamps; `test_auditedstress`
has faults on real threads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from collector.audit.traverse import Reach
from collector.audit.violation import Violation
from collector.roots import ROOT_BSS, ROOT_COUNT, ROOT_DATA
from collector.runtime import AuditedM
from mutator.heap import MARKED
from mutator.phase import GCmarktermination, GCscan
from mutator.world import G
from tests.collector.audit.marks import blur
from tests.worlds import Bench
from workbuf.buffer import INUSE, NOBJ, OBJ
from workbuf.local import WORK
from workbuf.machine import WORD
from workbuf.throw import Throw


if TYPE_CHECKING:
    from collections.abc import Callable


class Sound(AuditedM):
    """The protocol as it is, with a place for a mutator's turn."""

    turn: Callable[[str], object] = staticmethod(lambda _: None)
    victim = 0
    """The object that a fault concerns: in the middle of the long list, where nobody looks twice."""

    def stamp(self, name: str) -> None:
        """Stamp, then give the turn."""
        super().stamp(name)
        self.turn(name)


class NoHarvest(Sound):
    """Leaves what Ms have cached where it is."""

    def harvestwbufs(self) -> int:
        """Nothing."""
        return 0


class NoFirstHarvest(Sound):
    """Harvests in mark termination only, as Go did later (K-33)."""

    harvests = 0

    def harvestwbufs(self) -> int:
        """The second time."""
        self.harvests += 1
        return 0 if self.harvests % 2 else super().harvestwbufs()


class DropsOnPutfull(Sound):
    """Forgets to push the first full buffer."""

    dropped = False

    def putfull(self, b: int, entry: int) -> None:
        """Log it, and that is all."""
        if self.dropped:
            super().putfull(b, entry)
            return
        self.dropped = True
        self.checknonempty(b)
        self.logput(b, entry)


class ForgetsMark(Sound):
    """Queues one object without marking it."""

    def greyobject(self, obj: int, base: int, off: int, hbits: int, bits: int, wbuf: int) -> int:
        """Take the mark back."""
        wbuf = super().greyobject(obj, base, off, hbits, bits, wbuf)
        if obj == self.victim:
            self.port.words[hbits // WORD] &= ~(MARKED << hbits % WORD * 8)
        return wbuf


class ForgetsToQueue(Sound):
    """Marks one object and does not queue it."""

    def greyobject(self, obj: int, base: int, off: int, hbits: int, bits: int, wbuf: int) -> int:
        """Take the entry back."""
        wbuf = super().greyobject(obj, base, off, hbits, bits, wbuf)
        if obj == self.victim:
            self.port.words[wbuf + NOBJ] -= 1
        return wbuf


class PutsTwice(Sound):
    """Puts every drained buffer on the empty list a second time."""

    def putempty(self, b: int, entry: int) -> None:
        """Twice."""
        super().putempty(b, entry)
        super().putempty(b, entry)


class PushesTwice(Sound):
    """The same below the ownership checks."""

    def putempty(self, b: int, entry: int) -> None:
        """Put, then push once more."""
        super().putempty(b, entry)
        self.lfstackpush(self.work_empty, b)


class RepeatsRoot(Sound):
    """Scans bss twice."""

    def parfordo(self, desc: int, body: Callable[[int], object]) -> None:
        """Once more."""
        super().parfordo(desc, body)
        body(ROOT_BSS)


class RepeatsRootInScan(Sound):
    """Scans bss twice in the scan phase, and once in mark termination."""

    def parfordo(self, desc: int, body: Callable[[int], object]) -> None:
        """Once more, the first time."""
        super().parfordo(desc, body)
        if self.port.words[self.gcphase] == GCscan:
            body(ROOT_BSS)


class RepeatsRootInMarkTermination(Sound):
    """Scans bss twice in mark termination, and once in the scan phase."""

    def parfordo(self, desc: int, body: Callable[[int], object]) -> None:
        """Once more, the second time."""
        super().parfordo(desc, body)
        if self.port.words[self.gcphase] == GCmarktermination:
            body(ROOT_BSS)


class SkipsRoot(Sound):
    """Does not scan bss."""

    def parfordo(self, desc: int, body: Callable[[int], object]) -> None:
        """All but one."""
        super().parfordo(desc, lambda i: body(i) if i != ROOT_BSS else None)


class SkipsGoroutine(Sound):
    """Does not scan the first goroutine."""

    def parfordo(self, desc: int, body: Callable[[int], object]) -> None:
        """All but one."""
        super().parfordo(desc, lambda i: body(i) if i != ROOT_COUNT else None)


class ForgetsData(Sound):
    """Counts the data segment's job and does not do it."""

    def markroot(self, i: int) -> None:
        """All but one."""
        if i == ROOT_DATA:
            self.port.xadd(self.world.rootcounts + i, 1)
        else:
            super().markroot(i)


class KeepsInCache(Sound):
    """Ends mark termination with work in its cache, as a barrier without a P would (O-1)."""

    def marked(self) -> None:
        """Cache a buffer that holds something, then let the audit look."""
        b = self.getempty(359)
        self.port.words[b + NOBJ] = 1
        self.cache(b)
        super().marked()


class KeepsInHand(Sound):
    """Ends a mark with a buffer in nobody's place."""

    def gcmark_m(self) -> None:
        """Mark, and take one more."""
        super().gcmark_m()
        self.getempty(460)


class CountsInTwice(Sound):
    """Leaves the termination barrier with one waiter too many."""

    def getfull(self, entry: int) -> int:
        """Wait, then count."""
        b = super().getfull(entry)
        if not b:
            self.port.xadd(self.work_nwait, 1)
        return b


class DoneTooOften(Sound):
    """Counts a helper that there was not."""

    def resetwork(self, nproc: int) -> None:
        """Reset, but for one."""
        super().resetwork(nproc)
        self.port.words[self.world.work + WORK.ndone] = 1


class KeepsScanValid(Sound):
    """Believes every stack to be unchanged since the scan phase (K-13)."""

    def setuproots(self, nthr: int) -> int:
        """Say so before mark termination."""
        if "markterm" in self.cycle.stamps:
            for gp in self.allgs():
                self.port.post(gp + G.gcscanvalid, 1)
        return super().setuproots(nthr)


class FreesTheLiving(Sound):
    """A sweeper that ignores the mark of every second object of a span."""

    def sweepbits(self, span: int) -> int:
        """Take away some marks, then sweep."""
        blur(self, span)
        return super().sweepbits(span)


class PushesAtTheEnd(Sound):
    """Pushes a listed buffer once more when nobody will get it before the audit: its list has become a ring."""

    def marked(self) -> None:
        """Push twice, then let the audit look."""
        b = self.getempty(460)
        self.putempty(b, 496)
        self.lfstackpush(self.work_empty, b)
        super().marked()


class LosesEntry(Sound):
    """Writes over the newest entry of a buffer that it hands over."""

    def putfull(self, b: int, entry: int) -> None:
        """Lose what was there, keep the count."""
        words = self.port.words
        words[b + OBJ + words[b + NOBJ] - 1] = words[b + OBJ]
        super().putfull(b, entry)


class LeavesInUse(Sound):
    """Puts a buffer on the list and still calls it its own."""

    def putempty(self, b: int, entry: int) -> None:
        """Put, then take the flag back."""
        super().putempty(b, entry)
        self.port.words[b + INUSE] = 1


class NoBarrier(Sound):
    """A mutator's M whose stores are only stores."""

    def needwb(self) -> bool:
        """Never."""
        return False


def collection(cls: type[Any], mutator: type[Any] = Sound) -> tuple[Bench, Any]:
    """Two concurrent collections of a heap that has one of everything; returns the model and the collector's M.

    60 objects on bss, so that buffers overflow in the scan; a long list on data; objects on two stacks; a finalizer.
    In the first collection, between scan and mark, the mutator hides one list on its stack and makes another there,
    which it publishes during the mark.
    """
    bench = Bench(cls, data=1, bss=64, arena=1 << 21)
    box, shelf = bench.obj(bench.chain(5)[0]), bench.obj(0)
    bench.setbss(box, shelf, *(bench.obj(bench.leaf()) for _ in range(60)))
    nodes = bench.chain(100)
    bench.machine.poke(bench.world.data.base, nodes[0])
    bench.frame(bench.gcm.curg, bench.chain(3)[0])
    bench.gcm.setfinalizer(bench.obj(bench.leaf()), bench.leaf())
    m = bench.start(bench.m(bench.model.mutators[0], mutator))
    hidden, held = m.call(1), m.call(1)
    m.entersyscall()

    def turn(name: str) -> None:
        if gcm.numgc > 1 or name not in ("installmarkwb", "markterm"):
            return
        m.exitsyscall()
        if name == "installmarkwb":
            m.port.words[hidden] = m.get(box, 0)
            m.put(box, 0, 0)
            for _ in range(5):
                p = m.new(WORD, 1)
                m.put(p, 0, m.port.words[held])
                m.port.words[held] = p
        else:
            m.put(shelf, 0, m.port.words[held])
            m.port.words[held] = 0
        m.entersyscall()

    gcm = bench.start(bench.m(bench.model.gcm))
    gcm.turn, gcm.victim = turn, nodes[50]
    for _ in range(2):
        gcm.gcwork(0)
        gcm.bgsweep()
    return bench, gcm


def test_the_sound_protocol_passes() -> None:
    """What the faults below are measured against: nothing is lost, the hidden and the published lists included."""
    bench, gcm = collection(Sound)

    # Box and shelf with five each, 60 pairs, the long list, three on the collector's stack, the queued finalizer's three.
    n = 12 + 120 + 100 + 3 + 3
    assert gcm.reach == Reach(objects=n, reachable=n, marked=n, floating=0)
    assert bench.problems() == []


def test_without_the_first_harvest_nothing_is_lost() -> None:
    """It is a matter of time: what it would have brought, the second one brings (K-33)."""
    collection(NoFirstHarvest)


@pytest.mark.parametrize(
    ("fault", "kind", "text"),
    [
        (NoHarvest, "lists", "mark termination is over and an M's cache still holds a buffer (1 in all)"),
        (DropsOnPutfull, "leak", "1 of 4 buffers are in nobody's hands and on no list"),
        (ForgetsMark, "lost", "1 reachable objects are not marked"),
        (ForgetsToQueue, "lost", "49 reachable objects are not marked"),
        (RepeatsRoot, "roots", "root job 1 of 8 was executed 2 times"),
        (RepeatsRootInScan, "roots", "root job 1 of 8 was executed 2 times"),
        (RepeatsRootInMarkTermination, "roots", "root job 1 of 8 was executed 2 times"),
        (PushesAtTheEnd, "leak", "a buffer is in two places: empty and empty"),
        (SkipsRoot, "roots", "root job 1 of 8 was executed 0 times"),
        (ForgetsData, "lost", "100 reachable objects are not marked"),
        (KeepsInCache, "lists", "mark termination is over and an M's cache still holds a buffer (1 in all)"),
        (KeepsInHand, "leak", "buffers are in nobody's hands and on no list"),
        (CountsInTwice, "barrier", "mark termination ended with nwait=2, nproc=1"),
        (DoneTooOften, "barrier", "mark termination ended with ndone=1, nproc=1"),
        (KeepsScanValid, "lost", "5 reachable objects are not marked"),
        (LosesEntry, "lost", "reachable objects are not marked"),
    ],
)
def test_a_fault_meets_its_audit(fault: type[Sound], kind: str, text: str) -> None:
    """The audit's kind and its sentence."""
    with pytest.raises(Violation) as found:
        collection(fault)

    assert found.value.kind == kind, found.value
    assert text in found.value.text


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        (PutsTwice, "logput: put not legal"),
        (PushesTwice, "workbuf is not empty"),
        (LeavesInUse, "logget: get not legal"),
        (FreesTheLiving, "found bad pointer in Go heap"),
        (SkipsGoroutine, "scan missed a g"),
    ],
)
def test_a_fault_meets_the_protocols_own_check(fault: type[Sound], text: str) -> None:
    """Before any audit looks."""
    with pytest.raises(Throw) as found:
        collection(fault)

    assert not isinstance(found.value, Violation)
    assert found.value.text == text


def test_a_mutator_without_a_barrier_loses_what_it_publishes() -> None:
    """Its list was stored into an object that was scanned already, and forgotten."""
    with pytest.raises(Violation, match="5 reachable objects are not marked"):
        collection(Sound, NoBarrier)


def test_a_heap_that_cannot_be_walked_hides_no_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    """The way to the lost object is left out, and what was found is raised."""

    def broken(*_: object) -> None:
        raise IndexError

    monkeypatch.setattr("collector.audit.whylost.nearest", broken)
    with pytest.raises(Violation, match="mark termination ended with ndone=0") as caught:
        Bench().gcm.marked()  # of a mark that nobody has made
    assert caught.value.path is None
