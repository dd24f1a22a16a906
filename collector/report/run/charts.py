"""Small SVG charts for pages: stacked bars and lines over the cycles of a run, or whatever the axis is said to be.

Colours are the page's classes `s0`, `s1`, ..; drawn for a width of about 400 px, which a phone shows nearly as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from itertools import accumulate
from math import floor, log10
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

WIDTH, HEIGHT = 420, 216
LEFT, RIGHT, TOP, BOTTOM = 46, 8, 12, 40
TICKS = 4
LABELS = 8
"""Most labels under the cycles."""


@dataclass(frozen=True)
class Series:
    """One figure over the cycles; None where there was nothing to measure."""

    name: str
    values: Sequence[float | None]


def ticks(top: float) -> list[float]:
    """Round numbers from 0 to `top` or a little above."""
    if top <= 0:
        return [0.0, 1.0]
    power = 10.0 ** floor(log10(top / TICKS))
    step = next((power * factor for factor in (1, 2, 2.5, 5) if power * factor * TICKS >= top), power * 10)
    return [step * i for i in range(TICKS + 1)]


class Chart:
    """A frame with a scale; `labels` name the cycles, or what else `axis` says they are."""

    def __init__(self, title: str, unit: str, labels: Sequence[str], top: float, axis: str) -> None:
        self.title = title
        self.axis = axis
        self.unit = unit
        self.labels = labels
        self.scale = ticks(top)
        self.pitch = (WIDTH - LEFT - RIGHT) / max(len(labels), 1)

    def x(self, i: int) -> float:
        """The middle of cycle `i`'s place."""
        return LEFT + self.pitch * (i + 0.5)

    def y(self, value: float) -> float:
        """Where a value lies."""
        return HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * value / self.scale[-1]

    def frame(self) -> Iterator[str]:
        """The scale at the left and the cycles below."""
        for value in self.scale:
            at = self.y(value)
            yield f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at:.1f}" y2="{at:.1f}"/>'
            yield f'<text x="{LEFT - 6}" y="{at + 4:.1f}" text-anchor="end">{value:g}</text>'
        every = -(-len(self.labels) // LABELS)
        for i in range(0, len(self.labels), max(every, 1)):
            yield f'<text x="{self.x(i):.1f}" y="{HEIGHT - 23}" text-anchor="middle">{escape(self.labels[i])}</text>'
        yield f'<text class="axis" x="{WIDTH - RIGHT}" y="{HEIGHT - 4}" text-anchor="end">{escape(self.axis)}</text>'

    def tip(self, i: int, name: str, value: float) -> str:
        """The tooltip of a mark."""
        return f"<title>{escape(f'{self.axis} {self.labels[i]}, {name}: {value:.4g} {self.unit}')}</title>"

    def drawn(self, marks: Iterator[str]) -> str:
        """The whole picture."""
        return (
            f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(self.title)}">'
            f"{''.join(self.frame())}{''.join(marks)}</svg>"
        )


def bars(title: str, unit: str, labels: Sequence[str], series: Sequence[Series], axis: str = "cycle") -> str:
    """A bar a cycle, the series on top of each other."""
    heights = zip(*(one.values for one in series), strict=True)
    stacks = [list(accumulate((value or 0.0 for value in values), initial=0.0)) for values in heights]
    chart = Chart(title, unit, labels, max((stack[-1] for stack in stacks), default=0.0), axis)
    width = max(min(chart.pitch * 0.7, 28.0), 0.8)

    def marks() -> Iterator[str]:
        for i, stack in enumerate(stacks):
            for k, one in enumerate(series):
                value = one.values[i]
                if value is None:
                    continue
                low, high = chart.y(stack[k]), chart.y(stack[k + 1])
                place = f'x="{chart.x(i) - width / 2:.1f}" y="{high:.1f}" width="{width:.1f}" height="{low - high:.1f}"'
                yield f'<rect class="s{k}" {place}>{chart.tip(i, one.name, value)}</rect>'

    return chart.drawn(marks())


def lines(title: str, unit: str, labels: Sequence[str], series: Sequence[Series], axis: str = "cycle") -> str:
    """A line a series, with a dot for every cycle that was measured."""
    measured = [[(i, value) for i, value in enumerate(one.values) if value is not None] for one in series]
    chart = Chart(title, unit, labels, max((value for points in measured for _, value in points), default=0.0), axis)

    def marks() -> Iterator[str]:
        for k, points in enumerate(measured):
            line = " ".join(f"{chart.x(i):.1f},{chart.y(value):.1f}" for i, value in points)
            yield f'<polyline class="s{k}" points="{line}"/>'
            for i, value in points:
                tip = chart.tip(i, series[k].name, value)
                yield f'<circle class="s{k}" cx="{chart.x(i):.1f}" cy="{chart.y(value):.1f}" r="3">{tip}</circle>'

    return chart.drawn(marks())


def panel(heading: str, chart: str, series: Sequence[Series]) -> str:
    """A chart under its heading; where it has several colours, with what they are."""
    names = "".join(f'<span><i class="s{k}"></i>{escape(one.name)}</span>' for k, one in enumerate(series))
    key = f'<p class="legend">{names}</p>' if len(series) > 1 else ""
    return f'<section class="panel chart"><h2>{escape(heading)}</h2>{chart}{key}</section>'
