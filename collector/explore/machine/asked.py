"""A machine that notices when a thread asks it for what depends on who has gone when: its trail, who has ended.

A thread learns from its steps what others have done.  What it asks the machine itself for, no step orders, and a search that
leaves equivalent interleavings out does not see what those would have told.

Not noticed.  What a program took of the machine while it was set up, what it asks parts of it, and its cells (`mem`).
"""

from __future__ import annotations

import sys
from typing import Any

from collector.explore.machine.machine import SteppedMachine
from collector.explore.machine.site import by_a_thread, innermost


OPEN = frozenset({
    "alloc", "extend", "word", "peek", "poke", "spawn", "kill", "optional", "invariant", "state", "view", "label", "mem",
})  # fmt: skip
"""What programs use of it: it tells nothing of that, or is refused, or tells the next free cells, which is watched."""


def telling(machine: SteppedMachine) -> frozenset[str]:
    """The names by which it tells something."""
    return (machine.own | vars(SteppedMachine).keys()) - OPEN


class AskedMachine(SteppedMachine):
    """Slower than its like, so one becomes it only for a program whose code names what it may be asked for."""

    def __getattribute__(self, name: str) -> Any:  # noqa: ANN401  whatever it is
        its = super().__getattribute__
        if name not in OPEN and (name in its("own") or hasattr(SteppedMachine, name)) and its("trail"):
            caller = sys._getframe(1)  # noqa: SLF001  who asks
            if its("execution").running and by_a_thread(caller):
                self.told = f"machine.{name} at {innermost(caller)}"
        return its(name)
