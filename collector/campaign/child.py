"""A process beside a worker, in which programs are explored and nothing else runs.

A worker of a cluster has threads of its own, which draw from Python's random and keep the interpreter busy: a program would
be taken for one that is not the same twice.  So schedules are explored in a child, one task after the other; it is begun
again when it has died, and it is killed when the worker dies (`campaign.leash`).

What goes over the pipes: a pickle, and before it its length in eight bytes.  What a program prints goes to standard error.
"""

from __future__ import annotations

import atexit
import os
import pickle
import signal
import subprocess
import sys
from contextlib import suppress
from select import select
from time import monotonic
from typing import IO, TYPE_CHECKING

from collector.campaign.leash import Leash


if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

LENGTH = 8
"""Bytes."""


class Died(Exception):
    """The child has ended: the text says how."""


class Late(Exception):
    """The child was ended, because it did not come back: the text says after how long."""


class Child:
    """The process, begun when it is first wanted."""

    def __init__(self) -> None:
        self.leash: Leash | None = None
        atexit.register(self.end)

    def call(self, function: Callable[..., Any], arguments: tuple[object, ...], seconds: float | None) -> Any:  # noqa: ANN401
        """What the function, of a module, gives there; raises Died, Late, or what it raises."""
        if self.leash is None:
            self.leash = Leash(["-m", __name__], stdin=subprocess.PIPE)
        process = self.leash.process
        try:
            assert process.stdin
            assert process.stdout
            send(process.stdin, (function, arguments))
            found = receive(process.stdout, None if seconds is None else monotonic() + seconds)
        except TimeoutError:
            self.end()
            raise Late(f"it did not end within {seconds:g} s") from None
        except (OSError, EOFError):
            status = process.wait()
            self.end()
            how = f"by signal {-status}" if status < 0 else f"with exit status {status}"
            raise Died(f"its process ended {how}") from None
        if isinstance(found, BaseException):
            raise found
        return found

    def end(self) -> None:
        """End the process, if there is one."""
        leash, self.leash = self.leash, None
        if leash:
            leash.end()


def send(to: IO[bytes], value: object) -> None:
    """A value."""
    data = pickle.dumps(value)
    to.write(len(data).to_bytes(LENGTH, "big") + data)
    to.flush()


def receive(stream: IO[bytes], until: float | None = None) -> Any:  # noqa: ANN401
    """A value; raises EOFError, or TimeoutError if it has not come by then."""

    def exactly(number: int) -> bytes:
        data = b""
        while len(data) < number:
            if until is not None and not select([stream], [], [], max(until - monotonic(), 0.0))[0]:
                raise TimeoutError
            more = os.read(stream.fileno(), number - len(data))
            if not more:
                raise EOFError
            data += more
        return data

    return pickle.loads(exactly(int.from_bytes(exactly(LENGTH), "big")))  # noqa: S301  a process that we have begun


def limit_memory() -> None:
    """A program that takes more than half of the machine's memory gets a MemoryError: nobody else is killed for it."""
    with suppress(ImportError, ValueError, OSError, AttributeError):
        import resource  # noqa: PLC0415  not on Windows

        half = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (half if hard == resource.RLIM_INFINITY else min(half, hard), hard))


def main() -> None:
    """Do what comes, until nothing comes any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to all; the parent tells what that means
    limit_memory()
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    while True:
        try:
            function, arguments = receive(sys.stdin.buffer)
        except EOFError:
            return
        try:
            found = function(*arguments)
        except Exception as error:  # noqa: BLE001  it is raised over there
            found = error
        send(out, found)


if __name__ == "__main__":
    main()
