"""Plain tables for the terminal."""

from __future__ import annotations

from io import StringIO
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from collector.report.streams import oneline


if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

WIDTH = 110


def table(rows: Iterable[Sequence[str]], head: Sequence[str] = ()) -> str:
    """`rows` in columns, with a line of headings if there are any; wrapped at WIDTH, without colours."""
    columns = Table(*head, box=None, show_header=bool(head), pad_edge=False)
    for row in rows:
        columns.add_row(*map(oneline, row))
    out = StringIO()
    Console(file=out, width=WIDTH, color_system=None).print(columns, markup=False, highlight=False)
    return "\n".join(line.rstrip() for line in out.getvalue().rstrip().splitlines())
