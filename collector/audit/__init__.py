"""Audits: the memory of the stopped world, examined from outside after every mark."""

from collector.linearizability import Operation, Verdict, linearizable, merge


__all__ = ["Operation", "Verdict", "linearizable", "merge"]
