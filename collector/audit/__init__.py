"""Audits: checks of the whole memory after every mark, while the world is stopped, independent of the protocol's code."""

from __future__ import annotations

from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from collector.linearizability import Operation, Verdict, linearizable, merge

__all__ = ["Operation", "Verdict", "linearizable", "merge"]


def __getattr__(name: str) -> object:
    """Linearizability, imported when it is asked for: no audit needs it."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from collector import linearizability  # noqa: PLC0415

    return getattr(linearizability, name)
