"""A cell of the matrix: one mutant and one kind of check, in a process of its own, with limits of time and memory.

A mutant may hang, crash or eat memory.  That is a result: it is killed, and the limit says by what.

Theory of operation.  Where there is a fork server, the process is a fork of one that has imported the protocol and has no
threads; elsewhere it imports all itself.  Nothing of a mutant is left when its process has ended.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from contextlib import suppress
from math import ceil
from time import monotonic
from typing import TYPE_CHECKING, Any

from collector.mutation.kill import Kill
from collector.stress.uninterrupted import uninterrupted


if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection

MEMORY = 4 << 30
"""Bytes of address space that a mutant may take."""
BUSY, GRACE = 10.0, 30.0
"""How much longer a process may take than its seconds of processor time, where others want the processors, too; and more."""
XCPU = getattr(signal, "SIGXCPU", 0)
"""What ends a process that has used up its time."""
WAYS = multiprocessing.get_all_start_methods()
CONTEXT: Any = multiprocessing.get_context("forkserver" if "forkserver" in WAYS else "spawn")
PRELOADED = ["collector.mutation.checks"]


def isolated(by: str, check: Callable[..., Any], seconds: float, *args: object) -> Any:  # noqa: ANN401  the check's
    """What `check(*args)` returns, in a process of its own that has so many `seconds` of processor time.

    If it does not come to an end, a Kill says how it ended.  KeyboardInterrupt ends it, too.
    """
    if "forkserver" in WAYS:
        CONTEXT.set_forkserver_preload(PRELOADED)
    ours, theirs = CONTEXT.Pipe(duplex=False)
    process = CONTEXT.Process(target=answer, args=(theirs, by, check, seconds, args), daemon=True)
    begun = monotonic()
    try:
        with uninterrupted():
            process.start()
        theirs.close()
        if not ours.poll(BUSY * seconds + GRACE):
            return Kill(by, "", "hang: no end", 0, monotonic() - begun)
        return ours.recv()
    except EOFError:
        process.join()
        what = (
            "hang: no end" if process.exitcode == -XCPU else f"crash: the process ended with status {process.exitcode}"
        )
        return Kill(by, "", what, 0, monotonic() - begun)
    finally:
        if process.pid is not None:
            process.kill()
            process.join()
        ours.close()


def answer(
    connection: Connection, by: str, check: Callable[..., Any], seconds: float, args: tuple[object, ...]
) -> None:
    """In the process: call, and send what comes of it."""
    quiet()
    limited(seconds)
    try:
        result = check(*args)
    except MemoryError:
        result = Kill(by, "", f"memory: more than {MEMORY >> 30} GB", 0, 0.0)
    connection.send(result)
    connection.close()
    os._exit(0)  # a mutant may have left threads that never end


def limited(seconds: float) -> None:
    """Limit the memory and the processor time, where a system can."""
    with suppress(ImportError, ValueError, OSError):
        import resource  # noqa: PLC0415  not on Windows

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (ceil(seconds), ceil(seconds) + 1))


def quiet() -> None:
    """Nothing that a mutant prints is for anybody."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.__stdout__, sys.__stderr__):
        if stream:
            with suppress(OSError, ValueError):
                os.dup2(nowhere, stream.fileno())
