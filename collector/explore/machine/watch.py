"""The interface of whoever looks after schedules that do not end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol


if TYPE_CHECKING:
    from collector.explore.machine.fault import Fault


class Watch(Protocol):
    """What to do about a schedule that does not end."""

    def begin(self) -> None:
        """A new schedule; sets `Execution.limit`."""

    def overrun(self) -> None:
        """The trail has grown to `Execution.limit` entries."""

    def stuck(self) -> Fault | None:
        """No thread can run, and all that pause are about to be released: the fault if that is a livelock."""

    def go_round(self, i: int) -> int:
        """From here on the threads go in turn; who goes now that thread `i` has come to its step."""
