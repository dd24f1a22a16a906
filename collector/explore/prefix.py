"""Replay of steps that have been run before: if one is not what it was, the program is not deterministic.

A search without copies of states comes back to one by running the program again with the same choices.  Each step of
that prefix was written down when it was first taken (`announced`); a search compares as it goes (`following`), and refuses
the program at the first difference.  So does a schedule that is run a second time (`collector.explore.determinism`).
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NoReturn

from collector.explore.machine import ops
from collector.explore.machine.fault import Refused
from collector.explore.machine.site import innermost


if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from collector.explore.machine.execution import Pick
    from collector.explore.machine.machine import SteppedMachine

    Announced = tuple[int, int, int, int]
    """What a thread was about to do: the kind of step, on which cell, with its last operand, and what was in the cell."""

    Taken = tuple[int, Announced]
    """Who took a step, and which."""

    Scene = tuple[list[int], list[int]]
    """What kinds of steps the threads are about to take, and who can go."""

CURE = "a program keeps nothing from run to run, and asks for no chance and no clock (port.choose and port.now do)"


def announced(machine: SteppedMachine, t: int) -> Announced:
    """What thread `t` is about to do."""
    mem, a = machine.memory.words, machine.addrs[t]
    return machine.kinds[t], a, machine.expects[t], mem[a] if a < len(mem) else 0


def check(machine: SteppedMachine, t: int, was: Announced) -> None:
    """Thread `t`, which is to go next, has to be about to do what it did after the same choices."""
    if t >= len(machine.names) or announced(machine, t) != was or t not in machine.runnable:
        refuse(machine, t, was)


def following(machine: SteppedMachine, steps: Iterator[Taken], then: Pick) -> Pick:
    """Picks `steps`, each of which has to be what it was, and behind them as `then` does."""
    kinds, addrs, expects, runnable = machine.kinds, machine.addrs, machine.expects, machine.runnable
    mem = machine.memory.words

    def pick(i: int) -> int:
        for t, was in steps:
            # As `check` has it, without a call: all that is run again comes by here.
            try:
                a = addrs[t]
                if (kinds[t], a, expects[t], mem[a]) == was and t in runnable:
                    return t
            except IndexError:
                pass  # a kill's thread is no cell; or there are fewer threads, or cells
            check(machine, t, was)
            return t
        return then(i)

    return pick


def scene(machine: SteppedMachine) -> Scene:
    """Between which steps the machine is."""
    return machine.kinds[: len(machine.names)], machine.runnable[:]


def check_scene(machine: SteppedMachine, was: Scene) -> None:
    """Where another thread is to go than before, all have to be about to do what they were after the same choices."""
    if scene(machine) != was:
        now, before = (_shown(machine, *each) for each in (scene(machine), was))
        machine.execution.refuse(
            f"not the same twice: step {len(machine.trail)}: the next steps are {now}; they were {before} after the same "
            f"choices; {CURE}"
        )


def refuse(machine: SteppedMachine, t: int, was: Announced) -> NoReturn:
    """Refuse the program: thread `t` is not about to do what it did after the same choices."""
    if t >= len(machine.names):
        what, frame = "there are fewer threads", None
    else:
        now, before = (_told(machine, step) for step in (announced(machine, t), was))
        what = (
            f"{machine.names[t]} comes to {now}; it was {before}" if now != before else f"{machine.names[t]} cannot go"
        )
        frame = machine.frame(t)
    where = innermost(frame or sys._getframe())  # noqa: SLF001  the running thread has no other handle
    machine.execution.refuse(
        f"not the same twice: step {len(machine.trail)}: {what} after the same choices; {CURE}", where
    )


def refuse_turn(machine: SteppedMachine, t: int) -> NoReturn:
    """Refuse the program: thread `t` cannot go, and could if its steps depended on its choices alone."""
    name = machine.names[t] if t < len(machine.names) else f"thread {t}"
    machine.execution.refuse(
        f"not the same twice: step {len(machine.trail)}: {name} cannot go, and could if all were the same as before; {CURE}"
    )


def refuse_end(machine: SteppedMachine) -> NoReturn:
    """Refuse the program: all its threads have ended before the end of what was to be replayed."""
    steps = len(machine.trail)
    raise Refused(f"not the same twice: it ended after {steps} steps, and went on after the same choices; {CURE}")


def _told(machine: SteppedMachine, step: Announced) -> str:
    """In words."""
    kind, a, operand, value = step
    if kind == ops.CHOOSE:
        return f"choose of {operand} values"
    if kind not in ops.TOUCHING:
        return ops.NAMES[kind]
    brings = f" with {operand}" if ops.STORE <= kind <= ops.OR8 else ""
    return f"{ops.NAMES[kind]} of {machine.name(a)}{brings}, which held {value}"


def _shown(machine: SteppedMachine, kinds: Sequence[int], runnable: Sequence[int]) -> str:
    """The next steps of threads that can go, in words."""
    names = machine.names
    return ", ".join(f"{names[t] if t < len(names) else f't{t}'} {ops.NAMES[kinds[t]]}" for t in runnable)
