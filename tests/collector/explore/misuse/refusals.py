"""What a misused machine says: the reason for which a program is refused."""

from __future__ import annotations

from inspect import getfile
from typing import TYPE_CHECKING, Any

from collector.explore import SteppedMachine, explore
from collector.explore.claim import Kind


if TYPE_CHECKING:
    from collections.abc import Callable


STRATEGIES = ("portfolio", "dpor", "stateful", "exhaustive")


def refused(program: Callable[[SteppedMachine], Any], strategy: str = "portfolio", **options: Any) -> str:  # noqa: ANN401
    """The program is refused, at a line of its own file; what is said."""
    result = explore(program, strategy, **options)
    assert result.claim.kind is Kind.REFUSED, result
    assert result.failure is None
    assert not result.exhausted
    assert result.claim.where.startswith(f"{getfile(program)}:"), result.claim
    assert "\n" not in result.statement
    return result.claim.reason
