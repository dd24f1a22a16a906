"""Opens a file that has an end; a named pipe without a writer would be waited for, and a device read for ever."""

from __future__ import annotations

import errno
import os
import stat


def regular(path: str, flags: int) -> int:
    """The opener of `open` for regular files; raises OSError, as it does, for pipes, devices and sockets too."""
    fd = os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
    mode = os.fstat(fd).st_mode
    if stat.S_ISREG(mode) or stat.S_ISDIR(mode):  # a folder is refused by whoever asked
        return fd
    os.close(fd)
    raise OSError(errno.EINVAL, "a device, a pipe or a socket: save it to a file first", path)
