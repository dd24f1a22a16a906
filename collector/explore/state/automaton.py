"""What each thread does, step by step, learned from runs: a finite automaton per thread.

Theory of operation.  Between two of its steps a thread is in a *local state*: where its code stands, what it keeps in Python
(`state.capture`), and the step that it has announced.  What it does next follows from that and from what it finds in memory.
So of each local state a decision tree is kept: which cell is looked at first, and for each value found there which one is
looked at next, and so on to a *transition*: what is written, and the next local state.  All of it is observed in runs of the
program; whatever has been seen once need not be run again (`strategies.product`).

Guards.  A local state has to be whole and the thread's own.  What threads can leave for each other in Python, they leave in
what their functions, or the check, close over, or in globals: these must stay as they are, which is looked at after each
transition that is new.  Where that does not hold, where something cannot be looked into, or where a thread does what an
automaton cannot (spawn, kill, allocate, choose, ask for the time, wait with a limit), `Unfit` says so, and states are
searched in another way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from collector.explore.machine import ops
from collector.explore.machine.observed import Observed, View
from collector.explore.machine.threads import PAUSED, TIMED
from collector.explore.state.capture import Capture
from workbuf.machine import MASK64


if TYPE_CHECKING:
    from collections.abc import Sequence

    from collector.explore.machine.machine import SteppedMachine


UNKNOWN_KINDS = frozenset((ops.CHOOSE, ops.SPAWN, ops.SYSALLOC, ops.KILL))
"""Steps that do more than read and write memory."""
AFRESH = 30
"""Times that it is begun again because code was met that names other globals."""


class Unfit(Exception):
    """The program cannot be told by automata; the reason."""


class Afresh(Exception):
    """What was learned so far is void: code was met that names other globals, which are part of every local state."""


class Transition(NamedTuple):
    """What a thread does from one step to the next, having found in memory what it has."""

    writes: tuple[tuple[int, int], ...]
    """Cells and what is left in them."""
    tells: bool
    """The step tells those who have read its cell."""
    plain_reads: frozenset[int]
    """Cells that are read plainly, behind the step."""
    plain_writes: frozenset[int]
    target: Local

    def races(self, other: Transition, cell: int, others_cell: int) -> bool:
        """Do both touch a cell, one plainly, one writing?  `cell` and `others_cell` are those of the steps."""
        mine, its = {a for a, _ in self.writes}, {a for a, _ in other.writes}
        return not (
            self.plain_reads.isdisjoint(its)
            and self.plain_writes.isdisjoint(other.plain_reads | {others_cell} | its)
            and other.plain_reads.isdisjoint(mine)
            and other.plain_writes.isdisjoint(self.plain_reads | {cell} | mine)
        )


class Ask:
    """What the thread does depends on what is in `cell`."""

    __slots__ = ("answers", "cell")

    def __init__(self, cell: int) -> None:
        self.cell = cell
        self.answers: dict[int, Ask | Transition] = {}
        """By value; what is not there has not been seen yet."""


class Local:
    """A local state of one thread."""

    __slots__ = ("addr", "kind", "next", "number", "paused")

    def __init__(self, number: int, kind: int, addr: int, *, paused: bool) -> None:
        self.number = number
        self.kind = kind
        """Of the step that comes next."""
        self.addr = addr
        self.paused = paused
        self.next: Ask | Transition | None = None


class Automata:
    """The threads of one program, as far as they are known; watches the runs of one machine."""

    def __init__(self, machine: SteppedMachine) -> None:
        self.machine = machine
        assert isinstance(machine.mem, Observed)  # noqa: S101  whoever makes one has looked
        self.words: Observed = machine.mem
        machine.threads.mem = View(self.words)  # type: ignore[assignment]
        self.capture = Capture(machine)
        self.begun = 0
        self.forget()

    def forget(self) -> None:
        """Nothing is known."""
        self.begun += 1
        if self.begun > AFRESH:
            raise Unfit("globals change")
        self.globals: tuple[bytes, int] | None = None
        """By what the globals were told at the first capture."""
        self.roots = b""
        """What the bodies and the check close over, written down."""
        self.locals: list[Local] = []
        self.numbers: dict[tuple[object, ...], Local] = {}
        self.plain = False
        """Some thread reads or writes plainly."""
        self.initial: list[Local] = []
        self.memory: list[int] = []
        """In the beginning."""
        self.cells: dict[int, int] = {}
        """Cells that are written, and the place of each in a state."""
        self.now: list[Local] = []
        """Where the threads of the schedule under way are."""
        self.mover = -1
        """Who went last."""
        self.found = self.operand = 0
        """What was in the cell of its step, and the step's operand."""

    def begin(self) -> None:
        """All threads of a schedule have come to their first steps."""
        machine = self.machine
        if machine.invariants or machine.more_state:
            raise Unfit("every state has to be run")
        self.mover = -1
        roots = self._shared()
        if not self.initial:
            self.roots, self.memory = roots, list.copy(self.words)
            self.initial = [self._local(t) for t in range(len(machine.names))]
        elif roots != self.roots or len(self.initial) != len(machine.names) or self.differs(self.memory):
            raise Unfit("it begins otherwise")
        self.now = self.initial[:]

    def _shared(self) -> bytes:
        """All that one thread could leave for another one, or for the check, in Python: what their functions close over."""
        machine = self.machine
        return self._written(roots=[*machine.execution.bodies, machine.check])

    def differs(self, memory: list[int]) -> bool:
        """Is anything but statistics other than in `memory`?"""
        words = list.copy(self.words)
        if len(words) != len(memory):
            return True
        for a in self.machine.statistics:
            words[a] = memory[a]
        return words != memory

    def _written(self, *, threads: Sequence[int] = (), roots: Sequence[object] = ()) -> bytes:
        captured = self.capture.take(roots, threads=threads)
        if captured.opaque:
            raise Unfit(captured.opaque[0])
        named = self.capture.globaldata.digest, self.capture.epoch
        self.globals = self.globals or named
        if named != self.globals:
            raise Afresh
        return captured.written

    def _local(self, t: int) -> Local:
        """The local state of thread `t`."""
        machine = self.machine
        kind, addr, flags = machine.kinds[t], machine.addrs[t], machine.flags[t]
        if machine.execution.clock:
            raise Unfit("a thread asks for the time")
        if kind in UNKNOWN_KINDS or flags & TIMED:
            raise Unfit(f"a thread comes to {ops.NAMES[kind]}")
        key: tuple[object, ...] = (t,)
        if kind != ops.ENDED:
            key = t, kind, addr, flags & PAUSED, self._written(threads=[t])
        local = self.numbers.get(key)
        if local is None:
            local = self.numbers[key] = Local(len(self.locals), kind, addr, paused=flags & PAUSED != 0)
            self.locals.append(local)
        return local

    def go(self, t: int) -> None:
        """Thread `t` is about to take its step."""
        machine = self.machine
        self.mover = t
        self.found, self.operand = list.__getitem__(self.words, machine.addrs[t]), machine.expects[t]
        self.words.begin(machine.execution)

    def arrive(self) -> bool:
        """Whoever went last has come to its next step, or ended: True if that was not known before."""
        t, words, machine = self.mover, self.words, self.machine
        words.end()
        if t < 0:
            return False
        self.mover = -1
        if words.missed:
            raise Unfit("memory is read as a whole")
        local = self.now[t]
        node = local.next
        while isinstance(node, Ask):
            if node.cell not in words.reads:
                raise Unfit("a thread reads other cells than before")
            node = node.answers.get(words.reads[node.cell])
        if node is None:
            target = self._learn(t, local)
        else:
            target = node.target
            if (machine.kinds[t], machine.flags[t] & PAUSED != 0) != (target.kind, target.paused) or (
                target.kind != ops.ENDED and machine.addrs[t] != target.addr
            ):
                raise Unfit("a thread does other things than before")
        self.now[t] = target
        return node is None

    def _learn(self, t: int, local: Local) -> Local:
        words, kind, addr = self.words, local.kind, local.addr
        changes, tells = _effect(kind, self.operand, self.found)
        if len(words.writes.get(addr, ())) > changes:
            raise Unfit("a plain write to the cell of a step")
        target = self._local(t)
        if self._shared() != self.roots:
            raise Unfit("threads share what changes")
        writes = tuple((a, values[-1]) for a, values in words.writes.items())
        for a, _ in writes:
            self.cells.setdefault(a, len(self.cells))
        plain_reads, plain_writes = frozenset(words.reads) - {addr}, frozenset(words.writes) - {addr}
        self.plain = self.plain or bool(plain_reads or plain_writes)
        node: Ask | Transition = Transition(writes, tells, plain_reads, plain_writes, target)
        asked = [*words.reads.items()]
        if not asked:
            local.next = node
            return target
        at = local.next
        if at is None:
            at = local.next = Ask(asked[0][0])
        for k, (cell, value) in enumerate(asked):
            if not isinstance(at, Ask) or at.cell != cell:
                raise Unfit("a thread reads other cells than before")
            last = k + 1 == len(asked)
            at = at.answers.setdefault(value, node if last else Ask(asked[k + 1][0]))
        return target


def _effect(kind: int, operand: int, found: int) -> tuple[bool, bool]:
    """Does a step that finds that in its cell write it, and does it tell those who have read it?"""
    if kind == ops.XADD:
        return True, operand & MASK64 != 0
    written = kind == ops.LOCK
    if kind in ops.STORING:
        written = operand != found
    elif kind in ops.DEPENDING:
        written = operand == found
    elif kind == ops.OR8:
        written = operand & ~found != 0
    return written, written
