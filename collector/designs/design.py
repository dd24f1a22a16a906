"""The record of a design: one stage in the life of Go's work buffers, as the smallest change to the seed's classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar


if TYPE_CHECKING:
    from collector.runtime import CollectorM

AnyM = TypeVar("AnyM", bound="CollectorM")


@dataclass(frozen=True)
class Design:
    """A design of Go's, which a world is built with as it is with a planted fault."""

    name: str
    when: str
    """Month and year in which it came, or that of the Go release."""
    commits: tuple[str, ...]
    """Go's, in which it came."""
    what: str
    """How a grey object gets from who found it to who scans it, in a sentence."""
    m: type[CollectorM] | None = None
    """The M with the methods that differ from the seed's; None: the seed."""
    wbufsize: int = 256
    """Bytes in a buffer of this model, whose header is 72 bytes."""

    def applied(self, m: type[AnyM]) -> type[AnyM]:
        """The class `m` of a run, of this design."""
        return type(f"{self.m.__name__}{m.__name__}", (self.m, m), {}) if self.m else m
