"""The lines of the table: what something costs, and the ratio to what it is measured against, with its spread.

A ratio is made of two figures taken one after the other; the next round takes them again.  So what else the machine does
falsifies a ratio less than a figure.  Ratios are of costs unless a line says otherwise.
"""

from __future__ import annotations

import os
import platform
import sys
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

GIL = getattr(sys, "_is_gil_enabled", lambda: True)()
INTERPRETER = f"{platform.python_version()}{'' if GIL else 't'}"
SWITCH_SECONDS = 1e-4
"""The switch interval at which runs of the model take place on a build with a GIL."""


class BenchError(Exception):
    """What was to be measured did not take place."""


@dataclass(frozen=True)
class Row:
    """One line.  `ratios` has one of each round; `figure` is our own side, in `unit`."""

    work: str
    over: str
    ratios: Sequence[float]
    figure: float
    unit: str
    most: float | None = None
    """The aim, where the ratio is to be at most that; `least` where it is to be at least that."""
    least: float | None = None
    clock: str = "processor"
    """Whose time it is: `processor` or `wall`; `count` where no time is in it."""
    note: str = ""

    @property
    def ratio(self) -> float:
        """The median."""
        return median(self.ratios)

    @property
    def aim(self) -> str:
        """The aim in words, and whether it is met."""
        if self.most is not None:
            return f"<= {self.most:g}{'' if self.ratio <= self.most else ' missed'}"
        if self.least is not None:
            return f">= {self.least:g}{'' if self.ratio >= self.least else ' missed'}"
        return ""

    def line(self) -> str:
        """As text."""
        spread = f"{self.ratio:.2f} [{min(self.ratios):.2f}..{max(self.ratios):.2f}]"
        figure = f"{self.figure:,.0f}" if self.figure >= 100 else f"{self.figure:.3g}"
        where = f"{INTERPRETER}, {os.cpu_count()}"
        return (
            f"{self.work:38} {self.over:30} {spread:20} {self.aim:14} {f'{figure} {self.unit}':18} "
            f"{self.clock:10}{where:12}{self.note}"
        ).rstrip()

    def json(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "work": self.work,
            "over": self.over,
            "ratio": self.ratio,
            "ratios": list(self.ratios),
            "aim": self.aim,
            "figure": self.figure,
            "unit": self.unit,
            "clock": self.clock,
            "note": self.note,
            "python": platform.python_version(),
            "gil": GIL,
            "nproc": os.cpu_count(),
        }


HEAD = f"{'work':38} {'over':30} {'ratio [range]':20} {'aim':14} {'figure':18} {'clock':10}{'python, cpus':12}"


@dataclass
class Figures:
    """Figures of several sides, taken in turn: `of[name]` has one a round."""

    of: dict[str, list[float]] = field(default_factory=dict)

    def ratios(self, one: str, other: str) -> list[float]:
        """Of each round."""
        return [a / b for a, b in zip(self.of[one], self.of[other], strict=True)]

    def median(self, name: str) -> float:
        """Of one side."""
        return median(self.of[name])


def inturn(rounds: int, sides: Mapping[str, Callable[[], float]]) -> Figures:
    """Ask each side once a round, each round beginning with the next one."""
    figures = Figures({name: [] for name in sides})
    order = list(sides)
    for i in range(rounds):
        for name in order[i % len(order) :] + order[: i % len(order)]:
            figures.of[name].append(sides[name]())
    return figures
