"""Wraps standard output and error: escapes unprintable characters, and survives a closed pipe.

A character that does not print (a control character, a bidirectional mark, a lone surrogate) is shown as its escape,
wherever it came from: a file's name, a thread's, a log, a token.  When a pipe's reader leaves, further output is dropped,
but the run goes on, writes its files and ends with its own status.  Any other failure to write, a full disk say, is kept as
`failed`.
"""

from __future__ import annotations

import errno
import os
import re
import sys
from contextlib import suppress
from io import TextIOBase, UnsupportedOperation
from typing import TYPE_CHECKING, Self, TextIO


if TYPE_CHECKING:
    from types import TracebackType

UNUSUAL = re.compile(r"[^ -~\n\t]")
STDIN, STDOUT, STDERR = 0, 1, 2


def escaped(text: str) -> str:
    """`text` with what does not print as an escape, lines and tabs left as they are."""
    return UNUSUAL.sub(lambda found: found[0] if found[0].isprintable() else ascii(found[0])[1:-1], text)


def oneline(text: str) -> str:
    r"""`text` escaped, its ends of lines too: a name with a `\n` in it makes no second line."""
    return escaped(text).replace("\n", "\\n").replace("\t", "\\t")


class Guarded(TextIOBase):
    """A text stream that escapes what is written and outlives its reader; with `controls`, it escapes nothing."""

    def __init__(self, stream: TextIO, *, controls: bool = False) -> None:
        self.stream = stream
        self.controls = controls
        self.failed = ""
        """Why the stream took no more, if it was not its reader that left."""
        self.gone = False
        """It takes no more: what is written is dropped."""
        self.waiting = False
        """A write is waiting for the stream's reader."""

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """The stream's, for those who choose their characters by it."""
        return getattr(self.stream, "encoding", None) or "utf-8"

    @property
    def errors(self) -> str:  # type: ignore[override]
        """The stream's: without it `input` takes no terminal for one, and lines cannot be edited."""
        return getattr(self.stream, "errors", None) or "strict"

    def writable(self) -> bool:
        """As of any file to write."""
        return True

    def isatty(self) -> bool:
        """Is it a terminal?"""
        return self.stream.isatty()

    def fileno(self) -> int:
        """The descriptor, where there is one."""
        return self.stream.fileno()

    def write(self, text: str) -> int:
        """Write it, or what of it can be encoded."""
        shown = text if self.controls else escaped(text)
        if not shown.isascii():
            shown = shown.encode(self.encoding, "backslashreplace").decode(self.encoding)
        self.waiting = True
        try:
            self.stream.write(shown)
        except (OSError, ValueError) as error:
            self._gone(error)
        finally:
            self.waiting = False
        return len(text)

    def flush(self) -> None:
        """Pass on what the stream has kept back."""
        self.waiting = True
        try:
            self.stream.flush()
        except (OSError, ValueError) as error:
            self._gone(error)
        finally:
            self.waiting = False

    def _gone(self, error: Exception) -> None:
        """From now on drop what is written, at the interpreter's own last flush, too."""
        self.gone = True
        if not isinstance(error, BrokenPipeError):
            self.failed = self.failed or getattr(error, "strerror", None) or str(error)
        with suppress(OSError, UnsupportedOperation):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.stream.fileno())
            os.close(nowhere)


def unheard() -> bool:
    """Has whoever read standard output left?  Then there is nobody to talk to."""
    sys.stdout.flush()
    return getattr(sys.stdout, "gone", False)


def withcontrols() -> TextIO:
    """Standard output, for what draws on a terminal with control characters of its own."""
    stream = sys.stdout
    return Guarded(stream.stream, controls=True) if isinstance(stream, Guarded) else stream  # type: ignore[return-value]


def fill() -> None:
    """Open the three descriptors that are closed, on nothing: a file opened later would get their numbers."""
    for number in (STDIN, STDOUT, STDERR):
        try:
            os.fstat(number)
        except OSError as error:
            if error.errno == errno.EBADF:
                os.open(os.devnull, os.O_RDWR)  # gets the lowest number that is free, which is this one


class Streams:
    """While entered, stdout and stderr are guarded."""

    def __enter__(self) -> Self:
        fill()
        self.before = sys.stdout, sys.stderr
        self.out, self.err = (Guarded(stream or open(os.devnull, "w", encoding="utf-8")) for stream in self.before)  # noqa: PTH123, SIM115
        sys.stdout, sys.stderr = self.out, self.err
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.out.flush()
        self.err.flush()
        sys.stdout, sys.stderr = self.before
