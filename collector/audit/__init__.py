"""What looks at a run from outside and says whether it was right."""

from collector.audit.history import Operation, merge
from collector.audit.linearizable import Verdict, linearizable


__all__ = ["Operation", "Verdict", "linearizable", "merge"]
