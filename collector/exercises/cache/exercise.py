"""The cache: two threads take one buffer, if taking is a load and a store.  (O-15.)"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from collector.exercises.exercise import Exercise


if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from collector.explore import SteppedMachine
    from collector.explore.program import Program
    from workbuf.machine import Port

FIRST, SECOND = 101, 102
"""Two buffers."""


def takers(threads: int, *, gives: bool) -> Callable[[ModuleType], Program]:
    """A buffer in the cache, `threads` that take, and perhaps the owner, who gives another one."""

    def of(module: ModuleType) -> Program:
        def program(machine: SteppedMachine) -> Callable[[], object]:
            cache: Any = module.Cache(machine)
            machine.poke(cache.slot, FIRST)
            held: list[int] = []

            def take(port: Port) -> None:
                held.append(cache.take(port))

            def give(port: Port) -> None:
                held.append(cache.give(port, SECOND))

            for k in range(threads):
                machine.spawn(take, f"taker{k}")
            if gives:
                machine.spawn(give, "owner")

            def check() -> None:
                there = sorted(b for b in (*held, machine.peek(cache.slot)) if b)
                made = [FIRST, SECOND] if gives else [FIRST]
                assert there == made, f"buffers {made} were made, and {there} are somewhere"
                assert machine.peek(cache.slot) in {0, SECOND}, "nobody took the buffer"

            return check

        return program

    return of


CACHE = Exercise(
    name="cache",
    asks=(
        "An M caches a work buffer, so that a write barrier need not touch a list.  Now and then the collector harvests "
        "it.  A buffer must never have two owners, and never none.  Find out how it can get two, and mend `take`."
    ),
    hints=(
        "How many steps does `take` make?  The schedule has another thread's step between them.",
        "Both takers see the buffer before either has emptied the slot.  To look and to empty must be one step.",
        "`give` has the operation that does both: guide testing, the operations of a port.",
    ),
    why=(
        "`take` loads the slot and then stores 0.  Between the two another thread loads it as well, and one buffer has two "
        "owners; or the owner leaves a fresh buffer there, and the store wipes it out.  An exchange does both in one step."
    ),
    wanted="Cache",
    programs={
        "two take": takers(2, gives=False),
        "one takes, and the owner gives": takers(1, gives=True),
        "two take, and the owner gives": takers(2, gives=True),
    },
)
