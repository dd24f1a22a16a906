"""The option `plain_points`: makes plain loads and stores scheduling points, like atomics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.explore.machine import ops
from collector.explore.machine.operations import no_word
from collector.explore.machine.taps import Tap
from workbuf.machine import MASK64


if TYPE_CHECKING:
    from collector.explore.machine.machine import SteppedMachine
    from collector.explore.machine.ports import SteppedPort


class PlainPoints(Tap):
    """Makes steps of plain accesses."""

    machine: SteppedMachine

    def fit(self, port: SteppedPort) -> None:
        port.words = SteppedWords(self.machine, port)


class SteppedWords:
    """`port.words` whose loads and stores are steps."""

    def __init__(self, machine: SteppedMachine, port: SteppedPort) -> None:
        self.execution = machine.execution
        self.mem = machine.memory.words
        self.expects = machine.expects
        self.index = port.index
        self.point = port.point
        self.wrote = port.wrote
        self.read = machine.seen[port.index].add

    def __getitem__(self, a: int) -> int:
        self.point(ops.READ, a)
        self.read(a)
        return self.mem[a]

    def __setitem__(self, a: int, v: int) -> None:
        try:
            if v >> 64:
                v &= MASK64
        except TypeError:
            no_word(self.execution, "words", v)
        self.expects[self.index] = v
        self.point(ops.WRITE, a)
        if self.mem[a] != v:
            self.mem[a] = v
            self.wrote(a)
