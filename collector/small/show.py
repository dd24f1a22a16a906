"""Formatting of memory in traces: prints packed list heads and pointers by name, and draws lists and caches.

It costs nothing during exploration: the machine calls it only when a schedule is recorded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.audit.buffers import onlist
from collector.explore.machine.memory import Pointer
from collector.explore.trace.step import View
from mutator.world import RUNTIME, World
from workbuf.lfstack import CNT_BITS, unpack
from workbuf.local import MLOCAL, WORK
from workbuf.machine import WORD


if TYPE_CHECKING:
    from collections.abc import Sequence

    from collector.explore import SteppedMachine
    from workbuf.local import Globals

COUNTS = ("cas_attempts", "cas_failures", "again")
"""Attributes and variables of the protocol that only count, and that nobody goes by."""
HEADS = ("full", "partial", "empty")
LONGEST = 64
"""Nodes of a list that are drawn."""
PACKED = ("node_next", "next")
POINTERS = ("currentwbuf", "obj[")
"""Fields that hold a byte address."""
POINTED = ("data", "bss", "arena")
"""Arrays of byte addresses."""
CELLS = ("h_spans", "allspans", "allgs", "allm", "allp")
"""Arrays of cells' numbers."""


def show(machine: SteppedMachine, world: Globals, *heads: str, ms: Sequence[int] = ()) -> None:
    """Read the cells of `machine` as those of `world`, and draw the lists named (all three by default).

    The caches drawn are those of the records `ms`, by default of all the Ms that a whole world has.  What only counts is no
    part of a state.
    """
    machine.uncounted.update(COUNTS)
    packed = {world.work + WORK.offsets[head] for head in HEADS}

    def meaning(a: int, v: int) -> Pointer | None:
        name = machine.named(a)
        if v and (a in packed or name.field in PACKED):
            return Pointer(noun(machine, unpack(v)), v & (1 << CNT_BITS) - 1)
        if v and (name.field.startswith(POINTERS) or name.record in POINTED):
            return Pointer(noun(machine, v))
        return Pointer(noun(machine, v * WORD)) if v and name.record in CELLS else None

    machine.formatter = meaning
    for head in heads or HEADS:
        machine.view(head, lambda at=world.work + WORK.offsets[head]: drawn(machine, at))  # type: ignore[misc]
    if isinstance(world, World):
        ms = ms or world.records(world.allm, machine.peek(world.runtime + RUNTIME.allmlen))
    for m in ms:
        cell = m + MLOCAL.currentwbuf
        machine.view(f"{noun(machine, m * WORD)}'s cache", lambda at=cell: cached(machine, at))  # type: ignore[misc]


def noun(machine: SteppedMachine, address: int) -> str:
    """The name of the record that a byte address lies in."""
    return machine.named(address // WORD).noun


def cached(machine: SteppedMachine, cell: int) -> View:
    """The buffer in the cache at `cell`."""
    b = machine.peek(cell)
    return View("cache", (noun(machine, b),) if b else ())


def drawn(machine: SteppedMachine, head: int) -> View:
    """The list at `head`, top first."""
    return View("list", tuple(noun(machine, b * WORD) for b in onlist(head, machine.mem, LONGEST)))
