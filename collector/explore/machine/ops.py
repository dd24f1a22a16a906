"""The operations of a port, as one table: what each does to its word, and what it orders between threads.

The race detector's clocks, DPOR's dependence relation, the detection of idle turns and the trace recorder all read it.

At each schedule point, which comes before its operation, every thread's next operation is known: its code is
`machine.kinds[t]` and, where it touches memory, its cell `machine.addrs[t]`.  Codes are plain ints and not an enum,
because the ports store one at every step.

Operations order as in Go's memory model and its race detector: a thread that observes an atomic write comes after the
thread that made it.  An exchange that leaves the word unchanged releases nothing: the order of two such is chance, and
in the other order the second could not know what the first does.
"""

from __future__ import annotations

from typing import NamedTuple

from workbuf.machine import MASK64


# Kinds of steps.  From STORE up they may write.
(
    LOAD, HINT, READ, SLEEP, PAUSE, CHOOSE,
    STORE, POST, WRITE, CAS, XCHG, XADD, OR8, LOCK, UNLOCK, WAKE, SPAWN, SYSALLOC, KILL, ENDED,
) = range(20)  # fmt: skip

ENDS_EARLY = -1
"""The operand of a choose of two values by which a pause ends early, or does not."""

# How an operation touches its word.
NO_WORD = ""
PLAIN = "plain"
"""Races with whatever nothing orders; no step, unless these are made steps (`machine.plainpoints`)."""
ATOMIC = "atomic"
"""Races with plain accesses only."""
KNOWING = "knowing"
"""Is made to race: not watched."""

# Whether its thread learns what is in the word.
READS = True
BLIND = False

# When it writes.
NEVER = ""
ALWAYS = "always"
IF_FOUND = "if found"
"""If what it expects is in the word."""
IF_NEW = "if new"
"""If something else is in the word."""

# What it orders: it takes over what was left at its word, leaves there what its thread knows, or both.
NOTHING = 0
ACQUIRE = 1
RELEASE = 2
ACQ_REL = ACQUIRE | RELEASE


class Op(NamedTuple):
    """A row: an operation, as it is a step."""

    code: int
    name: str
    """Of the port's method, and in traces."""
    operands: tuple[str, ...] = ()
    """Those that `trace.step.Act` has a field for are called as that is."""
    result: str = ""
    """Likewise; `done` if False says that it has failed."""
    access: str = NO_WORD
    reads: bool = BLIND
    writes: str = NEVER
    order: int = NOTHING
    failure: int | None = None
    """What it orders where it may write, but does not, or has waited in vain; None: it cannot fail."""
    waits: bool = False
    """It may have to wait until it can be taken."""
    default: int | str | None = None
    """Of the last operand."""


