"""The system's limits on address space and threads: what is left, and messages that name the limit to raise."""

from __future__ import annotations

import ctypes
import os
import sysconfig
import threading
from contextlib import suppress
from pathlib import Path


try:
    import resource
except ImportError:  # no POSIX
    resource = None  # type: ignore[assignment]

STACK = 8 << 20
"""Bytes of address space of a thread's stack where the system does not say."""
SLACK = 64 << 20
"""Bytes for what the interpreter itself still asks for."""
ALLOCATOR = 32 << 20 if sysconfig.get_config_var("Py_GIL_DISABLED") else 1 << 20
"""Bytes of it that the interpreter's allocator takes for a thread: without a GIL each has memory of its own."""
M_ARENA_MAX = -8
"""glibc's name for how many arenas malloc may have."""
OTHERS = 4
"""Threads beside those of a run that may still be started."""


class Shortage(Exception):
    """The system has too little of something; the text says what would do."""


def frugal() -> None:
    """Where address space is limited, keep malloc from taking 64 MiB of it, or more, for every thread."""
    if resource is not None and resource.getrlimit(resource.RLIMIT_AS)[0] != resource.RLIM_INFINITY:
        with suppress(OSError, AttributeError):  # another C library
            ctypes.CDLL(None).mallopt(M_ARENA_MAX, 1)


def enough(more: int, threads: int) -> int:
    """Bytes of address space with which `more` bytes and `threads` further threads fit into this process."""
    return occupied() + more + (threads + OTHERS) * (stack() + ALLOCATOR) + SLACK


def tight(more: int, threads: int) -> bool:
    """Say whether they may be too much for the limit on address space, if there is one."""
    if resource is None:
        return False
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    return limit != resource.RLIM_INFINITY and enough(more, threads) > limit


def addressspace(more: int, threads: int) -> str:
    """The limit with which they fit."""
    kilobytes = -(-enough(more, threads) // 1024)
    return f"a limit of {kilobytes} kB would do (ulimit -v {kilobytes})"


def threads(started: int, wanted: int) -> str:
    """What to say when the system has refused a thread after `started` of the `wanted` ones."""
    said = f"{wanted} threads are needed and the system has started {started}: "
    if resource is None:
        return said + "take fewer"
    missing = wanted - started
    space, _ = resource.getrlimit(resource.RLIMIT_AS)
    if space != resource.RLIM_INFINITY and occupied() + stack() + ALLOCATOR + SLACK // 8 > space:
        return said + addressspace(0, missing)
    most, _ = resource.getrlimit(resource.RLIMIT_NPROC)
    if most == resource.RLIM_INFINITY:
        return said + f"let the container have {missing + OTHERS} tasks more, or take fewer"
    limit = max(most, tasks()) + missing + OTHERS
    return said + f"a limit of {limit} would do (ulimit -u {limit}), or take fewer"


def memory() -> str:
    """What to say when the interpreter itself got no memory."""
    if resource is not None and resource.getrlimit(resource.RLIMIT_AS)[0] != resource.RLIM_INFINITY:
        return f"take a smaller heap, or a larger limit: {addressspace(SLACK, 0)}"
    return "take a smaller heap"


def tasks() -> int:
    """Processes and threads of this user, as far as the system shows them."""
    found = 0
    for process in Path("/proc").glob("[0-9]*/task"):
        try:
            found += sum(1 for _ in process.iterdir()) if process.stat().st_uid == os.getuid() else 0
        except OSError:  # it has ended
            continue
    return found


def occupied() -> int:
    """Bytes of address space that this process has; 0 where the system does not say."""
    try:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
    except (OSError, AttributeError):
        return 0


def stack() -> int:
    """Bytes of address space of a further thread's stack."""
    size = threading.stack_size()
    if not size and resource is not None:
        size, _ = resource.getrlimit(resource.RLIMIT_STACK)
    return size if 0 < size < 1 << 40 else STACK
