"""The execution of one schedule: starts the threads, runs them as the strategy picks, ends with success or a fault.

Theory of operation.  The loop starts the threads and hands control to the one that the strategy picks.  It gets control
back when a thread ends or no thread can run; in between, the ports hand control from thread to thread (`operations`).
If no thread can run, all that wait in a pause are released; if there are none, it is a deadlock.  A schedule that grows to
`limit` steps is passed to a `Watch`.  However a schedule ends, every thread is brought out of its body: one that still
waits is aborted, and takes no further step.
"""

from __future__ import annotations

import sys
from bisect import insort
from functools import partial
from typing import TYPE_CHECKING, NoReturn

from collector.explore.machine.carrier import ABORT, CLOSE, MAIN
from collector.explore.machine.fault import Fault, Refused, fault_of
from collector.explore.machine.misuse import ends_program, misused, never_run
from collector.explore.machine.ops import LOCK
from collector.explore.machine.site import innermost, of_function, program_frames, root
from collector.explore.machine.threads import FRESH, PAUSED
from collector.explore.machine.wait import wait_of
from workbuf.machine import Aborted


if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from collector.explore.machine.carrier import Carrier
    from collector.explore.machine.threads import Threads
    from collector.explore.machine.wait import Wait
    from collector.explore.machine.watch import Watch
    from workbuf.machine import Port

    Body = Callable[[Port], object]
    """What a thread does."""
    Pick = Callable[[int], int]
    """Names the runnable thread that goes next; see `Execution.run`."""
    Draw = Callable[[int, int], int]
    """What `choose(n)` returns in a thread."""


LIMIT = 20_000
"""Entries of a trail after which a schedule is not left to its strategy any more."""


