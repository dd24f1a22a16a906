"""One turn of a thread: which of the objects that threads share it has used.

Theory of operation.  It is told from the code that the turn can have run (`state.uses`).  A turn may take an object out of
where it found it.  So before the turn stock is taken of what all objects hold that its thread reaches, and what an object
has held or holds is behind it.
"""

from __future__ import annotations

import sys
import types
from typing import TYPE_CHECKING

from collector.explore.state.changes import GLOBALS
from collector.explore.state.frames import thread_frames
from collector.explore.state.interpreter import NULL
from collector.explore.state.objects import LISTED
from collector.explore.state.reach import Stock
from collector.explore.state.uses import ASKED, ONLY_WRITTEN, standing, used
from collector.explore.state.walk import SCALARS


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from types import FrameType

    from collector.explore.state.sharingcapture import SharingCapture


class Turn:
    """The turn under way of a thread."""

    def __init__(self, capture: SharingCapture, known: Callable[[object], Sequence[int]], t: int) -> None:
        """Thread `t` is about to take its step; `known` tells the numbers by which a shared object is known."""
        self.machine = capture.machine
        self.named = capture.namespaces.named
        self.in_words = capture.in_words
        self.known = known
        self.thread = capture.whose = t
        self.stock = Stock(capture)
        """Of what the thread reached before it."""
        self.arranged: set[int] = set()
        """The numbers of sets whose order it may have seen."""
        self.replaced: dict[tuple[int, str], object] = {}
        """Globals that the turn has assigned, and what they stood for."""
        switched = self.machine.execution.carrier.switches and self.machine.frame(t) is not None
        self.before = standing(self._frame(), switched=switched)
        """Where the thread's frames stood; None if that cannot be told."""
        for stood in self.before or ():
            self.stock.meet((*stood.values.values(), *stood.stack))
        self.stock.meet(self._globals(*((stood.frame.f_code, stood.frame.f_globals) for stood in self.before or ())))
        for v in self.stock:
            if isinstance(v, types.FunctionType):
                self.stock.meet(self._globals((v.__code__, v.__globals__)))

    def _frame(self) -> FrameType:
        """Of the thread, its innermost frame."""
        return self.machine.frame(self.thread) or sys._getframe(1)  # noqa: SLF001  the running thread has no other handle

    def uses(self, names: dict[int, str]) -> Iterator[tuple[int, object, str]]:
        """The turn is over: the number of each object that it has used, its item or attribute (None: any), and its name.

        `names` gets the names of objects that variables stand for.
        """
        after = [] if self.machine.has_ended(self.thread) else thread_frames(self._frame())
        seen: set[int] = set()
        for value, name, slot in used(self.before or [], after, self.stock.changed):
            known = self.known(value)
            for number in known:
                names.setdefault(number, name)
            found: Iterable[tuple[int, object]] = ()
            if isinstance(slot, str) and type(value) is dict and "__name__" in value:
                found = [(GLOBALS, slot), *self._reached(self._before(value, slot), seen)]
            elif slot is not None:
                found = [(number, None if slot in {ONLY_WRITTEN, ASKED} else slot) for number in known]
            elif type(value) not in SCALARS:
                found = self._reached(value, seen)
            yield from ((number, which, names.get(number) or f"what {name} holds") for number, which in found)

    def _reached(self, value: object, seen: set[int]) -> Iterator[tuple[int, object]]:
        """All that was behind `value` before the turn, or is behind what the turn has made, but for what was `seen`."""
        waiting = [value]
        while waiting:
            v = waiting.pop()
            if type(v) in SCALARS or id(v) in seen:
                continue
            seen.add(id(v))
            if type(v) is set:
                self.arranged.update(self.known(v))
            yield from ((number, None) for number in self.known(v))
            if isinstance(v, types.ModuleType):
                yield GLOBALS, None
            elif isinstance(v, types.FunctionType):
                yield from ((GLOBALS, name) for _, name in self.named(v.__code__, v.__globals__))
                waiting += self._globals((v.__code__, v.__globals__))
            waiting += self._behind(v)

    def _behind(self, v: object) -> list[object]:
        """What is directly behind `v`.  What changes by its methods is passed over in an attribute that is a word."""
        behind = self.stock.behind(v)
        if type(v) not in self.in_words:
            return behind
        return [inner for x in behind for inner in (self.stock.behind(x) if type(x) in LISTED else [x])]

    def _globals(self, *codes: tuple[types.CodeType, dict[str, object]]) -> Iterator[object]:
        """What the globals hold that those name."""
        for code, space in codes:
            for module, name in self.named(code, space):
                holder = space if module is None else vars(module)
                yield from (holder.get(name, NULL), self._before(holder, name))

    def _before(self, space: Mapping[str, object], name: str) -> object:
        """What that global stood for before the turn, if the turn has assigned it."""
        return self.replaced.get((id(space), name), NULL)
