"""The catalogue of planted faults: what a check of the protocol is measured by.

A fault is a subclass with one method spoilt.  `stress --plant NAME` runs with one, `scripts/fault_matrix.py` with each
and says which check saw it, and after how long.
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
