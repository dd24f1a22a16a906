"""The record `Race`: a race program, which is given the class of the M that it runs; and programs without a schedule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore.program import Program
    from collector.faults.fault import Fault
    from workbuf.local import Local


@dataclass(frozen=True)
class Race:
    """A race program."""

    part: type[Local]
    """The part of an M that it is about: the M is the protocol's own, or that with a fault."""
    make: Callable[[Any], Program]
    plain_points: bool = False
    """Plain accesses are steps too: the fault is their order."""

    def program(self, fault: Fault | None = None) -> Program:
        """The program of the protocol, or of the protocol with that fault."""
        return self.make(fault.planted(self.part) if fault else self.part)

    def takes(self, fault: Fault) -> bool:
        """Has this part what the fault changes?"""
        return issubclass(self.part, fault.changes)


def atonce(does: Callable[[], object]) -> Callable[[], object]:
    """Do it while the program is set up, all by one thread; returns the check, which fails if that has."""
    failed: list[Exception] = []
    try:
        does()
    except Exception as error:  # noqa: BLE001  a throw, or whatever a mutant has raised
        failed.append(error)

    def check() -> None:
        for error in failed:
            raise error

    return check
