"""Reserves the memory of a run: computes the size that graph, records and arena need, and takes what the system grants.

Reserving costs address space only, but a limit on address space counts it.  A run without mutators asks for what its graph
needs.  One with mutators asks for `Config.arena` besides; where the system refuses, for half of that, a quarter, ... down to
LEAST.  A heap that turns out too small ends the run with Go's "out of memory".
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mutator.heap import SPECIAL
from workbuf.hardware.limits import addressspace, frugal, tight
from workbuf.machine import WORD


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from collector.heaps.graph import Graph
    from collector.runtime import Config
    from workbuf.hardware.machine import HardwareMachine

LEAST = 16 << 20
"""Bytes of heap that programs get at least."""
SPANS = 16 << 20
"""Bytes of heap lost to spans that are not full: one of each class at most."""
RECORDS = 32 << 20
"""Bytes for the records of the world, of a few hundred Ms and goroutines, and for buffers."""


def arenas(config: Config, graph: Graph | None) -> Iterator[int]:
    """Sizes of the arena in bytes, the one wanted most first."""
    loaded = SPANS + 2 * sum(graph.size) if graph else 0
    if graph and not config.mutators:
        yield loaded
        return
    spare = config.arena
    while True:
        yield loaded + spare
        if spare // 2 < LEAST:
            break
        spare //= 2


def needed(config: Config, graph: Graph | None) -> int:
    """Bytes of memory for a model of these sizes, its arena included."""
    # Page tables, a byte an object, and pointer masks; of the smallest objects these are as large as the object.
    heap = config.arena + config.arena // 4
    objects = graph.objects if graph else 0
    finalizers = len(graph.finalizers) if graph else 0
    threads = config.mutators + config.helpers + 1
    stacks = (threads + config.goroutines) * config.stackwords * WORD
    if graph:
        stacks += 2 * sum(graph.roots.size) + 16 * WORD * len(graph.roots)
    # Every object may have a mask of a word and stand in a buffer that is half full.
    return (
        RECORDS
        + heap
        + objects * 4 * WORD
        + finalizers * 2 * SPECIAL.size * WORD
        + (config.data + config.bss) * 2 * WORD
        + stacks
        + threads * config.persistentchunk
    )


def reserved(
    config: Config, graph: Graph | None, machine: Callable[[int], HardwareMachine]
) -> tuple[HardwareMachine, Config]:
    """`machine(words)` with room for the graph, and `config` with the arena that fits; MemoryError says what would do."""
    frugal()
    sizes = list(arenas(config, graph))
    threads = config.mutators + config.helpers + 1
    for arena in sizes:
        fitting = replace(config, arena=arena)
        need = needed(fitting, graph)
        if arena != sizes[-1] and tight(need, threads):
            continue  # it might be had, and leave no stacks for the threads
        try:
            return machine(need // WORD), fitting
        except MemoryError:
            continue
    raise MemoryError(f"{need} bytes of address space: {addressspace(need, threads)}")
