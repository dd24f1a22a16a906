"""What tests of the protocol stand on: a reader of the lists, a checker of I1-I3, ports that watch or interfere.

`Look` decodes heads, nodes and histories by itself and touches nothing, so what it sees is not what the code under test
believes.  It reads while no thread runs.  `Watching` and `Interposed` wrap a port for one M on one thread: they make a
wait bounded and an interleaving certain without waiting for chance to produce either.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from workbuf.buffer import INUSE, LOG0, NOBJ, OBJ, capacity
from workbuf.local import MLOCAL, WORK, Globals
from workbuf.machine import WORD


if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from workbuf.machine import Machine, Pause, Port


class Look:
    """The buffers of a world, seen from outside."""

    def __init__(self, machine: Machine, world: Globals) -> None:
        self.machine = machine
        self.peek = machine.peek
        self.world = world

    def log(self, b: int) -> list[int]:
        """The four history words, newest first."""
        return [self.peek(b + LOG0 + i) for i in range(4)]

    def inuse(self, b: int) -> bool:
        """Does the buffer say that somebody owns it?"""
        return bool(self.peek(b + INUSE))

    def entries(self, b: int) -> list[int]:
        """The live entries, oldest first."""
        return [self.peek(b + OBJ + i) for i in range(self.peek(b + NOBJ))]

    def fill(self, b: int, entries: Collection[int]) -> None:
        """Make these the entries of a buffer."""
        for i, entry in enumerate(entries):
            self.machine.poke(b + OBJ + i, entry)
        self.machine.poke(b + NOBJ, len(entries))

    def state(self, b: int) -> tuple[bool, list[int], list[int]]:
        """All that a refused operation must leave alone."""
        return self.inuse(b), self.log(b), self.entries(b)

    def work(self, field: str) -> int:
        """A word of `work`."""
        return self.peek(self.world.work + WORK.offsets[field])

    def walk(self, head: int) -> list[int]:
        """The nodes of the stack at cell `head`, top first; one that comes a second time ends the walk (a circle)."""
        nodes: list[int] = []
        seen: set[int] = set()
        word = self.peek(head)
        while word:
            node = word >> 19  # the count is the low 19 bits, the address comes in units of 8 bytes
            nodes.append(node)
            if node in seen:
                break
            seen.add(node)
            word = self.peek(node)
        return nodes

    def listed(self, field: str) -> list[int]:
        """The buffers on the list `field` of work."""
        return self.walk(self.world.work + WORK.offsets[field])

    def lists(self) -> dict[str, list[int]]:
        """All three lists."""
        return {field: self.listed(field) for field in ("empty", "partial", "full")}

    def cache(self, record: int) -> int:
        """The buffer that the M with this record caches, or 0."""
        return self.peek(record + MLOCAL.currentwbuf) // WORD

    def buffers(self) -> list[int]:
        """Every buffer ever made, oldest first."""
        made = []
        link = self.work("allbuffers")
        while link:
            made.append(self.peek(link))
            link = self.peek(link + 1)
        return made[::-1]

    def problems(self, hands: Iterable[int], records: Iterable[int]) -> list[str]:
        """What is wrong with I1, I2 and I3, if `hands` are the buffers in hands and `records` the Ms' records."""
        lists = self.lists()
        owned = [*hands, *filter(None, map(self.cache, records))]
        places = Counter([*owned, *(b for nodes in lists.values() for b in nodes)])
        made = dict.fromkeys(self.buffers())
        found = [f"I1: buffer {b} is in {places[b]} places" for b in made if places[b] != 1]
        found += [f"I1: buffer {b} was never made" for b in places if b not in made]
        full = capacity(self.world.wbufsize)
        for field, low, high in (("empty", 0, 0), ("partial", 1, full - 1), ("full", 1, full)):
            for b in lists[field]:
                if not low <= self.peek(b + NOBJ) <= high:
                    found.append(f"I2: buffer {b} on {field} holds {self.peek(b + NOBJ)}")
        found += [f"I3: buffer {b} is owned and not in use" for b in owned if not self.inuse(b)]
        found += [f"I3: buffer {b} is listed and in use" for b in places if b not in owned and self.inuse(b)]
        return found


class Enough(Exception):
    """Raised by a pause that has seen as many turns as the test wanted."""


class Watching:
    """A port that records its pauses and the events sent through it, and raises Enough at the end of the turn `turns`."""

    def __init__(self, port: Port, turns: int, at_pause: Callable[[int], object] = lambda _: None) -> None:
        self.port = port
        self.turns = turns
        self.at_pause = at_pause
        self.pauses: list[tuple[Pause, int]] = []
        self.events: list[tuple[int, int, int, int]] = []

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  whatever the port has
        return getattr(self.port, name)

    def event(self, kind: int, a: int = 0, b: int = 0, c: int = 0, /) -> None:
        """Keep it."""
        self.events.append((kind, a, b, c))

    def pause(self, kind: Pause, n: int, /) -> None:
        """Keep it, let the test interfere, and end the wait when it has lasted long enough."""
        self.port.pause(kind, n)
        self.pauses.append((kind, n))
        self.at_pause(len(self.pauses))
        if len(self.pauses) == self.turns:
            raise Enough


class Interposed:
    """A port after whose first load of cell `cell` the function `meanwhile` runs, once: what another M did in between."""

    def __init__(self, port: Port, cell: int, meanwhile: Callable[[], object]) -> None:
        self.port = port
        self.cell = cell
        self.meanwhile: Callable[[], object] | None = meanwhile

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  whatever the port has
        return getattr(self.port, name)

    def load(self, a: int, /) -> int:
        """Load, then interfere."""
        value: int = self.port.load(a)
        if a == self.cell and self.meanwhile:
            meanwhile, self.meanwhile = self.meanwhile, None
            meanwhile()
        return value
