"""Planted faults: broken variants of the protocol, to test that the checks detect them (mutation testing).

A fault is a subclass with one method changed.  `stress --plant NAME` runs with one; `faults` runs with each, and says which
check detects it, and how soon.
"""

from __future__ import annotations

from collector.faults import getfull, heap, lfstack, lists, marking, parfor, rooting, world
from collector.faults.fault import Fault


FAULTS: dict[str, Fault] = {
    fault.name: fault
    for room in (lfstack, lists, getfull, parfor, marking, rooting, world, heap)
    for fault in room.FAULTS
}
"""Every fault under its name."""

__all__ = ["FAULTS", "Fault"]
