"""What looks at a run from outside and says whether it was right."""

from collector.linearizability import Operation, Verdict, linearizable, merge


__all__ = ["Operation", "Verdict", "linearizable", "merge"]
