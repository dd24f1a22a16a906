"""Runs one schedule of a program: set-up, execution, check."""

from __future__ import annotations

import gc
from collections.abc import Callable
from contextlib import contextmanager
from functools import partial
from threading import get_ident
from traceback import walk_tb
from typing import TYPE_CHECKING, TypeVar

from collector.explore.machine.carrier import Greenlets
from collector.explore.machine.execution import LIMIT
from collector.explore.machine.fault import Refused, fault_of
from collector.explore.machine.machine import SteppedMachine
from collector.explore.machine.misuse import ends_program, misused, never_run
from collector.explore.machine.osthreads import OSThreads
from collector.explore.machine.ports import put
from collector.explore.machine.site import of_function
from collector.explore.state.endless import Endless


if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from collector.explore.machine.carrier import Carrier
    from collector.explore.machine.execution import Draw, Pick
    from collector.explore.machine.fault import Fault
    from collector.explore.machine.memory import Memory
    from collector.explore.machine.taps import Tap

T = TypeVar("T")
Check = Callable[[], object]
"""Called when all threads have ended; asserts."""
Program = Callable[[SteppedMachine], Check | None]
"""Sets a machine up and spawns its threads; may return a check."""
Invariant = Callable[[SteppedMachine], object]
"""Called before every step; asserts."""

CARRIERS: dict[str, Callable[[], Carrier]] = {"greenlets": Greenlets, "threads": OSThreads}


def new_machine(
    vehicle: str = "greenlets", taps: Sequence[Tap] = (), steps: int = LIMIT, memory: Memory | None = None
) -> SteppedMachine:
    """A machine whose threads `vehicle` carries, and whose schedules may grow to `steps` before they go on in turn."""
    return SteppedMachine(CARRIERS[vehicle], taps, steps=steps, watch=Endless, memory=memory)


def set_up(machine: SteppedMachine, program: Program, invariants: Sequence[Invariant] = ()) -> Check | None:
    """`program` on an empty machine; returns its check."""
    machine.begin()
    check = machine.check = call(machine, "set-up", program, machine)
    if check is not None and not callable(check):
        if never_run(check):
            machine.execution.refuse("the program is async or a generator, so nothing of it runs", of_function(program))
        machine.execution.refuse(
            f"the program returns {check!r}: a program returns its check, or nothing", of_function(program)
        )
    for invariant in invariants:
        machine.invariant(partial(invariant, machine))
    return check


def call(machine: SteppedMachine, what: str, function: Callable[..., T], *arguments: object) -> T:
    """Call a function of the program outside of its threads, its `what`; the watchdog looks whether it returns."""
    machine.execution.calling = get_ident()
    try:
        return function(*arguments)
    except (Exception, SystemExit) as error:
        refused = misused(error, function, what)
        if isinstance(refused, Refused):
            raise refused from error
        raise
    finally:
        machine.execution.calling = 0


def raised_in_set_up(error: BaseException) -> str:
    """What a program's set-up has raised, with its place; "" if `error` was raised elsewhere."""
    if all(frame.f_code is not set_up.__code__ for frame, _ in walk_tb(error.__traceback__)):
        return ""
    fault = fault_of(error)
    return f"{fault.where}: the set-up raises {fault.message}"


def run_and_check(
    machine: SteppedMachine,
    pick: Pick,
    draw: Draw,
    check: Check | None,
    observers: Sequence[Callable[[int], None]] = (),
) -> Fault | None:
    """One schedule and, if all its threads have ended well, the program's check."""
    fault = machine.run(pick, draw, observers)
    if fault is None and check is not None and machine.execution.complete:
        ports = machine.ports[: len(machine.names)]
        # No thread runs that could make a plain access.
        for port in ports:
            put(port, "words", port.ended)
        try:
            said = call(machine, "check", check)
            if said is not None and said is not True:
                if never_run(said):
                    machine.execution.refuse(
                        "the check is async or a generator, so nothing of it runs", of_function(check)
                    )
                machine.execution.refuse(
                    f"the check returned {said!r}: a check asserts, and returns nothing", of_function(check)
                )
        except BaseException as error:
            if not ends_program(error):
                raise
            fault = fault_of(error, kind="check" if isinstance(error, AssertionError) else "")
        finally:
            for port in ports:
                put(port, "words", port.own["words"])
    return fault


@contextmanager
def no_collection() -> Iterator[None]:
    """Python's own collector off: schedules make no cycles, and what a machine leaves goes when it is on again."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
