"""Linearizability: histories of concurrent operations, held against sequential models."""

from collector.linearizability.history import Operation, merge
from collector.linearizability.linearizable import Verdict, linearizable


__all__ = ["Operation", "Verdict", "linearizable", "merge"]
