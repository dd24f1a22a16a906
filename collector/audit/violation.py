"""The exception that an audit raises when an invariant does not hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbuf.throw import Throw


if TYPE_CHECKING:
    from collector.audit.lostpath import LostPath


class Violation(Throw):
    """`kind` is a word for reports (lost, leak, lists, barrier, roots, markers, hang), `count` how many things are wrong."""

    def __init__(self, kind: str, text: str, *printed: str, buffer: int = 0, count: int = 1) -> None:
        super().__init__(text, *printed, buffer=buffer)
        self.kind = kind
        self.path: LostPath | None = None
        """To the nearest lost object, if one is lost."""
        self.count = count

    def __str__(self) -> str:
        """The lines that say what was found, then the verdict."""
        return "\n".join((*self.printed, f"violation ({self.kind}): {self.text}"))
