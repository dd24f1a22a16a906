"""The referee, on the pair of dumps in tests/heaps and on pairs where something is wrong."""

from __future__ import annotations

from array import array
from functools import cache
from pathlib import Path

import pytest

from collector.heaps import Graph, HeapError, read
from collector.heaps.goprocess import NUM_GC, PAUSES, GoProcess
from collector.heaps.graph import NONE
from collector.heaps.oracle import reach
from collector.heaps.referee import Verdict, check_pair, compare
from tests.collector.heaps.graphs import graph, survivors
from tests.collector.heaps.writers import GoDump


HEAPS = Path(__file__).parents[2] / "heaps"


@cache
def pair() -> tuple[Graph, Graph]:
    """The pair of Go 1.19."""
    before, after = (read(str(HEAPS / f"go119-pair-small.heapdump.{which}.gz")) for which in ("before", "after"))
    return before, after


def test_the_pair_holds() -> None:
    """What a plain traversal keeps of BEFORE is what Go kept, but for four objects that Go allocated since."""
    before, after = pair()

    verdict = compare(before, after, reach(before))

    assert verdict.holds
    assert (verdict.kept, verdict.kept_by_go) == (8238, 8242)
    assert (verdict.missing, verdict.extra, verdict.new, verdict.reused) == (0, 0, 4, 0)
    assert (verdict.phantoms, verdict.unseen) == (0, 0)


@pytest.mark.parametrize("which", [0, 4000, -1])
def test_a_lost_object_shows(which: int) -> None:
    """A single object that a collector dropped is missing, with its address."""
    before, after = pair()
    kept = reach(before)
    lost = [i for i, mark in enumerate(kept) if mark][which]
    kept[lost] = 0

    verdict = compare(before, after, kept)

    assert not verdict.holds
    assert (verdict.missing, verdict.missing_at) == (1, (before.address[lost],))


def test_floating_garbage_shows() -> None:
    """A single object of garbage that a collector kept is extra, and no violation."""
    before, after = pair()
    kept = reach(before)
    floating = kept.index(0)
    kept[floating] = 1

    verdict = compare(before, after, kept)

    assert verdict.holds
    assert (verdict.extra, verdict.extra_at) == (1, (before.address[floating],))


def test_a_pointer_that_the_reader_overlooks_shows() -> None:
    """Where the reader of BEFORE loses a root, the oracle over the same graph loses it too, and the referee sees it."""
    before, after = pair()
    roots = before.roots.target
    kept_roots = array("Q", roots)
    lost = max(range(len(roots)), key=lambda k: before.first[roots[k] + 1] - before.first[roots[k]])
    try:
        roots[lost] = roots[lost - 1]
        verdict = compare(before, after, reach(before))
    finally:
        roots[:] = kept_roots

    assert verdict.missing > 0
    assert not verdict.holds


def test_missing_says_only_the_first_few() -> None:
    """A collector that keeps nothing misses all that was there before; ten addresses are shown, in order."""
    before, after = pair()

    verdict = compare(before, after, bytearray(before.objects))

    assert verdict.missing == 8238
    assert len(verdict.missing_at) == 10
    assert sorted(verdict.missing_at) == list(verdict.missing_at)


BEFORE = [0x1000, 0x2000, 0x3000]


def referee(after: Graph, kept: list[int]) -> Verdict:
    """A verdict on BEFORE: 0x1000 is reachable, the other two are garbage."""
    return compare(graph([[], [], []], [0], go=3, address=BEFORE), after, bytes(kept))


def test_an_address_used_again_is_no_lost_object() -> None:
    """Garbage of BEFORE at whose address AFTER has something with other contents: it was allocated since."""
    verdict = referee(graph([[1], []], [0], go=2, address=[0x1000, 0x3000]), [1, 0, 0])

    assert (verdict.missing, verdict.reused, verdict.reused_at) == (0, 1, (0x3000,))
    assert verdict.holds


def test_garbage_that_go_kept_unchanged_is_a_lost_object() -> None:
    """Garbage of BEFORE that AFTER holds with the same contents was no garbage: a root was overlooked."""
    verdict = referee(graph([[1], []], [0], go=2, address=[0x1000, 0x2000]), [1, 0, 0])

    assert (verdict.missing, verdict.reused, verdict.missing_at) == (1, 0, (0x2000,))
    assert not verdict.holds


def test_another_size_at_an_address_is_new() -> None:
    """An object of another size at an address of BEFORE cannot be the same one."""
    after = graph([[1], []], [0], go=2, address=[0x1000, 0x2000])
    after.size[1] = 8

    verdict = referee(after, [1, 0, 0])

    assert (verdict.missing, verdict.new, verdict.new_at) == (0, 1, (0x2000,))


