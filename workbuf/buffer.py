"""The work buffer: its layout, its ownership checks, its history.  (Go: workbufhdr, logget, logput, check*, mgc.go.)

Theory of operation.  A buffer is `wbufsize` bytes: a lfstack node, `nobj`, `id`, `inuse`, four history words, then the
entries, a LIFO in `obj[0:nobj]`.  A thread that takes a buffer off a list calls `logget(entry)`, one that is about to put it
on a list calls `logput(entry)`: each checks `inuse`, flips it and shifts the entry number into the history, newest first.
Entry numbers imitate line numbers of Go's file and are opaque ids; `workbuf.entry` decodes them.

Guards.  I1 and I3 at every hand-over: a buffer that is got while in use, or put while not, is in two places at once.
I2 through checkempty and checknonempty.  All four are plain reads and writes by the one owner, so they are exact for
sequential mistakes and best effort where two threads popped the same node (O-14).

Not modelled.  `id` is laid out and never touched, as in Go.
"""

from __future__ import annotations

from workbuf.layout import Struct
from workbuf.local import Globals, Local
from workbuf.machine import WORD, Port
from workbuf.throw import Throw, println


WORKBUF = Struct("workbuf", "node_next", "node_pushcnt", "nobj", "id", "inuse", "log0", "log1", "log2", "log3")
"""The header, 72 bytes; entry i of a buffer is the cell `header + WORKBUF.size + i`."""

NOBJ = WORKBUF.nobj
INUSE = WORKBUF.inuse
LOG0, LOG1, LOG2, LOG3 = WORKBUF.log0, WORKBUF.log1, WORKBUF.log2, WORKBUF.log3
OBJ = WORKBUF.size
"""Offset of the first entry."""


def capacity(wbufsize: int) -> int:
    """Entries in a buffer of `wbufsize` bytes: 23 for Go's 256."""
    return wbufsize // WORD - WORKBUF.size


def gcinit(wbufsize: int) -> None:
    """Go's check at start-up, in the form that a size given as a parameter can fail.

    A buffer must be a whole number of words and hold at least five entries: below that handoff has nothing to halve.
    """
    if wbufsize % WORD or capacity(wbufsize) <= HANDOFF_MIN:
        raise Throw("size of Workbuf is suboptimal")


HANDOFF_MIN = 4
"""A buffer is split by handoff only when it holds more entries than this."""


class Buffers(Local):
    """The checks.  A buffer `b` is the cell of its header."""

    _Debugwbufs = True
    """Go's constant: where it is False, logget and logput do nothing at all.  The other two checks do not ask it."""

    def __init__(self, port: Port, world: Globals, record: int) -> None:
        super().__init__(port, world, record)
        self.wbufsize = world.wbufsize
        self.len_obj = capacity(world.wbufsize)
        """Go's `len(wbuf.obj)`."""

    def logget(self, b: int, entry: int) -> None:
        """The caller has just taken `b` off a list, or made it, and owns it from here on."""
        if not self._Debugwbufs:
            return
        words = self.port.words
        if words[b + INUSE]:
            raise Throw("logget: get not legal", self._history("runtime: logget fails log entry=", b, entry), buffer=b)
        words[b + INUSE] = 1
        self._shift(b, entry)

    def logput(self, b: int, entry: int) -> None:
        """The caller owns `b` and is about to push it; from the push on it must not touch it."""
        if not self._Debugwbufs:
            return
        words = self.port.words
        if not words[b + INUSE]:
            raise Throw("logput: put not legal", self._history("runtime:logput fails log entry=", b, entry), buffer=b)
        words[b + INUSE] = 0
        self._shift(b, entry)

    def checknonempty(self, b: int) -> None:
        """Throw if `b` holds nothing."""
        if self.port.words[b + NOBJ] == 0:
            raise Throw("workbuf is empty", self._history("runtime: nonempty check fails", b), buffer=b)

    def checkempty(self, b: int) -> None:
        """Throw if `b` holds anything."""
        if self.port.words[b + NOBJ] != 0:
            raise Throw("workbuf is not empty", self._history("runtime: empty check fails", b), buffer=b)

    def _shift(self, b: int, entry: int) -> None:
        words = self.port.words
        words[b + LOG3] = words[b + LOG2]
        words[b + LOG2] = words[b + LOG1]
        words[b + LOG1] = words[b + LOG0]
        words[b + LOG0] = entry

    def _history(self, head: str, b: int, *entry: int) -> str:
        words = self.port.words
        return println(
            head,
            *entry,
            *("b.log[0]=", words[b + LOG0], "b.log[1]=", words[b + LOG1]),
            *("b.log[2]=", words[b + LOG2], "b.log[3]=", words[b + LOG3]),
        )
