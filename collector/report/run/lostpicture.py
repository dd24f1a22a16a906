"""Draws the way to a lost object: the root, the objects, the edges between them, who stored them and when."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from collector.report.run.lost import Why

WIDE, HIGH, GAP, TOP, LINE = 132, 44, 116, 34, 15
LONGEST = 20
"""Characters of a node's name on one line."""


LABEL = "the way from a root to the lost object"


def picture(why: Why) -> str:
    """An SVG: the nodes from left to right, on each edge who stored it, under each node its state."""
    width = len(why.nodes) * (WIDE + GAP) - GAP + 4
    parts = [
        f'<svg class="way" viewBox="0 0 {width} {TOP + HIGH + 26}" width="{width}" role="img" aria-label="{LABEL}">',
    ]
    for at, (name, state) in enumerate(why.nodes):
        x = 2 + at * (WIDE + GAP)
        if at:
            stored = why.edges[at - 1]
            who, _, when = stored.partition(", ")
            y, left = TOP + HIGH // 2, x - GAP
            parts.append(f'<path class="edge" d="M{left} {y} H{x - 7} m-6 -4 l7 4 l-7 4"/>')
            parts += [
                f'<text class="by" x="{left + GAP / 2 - 3}" y="{y - 8 - LINE * (1 - i)}">{escape(text)}</text>'
                for i, text in enumerate((who, when.removesuffix(" before the end")))
                if text
            ]
        parts.append(f'<rect class="{state}" x="{x}" y="{TOP}" width="{WIDE}" height="{HIGH}" rx="5"/>')
        lines = split(name)
        top = TOP + HIGH / 2 + 4 - (len(lines) - 1) * LINE / 2
        parts += [
            f'<text x="{x + WIDE / 2}" y="{top + i * LINE}">{escape(text)}</text>' for i, text in enumerate(lines)
        ]
        if state not in {"root", "left"}:
            parts.append(f'<text class="state" x="{x + WIDE / 2}" y="{TOP + HIGH + LINE}">{state}</text>')
    return "".join((*parts, "</svg>"))


def split(name: str) -> list[str]:
    """A name on one line or two."""
    if len(name) <= LONGEST:
        return [name]
    cut = name.rfind(" ", 0, LONGEST)
    return [name[:cut], name[cut + 1 :]]
