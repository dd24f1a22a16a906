"""The whole state of a machine between two steps, as a digest: from equal states the program goes on in the same way.

A state is the memory without the statistics; each thread's next step, its pause and what may end that; what the threads,
the check and the invariants keep in Python (`state.capture`); and what the program adds by `SteppedMachine.state`.  Left
out is what no longer matters: the last address of a thread that has ended, and what a thread has read since its last pause
if its next pause is over already.

The digest is 128 bits of blake2b.
"""

from __future__ import annotations

import marshal
from array import array
from hashlib import blake2b
from typing import TYPE_CHECKING, NamedTuple

from collector.explore.machine import ops
from collector.explore.machine.fault import fault_of
from collector.explore.state.capture import Capture
from workbuf.machine import MASK64


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore.machine.machine import SteppedMachine


DIGEST = 16
"""Bytes by which states are told apart."""


class State(NamedTuple):
    """One state."""

    digest: bytes
    opaque: tuple[str, ...]
    """What could not be looked into; if there is any, the digest tells nothing."""


class States:
    """The states of one machine."""

    def __init__(self, machine: SteppedMachine, capture: Capture | None = None) -> None:
        self.machine = machine
        self.capture = capture or Capture(machine)

    def now(self, *more: object) -> State:
        """The state that the machine is in, and `more`, which `marshal` can write."""
        machine = self.machine
        machine.execution.capturing = True
        try:
            captured = self.capture.take([machine.check], told=bool(machine.more_state))
        finally:
            machine.execution.capturing = False
        if captured.opaque:
            return State(b"", captured.opaque)
        digest = blake2b(self.memory(), digest_size=DIGEST)
        digest.update(marshal.dumps([more, *map(self._scheduling, range(len(machine.names)))], 2))
        if machine.more_state:
            digest.update(repr([said(machine, say) for say in machine.more_state]).encode())
        digest.update(captured.written)
        return State(digest.digest(), ())

    def memory(self) -> bytes:
        """What is in the machine's memory, but for what decides nothing."""
        mem = self.machine.memory.words
        try:
            words = array("Q", mem)
        except OverflowError:
            # A broken program has counted below 0.
            words = array("Q", [v & MASK64 for v in mem])
        for a in self.machine.statistics:
            words[a] = 0
        return words.tobytes()

    def _scheduling(self, t: int) -> tuple[object, ...]:
        """What the machine knows of thread `t`."""
        machine = self.machine
        kind = machine.kinds[t]
        if kind == ops.ENDED:
            return kind, t in machine.execution.killed
        stale = machine.stale[t]
        cells = array("q", (machine.addrs[t], *(() if stale else sorted(machine.seen[t]))))
        return kind, cells.tobytes(), machine.flags[t], stale, machine.threads.ended_early[t]


def said(machine: SteppedMachine, say: Callable[[], object]) -> object:
    """What the program tells of its state; raises Refused where that raises."""
    try:
        return say()
    except Exception as error:  # noqa: BLE001  whatever it raises is the program's
        fault = fault_of(error)
        machine.execution.refuse(f"a function that was given to machine.state raises {fault.message}", fault.where)