def test_a_reachable_object_that_changed_is_a_lost_object() -> None:
    """What was reachable in BEFORE and was not kept is missing, whatever was written to it since."""
    after = graph([[]], [0], go=1, address=[0x1000])
    after.digest[0] = 99

    assert referee(after, [0, 0, 0]).missing == 1


@pytest.mark.parametrize(("heap_objects", "phantoms", "unseen"), [(1, 1, 0), (2, 0, 1), (3, 0, 1)])
def test_phantoms(heap_objects: int, phantoms: int, unseen: int) -> None:
    """What nothing reaches is a phantom as far as HeapObjects does not count it; the rest Go kept, nobody sees why.

    HeapObjects may count more than there are records, tiny objects singly.
    """
    verdict = referee(graph([[], []], [0], go=heap_objects, address=[0x1000, 0x5000]), [1, 0, 0])

    assert (verdict.missing, verdict.phantoms, verdict.unseen) == (0, phantoms, unseen)
    assert verdict.holds


def test_an_edge_that_the_reader_overlooks_in_both_dumps_is_unseen() -> None:
    """Where the reader loses a root of both, nothing is missing, but AFTER holds more than its phantoms explain."""
    before, after = pair()
    roots = [heap.roots.target for heap in (before, after)]
    kept_roots = [array("Q", column) for column in roots]
    try:
        for heap, column in zip((before, after), roots, strict=True):
            lost = max(range(len(column)), key=lambda k: heap.first[column[k] + 1] - heap.first[column[k]])
            column[lost] = column[lost - 1]
        verdict = compare(before, after, reach(before))
    finally:
        for column, whole in zip(roots, kept_roots, strict=True):
            column[:] = whole

    assert verdict.missing == 0
    assert verdict.unseen > 0


def test_queued_finalizers_are_kept() -> None:
    """An object that is queued for its finalizer is kept by Go, and must be among what we kept."""
    before = graph([[], []], [0], [(1, NONE)], go=2)
    after = graph([[], []], [0, 1], go=2)

    assert compare(before, after, reach(before)).missing == 1
    assert compare(before, after, survivors(before)).missing == 0


AT = [0xC000000000 + 64 * i for i in range(5)]


def dump(tmp_path: Path, name: str, *, root: int = 0, queued: bool = False, sizes: int = 64, objects: int = 5) -> Graph:
    """Object 0 is a root, as is `root`; 1 refers to 2 and the queued cleanup, if any, to 1; 3 and 4 are garbage."""
    made = GoDump().params().object(AT[0], 64, {}).object(AT[1], 64, {0: AT[2]}).object(AT[2], 64, {})
    for at in AT[3:objects]:
        made.object(at, sizes, {})
    made.segment(12, 16, {0: AT[0]} | ({8: AT[root]} if root else {}))
    if queued:
        made.finalizer(0, AT[1], queued=True)
    (tmp_path / name).write_bytes(made.statistics(0).done())
    return read(str(tmp_path / name))


def test_what_only_a_queued_cleanup_keeps_is_not_judged(tmp_path: Path) -> None:
    """BEFORE has no record of a cleanup, so that its closure looks like garbage there: no lost object."""
    before, after = dump(tmp_path, "before"), dump(tmp_path, "after", queued=True)

    verdict = compare(before, after, reach(before))

    assert (verdict.missing, verdict.not_judged, verdict.not_judged_at) == (0, 2, (AT[1], AT[2]))
    assert (verdict.kept, verdict.kept_by_go) == (1, 3)
    assert verdict.holds


def test_a_queued_cleanup_excuses_nothing_else(tmp_path: Path) -> None:
    """Planted: Go also keeps by a root what BEFORE does not reach; and what BEFORE reaches and we lose is lost."""
    before, after = dump(tmp_path, "before"), dump(tmp_path, "after", root=3, queued=True)
    assert compare(before, after, reach(before)).missing_at == (AT[3],)

    before, after = dump(tmp_path, "before", root=1), dump(tmp_path, "after", queued=True)
    verdict = compare(before, after, bytes([1, 0, 1, 0, 0]))
    assert (verdict.missing_at, verdict.not_judged) == ((AT[1],), 0)


def test_a_queued_finalizer_is_judged(tmp_path: Path) -> None:
    """It has an object, unlike a cleanup; BEFORE has its record, or the object lived."""
    before = dump(tmp_path, "before")
    made = GoDump().params()
    for i, at in enumerate(AT):
        made.object(at, 64, {0: AT[2]} if i == 1 else {})
    made.segment(12, 16, {0: AT[0]}).finalizer(AT[3], AT[1], queued=True)
    (tmp_path / "after").write_bytes(made.statistics(0).done())

    assert compare(before, read(str(tmp_path / "after")), reach(before)).missing_at == (AT[1], AT[2], AT[3])


