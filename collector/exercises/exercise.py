"""The record of an exercise: what is asked, hints, and the programs by which an attempt is judged."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import ModuleType

    from collector.explore.program import Program


@dataclass(frozen=True)
class Exercise:
    """One exercise; `start.py` in its folder has the bug, `solved.py` has not."""

    name: str
    asks: str
    """What the code is to do, and what the student is to do."""
    hints: tuple[str, ...]
    """From a nudge to nearly all."""
    why: str
    """What was wrong."""
    wanted: str
    """The class that an attempt must define."""
    programs: Mapping[str, Callable[[ModuleType], Program]]
    """By what is tried there: the program of an attempt, given as a module."""

    @property
    def folder(self) -> Path:
        """Where its code is."""
        return Path(__file__).parent / self.name

    @property
    def start(self) -> str:
        """The code with the bug."""
        return (self.folder / "start.py").read_text("utf-8")

    @property
    def solved(self) -> str:
        """The code without it."""
        return (self.folder / "solved.py").read_text("utf-8")
