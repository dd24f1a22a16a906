"""Writes the log of a run: every protocol event as a JSON line; and sends messages to stderr.

The file's first line says what it is:

    {"schema": "workbuf-log", "version": 1, "run": "...", "seed": 7, "python": "3.11.7, GIL on", "command": "...",
     "threads": ["gc", ...]}

and every other line is one event, by time within a cycle:

    {"t": 81532117, "m": "rewire0", "event": "get", "wbuf": "wbuf3", "entry": 504, "site": "...", "list": "full"}

`t` is ns on the run's clock, `m` the thread; the other keys are the fields that `workbuf.events.FIELDS` names for that
event.  Some are written for reading: `buffer` is spelt `wbuf` with the buffer's name, `entry` comes with its decoding as
`site`, `list`, `phase` and the phase `before` are names, and `waitedfor` is a list of threads.

A finished cycle is an event "gctrace" with the line, the objects counted by the audit and the seconds; a failed run, a
throw say, has an event "failure" with the text; the last line is an event "end" that says how many events fell out of the
rings before they could be written.

A log may be rotated and its parts compressed.  Every part begins with the schema's line, the same in all of them but for
the number of the `part`, from 1: `run`, the time the run began, tells one run's parts from another's.

Protocol events are kept in a ring per thread.  They are taken out when the world is stopped at the end of a cycle, or when
the run has failed, and are then written by the main thread, because a log call inside a race window hides the race.

loguru writes the lines and rotates the file.  It opens each part through `EventLog._begin`, which writes the first line.  If
the file cannot be written any more, one line on stderr says so, and the run goes on.
"""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import os
import sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from loguru import logger

from collector.report.atomicwrite import Replacement, asitis, replaceable, replacing
from collector.report.streams import oneline
from workbuf.entry import Entry
from workbuf.events import Event, Reader
from workbuf.recorder import Record


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from collector.report.log.rotation import Rotation

SCHEMA = "workbuf-log"
VERSION = 1
PACKERS: dict[str, Callable[..., Any]] = {"gz": gzip.open, "bz2": bz2.open, "xz": lzma.open}
COMPRESSIONS = tuple(PACKERS)
"""What `collector.report.log.lines` reads back."""
PIECE = 1 << 20


BLOCK = 64 << 10
"""Bytes of lines that loguru is handed at once."""
ROTATED_BLOCK = 1 << 10
"""The same where parts are to have a size: loguru looks at it between two messages."""
SLICE = 20_000
"""Records made into lines at a time, where there is little time."""
TAILS = 1 << 16
"""Ends of lines that are kept."""


class LogError(Exception):
    """The log file cannot be written: the text says which and why."""


def tostderr(level: str) -> None:
    """Send loguru's messages of `level` and above to stderr, one line each."""
    logger.remove()
    logger.add(
        said,
        level=level,
        format="{level.name:7} {message}",
        filter=lambda record: "json" not in record["extra"],
        backtrace=False,
        diagnose=False,
    )


def said(message: str) -> None:
    """Print a message as one line."""
    sys.stderr.write(f"{oneline(message.removesuffix(chr(10)))}\n")


