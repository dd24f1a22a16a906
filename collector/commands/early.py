"""A Ctrl-C or SIGTERM while the command line is still being imported, when nobody is there yet to catch it."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from types import FrameType

INTERRUPTED = 130
"""As in `collector.commands.status`, which would have to be imported first."""


def leave(_number: int, _frame: FrameType | None) -> None:
    """Nothing has been done so far: end at once, with the status that an interrupt has later."""
    os.write(2, b"collector.run: interrupted\n")
    os._exit(INTERRUPTED)


def watch() -> None:
    """From now on both end the program in one line; a Ctrl-C that is ignored (`nohup`, a job in the background) stays so."""
    signal.signal(signal.SIGTERM, leave)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, leave)


def over() -> None:
    """All is imported: from now on both are a KeyboardInterrupt."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if signal.getsignal(signal.SIGINT) is leave:
        signal.signal(signal.SIGINT, signal.default_int_handler)
