"""Where and in what situation a thread waits in a pause: tells apart waits of which other things may come.

Two situations are the same if the thread is at the same place, has read the same since its last pause, and its locals, and
the attributes of what they name, hold the same numbers, texts and truth values.  What lies deeper is not looked at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from collector.explore.machine.site import module_of


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from types import CodeType, FrameType

SCALARS = frozenset((int, bool, float, str, bytes, type(None)))
MACHINE = __name__.rpartition(".")[0]
"""Where the classes are from whose attributes tell nothing of the program."""


class Wait(NamedTuple):
    """One such situation."""

    place: tuple[int, tuple[tuple[CodeType, int], ...]]
    """The thread; its frames' codes, and where they are, the innermost first."""
    read: tuple[tuple[int, int], ...]
    """Cells that it has read since its last pause, and what is in them."""
    kept: tuple[tuple[str, object], ...]
    """Locals and attributes."""


def wait_of(thread: int, frames: Iterable[FrameType], seen: Iterable[int], words: Sequence[int]) -> Wait:
    """The situation of a thread that has those frames and has read those cells."""
    frames = list(frames)
    place = thread, tuple((frame.f_code, frame.f_lasti) for frame in frames)
    return Wait(place, tuple((a, words[a]) for a in sorted(seen)), tuple(_kept(frames)))


def _kept(frames: Iterable[FrameType]) -> Iterator[tuple[str, object]]:
    for frame in frames:
        for name, value in frame.f_locals.items():
            if type(value) in SCALARS:
                yield name, value
            elif not module_of(type(value)).startswith(MACHINE):
                held = getattr(value, "__dict__", None)
                if type(held) is dict:
                    yield from ((each, x) for each, x in held.items() if type(x) in SCALARS)