def test_extra_tells_what_go_still_lists_from_what_it_freed(tmp_path: Path) -> None:
    """Unlinked between the collection and the dump: listed, unchanged.  A sync.Pool's: freed, or used again."""
    before = dump(tmp_path, "before")
    kept = bytes([1, 0, 0, 1, 1])

    listed = compare(before, dump(tmp_path, "listed"), kept)
    freed = compare(before, dump(tmp_path, "freed", objects=4), kept)
    again = compare(before, dump(tmp_path, "again", sizes=32), kept)

    assert (listed.extra, listed.extra_listed, listed.extra_freed) == (2, 2, 0)
    assert (freed.extra, freed.extra_listed, freed.extra_freed) == (2, 1, 1)
    assert (again.extra, again.extra_listed, again.extra_freed) == (2, 0, 2)
    assert listed.holds


def moment(tmp_path: Path, name: str, *, tid: int = 7, data: int = 16, total: int = 9, pauses: int = 0) -> Graph:
    """A dump by the process whose M 0 is thread `tid`, after so many collections."""
    made = GoDump().params().object(AT[0], 64, {}).thread(0, tid).segment(12, data, {0: AT[0]})
    (tmp_path / name).write_bytes(made.statistics(1, total, tuple(range(100, 100 + pauses))).done())
    return read(str(tmp_path / name))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"pauses": 4}, ""),
        ({"pauses": 250}, ""),
        ({"pauses": 300}, ""),
        ({"pauses": 2}, r"more collections than the 3 of BEFORE, found 2 \(BEFORE comes first"),
        ({"pauses": 3}, "more collections than the 3 of BEFORE, found 3"),
        ({"pauses": 4, "tid": 8}, "the same process, found another one's: M 0 is thread 8, not 7"),
        ({"pauses": 4, "data": 24}, "the same process, found another one's: its data and bss segments lie elsewhere"),
        ({"pauses": 4, "total": 8}, "the same process, found another one's: TotalAlloc is 8, and was 9"),
        ({"total": 0}, ""),
    ],
)
def test_a_pair_is_of_one_process_and_in_order(tmp_path: Path, changes: dict[str, int], expected: str) -> None:
    """By the threads, the segments and what MemStats counts; a dump by hand that does not say is believed."""
    before, after = moment(tmp_path, "before", pauses=3), moment(tmp_path, "after", **changes)

    if not expected:
        check_pair(before, after)
        return
    with pytest.raises(HeapError, match=expected) as found:
        check_pair(before, after)
    assert str(found.value).startswith(f"{tmp_path}/after: expected ")


def test_another_process_has_other_pauses() -> None:
    """Two runs of one program, with equal threads, as in a container: what both remember of their collections differs."""
    before, other = ([0, 9, *[0] * 22, 5, 6, *[0] * 255] for _ in range(2))
    before[NUM_GC], other[NUM_GC], other[PAUSES + 1], other[PAUSES + 2] = 2, 3, 7, 8
    expected = ("a dump by the same process", "another one's: pause 2 took 7 ns, not 6")

    assert GoProcess(other).follows(GoProcess(before)) == expected
    other[PAUSES + 1] = 6
    assert GoProcess(other).follows(GoProcess(before)) is None


def test_the_pair_of_go_119_is_a_pair_in_one_order_only() -> None:
    """The real thing."""
    before, after = pair()

    check_pair(before, after)
    with pytest.raises(HeapError, match="expected AFTER to have more collections than the 1 of BEFORE, found 0"):
        check_pair(after, before)
    with pytest.raises(HeapError, match="found another one's: M "):
        check_pair(read(str(HEAPS / "go119-small-nogc.heapdump.gz")), after)


def test_what_is_no_pair() -> None:
    """Dumps of other formats or of two versions are refused with what was expected."""
    before, _ = pair()
    other = read(str(HEAPS / "go127-small-gc.heapdump.gz"))
    with pytest.raises(HeapError, match="expected a Go heap dump to referee, found format synthetic"):
        check_pair(before, read("synthetic:list"))
    with pytest.raises(HeapError, match=r"expected a dump of go1.19.8 amd64, found go1.27.3 amd64"):
        check_pair(before, other)
    with pytest.raises(ValueError, match="marks for 1 objects of 12335"):
        compare(before, before, b"\1")
