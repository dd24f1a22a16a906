"""Marks taken away, for sweep to free what is alive."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mutator.heap import SPAN
from workbuf.machine import WORD


if TYPE_CHECKING:
    from collector.runtime import AuditedM


def blur(m: AuditedM, span: int) -> None:
    """Take the marks of every second object of a span away."""
    words = m.port.words
    cells = words[span + SPAN.objs] // WORD
    for at in range(-(-words[span + SPAN.nelems] // WORD)):
        words[cells + at] &= ~0x0200020002000200
