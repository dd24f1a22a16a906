"""A mutex: the port's `lock`, `trylock` and `unlock`, on a word of its own.  (Go: sync.Mutex.)"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from collections.abc import Iterator

    from workbuf.machine import Machine, Port


class Mutex:
    """Held by at most one thread.  The word is 0 while nobody does, else 1 + the holder's number."""

    def __init__(self, machine: Machine, name: str = "mutex") -> None:
        self.word = machine.word(0, name)

    def lock(self, port: Port) -> None:
        """Take it, waiting until it is free."""
        port.lock(self.word)

    def trylock(self, port: Port) -> bool:
        """Take it if it is free; says whether it was."""
        return port.trylock(self.word)

    def unlock(self, port: Port) -> None:
        """Give it back; whoever does not hold it throws."""
        port.unlock(self.word)

    @contextmanager
    def held(self, port: Port) -> Iterator[None]:
        """Hold it to the end of the block."""
        self.lock(port)
        try:
            yield
        finally:
            self.unlock(port)
