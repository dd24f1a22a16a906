"""Who had each buffer when, in a schedule that was replayed: every change of owner, its entry number decoded.

Theory of operation.  The protocol's events say it all: a buffer's owner changes with a get, a put, a harvest, and with
every way into a cache and out of it.  The four entries of the buffer's own log are the last of these.

Not modelled.  Of a livelock, what happens in the circle: it is the same every time round.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.report.schedule.sentences import Teller
from workbuf.events import FIELDS


if TYPE_CHECKING:
    from collector.explore.replay import Replay

OF_BUFFERS = frozenset(kind for kind, fields in FIELDS.items() if fields.a == "buffer")


def ownership(replay: Replay) -> list[str]:
    """The history of every buffer that changed hands, buffer by buffer in order of name; a line has step and thread."""
    machine, fault = replay.machine, replay.fault
    end = fault.lasso.begin if fault and fault.lasso else replay.steps

    def bufname(b: int) -> str:
        return machine.name(b).partition(".")[0]

    teller = Teller(machine.names, bufname)
    histories: dict[str, list[str]] = {}
    at = 0
    for row in replay.recorder.rows:
        at = max(at, row.at)
        if row.event and row.event[0] in OF_BUFFERS and at < end:
            said = f"{at:4d}  {machine.names[row.thread]} {teller.event(row.event)}"
            histories.setdefault(bufname(row.event[1]), []).append(said)
    return [line for name in sorted(histories) for line in (f"{name}:", *histories[name])]
