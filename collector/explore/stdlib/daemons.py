"""What becomes of daemons: the interpreter does not wait for them.

The real ones are ended wherever they are when all other threads have ended.  Here that comes when nobody can go on any more,
so that a check sees what daemons have done with all that they were given.  A thread of the machine waits for that; it is
spawned with the first daemon.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.explore.machine import ops


if TYPE_CHECKING:
    from collector.explore.stdlib.place import Place


def ending(place: Place) -> None:
    """Have somebody end the daemons of this schedule, if nobody does yet."""
    if place.ends_daemons:
        return
    place.ends_daemons = True
    never = place.cell("nobody can go on")
    port = place.port()
    (place.machine if port is None else port).spawn(
        lambda port: end_daemons(place, port.index, never), "end of daemons"
    )


def end_daemons(place: Place, me: int, never: int) -> None:
    """Wait until nobody can go on, and only daemons are left; or until somebody else waits for ever, a deadlock."""
    machine = place.machine
    port = machine.ports[me]
    while True:
        port.sleep(never, 1)
        left = [t for t in range(len(machine.names)) if t != me and not machine.has_ended(t)]
        if place.daemons.issuperset(left):
            for t in left:
                port.point(ops.KILL, t)
                machine.execution.kill(t)
            return
        if machine.runnable == [me]:
            return
