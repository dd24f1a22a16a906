"""Real heaps: pure readers that turn a dump, the running interpreter or a SPEC into columns.  No model in here.

    read("heap.dump.gz")  read("cpython")  read("synthetic:list,n=100000")    -> Graph, or HeapError

`graph` is what they all yield; `oracle` says what of it is reachable, `describe` puts it in figures, `referee` compares
what a collector kept with what Go kept.
"""

from __future__ import annotations

from collector.heaps.errors import HeapError
from collector.heaps.graph import Graph, Kind
from collector.heaps.sources import read
from collector.heaps.stream import Limits


__all__ = ["Graph", "HeapError", "Kind", "Limits", "read"]
