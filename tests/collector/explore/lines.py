"""What a line of an arbitrary program does: an operation of the machine, or something with what its thread keeps."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, NamedTuple

from workbuf.machine import Pause
from workbuf.throw import Throw


if TYPE_CHECKING:
    from collections.abc import Callable

    from workbuf.machine import Port


FINISHED = 8
"""What is added in the end to words that somebody may wait for."""


class Line(NamedTuple):
    """One statement: what to do, to which of the shared words, with which two small numbers."""

    do: str
    word: int
    a: int
    b: int


@dataclass
class Backoff:
    """How often somebody has waited."""

    tries: int = 0


class Mind:
    """What a thread keeps: one thing of each kind."""

    def __init__(self, port: Port, shared: int, words: int) -> None:
        self.backoff = Backoff()
        self.recent: deque[int] = deque(maxlen=2)
        self.counts = bytearray(2)
        self.named = SimpleNamespace(last=0)
        self.cells = range(shared, shared + words)
        self.reading = (port.load(cell) + turn for turn in range(3) for cell in self.cells)


class Lines:
    """What the words of the vocabulary do; a line's value is what the thread has read."""

    def __init__(
        self,
        port: Port,
        shared: int,
        words: int,
        lock: int,
        note: int,
        child: Callable[[Port], None],
        mind: Mind,
        board: list[int],
    ) -> None:
        self.port = port
        self.shared = shared
        self.words = words
        self.lock = lock
        self.note = note
        self.child = child
        self.mind = mind
        self.board = board
        """What all threads write on."""

    def run(self, line: Line) -> int:
        """Do `line`."""
        port, x = self.port, self.shared + line.word
        match line.do:
            case "load":
                return port.load(x)
            case "hint":
                return port.hint(x)
            case "store":
                port.store(x, line.a)
            case "post":
                port.post(x, line.a)
            case "cas":
                return port.cas(x, line.a, line.b)
            case "xadd":
                return port.xadd(x, 1)
            case "xchg":
                return port.xchg(x, line.a)
            case "or8":
                port.or8(8 * x, line.a)
            case "nothing":
                return port.xadd(x, 0)
            case "swap":
                return self.swapped(x, line.a)
            case "await":
                while (v := port.load(x)) != line.a and v < FINISHED:
                    port.pause(Pause.OSYIELD, 1)
            case "finish":
                for word in range(self.words):
                    port.xadd(self.shared + word, FINISHED)
            case "patient":
                for _ in range(line.a):
                    port.load(self.lock)
                    port.pause(Pause.OSYIELD, 1)
            case "rest":
                return port.load(self.shared + (line.word + 1) % self.words) * 7 + self.flipped(x, line.a, 0)
            case "flip":
                return self.flipped(x, line.a, 1)
            case "poll":
                return self.polled(x, self.shared + (line.word + 1) % self.words, line.a, line.b)
            case "spin":
                return self.spun(x, line.a)
            case "if":
                if port.load(x) == line.a:
                    port.store(self.shared + (line.word + 1) % self.words, line.b)
            case "lock":
                return self.locked(x, line.a)
            case "linger":
                return self.inside(lambda: self.wait(x, line.a))
            case "doze":
                return self.inside(lambda: port.sleep(self.note, 5))
            case "try":
                return self.tried(x, line.a)
            case "unlock":
                return self.unlocked()
            case "seize":
                return self.seized(x, line.a)
            case "free":
                port.store(self.lock, 0)
            case "raise":
                port.store(self.note, 1 + line.b)
            case "lower":
                port.xchg(self.note, 0)
            case "nap":
                return port.sleep(self.note, 5)
            case "sleep":
                return port.sleep(self.note, 5 if line.a else -1)
            case "wake":
                return self.wake()
            case "choose":
                if port.choose(2):
                    port.store(x, line.a)
            case "spawn":
                port.spawn(self.child)
            case "alloc":
                cell = port.sysalloc(1)
                port.store(cell, line.a)
                return cell - self.shared
            case "pause":
                return self.wait(x, line.a)
            case "yield":
                port.load(x)
                port.pause(Pause.OSYIELD, 1)
            case _:
                return self.thought(line, x)
        return 0

    def thought(self, line: Line, x: int) -> int:
        """What has to do with what the thread keeps."""
        port, mind = self.port, self.mind
        match line.do:
            case "remember":
                mind.recent.append(port.load(x))
                mind.named.last = sum(mind.recent)
            case "recall":
                port.store(x, mind.named.last + line.a)
            case "count":
                mind.counts[line.a % 2] += port.load(x) & 1
            case "spend":
                if mind.counts[line.a % 2]:
                    mind.counts[line.a % 2] -= 1
                    return port.xadd(x, 1)
            case "backoff":
                return self.backed_off(x, line.a)
            case "any":
                return any(port.load(cell) == line.a for cell in mind.cells)
            case "total":
                return sum(port.load(cell) for cell in mind.cells)
            case "mapped":
                return max(map(port.load, mind.cells))
            case "next":
                return next(mind.reading, 9)
            case "write":
                self.board.append(port.load(x))
            case "read":
                return self.board[-1] * len(self.board) if self.board and port.load(x) else 0
            case _:
                raise AssertionError(line.do)
        return 0

    def backed_off(self, x: int, a: int) -> int:
        """Wait for a value, for three turns at most in all of the thread's life."""
        backoff = self.mind.backoff
        while self.port.load(x) != a and backoff.tries < 3:
            backoff.tries += 1
            self.port.pause(Pause.PROCYIELD, backoff.tries)
        return backoff.tries

    def locked(self, x: int, a: int) -> int:
        """A step inside a critical section."""
        self.port.lock(self.lock)
        v = self.port.load(x) if a else self.port.xadd(x, 1)
        self.port.unlock(self.lock)
        return v

    def inside(self, run: Callable[[], int]) -> int:
        """Something that takes long, in a critical section."""
        self.port.lock(self.lock)
        v = run()
        self.port.unlock(self.lock)
        return v

    def tried(self, x: int, a: int) -> int:
        """The same, if the lock is free."""
        if not self.port.trylock(self.lock):
            return 5
        v = self.port.load(x) if a else self.port.xadd(x, 1)
        self.port.unlock(self.lock)
        return v

    def seized(self, x: int, a: int) -> int:
        """The same, with a lock that other operations take and free."""
        if not self.port.cas(self.lock, 0, 9):
            return 5
        v = self.port.load(x) if a else self.port.xadd(x, 1)
        self.port.store(self.lock, 0)
        return v

    def swapped(self, x: int, a: int) -> int:
        """A step inside a critical section of a lock that is taken by exchange, and waited for with a pause."""
        turns = 0
        while self.port.xchg(self.lock, 1):
            turns += 1
            self.port.pause(Pause.OSYIELD, 1)
        v = self.port.load(x) if a else self.port.xadd(x, 1)
        self.port.store(self.lock, 0)
        return v * 7 + turns

    def polled(self, x: int, y: int, a: int, b: int) -> int:
        """Wait for either word, for ever."""
        while True:
            v = self.port.load(x)
            w = self.port.hint(y)
            if v == a or w == b or v >= FINISHED:
                return v * 3 + w
            self.port.pause(Pause.OSYIELD, 1)

    def flipped(self, x: int, a: int, by: int) -> int:
        """Wait for a value; tells whether the number of turns was odd, if `by` is 1."""
        odd = 0
        while True:
            v = self.port.load(x)
            if v == a or v >= FINISHED:
                return v * 2 + odd
            self.port.pause(Pause.OSYIELD, 1)
            odd ^= by

    def spun(self, x: int, a: int) -> int:
        """As `swapped`, but nobody counts the turns."""
        while True:
            if not self.port.xchg(self.note, 1):
                break
            self.port.pause(Pause.OSYIELD, 1)
        v = self.port.load(x) if a else self.port.xadd(x, 1)
        self.port.store(self.note, 0)
        return v

    def unlocked(self) -> int:
        """Unlock what one does not hold, and take the throw well."""
        try:
            self.port.unlock(self.lock)
        except Throw:
            return 1
        return 0

    def wake(self) -> int:
        """Wake, and take it well if somebody has before."""
        try:
            self.port.wake(self.note)
        except Throw:
            return 1
        return 0

    def wait(self, x: int, a: int) -> int:
        """Wait for a value, for three turns at most."""
        for turn in range(3):
            if self.port.load(x) == a:
                return turn
            self.port.pause(Pause.PROCYIELD, 1)
        return 3
