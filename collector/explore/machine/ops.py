"""The kinds of steps: what a thread is about to do when the machine asks who goes next.

Every schedule point comes before its operation, so at each point every thread's next operation is known:
`machine.kinds[t]` and, where it touches memory, its cell `machine.addrs[t]`.  Kinds from STORE up may write.  Plain
ints and not an enum, because the ports store one at every step.

Not here: a pause, which is no step but a guard on the thread's next one.
"""

from __future__ import annotations


LOAD = 0
HINT = 1
READ = 2
"""A plain load, where these are steps at all."""
SLEEP = 3
"""Waits until the note's cell is not 0."""
PAUSE = 4
"""A pause after a pause with no step in between; touches no cell."""
CHOOSE = 5
"""Touches no cell; what it returns is a branch in the data."""
STORE = 6
POST = 7
WRITE = 8
"""A plain store, where these are steps at all."""
CAS = 9
XCHG = 10
XADD = 11
OR8 = 12
LOCK = 13
"""Waits until the lock's cell is 0."""
UNLOCK = 14
WAKE = 15
SPAWN = 16
"""Numbers the new thread, so any two conflict; they meet in cell 0."""
SYSALLOC = 17
"""Addresses depend on the order, so any two conflict; they meet in cell 0."""
KILL = 18
"""Ends another thread for good: conflicts with all that the other one does."""
ENDED = 19
"""No step: the thread has run to its end, or was killed."""

NAMES = (
    "load",
    "hint",
    "read",
    "sleep",
    "pause",
    "choose",
    "store",
    "post",
    "write",
    "cas",
    "xchg",
    "xadd",
    "or8",
    "lock",
    "unlock",
    "wake",
    "spawn",
    "sysalloc",
    "kill",
    "ended",
)


TOUCHING = frozenset(range(ENDED)) - {PAUSE, CHOOSE, SPAWN, SYSALLOC, KILL}
"""Kinds that touch a cell."""
READING = frozenset((LOAD, HINT, READ, SLEEP, CAS, XCHG, XADD, LOCK, WAKE))
"""Kinds whose thread learns what is in the cell."""
DEPENDING = frozenset((CAS, XCHG, WAKE, UNLOCK))
"""Kinds of which what they find (beside `machine.expects[t]`) decides whether they write, or are reads."""
STORING = frozenset((STORE, POST, WRITE, XCHG))
"""Kinds that leave `machine.expects[t]` in the cell, whatever was there."""
