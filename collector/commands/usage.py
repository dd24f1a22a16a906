"""Argument types that several commands share, the error for bad usage, and the switch interval."""

from __future__ import annotations

import argparse
import sys
from contextlib import contextmanager
from io import TextIOWrapper
from typing import TYPE_CHECKING

from workbuf.counted import counted


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence


LARGEST = 1e9
"""What an option that is a number of seconds may be at most."""

SWITCH_INTERVAL = 1e-4
"""Seconds; at the default 5e-3 one busy thread without atomics cuts the others' rate tenfold."""


class UsageError(Exception):
    """Bad usage: one line that says what, where and what to do."""


def atleast(low: int, most: int | None = None) -> Callable[[str], int]:
    """An argparse type: a whole number, `low` or more, and `most` or less if that is given."""

    def number(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None
        if value < low:
            raise argparse.ArgumentTypeError(f"{value} is too small, {low} or more is allowed")
        if most is not None and value > most:
            raise argparse.ArgumentTypeError(f"{value} is too large, {most} or less is allowed")
        return value

    return number


def listed(one: str) -> Callable[[str], tuple[str, ...]]:
    """An argparse type: names with commas between them, none of which is empty; `one` says what each is, a program say."""

    def names(typed: str) -> tuple[str, ...]:
        found = tuple(name.strip() for name in typed.split(","))
        if not any(found):
            raise argparse.ArgumentTypeError(f"name at least one {one}")
        if not all(found):
            raise argparse.ArgumentTypeError(f"{typed!r}: between two commas, or beside one, a {one} is missing")
        return found

    return names


def given(typed: str) -> str:
    """An argparse type: anything but an empty word, which would count as nothing at all."""
    if not typed.strip():
        raise argparse.ArgumentTypeError("it is empty: say which, or leave it out")
    return typed


def toomany(programs: Sequence[str], mutators: int) -> str:
    """What to say of programs that not all would be run."""
    return (
        f"--programs: {len(programs)} for {counted(mutators, 'mutator')}, each of which runs one:"
        f" name fewer, or say --mutators {len(programs)}"
    )


def positive(text: str) -> float:
    """An argparse type: a number greater than 0."""
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None
    if not 0 < value <= LARGEST:
        raise argparse.ArgumentTypeError(f"{text} is not greater than 0 and at most {LARGEST:.0e}")
    return value


def between(low: float, most: float) -> Callable[[str], float]:
    """An argparse type: a number from `low` to `most`."""

    def number(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None
        if not low <= value <= most:
            raise argparse.ArgumentTypeError(f"{text} is not between {low:g} and {most:g}")
        return value

    return number


def listening(option: str) -> None:
    """Have commands be read from stdin, what is no text in them as escapes.  Raises UsageError if it is closed."""
    if sys.stdin is None:
        raise UsageError(f"{option}: stdin is closed: give it a terminal, or a file of commands")
    if isinstance(sys.stdin, TextIOWrapper):
        sys.stdin.reconfigure(errors="backslashreplace")


@contextmanager
def fitting(source: str) -> Iterator[None]:
    """Say in one line that a heap is too large for this machine, or that it has too few threads."""
    from workbuf.hardware.limits import Shortage, memory  # noqa: PLC0415  most commands read no heap

    try:
        yield
    except MemoryError as full:
        raise UsageError(f"{source}: does not fit into memory: {str(full) or memory()}") from None
    except Shortage as short:
        raise UsageError(str(short)) from None


@contextmanager
def switching(seconds: float = SWITCH_INTERVAL) -> Iterator[None]:
    """Let threads take turns every `seconds` on a build with a GIL."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(seconds)
    try:
        yield
    finally:
        sys.setswitchinterval(interval)
