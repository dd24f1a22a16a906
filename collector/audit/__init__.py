"""Audits: checks of the whole memory after every mark, while the world is stopped, independent of the protocol's code."""

from collector.linearizability import Operation, Verdict, linearizable, merge


__all__ = ["Operation", "Verdict", "linearizable", "merge"]
