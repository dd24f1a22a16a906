"""The table of `--race-report`: what was run of each race test, and what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple


if TYPE_CHECKING:
    from collections.abc import Iterable


class Row(NamedTuple):
    """A line of `--race-report`."""

    test: str
    strategy: str
    executions: int
    pruned: int
    states: int
    verdict: str
    seconds: float


def table(rows: Iterable[Row]) -> list[str]:
    """Columns under their names, numbers to the right."""
    cells = [list(Row._fields), *([f"{cell}" for cell in row] for row in rows)]
    width = [max(map(len, column)) for column in zip(*cells, strict=True)]
    right = [name in {"executions", "pruned", "states", "seconds"} for name in Row._fields]
    return [
        "  ".join(
            cell.rjust(wide) if number else cell.ljust(wide)
            for cell, wide, number in zip(row, width, right, strict=True)
        ).rstrip()
        for row in cells
    ]
