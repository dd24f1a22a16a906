"""Atomic file replacement: writes a new file in the same folder, and moves it into place when it is complete.

Until then the file has no name, where the file system supports that, so a process that is killed leaves nothing behind.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO


if TYPE_CHECKING:
    from collections.abc import Iterator

NAMELESS = getattr(os, "O_TMPFILE", 0)
NONBLOCK = getattr(os, "O_NONBLOCK", 0)
BINARY = getattr(os, "O_BINARY", 0)
"""What only some systems have."""


class Replacement:
    """A new file in the folder of `path`, open at `fd`; `link` and `replace` put it at `path`.  Raises OSError."""

    def __init__(self, path: Path) -> None:
        """`path`: a regular file, or nothing yet; if a symbolic link leads there, the link stays."""
        self.path = Path(os.path.realpath(path))
        self.name = self.path.with_name(f".{os.urandom(8).hex()}.part")
        self.named = False
        self.fd = self._open()
        with suppress(FileNotFoundError):
            if hasattr(os, "fchmod"):
                os.fchmod(self.fd, stat.S_IMODE(self.path.stat().st_mode))

    def _open(self) -> int:
        if NAMELESS:
            try:
                return os.open(self.path.parent, NAMELESS | os.O_RDWR, 0o666)
            except OSError as error:
                if error.errno not in (errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL):
                    raise
        self.named = True
        return os.open(self.name, os.O_RDWR | os.O_CREAT | os.O_EXCL | BINARY, 0o666)

    def link(self) -> None:
        """Give the file, which is open, a name: that of `path` if nothing is there, so that nothing is left to do."""
        if not self.named:
            # In one step, if nothing is there: a process that is killed between two would leave the other name behind.
            with suppress(FileExistsError):
                self._link(self.path.name)
                return
            self._link(self.name.name)
            self.named = True

    def replace(self) -> None:
        """Replace what is at `path` by it, once it has a name; some systems want it closed for that (Windows)."""
        if self.named:
            self.name.replace(self.path)
            self.named = False

    def _link(self, name: str) -> None:
        """Give the file a name that is not there yet; raises FileExistsError."""
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            # A folder's descriptor makes Python take the call that follows /proc's link to the file.
            os.link(f"/proc/self/fd/{self.fd}", name, dst_dir_fd=folder, follow_symlinks=True)
        finally:
            os.close(folder)

    def discard(self) -> None:
        """Remove what has not been published."""
        if self.named:
            self.name.unlink(missing_ok=True)


@contextmanager
def replacing(path: str | Path) -> Iterator[BinaryIO]:
    """A file to write to, which takes the place of `path` if the block ends without an error.  Raises OSError.

    A pipe or a device cannot be replaced, nor can a file in a folder that takes no new ones: these are written as they are.
    """
    path = Path(path)
    if not replaceable(path):
        with os.fdopen(asitis(path), "wb") as file:
            yield file
        return
    try:
        replacement = Replacement(path)
    except PermissionError:
        with path.open("wb") as file:
            yield file
        return
    try:
        with os.fdopen(replacement.fd, "wb") as file:
            yield file
            file.flush()
            replacement.link()
        replacement.replace()
    finally:
        replacement.discard()


def replaceable(path: Path) -> bool:
    """Is it a regular file, or nothing yet, and not where stdout or stderr go?"""
    try:
        status = path.stat()
    except FileNotFoundError:
        return True
    return stat.S_ISREG(status.st_mode) and not any(
        os.path.samestat(status, os.fstat(number)) for number in (1, 2) if isopen(number)
    )


def asitis(path: Path) -> int:
    """A descriptor to write to what cannot be replaced; the caller closes it.  Raises OSError.

    Where stdout or stderr goes, it writes on where that stream is, so that neither writes over the other.  A pipe that
    nobody reads is an error: opening it would wait, without a limit.
    """
    there = path.stat()
    for number, stream in ((1, sys.stdout), (2, sys.stderr)):
        if isopen(number) and os.path.samestat(there, os.fstat(number)):
            if stream:
                stream.flush()
            return os.dup(number)
    try:
        fd = os.open(path, os.O_WRONLY | os.O_APPEND | NONBLOCK | BINARY)
    except OSError as error:
        if error.errno == errno.ENXIO:
            raise OSError(errno.ENXIO, "nobody reads it: start its reader first", str(path)) from None
        raise
    if NONBLOCK:
        os.set_blocking(fd, True)
    return fd


def isopen(number: int) -> bool:
    """Is there such a descriptor?"""
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def check(path: str | Path) -> None:
    """Raise the OSError that writing `path` would end in, as far as that can be known before.  Nothing is left there."""
    name, path = os.fspath(path), Path(path)
    try:
        status = path.stat()
    except FileNotFoundError:
        if name.endswith(os.sep):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR)) from None
        replacement = Replacement(path)
        os.close(replacement.fd)
        replacement.discard()
        return
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not os.access(path, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
