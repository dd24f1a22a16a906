"""Plain-text tables, fitted to the width of the terminal."""

from __future__ import annotations

from itertools import zip_longest
from shutil import get_terminal_size
from textwrap import wrap
from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size

from collector.report.streams import oneline


if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

WIDTH = 110
"""Characters of a line that goes to no terminal."""
NARROWEST = 40
"""The same of one that is narrower: it wraps them itself."""
GAP = "  "


def linewidth() -> int:
    """Characters of a line of the terminal's."""
    return max(get_terminal_size((WIDTH, 24)).columns, NARROWEST)


def table(rows: Iterable[Sequence[str]], head: Sequence[str] = ()) -> str:
    """`rows` in columns, with a line of headings if there are any; wrapped at the terminal's width, without colours."""
    cells = [[oneline(cell) for cell in row] for row in ((head, *rows) if head else rows)]
    columns = zip_longest(*cells, fillvalue="")
    widths = fitted([max(map(cell_len, column)) for column in columns])
    return "\n".join(line for row in cells for line in lines(row, widths))


def fitted(widths: list[int]) -> list[int]:
    """The columns' widths, the widest ones cut until all fit into a line."""
    widths = list(widths)
    room = linewidth() - len(GAP) * (len(widths) - 1)
    while sum(widths) > room and max(widths) > 1:
        widest = max(widths)
        those = [i for i, width in enumerate(widths) if width == widest]
        below = max((width for width in widths if width < widest), default=1)
        share = -(-(sum(widths) - room) // len(those))
        for i in those:
            widths[i] = max(widest - share, below, 1)
    return widths


def lines(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    """A row's lines: one, or more where a cell is wrapped."""
    if all(cell_len(cell) <= width for cell, width in zip(row, widths, strict=False)):
        return [joined(row, widths)]
    parts = [wrap(cell, width) for cell, width in zip(row, widths, strict=False)]
    return [joined(line, widths) for line in zip_longest(*parts, fillvalue="")]


def joined(cells: Sequence[str], widths: Sequence[int]) -> str:
    """One line."""
    sized = (set_cell_size(cell, width) for cell, width in zip(cells, widths, strict=False))
    return GAP.join(sized).rstrip()
