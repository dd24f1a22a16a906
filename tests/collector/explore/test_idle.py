"""DPOR cuts turns that only read, and misses nothing by it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from collector.explore import explore
from collector.explore.machine.threads import PAUSED
from collector.explore.strategies.base import Options
from collector.explore.strategies.dpor import search as dpor
from collector.explore.strategies.dpor.idle import Idle
from collector.explore.strategies.dpor.search import DPOR
from tests.collector.explore import programs
from tests.collector.explore.arbitrary import VOCABULARIES
from tests.collector.explore.compare import compare_arbitrary, compare_cutting
from tests.collector.explore.traces import executions, runs_of
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


def reads_before_it_waits(machine: SteppedMachine) -> None:
    """What it has read before its loop lets it go as well, and then it waits for the other one in vain."""
    x, y, z = machine.word(0, "x"), machine.word(0, "y"), machine.word(0, "z")

    def writer(port: Port) -> None:
        port.store(x, 1)
        while True:
            if port.load(z):
                break
            port.pause(Pause.OSYIELD, 1)
        port.store(y, 1)

    def waiter(port: Port) -> None:
        if port.load(x):
            port.store(z, 1)
        while True:
            if port.load(y):
                break
            port.pause(Pause.OSYIELD, 1)

    machine.spawn(writer)
    machine.spawn(waiter)


def tells_odd_turns(machine: SteppedMachine) -> None:
    """Two turns lead back to where it was, but nobody could run between them."""
    x, y, odd = machine.word(0, "x"), machine.word(0, "y"), machine.word(0, "odd")

    def writer(port: Port) -> None:
        for _ in range(3):
            port.load(y)
            port.pause(Pause.OSYIELD, 1)
        port.store(x, 1)

    def waiter(port: Port) -> None:
        turns = 0
        while True:
            if port.load(x):
                break
            port.pause(Pause.OSYIELD, 1)
            turns ^= 1
        port.words[odd] = turns

    machine.spawn(writer)
    machine.spawn(waiter)


def looked_at_lock(threads: int) -> Program:
    """A lock that is looked at before it is tried."""

    def program(machine: SteppedMachine) -> None:
        lock = machine.word(0, "lock")

        def body(port: Port) -> None:
            while True:
                if not port.load(lock) and not port.xchg(lock, 1):
                    break
                port.pause(Pause.OSYIELD, 1)
            port.store(lock, 0)

        for _ in range(threads):
            machine.spawn(body)

    return program


PROGRAMS: dict[str, Program] = {
    "gives up": gives_up,
    "counts in memory": counts_in_memory,
    "counts in a global": counts_in_a_global,
    "until a deadline": until_a_deadline,
    "let go by nobody": let_go_by_nobody,
    "two wait for each other": two_wait_for_each_other,
    "reads before it waits": reads_before_it_waits,
    "tells odd turns": tells_odd_turns,
    "looked-at lock": looked_at_lock(3),
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


def test_the_lock_of_four_has_few_interleavings() -> None:
    """Without cutting there are more than 100,000."""
    search = DPOR(Options())
    runs = [run for run in runs_of(looked_at_lock(4), search) if search.cutting]

    assert search.exhausted
    assert len([run for run in runs if not run.pruned]) < len(runs) < 3000


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


class BegunAnywhere(Idle):
    """Whatever a thread has read before."""

    def _may_begin(self, machine: SteppedMachine, t: int) -> bool:
        return (machine.kinds[t], machine.addrs[t]) in self.heads


class NeverLetGo(Idle):
    """A turn may have the moment in its middle at which nobody can run."""

    def _announced(self, machine: SteppedMachine, node: Node, t: int, *, released: bool = False) -> None:
        super()._announced(machine, node, t, released=released and not machine.flags[t] & PAUSED)

    def arrive(self, machine: SteppedMachine, parent: Node, node: Node) -> None:
        t = parent.step.thread
        before = parent.turns.get(t, ())
        super().arrive(machine, parent, node)
        if node.turns.get(t):
            node.turns = {**node.turns, t: (*before, *node.turns[t])}


@pytest.mark.parametrize(
    ("idle", "name"),
    [
        (StateForgotten, "gives up"),
        (StateForgotten, "counts in a global"),
        (WritesForgotten, "counts in memory"),
        (WritesForgotten, "until a deadline"),
        (EverCut, "let go by nobody"),
        (BegunAnywhere, "reads before it waits"),
        (NeverLetGo, "tells odd turns"),
    ],
)
def test_each_guard_is_needed(idle: type[Idle], name: str) -> None:
    """Without it something is missed, and these tests notice."""
    plain = {str(run.outcome) for run in executions(PROGRAMS[name], "dpor")}

    assert seen_by(PROGRAMS[name], idle()) < plain


def told_by_a_post(machine: SteppedMachine) -> None:
    """A turn reads plainly what is written when a post has told that the loop is over."""
    x, over, plain = machine.word(0, "x"), machine.word(0, "over"), machine.word(0, "plain")

    def waiter(port: Port) -> None:
        while True:
            v = port.load(x)
            if v == 2:
                break
            if v == 1:
                port.words[plain]
            v = 0
            port.pause(Pause.OSYIELD, 1)
        port.post(over, 1)

    def writer(port: Port) -> None:
        port.store(x, 1)
        port.store(x, 2)
        while not port.hint(over):
            port.pause(Pause.OSYIELD, 1)
        port.words[plain] = 1

    machine.spawn(waiter)
    machine.spawn(writer)


def test_the_claim_says_what_was_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Idle turns, and with them races that only a post keeps apart; nothing of that where nothing was cut."""
    left_out, races = "Turns of waiting loops that change nothing were left out", "Data races were looked for"
    whole = explore(looked_at_lock(2), "dpor")
    monkeypatch.setattr(dpor, "PLAIN", 1)
    cut, posted = explore(looked_at_lock(2), "dpor"), explore(told_by_a_post, "dpor")

    assert whole.exhausted
    assert whole.claim.caveats == ()
    assert cut.exhausted
    assert cut.statement.endswith(f"{left_out}.")
    assert cut.claim.number < cut.schedules  # the first ones were run again
    assert posted.exhausted
    assert left_out in posted.statement
    assert races in posted.statement
    assert explore(told_by_a_post, "dfs").failure is not None
