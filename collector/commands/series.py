"""Several stress runs, one after the other: the same again (`--repeat`)."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.stress.run import Plan


def repeated(first: Plan, times: int, execute: Callable[[Plan], int]) -> int:
    """The same run with one seed after the next, `times` times (0: without end), or until one has failed."""
    status = 0
    for number in count():
        status = execute(replace(first, seed=first.seed + number))
        if status or number + 1 == times:
            break
    return status
