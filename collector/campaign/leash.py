"""A process that ends with the one that wanted it, however that one ends: also killed, when nobody is left to say so.

Theory of operation.  Whoever wants the process keeps the only end of a pipe that writes, and writes nothing.  Between the
two is this module as a process, `python -m collector.campaign.leash PIPE WORDS`: it begins the other one, in a session of
its own, and reads.  When the reading ends, since the writer has let go or is gone, it kills the whole group of the process,
so what that has begun, too.  When the process ends it ends in the same way: with its exit status, or by its signal.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from threading import Thread
from typing import IO, TYPE_CHECKING


if TYPE_CHECKING:
    from collections.abc import Sequence

    Stream = int | IO[bytes] | None


REST = 5.0
"""Seconds to wait for the rest of what was printed: who has a session of its own is not ended, and may keep it open."""


class Leash:
    """This interpreter with these words, on a leash."""

    def __init__(self, words: Sequence[str], stdin: Stream, stderr: Stream = None) -> None:
        """Its standard output is a pipe; the others are as `subprocess` has them."""
        reading, self.holding = os.pipe()
        try:
            self.process: subprocess.Popen[bytes] = subprocess.Popen(
                [sys.executable, "-m", __name__, str(reading), *words],
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=stderr,
                pass_fds=(reading,),
                start_new_session=True,
                env={
                    **os.environ,
                    "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
                },  # it is to import what this can
            )
        except OSError:
            os.close(self.holding)
            raise
        finally:
            os.close(reading)

    def end(self, seconds: float | None = 0.0) -> tuple[int, bytes, bool]:
        """Wait so long, and end it: its exit status, negative for a signal, all that it printed, and was it late?"""
        late = False
        with self.process as process:
            try:
                said, _ = process.communicate(timeout=seconds)
            except subprocess.TimeoutExpired:
                late = True
            finally:
                os.close(self.holding)
            if late:
                try:
                    said, _ = process.communicate(timeout=REST)
                except subprocess.TimeoutExpired as later:
                    said = later.output or b""
        return process.returncode, said, late


def main() -> None:
    """Begin it, wait, and end as it has."""
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})  # which workers of a cluster never hear of
    process = subprocess.Popen([sys.executable, *sys.argv[2:]], start_new_session=True)
    Thread(target=watch, args=(int(sys.argv[1]), process.pid), daemon=True).start()
    status = process.wait()
    kill(process.pid)  # what it has left behind
    if status < 0:
        with suppress(OSError, ValueError):  # of some, nobody can say what they do
            signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    sys.exit(status)


def watch(pipe: int, group: int) -> None:
    """Kill the group when the pipe ends."""
    os.read(pipe, 1)
    kill(group)


def kill(group: int) -> None:
    """All of a group, if there are any."""
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    main()
