"""Reads and writes at a place in a file, its position left as it is, also on systems without a call for that (Windows)."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from collections.abc import Iterator


def pread(fd: int, n: int, at: int) -> bytes:
    """At most `n` bytes from `at` on; raises OSError."""
    if hasattr(os, "pread"):
        return os.pread(fd, n, at)
    with _positioned(fd, at):
        return os.read(fd, n)


def pwrite(fd: int, content: bytes, at: int) -> int:
    """Write over what stands at `at`; how many bytes were written.  Raises OSError."""
    if hasattr(os, "pwrite"):
        return os.pwrite(fd, content, at)
    with _positioned(fd, at):
        return os.write(fd, content)


@contextmanager
def _positioned(fd: int, at: int) -> Iterator[None]:
    here = os.lseek(fd, 0, os.SEEK_CUR)
    os.lseek(fd, at, os.SEEK_SET)
    try:
        yield
    finally:
        os.lseek(fd, here, os.SEEK_SET)
