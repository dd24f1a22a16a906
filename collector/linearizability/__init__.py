"""A linearizability checker: decides whether a history of concurrent operations fits a sequential model."""

from collector.linearizability.history import Operation, merge
from collector.linearizability.linearizable import Verdict, linearizable


__all__ = ["Operation", "Verdict", "linearizable", "merge"]
