"""One schedule of the stepped machine, from its threads' first steps to their ends, or to what goes wrong.

Theory of operation.  The loop begins the threads, lets go whoever the strategy picks, and gets control back when a thread
ends or nobody can run; between two threads control goes by their ports (`machine.ports`).  If nobody can run, all
who wait in a pause are let go, and if there are none it is a deadlock.  A schedule that grows long is looked at for a thread
that spins (`collector.explore.state.spin`); at `steps_allowed` the strategy has had its say and the threads go on in turn
(`collector.explore.state.fair`).  However a schedule ends, every thread is brought out of its body: one that still waits is
aborted, and takes no step on its way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.explore.machine import ops
from collector.explore.machine.carrier import ABORT, CLOSE, MAIN
from collector.explore.machine.fault import Fault, fault_of
from collector.explore.machine.threads import LIMIT, Rules
from collector.explore.state.spin import LOOK
from workbuf.machine import Aborted


if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from collector.explore.machine.carrier import Carrier
    from collector.explore.machine.machine import Draw, Pick
    from collector.explore.machine.ports import SteppedPort
    from collector.explore.state.fair import Fair
    from collector.explore.state.spin import Spin
    from workbuf.machine import Port


class Loop(Rules):
    """The threads of a schedule, and what becomes of them."""

    fair: Fair
    spin: Spin

    def __init__(self, vehicle: Carrier) -> None:
        super().__init__(vehicle)
        self.ports: list[SteppedPort] = []
        self.bodies: list[Callable[[Port], object]] = []
        self.names: list[str] = []
        self.invariants: list[Callable[[], object]] = []
        self.starts: list[Callable[[], object]] = []
        """Called when the threads of a schedule begin to run."""
        self.observers: Sequence[Callable[[int], None]] = ()
        self.strategy: Pick = self.give_up
        """Who picks, behind `_watched`."""
        self.fault: Fault | None = None
        self.broken: BaseException | None = None
        """What ended a thread and is no fault of the program."""
        self.killed: set[int] = set()
        self.aborted = False
        """Threads raise Aborted where they check."""
        self.given_up = False
        self.warnings: set[str] = set()
        self.undecided = ""
        """Why the schedule was given up, if it grew too long."""
        self.clock = 0
        """Times that a thread has asked for the time."""
        self.check: object = None
        """The program's check: what it reaches is part of the state."""
        self.steps_allowed = LIMIT

    def waiting(self) -> str:
        """Who waits for what."""
        raise NotImplementedError

    def abort(self) -> None:
        """Give the schedule up at the next step; every thread raises Aborted."""
        self.aborted = self.given_up = True
        self.pick = self._abandon

    def run(self, pick: Pick, draw: Draw, observers: Sequence[Callable[[int], None]] = ()) -> Fault | None:
        """Run the threads to their end, or to a fault, which is returned.

        `pick(i)` names the runnable thread that goes next; `i` has just come to its next step and may itself be waiting,
        MAIN if nobody has.  It may also be MAIN: the schedule is given up.  `draw(i, n)` is what `choose(n)` returns in
        thread `i`.  Each observer is told who was picked, before the step is taken.
        """
        self.strategy = self.spin.strategy = pick
        self.draw, self.observers = draw, observers
        self.pick = self._watched if self.invariants or observers else pick
        for start in self.starts:
            start()
        try:
            self._loop()
        finally:
            self._unwind()
        if self.broken:
            raise self.broken
        if self.trail and self.trail[-1] == MAIN:
            self.trail.pop()
        return self.fault

    def _loop(self) -> None:
        goto, runnable, append = self.carrier.goto, self.runnable, self.trail.append
        self.starter = MAIN
        for i in range(len(self.bodies)):
            goto[i](MAIN)
            if self.fault or self.broken:
                return
        while self.live:
            if not runnable and not self._go_on():
                return
            t = self.pick(MAIN)
            append(t)
            if t == MAIN:
                return
            goto[t](MAIN)
            if self.fault or self.broken or self.trail[-1] == MAIN:
                return
        self._check_invariants()

    def _go_on(self) -> bool:
        """Nobody can run: let go those who only pause, unless that has led nowhere before."""
        if self.fair.released():
            self._livelock()
        elif not self.release():
            self.fault = Fault("deadlock", self.waiting())
        return self.fault is None

    def carry(self, i: int) -> None:
        """A carrier for thread `i`, whose number and port are new."""
        goto, bodies, ports = self.carrier.goto, self.bodies, self.ports

        def life() -> None:
            while True:
                try:
                    bodies[i](ports[i])
                except Aborted:
                    pass
                except Exception as error:  # noqa: BLE001  whatever the thread dies of is this schedule's fault
                    self._raised(error, i)
                except BaseException as error:  # noqa: BLE001  an interrupt, say: it belongs to whoever called run
                    self.broken = error
                # Its body has ended; the next time control comes here, another schedule begins the next one.
                if goto[self.end(i)](i) == CLOSE:
                    return

        self.carrier.add(life)

    def _unwind(self) -> None:
        """Bring every thread that is still inside its body back out of it."""
        self.aborted = self.unwinding = True
        self.pick = self.give_up
        for i in range(len(self.bodies)):
            if i in self.killed or self.kinds[i] != ops.ENDED:
                self.carrier.goto[i](ABORT)

    def _kill(self, i: int, target: int) -> None:
        self.ports[i].point(ops.KILL, target)
        if self.kinds[target] != ops.ENDED:
            self.killed.add(target)
            self.end(target)

    def _abandon(self, _i: int) -> int:
        return MAIN

    def _watched(self, i: int) -> int:
        """The strategy's pick, with the invariants before it and the observers behind it."""
        if not self._check_invariants():
            return MAIN
        t = self.strategy(i)
        if t != MAIN:
            for observe in self.observers:
                observe(t)
        return t

    def overrun(self) -> None:
        """The schedule has grown long: look for a spin; in the end go on in turn, and then give it up."""
        at = len(self.trail)
        if at < self.steps_allowed:
            self.limit = min(at + LOOK, self.steps_allowed)
            if self.spin.suspected():
                self.set_strategy(self._spinning)
        elif at < self.last_step:
            self.limit = self.last_step
            self.set_strategy(self._in_turn)
        else:
            self._undecided()
            self.pick = self._abandon

    @property
    def last_step(self) -> int:
        """Steps after which a schedule is given up."""
        return self.steps_allowed + max(self.steps_allowed, LOOK)

    def set_strategy(self, pick: Pick) -> None:
        """Have somebody else pick from now on."""
        if self.pick == self._watched:
            self.strategy = pick
        else:
            self.pick = pick

    def _spinning(self, i: int) -> int:
        """The strategy's pick, while a thread is suspected to spin."""
        if self.spin.over(i):
            self.set_strategy(self.spin.strategy)
        return self.spin.strategy(i)

    def _in_turn(self, i: int) -> int:
        t = self.fair.pick(i)
        if t == MAIN:
            self._livelock()
        return t

    def _livelock(self) -> None:
        """The state has been there before: say between which steps, and who goes round in the circle."""
        lasso = self.fair.lasso
        assert lasso is not None  # noqa: S101  who calls this has just found it
        circle = sorted({t for t in self.trail[lasso.begin : lasso.end] if t >= 0})
        names = " and ".join(self.names[t] for t in circle)
        goes = "goes" if len(circle) == 1 else "go"
        self.fault = Fault("livelock", f"{names} {goes} round in a circle: the state comes again", lasso=lasso)

    def _undecided(self) -> None:
        """The schedule is given up, and nothing proves that it would never have ended."""
        longer = f"longer than steps={self.steps_allowed}"
        more = f"(steps={2 * self.steps_allowed} looks further)"
        opaque = self.fair.lassos.opaque
        if opaque:
            self.undecided = f"{longer}; {opaque[0]}, which cannot be looked into, so no livelock can be proved {more}"
        elif self.clock:
            self.undecided = f"{longer}, and asks for the time, so that no state comes again {more}"
        else:
            self.undecided = f"{longer}, and no state came again {more}"

    def _raised(self, error: Exception, i: int, kind: str = "") -> None:
        if self.fault is None and not self.unwinding:
            self.fault = fault_of(error, i, kind)

    def _check_invariants(self) -> bool:
        try:
            for holds in self.invariants:
                holds()
        except AssertionError as error:
            self._raised(error, self.trail[-1] if self.trail else MAIN, "invariant")
            return False
        return True

    @property
    def complete(self) -> bool:
        """All threads have run to their ends."""
        return self.live == 0 and not self.given_up

    def has_ended(self, i: int) -> bool:
        """Has thread `i` run to its end, or been killed?"""
        return self.kinds[i] == ops.ENDED
