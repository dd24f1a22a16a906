"""Plain-text tables, fitted to the width of the terminal; and the same in Markdown."""

from __future__ import annotations

import sys
from itertools import zip_longest
from shutil import get_terminal_size
from textwrap import wrap
from typing import TYPE_CHECKING

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


def flowed(text: str) -> str:
    """`text`, to be printed: where stdout is a terminal, its lines are broken between words."""
    if not sys.stdout.isatty():
        return text
    width = linewidth()
    parts = (wrap(line, width, break_long_words=False, break_on_hyphens=False) for line in text.splitlines())
    return "\n".join("\n".join(part) for part in parts)


def cells(text: str) -> int:
    """How many of the terminal's cells it takes."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len  # noqa: PLC0415  slow, and for wide characters alone

    return cell_len(text)


def table(rows: Iterable[Sequence[str]], head: Sequence[str] = ()) -> str:
    """`rows` in columns, with a line of headings if there are any; wrapped at the terminal's width, without colours.

    A cell is broken between words, and inside a word only if the longest words of all columns do not fit into a line.
    """
    said = [[oneline(cell) for cell in row] for row in ((head, *rows) if head else rows)]
    columns = list(zip_longest(*said, fillvalue=""))
    whole = [max(map(cells, column)) for column in columns]
    words = [max(map(cells, " ".join(column).split()), default=0) for column in columns]
    widths = fitted(whole, fitted(words, [1] * len(words)))
    return "\n".join(line for row in said for line in lines(row, widths))


def fitted(widths: Sequence[int], least: Sequence[int]) -> list[int]:
    """The columns' widths, the widest ones cut until all fit into a line or none is wider than `least`."""
    widths = list(widths)
    room = linewidth() - len(GAP) * (len(widths) - 1)
    while sum(widths) > room and (wide := [i for i, width in enumerate(widths) if width > least[i]]):
        widest = max(widths[i] for i in wide)
        those = [i for i in wide if widths[i] == widest]
        below = max((widths[i] for i in wide if widths[i] < widest), default=1)
        share = -(-(sum(widths) - room) // len(those))
        for i in those:
            widths[i] = max(widest - share, below, least[i])
    return widths


def lines(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    """A row's lines: one, or more where a cell is wrapped."""
    if all(cells(cell) <= width for cell, width in zip(row, widths, strict=False)):
        return [joined(row, widths)]
    parts = [wrap(cell, width, break_on_hyphens=False) for cell, width in zip(row, widths, strict=False)]
    return [joined(line, widths) for line in zip_longest(*parts, fillvalue="")]


def joined(row: Sequence[str], widths: Sequence[int]) -> str:
    """One line."""
    padded = (cell + " " * (width - cells(cell)) for cell, width in zip(row, widths, strict=False))
    return GAP.join(padded).rstrip()


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    said = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *said))
