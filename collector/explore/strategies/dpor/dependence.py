"""The dependence relation between steps, which defines when two interleavings are equivalent.

Two interleavings are equivalent (one Mazurkiewicz trace) if one comes from the other by swapping neighbouring steps
that are independent.  Steps of one thread depend on each other; steps of two threads do if they touch one cell and one
of them writes it.  A CAS that fails is a read, and so are a second wake-up and an unlock that throw, and an exchange of
a value for itself.  A store of what is there already stays a write.  A step after a pause waits for a change of one of
the cells in its `guard`, so it counts as a read of all of them.  Spawning comes before all that the new thread does; a
kill depends on all that its victim does, and on another kill of the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from collector.explore.machine import ops
from collector.explore.machine.threads import PAUSED


if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from collector.explore.machine.machine import SteppedMachine


NUMBERS = -1
"""Cell in which threads get their numbers."""
ADDRESSES = -2
"""Cell in which sysalloc's addresses come from."""
KILLS = -3
"""Cell that kills of thread 0 write; those of thread 1 the one before, and so on."""
ANY = -1
"""As a value: whatever `choose` returns."""
NO_GUARD: frozenset[int] = frozenset()


class Step(NamedTuple):
    """What other steps need to know of a step."""

    thread: int
    cell: int
    write: bool
    value: int = ANY
    """What `choose` returned, for the branch in the data that it is."""
    guard: frozenset[int] = NO_GUARD
    aim: int = -1
    """The thread that it spawns or kills."""


def pending(machine: SteppedMachine, t: int) -> Step:
    """The step that thread `t` has announced, as it would turn out now."""
    kind, a = machine.kinds[t], machine.addrs[t]
    guard = frozenset(machine.seen[t]) if machine.flags[t] & PAUSED else NO_GUARD
    write, aim = kind >= ops.STORE, -1
    if kind in ops.DEPENDING:
        write = ops.writes(kind, machine.expects[t], machine.memory.words[a])
    elif kind >= ops.SPAWN:
        if kind == ops.SPAWN:
            a, aim = NUMBERS, len(machine.names)
        elif kind == ops.SYSALLOC:
            a = ADDRESSES
        elif kind == ops.KILL:
            a, aim = KILLS - a, a
    return Step(t, a, write, ANY, guard, aim)


def dependent(x: Step, y: Step) -> bool:
    """Does it matter in which order the two come?"""
    if x.thread == y.thread or x.aim == y.thread or y.aim == x.thread:  # noqa: PLR1714  quicker than a tuple
        return True
    if x.cell == y.cell:
        return x.write or y.write
    return (y.write and y.cell in x.guard) or (x.write and x.cell in y.guard)


def independent_of_all(x: Step, steps: Iterable[Step]) -> bool:
    """Does the order of `x` and any of `steps` not matter?"""
    for y in steps:  # noqa: SIM110  any() of a generator takes twice as long, and most sequences are short
        if dependent(x, y):
            return False
    return True


def initial(w: Sequence[Step], x: Step) -> int:
    """Where in `w` the step `x` of its thread stands, if it can be taken first on an interleaving equivalent to `w`.

    -1 if it stands nowhere there, and can be taken before all of that; -2 if it cannot.
    """
    for k, step in enumerate(w):
        if step.thread == x.thread:
            return k if x.value in {step.value, ANY} and independent_of_all(step, w[:k]) else -2
    return -1 if independent_of_all(x, w) else -2
