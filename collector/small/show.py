"""How a scenario's cells are to be read in a trace: packed heads as `wbuf3#2`, pointers by name, the lists and caches drawn.

Costs nothing while schedules are explored: the machine asks only when a schedule is written down.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.audit.buffers import onlist
from mutator.world import RUNTIME, World
from workbuf.lfstack import CNT_BITS, unpack
from workbuf.local import MLOCAL, WORK
from workbuf.machine import WORD


if TYPE_CHECKING:
    from collections.abc import Sequence

    from collector.explore import SteppedMachine
    from workbuf.local import Globals

HEADS = ("full", "partial", "empty")
LONGEST = 64
"""Nodes of a list that are drawn."""
PACKED = ("node_next", "next")
POINTERS = ("currentwbuf", "obj[")


def show(machine: SteppedMachine, world: Globals, *heads: str, ms: Sequence[int] = ()) -> None:
    """Read the cells of `machine` as those of `world`, and draw the lists named (all three by default).

    The caches drawn are those of the records `ms`, by default of all the Ms that a whole world has.
    """
    packed = {world.work + WORK.offsets[head] for head in HEADS}

    def formatter(a: int, v: int) -> str | None:
        field = machine.name(a).rpartition(".")[2]
        if v and (a in packed or field in PACKED):
            return f"{noun(machine, unpack(v))}#{v & (1 << CNT_BITS) - 1}"
        if v and field.startswith(POINTERS):
            return noun(machine, v)
        return None

    machine.formatter = formatter
    for head in heads or HEADS:
        machine.view(head, lambda at=world.work + WORK.offsets[head]: draw(machine, at))  # type: ignore[misc]
    if isinstance(world, World):
        ms = ms or world.records(world.allm, machine.peek(world.runtime + RUNTIME.allmlen))
    for m in ms:
        cell = m + MLOCAL.currentwbuf
        machine.view(f"{noun(machine, m * WORD)}'s cache", lambda at=cell: cached(machine, at))  # type: ignore[misc]


def noun(machine: SteppedMachine, address: int) -> str:
    """The name of the record that a byte address lies in."""
    return machine.name(address // WORD).partition(".")[0]


def cached(machine: SteppedMachine, cell: int) -> str:
    """The buffer in the cache at `cell`."""
    b = machine.peek(cell)
    return noun(machine, b) if b else "-"


def draw(machine: SteppedMachine, head: int) -> str:
    """The list at `head`, top first."""
    return " -> ".join(noun(machine, b * WORD) for b in onlist(head, machine.mem, LONGEST)) or "-"
