"""The list of all primitives, by the names that the command line uses."""

from __future__ import annotations

from collector.stress.primitives.barrier import BARRIER
from collector.stress.primitives.harvest import HARVEST
from collector.stress.primitives.lfstack import LFSTACK


PRIMITIVES = {primitive.name: primitive for primitive in (LFSTACK, BARRIER, HARVEST)}
