"""Notes that there are plain accesses, where they are no steps and nobody looks for races between them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.explore.machine.ports import put
from collector.explore.machine.taps import Tap


if TYPE_CHECKING:
    from collector.explore.machine.ports import SteppedPort
    from workbuf.machine import Words


class PlainNoted(Tap):
    """Knows whether there was one, in any schedule."""

    def __init__(self) -> None:
        self.noted = False

    def fit(self, port: SteppedPort) -> None:
        port.words = NotedWords(self, port)


class NotedWords:
    """`port.words`, up to the first access."""

    def __init__(self, tap: PlainNoted, port: SteppedPort) -> None:
        self.tap = tap
        self.port = port
        self.words = port.words

    def note(self) -> Words:
        """There is one; further ones of this thread cost nothing more."""
        self.tap.noted = True
        put(self.port, "words", self.words)
        self.port.own["words"] = self.words
        return self.words

    def __getitem__(self, a: int) -> int:
        return self.note()[a]

    def __setitem__(self, a: int, v: int) -> None:
        self.note()[a] = v
