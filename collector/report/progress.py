"""A progress bar on a terminal; plain lines where stdout is none.

rich would redraw the bar from a thread of its own, which would compete with the Ms.  So it is refreshed by hand: four times
a second, when a cycle ends, and when something is printed.
"""

from __future__ import annotations

import sys
from time import monotonic
from typing import TYPE_CHECKING, Self

from collector.report.streams import escaped, oneline, withcontrols


if TYPE_CHECKING:
    from types import TracebackType

    from rich.progress import Progress as Bar


REFRESH_S = 0.1
TICK_S = 0.25
"""Seconds between two updates while Ms run, which need the processor."""


class Progress:
    """A display of one activity: `total` steps or `seconds`, whichever is over first, or neither (just its name)."""

    def __init__(self, what: str, total: int = 0, seconds: float = 0.0) -> None:
        self.what = what = oneline(what)
        self.total = total
        self.seconds = seconds
        self.began = monotonic()
        self.shown = self.began
        self.bar: Bar | None = None
        if sys.stdout.isatty():
            from rich.console import Console  # noqa: PLC0415  slow, and for a terminal alone
            from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn  # noqa: PLC0415

            elapsed = (TimeElapsedColumn(), TextColumn("elapsed,"), TimeRemainingColumn(), TextColumn("left"))
            self.bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                *elapsed,
                console=Console(file=withcontrols()),
                auto_refresh=False,
                transient=True,
            )
            self.task = self.bar.add_task(what, total=total or seconds or None)

    def __enter__(self) -> Self:
        if self.bar:
            self.bar.start()
            self.bar.refresh()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.bar:
            self.bar.stop()

    def say(self, what: str) -> None:
        """Go over to another activity, of which nothing but the name is known so far."""
        if self.bar:
            self.bar.reset(self.task, total=None, description=oneline(what))
            self.bar.refresh()

    def part(self, done: int, total: int) -> None:
        """`done` of `total` units of what is going on: for readers that call back."""
        if self.bar and monotonic() - self.shown > REFRESH_S:
            self.shown = monotonic()
            self.bar.update(self.task, completed=done, total=total, refresh=True)

    def tick(self, doing: str = "") -> None:
        """Some time has passed; `doing` is the part of the activity that goes on, if it has parts."""
        if self.bar and monotonic() - self.shown > TICK_S:
            self.shown = monotonic()
            if doing:
                self.bar.update(self.task, description=f"{self.what}: {doing:26}")
            self._clock()
            self.bar.refresh()

    def rate(self, done: int, seconds: float, what: str, outlook: str = "") -> None:
        """`done` steps in `seconds`, by `what`, with its outlook: for a search that calls back now and then."""
        if self.bar:
            per_second = done / seconds if seconds else 0.0
            part = seconds / self.seconds if self.seconds else 0.0
            self.bar.update(
                self.task,
                completed=max(done, min(part, 1.0) * self.total) if self.total else min(seconds, self.seconds),
                description=f"{what}: {per_second:,.0f}/s{outlook and ', '}{outlook}",
                refresh=True,
            )

    def line(self, text: str) -> None:
        """Print a line above the bar."""
        if self.bar:
            self.bar.console.print(escaped(text), markup=False, highlight=False, soft_wrap=True)
        else:
            print(text, flush=True)

    def advance(self) -> None:
        """One step is done."""
        if self.bar:
            if self.total:
                self.bar.advance(self.task)
            self._clock()
            self.bar.refresh()

    def _clock(self) -> None:
        if self.bar and self.seconds and not self.total:
            self.bar.update(self.task, completed=min(monotonic() - self.began, self.seconds))
