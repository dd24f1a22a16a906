"""Parses `--log-rotation`: a size, a duration, or a time of day or week at which the log goes on in a new file.

It accepts what loguru understands, within bounds: a size too small for more than the first line, or an invalid date, is
refused before a run begins.
"""

from __future__ import annotations

import argparse
import re
from datetime import timedelta


SIZES = {"b": 1} | {
    f"{prefix}{unit}": base**power
    for power, prefix in enumerate("kmgt", 1)
    for unit, base in (("b", 1000), ("ib", 1024))
}
DURATIONS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 7 * 86400}
LEAST, MOST = 4_000, 10**15
"""Bytes of a part: a few lines at least."""
SHORTEST, LONGEST = timedelta(seconds=1), timedelta(weeks=1000)
WORDS = ("hourly", "daily", "weekly", "monthly", "yearly", "midnight")
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
WORKS = 'say "100 MB" (4 KB or more), "10 minutes" (1 second or more), "18:00", "daily" or "monday at 12:00"'

Rotation = int | timedelta | str
"""Bytes, a duration, or loguru's words."""


def rotation(text: str) -> Rotation:
    """An argparse type: what `--log-rotation` says, as loguru takes it."""
    when = " ".join(text.lower().split())
    if size := re.fullmatch(r"(\d{1,15}(?:\.\d{1,9})?) ?([kmgt]?i?b)", when):
        value = int(float(size[1]) * SIZES.get(size[2], 0))
        if LEAST <= value <= MOST:
            return value
    elif span := re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?) ?(second|minute|hour|day|week)s?", when):
        duration = timedelta(seconds=float(span[1]) * DURATIONS[span[2]])
        if SHORTEST <= duration <= LONGEST:
            return duration
    elif when in WORDS or re.fullmatch(
        rf"(?:{'|'.join(DAYS)})|(?:(?:{'|'.join(DAYS)}) at )?(?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d)?", when
    ):
        return "00:00" if when == "midnight" else when
    raise argparse.ArgumentTypeError(f"{text!r} cannot be kept to: {WORKS}")