TABLE = (
    #  code      name        operands                       result   access   reads  writes    order    if it fails
    Op(LOAD,     "load",     ("cell",),                     "saw",   ATOMIC,  READS, NEVER,    ACQUIRE),
    Op(HINT,     "hint",     ("cell",),                     "saw",   KNOWING, READS, NEVER,    NOTHING),
    Op(READ,     "read",     ("cell",),                     "saw",   PLAIN,   READS, NEVER,    NOTHING),
    # Until the note's word is not 0, or there is nobody else to run.
    Op(SLEEP,    "sleep",    ("cell", "ns"),                "done",  ATOMIC,  READS, NEVER,    ACQUIRE, NOTHING,
       waits=True, default=-1),
    # A step only after a pause with no step in between; the first one is a guard on its thread's next step.
    Op(PAUSE,    "pause",    ("kind", "operand")),
    # What it returns is a branch in the data.
    Op(CHOOSE,   "choose",   ("operand",),                  "saw"),
    Op(STORE,    "store",    ("cell", "wrote"),             "",      ATOMIC,  BLIND, ALWAYS,   RELEASE),
    Op(POST,     "post",     ("cell", "wrote"),             "",      KNOWING, BLIND, ALWAYS,   NOTHING),
    Op(WRITE,    "write",    ("cell", "wrote"),             "",      PLAIN,   BLIND, ALWAYS,   NOTHING),
    Op(CAS,      "cas",      ("cell", "expected", "wrote"), "done",  ATOMIC,  READS, IF_FOUND, ACQ_REL, ACQUIRE),
    Op(XCHG,     "xchg",     ("cell", "wrote"),             "saw",   ATOMIC,  READS, IF_NEW,   ACQ_REL, ACQUIRE),
    Op(XADD,     "xadd",     ("cell", "operand"),           "wrote", ATOMIC,  READS, ALWAYS,   ACQ_REL),
    # It tells nothing, so it acquires nothing; what others have left at the word stays beside what it leaves.
    Op(OR8,      "or8",      ("byte", "operand"),           "",      ATOMIC,  BLIND, ALWAYS,   RELEASE),
    # Until the lock's word is 0.
    Op(LOCK,     "lock",     ("cell",),                     "",      ATOMIC,  READS, ALWAYS,   ACQUIRE, waits=True),
    # These two throw where they do not write.
    Op(UNLOCK,   "unlock",   ("cell",),                     "",      ATOMIC,  BLIND, IF_FOUND, RELEASE),
    Op(WAKE,     "wake",     ("cell",),                     "",      ATOMIC,  READS, IF_FOUND, RELEASE),
    # Numbers the new thread, so any two conflict; the new thread knows what its parent knew.
    Op(SPAWN,    "spawn",    ("body", "name"),              "",      NO_WORD, BLIND, NEVER,    RELEASE, default=""),
    # Addresses depend on the order, so any two conflict.
    Op(SYSALLOC, "sysalloc", ("n", "align"),                default=1),
    # Ends another thread for good, so it conflicts with all that the other one does.
    Op(KILL,     "kill",     ("operand",)),
    # No step: the thread has run to its end, or was killed.
    Op(ENDED,    "ended"),
)  # fmt: skip
"""Rows stand at their codes."""

OUTCOMES = tuple(frozenset(("saw", "wrote", "expected", "operand", "byte")) & {*op.operands, op.result} for op in TABLE)
"""Fields of `trace.step.Act` that say what came of an operation, beside its cell; by its code."""
NAMES = tuple(op.name for op in TABLE)
METHODS = tuple(op for op in TABLE if op.access != PLAIN and op.code not in {KILL, ENDED})
"""Those that are methods of a port; plain accesses are `port.words`, and a kill is the machine's."""
TOUCHING = frozenset(op.code for op in TABLE if op.access)
"""Kinds that touch a cell."""
READING = frozenset(op.code for op in TABLE if op.reads)
"""Kinds whose thread learns what is in the cell."""
WAITING = frozenset(op.code for op in TABLE if op.waits)
"""Kinds that cannot be taken before their cell says so."""
DEPENDING = frozenset(op.code for op in TABLE if op.writes in {IF_FOUND, IF_NEW})
"""Kinds of which what they find (beside `machine.expects[t]`) decides whether they write, or are reads."""
STORING = frozenset(op.code for op in TABLE if op.operands == ("cell", "wrote"))
"""Kinds that leave `machine.expects[t]` in the cell, whatever was there."""


def writes(kind: int, operand: int, found: int) -> bool:
    """Is a step of one of the kinds in `DEPENDING` a write where it finds `found` in its cell?"""
    return (found == operand) != (kind == XCHG)


def values(operand: int) -> int:
    """Between how many a choose chooses: 0 and so on."""
    return 2 if operand == ENDS_EARLY else operand


def changes(kind: int, operand: int, found: int) -> bool:
    """Does a step that writes leave something else in its cell than the `found` that was there?"""
    if kind in STORING:
        return operand != found
    if kind == OR8:
        return operand & ~found != 0
    return kind != XADD or operand & MASK64 != 0


def tells(kind: int, operand: int, found: int) -> bool:
    """Does a step that finds `found` in its cell tell those who have read the cell?"""
    written = writes(kind, operand, found) if kind in DEPENDING else kind >= STORE
    return written and changes(kind, operand, found)
