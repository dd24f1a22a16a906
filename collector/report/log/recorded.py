"""Reads a log's lines back into the events that they were written from, for the judges of `collector.audit.recorded`.

The writer makes the same line of the same event but for time and thread, and most events come again and again: so what has
been read of a line's rest is remembered.
"""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

from collector.audit.recorded.happened import Happened
from collector.report.log.lines import INTERRUPTED, LogfileError, noevent, parsed
from collector.report.log.parts import Parts
from workbuf.events import FIELDS, LIST_NAMES, PHASE_NAMES, Event


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KINDS = {kind.name.lower(): kind for kind in Event}
LISTS = {name: place for place, name in LIST_NAMES.items()}
PHASES = {name: phase for phase, name in enumerate(PHASE_NAMES)}
OTHERS = ("gctrace", "end", "failure")
"""Lines that are no events."""
BEGIN = '{"t": '
TAILS = 1 << 18
"""Rests of lines that are remembered."""


Read = Happened | dict[str, Any]
"""An event, or what a line says that is none."""


class Lines:
    """Reads lines.  `threads` are the threads' names by number."""

    def __init__(self, threads: list[str]) -> None:
        self.numbers = {name: number for number, name in enumerate(threads)}
        means: dict[str, Callable[[Any], int | str]] = {
            "list": LISTS.__getitem__,
            "phase": PHASES.__getitem__,
            "before": PHASES.__getitem__,
            "waitedfor": lambda names: sum(1 << self.numbers[name] for name in names),
            "buffer": str,
        }
        self.shapes = {
            name: [("wbuf" if f == "buffer" else f, means.get(f, number)) for f in FIELDS[kind] if f]
            for name, kind in KINDS.items()
        }
        self.ms: dict[str, int] = {}
        self.tails: dict[str, tuple[Event, int | str, int, int]] = {}

    def read(self, line: str) -> Read | None:
        """An event; what the line says if it is none; None if it is no JSON."""
        head, _, tail = line.partition('"event"')
        time, _, m = head.partition(",")
        thread = self.ms.get(m)
        known = self.tails.get(tail)
        digits = time[len(BEGIN) :]
        if known is None or thread is None or not (time.startswith(BEGIN) and digits.isdigit()):
            return self._read(line, m, tail)
        return Happened(int(digits), thread, *known)

    def _read(self, line: str, m: str, tail: str) -> Read | None:
        """The same, whatever the line looks like; raises KeyError, TypeError and ValueError for what is no event."""
        says = parsed(line)
        if says is None or "schema" in says or says["event"] in OTHERS:
            return says
        fields = self.shapes[says["event"]]
        a, b, c = [mean(says[name]) for name, mean in fields] + [0] * (3 - len(fields))
        event = Happened(number(says["t"]), self.numbers[says["m"]], KINDS[says["event"]], a, int(b), int(c))
        if m == f' "m": "{says["m"]}", ':
            self.ms[m] = event.thread
            if len(self.tails) >= TAILS:
                self.tails.clear()
            self.tails[tail] = (event.kind, a, event.b, event.c)
        return event


def number(value: Any) -> int:  # noqa: ANN401  JSON values
    """A whole number; raises TypeError."""
    if type(value) is not int:
        raise TypeError(f"{str(value)[:40]!r} is no number")
    return value


class Recorded:
    """The events of the log at `path`, and what else must be known to judge them.  Raises LogfileError."""

    def __init__(self, path: str) -> None:
        self.events: list[Happened] = []
        self.failure = ""
        """What ended the run early; empty if nothing did."""
        self.told = ""
        """The failure's text."""
        self.ended = False
        """Is the last line there that every run writes when it is over, failed or not?"""
        self.dropped = 0
        with closing(Parts(path)) as parts:
            self.header = parts.header
            self.threads: list[str] = parts.header["threads"]
            self.files = list(parts.files)
            self._read(parts)
            self.torn = parts.torn
            if parts.missing:
                raise LogfileError(f"{path}: {parts.missing[0]}: only a log with all its parts can be judged")
        kinds = {event.kind for event in self.events}
        if Event.LOST not in kinds and (self.dropped or (Event.ROOT in kinds and Event.ROOTS not in kinds)):
            raise LogfileError(f"{path}: written by an earlier version, whose logs do not say enough to be judged")

    @property
    def mutators(self) -> int:
        """How many threads, from 1 on, run programs: those of the helpers are behind them."""
        return sum(not name.startswith("helper") for name in self.threads[1:])

    @property
    def interrupted(self) -> bool:
        """Was it Ctrl-C or SIGTERM that ended the run early?"""
        return self.failure == INTERRUPTED

    @property
    def closed(self) -> bool:
        """Did the run end by itself, with all of it in the log?"""
        return self.ended and not self.failure

    def _read(self, parts: Parts) -> None:
        append = self.events.append
        where = str(parts.path)
        lines: Iterator[tuple[str, Read]] = parts.parsed(Lines(self.threads).read)
        try:
            for where, line in lines:  # noqa: B007  said when it is wrong
                if isinstance(line, Happened):
                    append(line)
                elif line["event"] == "failure":
                    self.failure, self.told = str(line["error"]), str(line["text"])
                elif line["event"] == "end":
                    self.ended, self.dropped = True, number(line["dropped"])
        except (KeyError, TypeError) as error:
            raise noevent(where, error) from None
