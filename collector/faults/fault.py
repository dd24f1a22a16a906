"""The record of a planted fault: its name, the class with one method changed, what it breaks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar


if TYPE_CHECKING:
    from workbuf.local import Local

AnyM = TypeVar("AnyM", bound="Local")


@dataclass(frozen=True)
class Fault:
    """One change that a protocol should not survive."""

    name: str
    m: type[Local]
    """A part of the M with one method spoilt; the first line of its docstring says what is wrong."""
    bugs: tuple[str, ...] = ()
    """Numbers of the known bugs of Go that it is, or is like."""
    equivalent: str = ""
    """Why no run can tell it from the protocol, if none can; else empty."""
    unseen: str = ""
    """Why stress does not see it and a race test has to, if that is so; else empty."""

    @property
    def what(self) -> str:
        """What is wrong, in a sentence."""
        return (self.m.__doc__ or "").partition("\n")[0]

    @property
    def changes(self) -> type[Local]:
        """The class of the protocol that the fault is a subclass of."""
        return next(cls for cls in self.m.__mro__ if not cls.__module__.startswith(__package__))

    def planted(self, m: type[AnyM]) -> type[AnyM]:
        """The class `m` of a run with this fault in it."""
        return type(f"{self.m.__name__}{m.__name__}", (self.m, m), {})
