"""Heap readers: turn a heap dump (Go, V8, JVM), the running interpreter or a synthetic SPEC into a graph of objects.

    read("heap.dump.gz")  read("cpython")  read("synthetic:list,n=100000")    -> Graph, or HeapError

`graph` is what all readers return; `oracle` finds what is reachable in it, `describe` computes statistics, `referee`
compares what a collector kept with what Go kept.  Nothing here depends on the collector.
"""

from __future__ import annotations

from collector.heaps.errors import HeapError
from collector.heaps.graph import Graph, Kind
from collector.heaps.sources import read
from collector.heaps.stream import Limits


__all__ = ["Graph", "HeapError", "Kind", "Limits", "read"]
