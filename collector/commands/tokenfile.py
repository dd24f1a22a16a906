"""A token, given as it is or in a file."""

from __future__ import annotations

import os
import re
from pathlib import Path

from collector.commands.usage import UsageError
from collector.explore.token import FORMAT


BEGINS = re.compile(r"s\d\.")
"""How a token begins, of whatever version."""
LONGEST = 1 << 20
"""Bytes that are read of a token's file."""


def atonce(path: str, flags: int) -> int:
    """An opener that does not wait for a named pipe's writer; of one that has come, what it writes is read."""
    fd = os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
    if hasattr(os, "set_blocking"):
        os.set_blocking(fd, True)
    return fd


def tokentext(word: str) -> str:
    """The token that `word` is, or that the file of that name holds; raises UsageError."""
    path = Path(word)
    if BEGINS.match(word):
        return word
    try:
        if not path.exists():
            raise UsageError(
                f"{word[:80]!r}: no such file, and no token: a token of this version begins with 's{FORMAT}.'"
            )
        with open(path, "rb", opener=atonce) as file:
            text = file.read(LONGEST).decode("ascii").strip()
    except UnicodeDecodeError:
        raise UsageError(f"token file {word}: no token: it is not text") from None
    except OSError as error:
        raise UsageError(f"token file {word}: cannot read: {error.strerror}") from None
    if not text:
        raise UsageError(
            f"token file {word}: no token: {'nobody writes to this pipe' if path.is_fifo() else 'it is empty'}"
        )
    if not BEGINS.match(text):
        raise UsageError(f"token file {word}: no token: one of this version begins with 's{FORMAT}.'")
    return text
