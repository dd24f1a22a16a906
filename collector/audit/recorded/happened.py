"""An event as the judges read it, and what they find."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple


if TYPE_CHECKING:
    from collections.abc import Callable

    from workbuf.events import Event


class Happened(NamedTuple):
    """One event.  `a`, `b` and `c` are as `workbuf.events.FIELDS` names them; a buffer may be a cell or a name."""

    time: int
    thread: int
    kind: Event
    a: int | str
    b: int
    c: int


class Finding(NamedTuple):
    """What the protocol does not allow: when (the event's clock), in which thread, which rule, what happened."""

    time: int
    thread: int
    rule: str
    text: str


Handlers = dict["Event", "Callable[[Happened, Happened | None], None]"]
"""By kind: takes an event and the one before it in the same thread, None for a thread's first."""


class Judge:
    """What the judges share: `whole` says that the events begin with the run, so that what is not known is not there."""

    rule = ""
    """Its name in findings."""

    def __init__(self, *, whole: bool) -> None:
        self.whole = whole
        self.findings: list[Finding] = []

    def find(self, event: Happened, text: str) -> None:
        """The event `event` is one that the protocol does not allow."""
        self.findings.append(Finding(event.time, event.thread, self.rule, text))

    def handlers(self) -> Handlers:
        """Which kinds of event it looks at, with what."""
        raise NotImplementedError

    def finish(self) -> None:
        """There are no more events."""
