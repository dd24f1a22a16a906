"""The explorer, a model checker for concurrent programs: explores interleavings, shrinks failing ones, replays them.

    def program(machine):                 # called afresh for every schedule
        x = machine.word(0, "x")
        machine.spawn(lambda port: port.store(x, port.load(x) + 1))
        machine.spawn(lambda port: port.store(x, port.load(x) + 1))
        def check():                      # optional, after all threads have ended
            assert machine.peek(x) == 2
        return check

    result = explore(program)
    result.failure.schedule               # a short token
    replay(result.failure.schedule, program)

It depends on `workbuf.machine`, the machine interface, and on nothing that runs on it.
"""

from __future__ import annotations

from collector.explore.engine import explore
from collector.explore.machine.fault import Fault
from collector.explore.machine.machine import SteppedMachine
from collector.explore.replay import replay
from collector.explore.result import Failure, Result


__all__ = ["Failure", "Fault", "Result", "SteppedMachine", "explore", "replay"]
