"""Termination: the work is said to be done while a worker has a box in hand.  (O-24.)"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from collector.exercises.exercise import Exercise


if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from collector.explore import SteppedMachine
    from collector.explore.program import Program
    from workbuf.machine import Port


def workers(n: int, first: int, more: int) -> Callable[[ModuleType], Program]:
    """`n` workers and `first` boxes; the first `more` boxes that are taken lead to another one each."""

    def of(module: ModuleType) -> Program:
        def program(machine: SteppedMachine) -> Callable[[], object]:
            pool: Any = module.Pool(machine, n)
            machine.poke(pool.boxes, first)
            left, done = machine.word(more, "left"), machine.word(0, "done")

            def work(port: Port) -> None:
                while pool.take(port):
                    had = port.load(left)
                    while had and not port.cas(left, had, had - 1):
                        had = port.load(left)
                    if had:
                        pool.put(port)
                    port.xadd(done, 1)
                assert port.load(done) == first + more, "a worker was told that all is done, and it was not"

            for k in range(n):
                machine.spawn(work, f"worker{k}")

            def check() -> None:
                assert machine.peek(pool.boxes) == 0, "a box is left"

            return check

        return program

    return of


TERMINATION = Exercise(
    name="termination",
    asks=(
        "Workers take boxes from a pool, and whoever has a box may put another.  When none is left and nobody can put one, "
        "`take` returns False to all; not before, and to all.  It is the barrier that ends mark termination.  Find the "
        "schedule in which a worker is told too early, and mend `take`."
    ),
    hints=(
        "What must be true of every worker when `waiting == workers` is seen?  In the schedule one of them has a box.",
        "That worker has taken the box while it still counted as waiting.",
        "Stop waiting before you take.  And if there is nothing to take after all?  Then you wait again.",
    ),
    why=(
        "A waiting worker took a box and only then ceased to count as waiting.  In between the others see that all wait, "
        "and go, while it has a box in hand and will put another.  The count goes down before the box is taken, and up "
        "again if there is none.  Go's getfull does so; to do it late is the fault O-24."
    ),
    wanted="Pool",
    programs={
        "two workers, and a box that leads to another": workers(2, 1, 1),
        "two workers, two boxes": workers(2, 2, 0),
    },
)
