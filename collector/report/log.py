"""Logging: loguru to stderr for people, JSON lines to a file for programs.

The file's first line says what it is:

    {"schema": "workbuf-log", "version": 1, "seed": 7, "python": "3.11.7, GIL on", "command": "...", "threads": ["gc", ...]}

and every other line is one event, by time within a cycle:

    {"t": 81532117, "m": "rewire0", "event": "get", "wbuf": "wbuf3", "entry": 504, "site": "...", "list": "full"}

`t` is ns on the run's clock, `m` the thread; the other keys are the fields that `workbuf.events.FIELDS` names for that
event, `buffer` being spelt `wbuf` with the buffer's name, and `entry` coming with its decoding.  A finished cycle is an
event "gctrace" with the line, the objects counted by the audit and the seconds; a failed run has an event "failure" with
the text; the last line is an event "end" that says how many events fell out of the rings before they could be written.

Theory of operation.  Protocol events lie in the threads' rings and are written when the world is stopped at the end of a
cycle, or when the run has failed: a log call inside a race window hides the race.

Relied on.  loguru hands the lines on; a file that cannot be written any more ends in one line on stderr and not in a
lost run.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from loguru import logger

from workbuf.entry import decode
from workbuf.events import FIELDS, LIST_NAMES, Event


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from collector.report.recorder import Record

SCHEMA = "workbuf-log"
VERSION = 1


class LogError(Exception):
    """The log file cannot be written: the text says which and why."""


def tostderr(level: str) -> None:
    """Send loguru's messages of `level` and above to stderr, one line each."""
    logger.remove()
    logger.add(
        sys.stderr,
        level=level,
        format="{level.name:7} {message}",
        filter=lambda record: "json" not in record["extra"],
        backtrace=False,
        diagnose=False,
    )


class EventLog:
    """JSON lines into `path`.  `bufname` turns a buffer's cell into its name."""

    def __init__(self, path: Path, bufname: Callable[[int], str], header: dict[str, Any]) -> None:
        self.path = path
        self.bufname = bufname
        self.names: list[str] = header["threads"]
        self.sites: dict[int, str] = {}
        self.broken = ""
        try:
            self.file = path.open("w", encoding="utf-8", buffering=1 << 16)
        except OSError as error:
            raise LogError(f"--log {path}: cannot write the log: {error.strerror}") from None
        self.handler = logger.add(
            self._line,
            format="{message}",
            filter=lambda record: "json" in record["extra"],
            level=0,
            catch=False,
            backtrace=False,
            diagnose=False,
        )
        self.logger = logger.bind(json=True)
        self._write({"schema": SCHEMA, "version": VERSION, **header})

    def events(self, records: Iterable[Record]) -> None:
        """Write what the flight recorder held."""
        for record in records:
            kind = Event(record.kind)
            line: dict[str, Any] = {"t": record.time, "m": self.names[record.thread], "event": kind.name.lower()}
            for name, value in zip(FIELDS[kind], (record.a, record.b, record.c), strict=True):
                if name == "buffer":
                    line["wbuf"] = self.bufname(value)
                elif name == "entry":
                    line["entry"] = value
                    line["site"] = self.sites.get(value) or self.sites.setdefault(value, decode(value))
                elif name == "list":
                    line["list"] = LIST_NAMES[value]
                elif name:
                    line[name] = value
            self._write(line)

    def event(self, kind: str, **fields: Any) -> None:  # noqa: ANN401  JSON values
        """Write one line of another kind."""
        self._write({"event": kind, **fields})

    def _write(self, line: dict[str, Any]) -> None:
        if not self.broken:
            self.logger.log("INFO", "{}", json.dumps(line))

    def _line(self, message: str) -> None:
        """The sink.  A file that cannot take more is given up, once, and said when it is closed."""
        try:
            self.file.write(message)
        except OSError as error:
            self.broken = error.strerror or str(error)

    def close(self) -> None:
        """Flush and close the file, and say if it is short."""
        logger.remove(self.handler)
        try:
            self.file.close()
        except OSError as error:
            self.broken = error.strerror or str(error)
        if self.broken:
            logger.warning("{}: the log ends early: {}", self.path, self.broken)
