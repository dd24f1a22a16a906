"""Learns what each thread of a program does by itself (`state.automaton`) from runs of the program.

Theory of operation.  All is observed in schedules; whatever has been seen once need not be run again (`strategies.product`).
What a thread does before its first step is the same in every schedule.

Guards.  A local state has to be whole and the thread's own.  What threads can leave for each other in Python lies in what
their functions, the check or the ports' listeners reach, in globals, or in what two threads have got from there before
their first steps.  The last is refused; the others must stay as they are, which is looked at after each new transition.
Where that does not hold, where something cannot be looked into, or where a thread does what an automaton cannot (spawn,
kill, allocate, choose, ask for the time, wait with a limit, look at the scheduler), `Unfit` says so, and states are searched
in another way.

Relied on.  A thread leaves other threads' ports alone, and does not reach into the machine's own parts.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from collector.explore.machine import ops
from collector.explore.machine.observed import Log, Observed
from collector.explore.machine.threads import PAUSED, TIMED
from collector.explore.state.automaton import Accesses, Local, Transition
from collector.explore.state.globaldata import UNCHANGING


if TYPE_CHECKING:
    from collections.abc import Sequence

    from collector.explore.machine.machine import SteppedMachine
    from collector.explore.state.capture import Capture


UNKNOWN_KINDS = frozenset((ops.CHOOSE, ops.SPAWN, ops.SYSALLOC, ops.KILL))
"""Steps that do more than read and write memory."""
SHARED = frozenset((
    "has_ended", "kinds", "addrs", "expects", "flags", "runnable", "stale", "trail", "releases", "complete", "waiting",
    "execution", "ports", "warnings", "views", "formatter", "statistics", "uncounted", "memory",
))  # fmt: skip
"""Attributes of the machine where a thread could see what others do, or leave something for them."""
AFRESH = 30
"""Times that it is begun again because code was met that names other globals."""


class Unfit(Exception):
    """The program cannot be told by automata; the reason."""


class Afresh(Exception):
    """What was learned so far is void: code was met that names other globals, which are part of every local state."""


class Automata:
    """The threads of one program, as far as they are known; watches the runs of one machine."""

    def __init__(self, machine: SteppedMachine, observed: Observed, capture: Capture) -> None:
        self.machine = machine
        self.observed = observed
        self.words = machine.memory.words
        self.capture = capture
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
        """What threads could share, written down."""
        self.locals: list[Local] = []
        self.waited: set[int] = set()
        """Cells of the locks and notes that somebody waits for."""
        self.numbers: dict[tuple[object, ...], Local] = {}
        self.plain = False
        """Some thread reads or writes plainly."""
        self.initial: list[Local] = []
        self.before: dict[int, Accesses] = {}
        """By thread, what it touches before its first step."""
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

    def watch(self) -> None:
        """A schedule is about to begin."""
        self.mover = -1
        self.observed.begin(self.machine.execution)

    def rest(self) -> None:
        """Nothing is learned from the rest of this schedule."""
        self.mover = -1
        self.observed.end()

    def begin(self) -> None:
        """All threads of a schedule have come to their first steps."""
        machine, logs = self.machine, self.observed.end()
        if machine.invariants or machine.more_state:
            raise Unfit("every state has to be run")
        roots = self._roots()
        written = self._written(roots=roots)
        threads = range(len(machine.names))
        if not self.initial:
            self._keep_apart(roots)
            self.roots, self.memory = written, self.words[:]
            self.initial = [self._local(t, first=t in logs) for t in threads]
            for t, log in logs.items():
                writes = frozenset(log.writes)
                self.before[t] = Accesses(-1, writes, frozenset(log.reads), writes)
                self.plain = True
        elif written != self.roots or len(self.initial) != len(threads) or self.differs(self.memory):
            raise Unfit("it begins otherwise")
        self.now = self.initial[:]

    def _roots(self) -> list[object]:
        """Where all is found that one thread could leave for another one, or for the check, in Python."""
        machine = self.machine
        listeners = [port.event for port in machine.ports]
        return [*machine.execution.bodies, machine.check, *listeners, *machine.names]

    def _keep_apart(self, roots: Sequence[object]) -> None:
        """Two threads must not hold one thing that nothing else holds."""
        shared = self.capture.reached(roots)
        known = {id(v) for v in shared}
        owned: set[int] = set()
        alive: list[Sequence[object]] = []
        for t in range(len(self.machine.names)):
            met = self.capture.reached(threads=[t])
            alive.append(met)  # so that each id stays one's own
            own = {id(v) for v in met if id(v) not in known and not self._settled(v)}
            if own & owned:
                raise Unfit("threads share what they hold")
            owned |= own

    def _settled(self, v: object) -> bool:
        """Is `v` the same for ever?"""
        capture = self.capture
        return type(v) in UNCHANGING or isinstance(v, Enum) or id(v) in capture.labels or capture.namespaces.inert(v)

    def differs(self, memory: list[int]) -> bool:
        """Is anything but statistics other than in `memory`?"""
        words = self.words[:]
        if len(words) != len(memory):
            return True
        for a in self.machine.statistics:
            words[a] = memory[a]
        return words != memory

    def _written(self, *, threads: Sequence[int] = (), roots: Sequence[object] = ()) -> bytes:
        captured = self.capture.take(roots, threads=threads)
        if captured.opaque:
            raise Unfit(captured.opaque[0])
        looked_at = SHARED & self.capture.namespaces.mentioned
        if looked_at:
            raise Unfit(f"the program names {min(looked_at)}")
        named = self.capture.globaldata.digest, self.capture.epoch
        self.globals = self.globals or named
        if named != self.globals:
            raise Afresh
        return captured.written

    def _local(self, t: int, *, first: bool = False) -> Local:
        """The local state of thread `t`; if it is told apart as its `first`, it never comes again."""
        machine = self.machine
        kind, addr, flags = machine.kinds[t], machine.addrs[t], machine.flags[t]
        if machine.execution.clock:
            raise Unfit("a thread asks for the time")
        if kind in UNKNOWN_KINDS or flags & TIMED:
            raise Unfit(f"a thread comes to {ops.NAMES[kind]}")
        key: tuple[object, ...] = (t,)
        if kind != ops.ENDED:
            key = t, kind, addr, flags & PAUSED, self._written(threads=[t]), first
        local = self.numbers.get(key)
        if local is None:
            local = self.numbers[key] = Local(len(self.locals), kind, addr, paused=flags & PAUSED != 0)
            self.locals.append(local)
            if kind in ops.WAITING:
                self.waited.add(addr)
        return local

    def go(self, t: int) -> None:
        """Thread `t` is about to take its step."""
        machine = self.machine
        self.mover = t
        self.found, self.operand = self.words[machine.addrs[t]], machine.expects[t]
        self.observed.begin(machine.execution)

    def arrive(self) -> bool:
        """Whoever went last has come to its next step, or ended: True if that was not known before."""
        t, machine = self.mover, self.machine
        log = self.observed.end().get(t) or Log()
        if t < 0:
            return False
        self.mover = -1
        if log.whole:
            raise Unfit("memory is read as a whole")
        if len(self.words) != len(self.memory):
            raise Unfit("a thread allocates")
        if machine.execution.given_up:
            raise Unfit("a schedule is given up")
        local = self.now[t]
        found = self._found(local, log)
        try:
            known = local.find(found)
        except KeyError:
            raise Unfit("a thread reads other cells than before") from None
        if known:
            target = known.target
            if (
                (machine.kinds[t], machine.flags[t] & PAUSED != 0) != (target.kind, target.paused)
                or (target.kind != ops.ENDED and machine.addrs[t] != target.addr)
                or self._writes(local, log) != known.writes
            ):
                raise Unfit("a thread does other things than before")
        else:
            target = self._learn(t, local, log, found)
        self.now[t] = target
        return known is None

    def _found(self, local: Local, log: Log) -> dict[int, int]:
        """What the thread has found in cells, that of its step first: what it reads there later follows from it."""
        found = {local.addr: self.found} if local.kind in ops.TOUCHING else {}
        for cell, value in log.reads.items():
            found.setdefault(cell, value)
        for cell in self.machine.statistics:
            found.pop(cell, None)
        return found

    def _learn(self, t: int, local: Local, log: Log, found: dict[int, int]) -> Local:
        """What thread `t` has just done is new."""
        writes = self._writes(local, log)
        for a, _ in writes:
            self.cells.setdefault(a, len(self.cells))
        accesses = self._accesses(local, log)
        self.plain = self.plain or accesses.plain
        target = self._local(t)
        if self._written(roots=self._roots()) != self.roots:
            raise Unfit("threads share what changes")
        tells = ops.tells(local.kind, self.operand, self.found)
        unheard = frozenset(a for a, _ in writes if not (tells and a == local.addr))
        if not local.add([*found.items()], Transition(writes, tells, unheard, accesses, target)):
            raise Unfit("a thread reads other cells than before")
        return target

    def _writes(self, local: Local, log: Log) -> tuple[tuple[int, int], ...]:
        """Cells that were written, and what was left in them."""
        written = log.writes
        if local.kind in ops.TOUCHING and self.words[local.addr] != self.found:
            written = {*written, local.addr}
        return tuple((a, self.words[a]) for a in sorted(written - self.machine.statistics))

    def _accesses(self, local: Local, log: Log) -> Accesses:
        """What has just been touched: as the race detectors see it, for whom an exchange always writes."""
        op, reads, writes = ops.TABLE[local.kind], frozenset(log.reads), frozenset(log.writes)
        step = frozenset([local.addr])
        wrote = op.writes and not (op.writes == ops.IF_FOUND and self.found != self.operand)
        if op.access == ops.PLAIN:
            reads, writes = (reads, writes | step) if wrote else (reads | step, writes)
        if op.access != ops.ATOMIC:
            return Accesses(-1, writes, reads, writes)
        return Accesses(local.addr, writes | step if wrote else writes, reads, writes)
