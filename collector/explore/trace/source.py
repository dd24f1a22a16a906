"""Which line of the program a step is: the frames that called the port.

Exploration notes nothing.  A port that is fitted by `noting` says, before each of its operations, who called it; the
step that the operation then announces is that caller's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.explore.machine.site import callers


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore.machine.ports import SteppedPort
    from collector.explore.machine.site import Site
    from workbuf.machine import Words

DEPTH = 8
"""Callers kept."""
OPERATIONS = (
    "hint", "hints", "post", "fill", "load", "store", "cas", "xchg", "xadd", "or8",
    "pause", "sleep", "wake", "lock", "unlock", "choose", "spawn", "sysalloc", "event",
)  # fmt: skip


def noting(port: SteppedPort, here: dict[int, tuple[Site, ...]]) -> None:
    """Make `port` note in `here`, under its number, who calls it."""
    i = port.index

    def told(operation: Callable[..., object]) -> Callable[..., object]:
        def tell(*args: object) -> object:
            here[i] = callers(DEPTH)
            return operation(*args)

        return tell

    for name in OPERATIONS:
        setattr(port, name, told(getattr(port, name)))
    port.words = NotingWords(i, port.words, here)


class NotingWords:
    """`port.words` that notes who calls it."""

    def __init__(self, index: int, words: Words, here: dict[int, tuple[Site, ...]]) -> None:
        self.index = index
        self.words = words
        self.here = here

    def __getitem__(self, a: int) -> int:
        self.here[self.index] = callers(DEPTH)
        return self.words[a]

    def __setitem__(self, a: int, v: int) -> None:
        self.here[self.index] = callers(DEPTH)
        self.words[a] = v
