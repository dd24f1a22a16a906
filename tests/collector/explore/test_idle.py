"""DPOR cuts turns that only read, and misses nothing by it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import pytest

from collector.explore.strategies.base import Options
from collector.explore.strategies.dpor.idle import Idle
from collector.explore.strategies.dpor.search import DPOR
from collector.fixtures.pool import pool
from tests.collector.explore import programs
from tests.collector.explore.arbitrary import VOCABULARIES
from tests.collector.explore.compare import compare_arbitrary, compare_cutting
from tests.collector.explore.traces import executions, runs_of
from workbuf.getfull import Getfull
from workbuf.machine import Pause


if TYPE_CHECKING:
    from collector.explore import SteppedMachine
    from collector.explore.strategies.dpor.path import Node
    from tests.collector.explore.programs import Program
    from workbuf.machine import Port


@dataclass
class Backoff:
    """How often somebody has waited."""

    tries: int = 0


TRIES: dict[int, int] = {}
"""The same, where no frame keeps it."""


def gives_up(machine: SteppedMachine) -> None:
    """Counts its turns in an object."""
    x, seen = machine.word(0, "x"), machine.word(0, "seen")

    def waiter(port: Port) -> None:
        backoff = Backoff()
        while True:
            v = port.load(x)
            if v == 2 or backoff.tries == 2:
                break
            backoff.tries += 1
            port.pause(Pause.OSYIELD, 1)
        port.words[seen] = 10 * v + backoff.tries

    def writer(port: Port) -> None:
        for v in (1, 0, 1, 2):
            port.store(x, v)

    machine.spawn(waiter)
    machine.spawn(writer)


def counts_in_memory(machine: SteppedMachine) -> None:
    """Counts its turns in a plain word."""
    x, turns = machine.word(0, "x"), machine.word(0, "turns")

    def waiter(port: Port) -> None:
        while True:
            if port.load(x) == 2:
                break
            port.words[turns] += 1
            port.pause(Pause.OSYIELD, 1)

    def writer(port: Port) -> None:
        for v in (1, 0, 1, 2):
            port.store(x, v)

    machine.spawn(waiter)
    machine.spawn(writer)


def counts_in_a_global(machine: SteppedMachine) -> None:
    """Counts its turns in a dictionary of the module."""
    x, seen = machine.word(0, "x"), machine.word(0, "seen")
    TRIES.clear()

    def tried(t: int) -> None:
        TRIES[t] = TRIES.get(t, 0) + 1

    def waiter(port: Port) -> None:
        while True:
            if port.load(x) == 2:
                break
            tried(port.index)
            port.pause(Pause.OSYIELD, 1)
        port.words[seen] = TRIES.get(port.index, 0)

    def writer(port: Port) -> None:
        for v in (1, 0, 1, 2):
            port.store(x, v)

    machine.spawn(waiter)
    machine.spawn(writer)


def until_a_deadline(machine: SteppedMachine) -> None:
    """Asks for the time."""
    x, seen = machine.word(0, "x"), machine.word(0, "seen")

    def waiter(port: Port) -> None:
        while True:
            if port.load(x) == 2 or port.now() > 4:
                break
            port.pause(Pause.OSYIELD, 1)
        port.words[seen] = port.load(x)

    def writer(port: Port) -> None:
        for v in (1, 0, 1, 2):
            port.store(x, v)

    machine.spawn(waiter)
    machine.spawn(writer)


def let_go_by_nobody(machine: SteppedMachine) -> None:
    """The writer pauses itself, and goes on only because the other one waits, too."""
    x, y, seen = machine.word(0, "x"), machine.word(0, "y"), machine.word(0, "seen")
    z = machine.word(0, "z")
    machine.spawn(lambda port: port.xadd(z, 1))

    def waiter(port: Port) -> None:
        while True:
            v = port.load(x)
            if v:
                break
            port.pause(Pause.OSYIELD, 1)
        port.words[seen] = v

    def writer(port: Port) -> None:
        port.xadd(z, 1)
        turn = 0
        while turn < 3:
            port.load(y)
            port.pause(Pause.OSYIELD, 1)
            turn += 1
        port.store(x, 1)
        port.load(y)
        port.pause(Pause.OSYIELD, 1)
        port.xadd(x, 1)

    machine.spawn(waiter)
    machine.spawn(writer)


def two_wait_for_each_other(machine: SteppedMachine) -> None:
    """A livelock."""
    x, y = machine.word(0, "x"), machine.word(0, "y")

    def body(port: Port, mine: int, other: int) -> None:
        while not port.load(other):
            port.pause(Pause.OSYIELD, 1)
        port.store(mine, 1)

    machine.spawn(lambda port: body(port, x, y))
    machine.spawn(lambda port: body(port, y, x))


PROGRAMS: dict[str, Program] = {
    "gives up": gives_up,
    "counts in memory": counts_in_memory,
    "counts in a global": counts_in_a_global,
    "until a deadline": until_a_deadline,
    "let go by nobody": let_go_by_nobody,
    "two wait for each other": two_wait_for_each_other,
    "barrier": programs.barrier(2, 1),
    "late barrier": programs.barrier(2, 1, late=True),
    "spin lock": programs.spin_lock(3, by_exchange=True),
}


def seen_by(program: Program, idle: Idle | None = None) -> set[str]:
    """How the schedules end that DPOR runs to their ends while it cuts."""
    search = DPOR(Options())
    search.plain = 1
    search.idle = idle or search.idle
    ends = {str(run.outcome) for run in runs_of(program, search) if search.cutting and not run.pruned}
    assert search.cutting
    return ends


@pytest.mark.parametrize("name", PROGRAMS)
def test_nothing_is_missed(name: str) -> None:
    """What DPOR sees that cuts nothing, it sees that cuts, too."""
    plain = list(executions(PROGRAMS[name], "dpor"))
    failed = {run.fault.kind for run in plain if run.fault}
    if failed:
        search = DPOR(Options())
        search.plain = 1
        assert {run.fault.kind for run in runs_of(PROGRAMS[name], search) if run.fault} == failed
    else:
        assert seen_by(PROGRAMS[name]) == {str(run.outcome) for run in plain}


@pytest.mark.parametrize("vocabulary", [name for name in VOCABULARIES if name.startswith("waits")])
def test_arbitrary_programs(vocabulary: str, seed: int) -> None:
    """So they do on arbitrary programs."""
    compare_arbitrary(vocabulary, seed, compare_cutting)


def test_the_barrier_of_three_has_few_interleavings() -> None:
    """Less what only waits."""
    search = DPOR(Options())
    search.plain = 60
    program = cast("Program", pool(Getfull, 3, 0))
    runs = [run for run in runs_of(program, search) if search.cutting and not run.pruned]

    assert search.exhausted
    assert len(runs) == 162


class StateForgotten(Idle):
    """Takes any turn that only read for idle."""

    def _local_state(self, _machine: SteppedMachine, _t: int) -> bytes:
        return b"anywhere"


class WritesForgotten(Idle):
    """Overlooks plain writes, and who asks for the time."""

    def _did_more(self, _machine: SteppedMachine) -> bool:
        return False


class EverCut(Idle):
    """Nobody is let go when nobody can run."""

    def arrive(self, machine: SteppedMachine, parent: Node, node: Node) -> None:
        super().arrive(machine, parent, node)
        node.cut |= parent.cut


@pytest.mark.parametrize(
    ("idle", "name"),
    [
        (StateForgotten, "gives up"),
        (StateForgotten, "counts in a global"),
        (WritesForgotten, "counts in memory"),
        (WritesForgotten, "until a deadline"),
        (EverCut, "let go by nobody"),
    ],
)
def test_each_guard_is_needed(idle: type[Idle], name: str) -> None:
    """Without it something is missed, and these tests notice."""
    plain = {str(run.outcome) for run in executions(PROGRAMS[name], "dpor")}

    assert seen_by(PROGRAMS[name], idle()) < plain
