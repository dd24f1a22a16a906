"""Which line of the program a step is: the frames that called the port."""

from __future__ import annotations

import sys
from itertools import islice
from typing import NamedTuple

from collector.explore.state.frames import program_frames


DEPTH = 8
"""Callers kept."""


class Site(NamedTuple):
    """A line that was being executed."""

    function: str
    file: str
    line: int


def callers() -> tuple[Site, ...]:
    """The lines outside this package that are being executed, the innermost first."""
    frames = islice(program_frames(sys._getframe(1)), DEPTH)  # noqa: SLF001  the documented way to a caller
    return tuple(Site(frame.f_code.co_qualname, frame.f_code.co_filename, frame.f_lineno) for frame in frames)