class Execution:
    """Runs the threads of a schedule to their ends."""

    def __init__(self, threads: Threads, carrier: Carrier, waiting: Callable[[], str], steps_allowed: int) -> None:
        self.threads = threads
        self.carrier = carrier
        self.waiting = waiting
        """Describes which thread waits for what, for the message of a deadlock."""
        self.steps_allowed = steps_allowed
        """Length of the trail up to which the strategy picks."""
        self.watch: Watch
        self.trail: list[int] = []
        """The schedule so far: a thread's number for a step, `~1 - v` for a value v that `choose` returned."""
        self.bodies: list[Body] = []
        """Per thread."""
        self.number = 0
        """Of the schedule."""
        self.setting_up = True
        """No thread of this schedule has run yet."""
        self.running = False
        self.calling = 0
        """The system thread in which its set-up, its check or a view is running; 0: none of them is."""
        self.capturing = False
        """The explorer looks at the state, which takes long the first time."""
        self.current = MAIN
        """The thread that is running, or has run last."""
        self.invariants: list[Callable[[], object]] = []
        self.observers: Sequence[Callable[[int], None]] = ()
        self.pick: Pick = self._over
        self.strategy: Pick = self._over
        """Who picks, also behind `_watched`."""
        self.draw: Draw
        self.limit = steps_allowed
        self.releases = 0
        """Times that no thread could run and all that paused were released."""
        self.starter = MAIN
        """Who gets control back when a beginning thread has come to its first step."""
        self.fault: Fault | None = None
        self.broken: BaseException | None = None
        """What ended a thread and is no fault of the program."""
        self.killed: set[int] = set()
        self.aborted = False
        """Threads raise Aborted where they check."""
        self.given_up = False
        self.unwinding = False
        self.undecided = ""
        """Why the schedule was given up, if it grew too long."""
        self.stuck = ""
        """Where a thread was that came to no step for long, and was ended."""
        self.late = False
        """The time of the exploration was over before the schedule was."""
        self.clock = 0
        """Times that a thread has asked for the time."""
        self.waits: dict[Wait, int] = {}
        """In what situations threads have waited in a pause, and the length of the trail, the first time."""
        self.over: Callable[[], object] | None = None
        """To be called when all threads have ended, before anybody looks at what they have left."""
        self.script: Callable[[int], int] | None = None
        """Where threads go in turn: who goes instead of that thread, in a schedule that is run again."""

    def begin(self) -> None:
        """A new schedule."""
        self.number += 1
        self.setting_up = True
        self.trail.clear()
        self.bodies.clear()
        self.invariants.clear()
        self.killed.clear()
        self.releases = 0
        self.fault = self.broken = None
        self.aborted = self.given_up = self.unwinding = False
        self.undecided = self.stuck = ""
        self.late = False
        self.clock = 0
        self.waits.clear()
        self.over = self.script = None
        self.watch.begin()

    def run(self, pick: Pick, draw: Draw, observers: Sequence[Callable[[int], None]] = ()) -> Fault | None:
        """Run the threads to their end, or to a fault, which is returned.

        `pick(i)` names the runnable thread that goes next; `i` has just come to its next step and may itself be waiting,
        MAIN if nobody has.  It may also be MAIN: the schedule is given up.  `draw(i, n)` is what `choose(n)` returns in
        thread `i`.  Each observer is told who was picked, before the step is taken.
        """
        self.strategy = pick
        self.draw, self.observers = draw, observers
        self.pick = self._watched if self.invariants or observers else pick
        self.setting_up, self.running = False, True
        try:
            self._loop()
        finally:
            self._unwind()
            self.running = False
        if self.stuck and not self.broken:
            reason = "no step for seconds, and an `except` of everything swallowed what ends that: a loop has to end"
            self.broken = Refused(reason, self.stuck)
        if self.broken:
            raise self.broken
        if self.trail and self.trail[-1] == MAIN:
            self.trail.pop()
        return self.fault

    def _loop(self) -> None:
        goto, threads, runnable, trail = self.carrier.goto, self.threads, self.threads.runnable, self.trail
        self.starter = MAIN
        for i in range(len(self.bodies)):
            self.current = i
            goto[i](MAIN)
            if self.fault or self.broken:
                return
        while threads.live:
            if not runnable and not self._go_on():
                return
            t = self.pick(MAIN)
            trail.append(t)
            if t == MAIN:
                return
            self.current = t
            goto[t](MAIN)
            if trail[-1] == MAIN or self.fault or self.broken:
                return
        if self.over:
            self.over()
        if self.invariants:
            self._check_invariants()

    def _go_on(self) -> bool:
        """No thread can run: release those that pause, unless that is a livelock."""
        self._unheard()
        self.releases += 1
        self.fault = self.watch.stuck()
        if self.fault is None and not self.threads.release():
            self.fault = Fault("deadlock", self.waiting())
        return self.fault is None

    def _unheard(self) -> None:
        """Refuse the program if a thread could run that has not heard of it."""
        threads = self.threads
        for t in range(len(self.bodies)):
            if threads.ready(t):
                lock = threads.kinds[t] == LOCK
                was, op = ("lock was freed", "unlock frees a lock") if lock else ("note was woken", "wake wakes a note")
                where = innermost(self.carrier.frame(t))
                self.refuse(f"the {was} by a plain write, of which nobody is told who waits: {op}", where)

    @root
    def live(self, i: int, port: Port) -> None:
        """All that thread `i` does, schedule after schedule: the outermost frame of its carrier."""
        bodies, goto = self.bodies, self.carrier.goto
        while True:
            self.carrier.fresh(i)
            try:
                returned = bodies[i](port)
                if returned is not None and never_run(returned):
                    self.refuse("the body is async or a generator, so nothing of it runs", of_function(bodies[i]))
            except Aborted:
                pass
            except BaseException as error:  # noqa: BLE001  whatever the thread dies of is the schedule's fault
                if ends_program(error):
                    self._raised(error, i)
                else:
                    self.broken = self.broken or misused(error, bodies[i], ended=self.unwinding) or error
            # Its body has ended; the next time control comes here, another schedule begins the next one.
            if goto[self.end(i)](i) == CLOSE:
                return

    def carry(self, port: Port) -> None:
        """There is room for one more thread, whose port this is in every schedule."""
        self.carrier.add(partial(self.live, port.index, port))

    def add(self, body: Body) -> None:
        """One more thread of this schedule."""
        threads, i = self.threads, len(self.bodies)
        self.bodies.append(body)
        threads.flags[i] = FRESH
        threads.live += 1

    def spawned(self, i: int) -> None:
        """Thread `i` has added a thread while running: that one comes to its first step."""
        goto = self.carrier.goto
        self.starter = i
        self.current = len(self.bodies) - 1
        handed = goto[self.current](i)
        self.current = i
        if handed != ABORT and (self.fault or self.broken):
            handed = goto[MAIN](i)
        if handed == ABORT:
            raise Aborted

    def arrive(self, i: int) -> None:
        """Thread `i` has come to a step that may have to wait, or that comes after a pause; returns when it is its turn."""
        if self.unwinding or self.current != i:
            self.foreign(i)
        threads, flags = self.threads, self.threads.flags
        if flags[i] & FRESH:
            flags[i] ^= FRESH
            if threads.ready(i):
                insort(threads.runnable, i)
            if self.carrier.goto[self.starter](i) == ABORT:
                raise Aborted
        else:
            if not threads.ready(i):
                threads.runnable.remove(i)
                if flags[i] & PAUSED and not threads.stale[i] and not threads.early:
                    frames = program_frames(sys._getframe())  # noqa: SLF001
                    self.waits.setdefault(wait_of(i, frames, threads.seen[i], threads.mem), len(self.trail))
            self.step(i)
        if flags[i] & PAUSED:
            threads.go(i)

    def foreign(self, i: int) -> NoReturn:
        """The port of thread `i` is used where that thread is not running."""
        if self.unwinding or not self.running:
            self._over(i)
        self.refuse("a thread uses another thread's port: give each body the one that it is called with")

    def refuse(self, reason: str, where: str = "") -> NoReturn:
        """The program breaks a rule: the exploration ends."""
        self.broken = self.broken or Refused(reason, where or innermost())
        raise self.broken

    def step(self, i: int) -> None:
        """Thread `i` has announced its step: hand control to the picked thread; returns when `i` is picked."""
        if len(self.trail) >= self.limit:
            self.watch.overrun()
        t = self.pick(i) if self.threads.runnable else MAIN
        if t != MAIN or self.threads.runnable:
            self.trail.append(t)
        if t != i:
            self.current = t
            if self.carrier.goto[t](i) == ABORT:
                raise Aborted

    def end(self, i: int) -> int:
        """Thread `i` takes no further step; returns who has control next."""
        if self.unwinding:
            return MAIN
        home = self.starter if self.threads.flags[i] & FRESH else MAIN
        self.threads.end(i)
        return home

    def kill(self, target: int) -> None:
        """End thread `target` wherever it is."""
        if not self.threads.ended(target):
            self.killed.add(target)
            self.end(target)

    def _unwind(self) -> None:
        """Bring every thread that is still inside its body back out of it."""
        self.aborted = self.unwinding = True
        self.pick = self._over
        if self.threads.live or self.killed:
            # Strategies still ask what each was about to do, and a `finally` that is run now announces other steps.
            with self.threads.kept():
                for i in range(len(self.bodies)):
                    if i in self.killed or not self.threads.ended(i):
                        self.carrier.goto[i](ABORT)

    def abort(self) -> None:
        """Give the schedule up at the next step; every thread raises Aborted."""
        self.aborted = self.given_up = True
        self.pick = self._abandon

    def give_up(self, fault: Fault | None) -> None:
        """The schedule ends at the next step, with `fault` or undecided."""
        self.fault = fault
        self.pick = self._abandon

    def fail(self, fault: Fault) -> None:
        """The running thread ends the schedule with `fault`."""
        if not self.unwinding:
            self.fault = fault
        raise Aborted

    def let(self, pick: Pick) -> None:
        """Replace the function that picks, from now on."""
        self.strategy = pick
        if self.pick != self._watched:
            self.pick = pick

    def _abandon(self, _i: int) -> int:
        return MAIN

    def _over(self, _i: int) -> NoReturn:
        """The pick after the end of a schedule."""
        if not self.running:
            self.refuse("a port is used while no thread runs: a check looks with machine.peek")
        raise Aborted

    def _watched(self, i: int) -> int:
        """The strategy's pick, with the invariants before it and the observers behind it."""
        if self.invariants and not self._check_invariants():
            return MAIN
        t = self.strategy(i)
        if t != MAIN:
            for observe in self.observers:
                observe(t)
        return t

    def _raised(self, error: BaseException, i: int) -> None:
        if self.unwinding:
            return
        misuse = misused(error, self.bodies[i])
        if misuse:
            self.broken = self.broken or misuse
        elif self.fault is None:
            self.fault = fault_of(error, i)

    def _check_invariants(self) -> bool:
        for holds in self.invariants:
            try:
                said = holds()
            except BaseException as error:
                if not ends_program(error) and not isinstance(error, SystemExit):
                    raise
                misuse = misused(error, holds, "invariant")
                if misuse:
                    self.broken = self.broken or misuse
                elif self.fault is None and not self.unwinding:
                    kind = "invariant" if isinstance(error, AssertionError) else ""
                    self.fault = fault_of(error, self.trail[-1] if self.trail else MAIN, kind)
                return False
            if said is not None and said is not True:
                reason = f"the invariant returned {said!r}: an invariant asserts, and returns nothing"
                if never_run(said):
                    reason = "the invariant is async or a generator, so nothing of it runs"
                self.broken = self.broken or Refused(reason, of_function(holds))
                return False
        return True

    @property
    def complete(self) -> bool:
        """All threads have run to their ends."""
        return self.threads.live == 0 and not self.given_up
