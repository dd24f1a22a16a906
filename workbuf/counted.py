"""So many of something, in words: `1 schedule`, `2 schedules`, `0 entries`."""

from __future__ import annotations


def counted(n: int, what: str) -> str:
    """`n` and the name of what is counted, given for one, in the number that `n` asks for."""
    if n == 1:
        return f"{n} {what}"
    if what.endswith("y"):
        return f"{n} {what[:-1]}ies"
    return f"{n} {what}{'es' if what.endswith(('ch', 'ss')) else 's'}"
