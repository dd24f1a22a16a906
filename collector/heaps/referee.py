"""The referee: compares what our collector kept of a Go heap with what Go's own collector kept.

Go does not move objects.  Two dumps of one process, BEFORE and AFTER a `runtime.GC()`, therefore hold the same objects
at the same addresses, and AFTER holds what Go kept.  A collector is run over BEFORE; `compare` takes the marks it left.

*Kept by Go* means reachable in AFTER's own graph, since AFTER may hold more: phantoms (from Go 1.22 on, see `go`) and
what was allocated since and dropped.  What we keep is what was marked and what was queued for its finalizer: the sweep
keeps that too, and Go's AFTER has it in the queue of finalizers.  Counts of objects, by address:

    kept      we kept it
    missing   Go kept it, it is in BEFORE, and we did not keep it: a lost object
    extra     we kept it and Go did not; see below
    new       Go kept it and BEFORE has nothing of that size at its address: allocated since
    reused    Go kept it, and BEFORE has garbage of that size and with other contents at its address: allocated since, too
    not_judged    garbage of BEFORE that only the cleanups queued in AFTER keep (runtime.AddCleanup in Go 1.24)

`reused` is there because Go allocates on its own account while it sweeps (timers, sudogs), in the first free slot.  It is
granted only where the plain oracle finds the object of BEFORE unreachable AND its memory changed.  So a root or a pointer
that the reader overlooked still shows as missing, unless something also wrote to the object between the dumps.

An object that is `extra` was either unlinked between Go's collection and the dump: then AFTER still lists it, unchanged,
though nothing reaches it (`extra_listed`).  Or Go has freed it (`extra_freed`): what a sync.Pool holds is dropped when a
collection begins, and a dump does not say what that is; a root that we read and Go did not use would show here as well.

BEFORE has no record of a cleanup that has not been queued, so that what its closure holds cannot be known to live then.

Right after a collection nothing is unreachable but the phantoms, so that the objects of AFTER less its reachable ones
must number its objects less MemStats.HeapObjects.  Where there are more, the others are `unseen`: Go kept them by a root
that no dump holds (a cleanup, a weak handle; every program that imports net has some), or the process went on to allocate.
Nothing can be said of them, and they are no violation; a pair that is made for refereeing has none.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from collector.heaps.errors import HeapError
from collector.heaps.go import CLEANUPS
from collector.heaps.graph import Areas, Kind
from collector.heaps.oracle import reach


if TYPE_CHECKING:
    from collector.heaps.graph import Graph


SAMPLE = 10
"""Addresses of each sort that a verdict shows."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a collector kept of BEFORE against what Go kept; counts of objects."""

    kept: int
    kept_by_go: int
    missing: int
    extra: int
    extra_listed: int
    """Of them, those that AFTER still lists, unchanged."""
    extra_freed: int
    """The others."""
    new: int
    reused: int
    not_judged: int
    phantoms: int
    """Objects of AFTER less its HeapObjects; 0 where the dump does not say."""
    unseen: int
    """Other objects of AFTER that nothing reaches."""
    missing_at: tuple[int, ...]
    """Addresses of the first few that are missing, in order of address; likewise the next four."""
    extra_at: tuple[int, ...]
    new_at: tuple[int, ...]
    reused_at: tuple[int, ...]
    not_judged_at: tuple[int, ...]

    @property
    def holds(self) -> bool:
        """Say whether nothing was lost that Go kept."""
        return self.missing == 0

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def check_pair(before: Graph, after: Graph) -> None:
    """Raise HeapError where the two cannot be dumps of one Go process, made in this order around a collection."""
    for graph in (before, after):
        if graph.source.format != "go":
            raise HeapError(graph.source.name, None, "a Go heap dump to referee", f"format {graph.source.format}")
    if before.source.version != after.source.version:
        raise HeapError(after.source.name, None, f"a dump of {before.source.version}", after.source.version)
    if after.source.process and before.source.process:
        wrong = after.source.process.follows(before.source.process)
        if wrong:
            raise HeapError(after.source.name, None, *wrong)


def compare(before: Graph, after: Graph, kept: bytes | bytearray) -> Verdict:
    """The verdict on `kept`, a byte for each object of `before`: not 0 where the collector kept it.

    Raises HeapError for two graphs that are no pair, ValueError for marks of another length.
    """
    if len(kept) != before.objects:
        raise ValueError(f"marks for {len(kept)} objects of {before.objects}")
    check_pair(before, after)
    ours = _addresses(before, kept)
    go = _addresses(after, reach(after))
    judged = _addresses(after, reach(_without_cleanups(after)))
    reachable_before = reach(before)
    missing, new, reused, not_judged = [], [], [], []
    for address in sorted(go - ours):
        i, j = _find(before, address), _find(after, address)
        if i is None or j is None or before.size[i] != after.size[j]:
            new.append(address)
        elif not reachable_before[i] and address not in judged:
            not_judged.append(address)
        elif not reachable_before[i] and before.digest[i] != after.digest[j]:
            reused.append(address)
        else:
            missing.append(address)
    extra = sorted(ours - go)
    listed = sum(_listed(before, after, address) for address in extra)
    declared = after.source.heap_objects
    phantoms = 0 if declared is None else max(after.objects - declared, 0)
    return Verdict(
        kept=len(ours),
        kept_by_go=len(go),
        missing=len(missing),
        extra=len(extra),
        extra_listed=listed,
        extra_freed=len(extra) - listed,
        new=len(new),
        reused=len(reused),
        not_judged=len(not_judged),
        phantoms=phantoms,
        unseen=max(after.objects - len(go) - phantoms, 0),  # less where a stale word reaches a phantom
        missing_at=tuple(missing[:SAMPLE]),
        extra_at=tuple(extra[:SAMPLE]),
        new_at=tuple(new[:SAMPLE]),
        reused_at=tuple(reused[:SAMPLE]),
        not_judged_at=tuple(not_judged[:SAMPLE]),
    )


def _addresses(graph: Graph, marks: bytes | bytearray) -> set[int]:
    return {address for address, mark in zip(graph.address, marks, strict=True) if mark}


def _without_cleanups(graph: Graph) -> Graph:
    """`graph` without the roots that are queued cleanups."""
    roots, kept = graph.roots, Areas()
    for i, name in enumerate(roots.name):
        if roots.kind[i] != Kind.QUEUED or name != CLEANUPS:
            for k in range(roots.first[i], roots.first[i + 1]):
                kept.slot(roots.offset[k], roots.target[k], roots.interior[k])
            kept.close(Kind(roots.kind[i]), name, roots.size[i], roots.group[i])
    return replace(graph, roots=kept)


def _listed(before: Graph, after: Graph, address: int) -> bool:
    """Say whether AFTER has the same object as BEFORE at `address`, as far as size and contents tell."""
    i, j = _find(before, address), _find(after, address)
    return i is not None and j is not None and (before.size[i], before.digest[i]) == (after.size[j], after.digest[j])


def _find(graph: Graph, address: int) -> int | None:
    """The object at `address`, if one begins there."""
    i = bisect_left(graph.address, address)
    return i if i < graph.objects and graph.address[i] == address else None
