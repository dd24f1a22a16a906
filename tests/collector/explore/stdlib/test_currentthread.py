"""What is hung on a thread's object, which the thread itself finds as `current_thread()`, and others by a variable."""

from __future__ import annotations

from typing import Any

import pytest

from collector.explore import explore
from tests.collector.explore.stdlib import threaded
from tests.collector.explore.stdlib.programs import of, proved


@pytest.mark.parametrize("preemptions", [None, 9])
@pytest.mark.parametrize("never", [0, 1])
@pytest.mark.parametrize("call", ["asks", "tells"])
def test_what_no_step_orders_there_is_not_proved(call: str, never: int, preemptions: int | None) -> None:
    """Whoever of the two finds it by asking; plain search sees both outcomes."""

    def check(known: Any) -> None:  # noqa: ANN401
        assert known.seen != [never]

    program = of(lambda known: getattr(known, call)(), make=lambda module: module.Known(), check=check)
    reduced = explore(program, "dpor", preemptions=preemptions, shrink=False)
    assert reduced.claim.kind in {"failed", "undecided"}, str(reduced)
    assert reduced.failure or " share " in reduced.statement, str(reduced)
    for strategy in ("exhaustive", "stateful", "portfolio"):
        assert explore(program, strategy, shrink=False).claim.kind == "failed"


def test_what_a_join_orders_is_proved() -> None:
    """Of a thread that another has started, and of two."""
    proved(of(lambda known: threaded.joins(known.started()), make=lambda module: module.Known()))
    proved(
        of(
            lambda both: threaded.joins(both[0]),
            lambda both: threaded.joins(both[1]),
            make=lambda module: [module.Known().started() for _ in range(2)],
        )
    )