class EventLog:
    """JSON lines into `path`.  `bufname` turns a buffer's cell into its name.

    `rotation` and `compression` are loguru's: "100 MB", "1 hour"; one of COMPRESSIONS.  Raises LogError.
    """

    def __init__(
        self,
        path: Path,
        bufname: Callable[[int], str],
        header: dict[str, Any],
        *,
        rotation: Rotation | None = None,
        compression: str | None = None,
    ) -> None:
        self.path = path
        self.reader = Reader(bufname, header["threads"])
        self.threads = [json.dumps(name) for name in header["threads"]]
        self.tails: dict[tuple[int, ...], str] = {}
        self.block = ROTATED_BLOCK if rotation else BLOCK
        self.broken = ""
        self.packed = compression
        """What finished parts are packed as; None leaves them as they are."""
        self.written = 0
        """Blocks handed over; it grows while the log is written."""
        self.fd = -1
        self.opened = (0, 0)
        if not replaceable(path):
            if rotation or compression:
                raise LogError(f"--log {path}: only a regular file of its own can be rotated or compressed")
        elif path.is_symlink():
            path = Path(os.path.realpath(path))  # what is rotated is the file, not the link to it
        self.first = {"schema": SCHEMA, "version": VERSION, "run": datetime.now(UTC).isoformat(), **header}
        self.parts = 0
        try:
            self.handler = logger.add(
                str(path).replace("{", "{{").replace("}", "}}"),  # loguru puts times into its names
                format="{message}",
                filter=lambda record: "json" in record["extra"],
                level=0,
                rotation=rotation,
                compression=self._pack if compression else None,
                catch=False,
                backtrace=False,
                diagnose=False,
                mode="w",
                buffering=1 << 16,
                opener=self._begin,
            )
        except OSError as error:
            raise LogError(f"--log {path}: cannot write the log: {error.strerror}") from None
        except ValueError as error:
            raise LogError(f"--log-rotation {rotation}: {error}; say 100 MB or 10 minutes") from None
        self.logger = logger.bind(json=True)

    def _begin(self, path: str, flags: int) -> int:
        """Open a part that has its first line already, whenever it is looked at."""
        self.parts += 1
        line = f"{json.dumps({**self.first, 'part': self.parts})}\n".encode()
        replacement = None
        if replaceable(Path(path)):
            with suppress(PermissionError):  # a folder that takes no new files: the old one is written over
                replacement = Replacement(Path(path))
        self.fd = replacement.fd if replacement else self._asitis(path, flags)
        status = os.fstat(self.fd)
        self.opened = (status.st_dev, status.st_ino)
        try:
            os.write(self.fd, line)
            if replacement:
                replacement.link()
                replacement.replace()
        except OSError as error:
            self._giveup(error)
        finally:
            if replacement:
                replacement.discard()
        return self.fd

    def _asitis(self, path: str, flags: int) -> int:
        """Open what cannot be replaced: written over if it is a file of its own, as it is if not."""
        return os.open(path, flags, 0o666) if replaceable(Path(path)) else asitis(Path(path))

    def _pack(self, path: str) -> None:
        """Pack a finished part, beside it first, so that what has a packed part's name is whole."""
        if self.packed is None or self.broken:
            return
        packer = PACKERS[self.packed]
        with Path(path).open("rb") as part, replacing(f"{path}.{self.packed}") as file, packer(file, "wb") as packing:
            while piece := part.read(PIECE):
                packing.write(piece)
                self.written += 1
        Path(path).unlink()

    def _giveup(self, error: Exception) -> None:
        """The file can take no more: what lies in its buffer goes nowhere, and so raises nothing when it is closed."""
        self.broken = self.broken or getattr(error, "strerror", None) or str(error) or "out of memory"
        try:
            status = os.fstat(self.fd)
        except OSError:
            return  # closed: it failed while it was rotated
        if (status.st_dev, status.st_ino) == self.opened:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.fd)
            os.close(nowhere)

    def events(self, records: Iterable[Record]) -> None:
        """Write what the flight recorder held, in blocks: handing loguru a message costs more than making a line."""
        for block in self._blocks(records):
            self._write(block)

    def newest(self, records: Sequence[Record], until: float) -> int:
        """Write the newest of them, as many as are made into lines before that monotonic time; returns how many were not."""
        made: list[list[str]] = []
        at = len(records)
        with suppress(MemoryError):
            while at and monotonic() < until:
                begin = max(at - SLICE, 0)
                made.append(list(self._blocks(records[begin:at])))
                at = begin
        with suppress(MemoryError):
            if at:
                time, threads = records[at - 1].time, range(len(self.threads))
                made.append(list(self._blocks(Record(time, m, Event.LOST, at, 0, 0) for m in threads)))
        for blocks in reversed(made):
            for block in blocks:
                self._write(block)
        return at

    def _blocks(self, records: Iterable[Record]) -> Iterator[str]:
        """Lines, as many at a time as are handed over together."""
        block: list[str] = []
        size = 0
        for time, thread, *numbers in records:
            line = f'{{"t": {time}, "m": {self.threads[thread]}, {self._tail(*numbers)}'
            block.append(line)
            size += len(line)
            if size >= self.block:
                yield "\n".join(block)
                block.clear()
                size = 0
        if block:
            yield "\n".join(block)

    def _tail(self, *numbers: int) -> str:
        """An event's line from its kind on: the same for the same four numbers, and most come again and again."""
        tail = self.tails.get(numbers)
        if tail is None:
            event = self.reader.read(*numbers)
            line: dict[str, Any] = {"event": event.name}
            for name, value in event.fields.items():
                if name == "buffer":
                    line["wbuf"] = value
                elif isinstance(value, Entry):
                    line["entry"], line["site"] = value.number, str(value)
                else:
                    line[name] = value
            if len(self.tails) >= TAILS:
                self.tails.clear()
            tail = self.tails[numbers] = json.dumps(line)[1:]
        return tail

    def event(self, kind: str, **fields: Any) -> None:  # noqa: ANN401  JSON values
        """Write one line of another kind."""
        self._write(json.dumps({"event": kind, **fields}))

    def _write(self, lines: str) -> None:
        """A file that cannot take more is given up, once, and said when it is closed."""
        if not self.broken:
            try:
                self.logger.log("INFO", "{}", lines)
            except (OSError, MemoryError) as error:
                self._giveup(error)
            self.written += 1

    def close(self, *, hurry: bool = False) -> None:
        """Flush and close the file, and say if it is short; with `hurry`, unpacked."""
        if hurry:
            self.packed = None
        try:
            logger.remove(self.handler)
        except (OSError, MemoryError) as error:
            self._giveup(error)
        if self.broken:
            logger.warning("{}: the log ends early: {}", self.path, self.broken)
