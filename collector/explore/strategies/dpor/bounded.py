"""Partial-order reduction under a preemption bound: not all of the schedules that are equivalent and within the bound.

Theory of operation.  Depth-first search as in `strategies.bounded`, but an alternative is taken only if a race asks for it:
where a step depends on an earlier one of another thread, and its thread's steps before do not come after that one, its
thread must be tried at the choice of the earlier step, too.  Reversing a race there may cost a preemption that the bound
does not leave, where switching earlier would be free.  So the thread is tried as well where the block of steps begins that
the earlier one's thread took without a break: the conservative backtracking points of Coons, Musuvathi and McKinley
(Bounded partial-order reduction, OOPSLA 2013).  Every end of a schedule within the bound is then an end of one that is run.

What a thread was about to do where it was killed, or where the schedule ended, races too.  A compare-and-swap and an
exchange count as writes whatever they find.

What tells equivalent interleavings apart is as in `dpor.search`.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from collector.explore.claim import Claim, Kind, Seen
from collector.explore.machine import ops
from collector.explore.machine.carrier import MAIN
from collector.explore.machine.threads import PAUSED
from collector.explore.prefix import CURE, refuse_end
from collector.explore.strategies.base import left
from collector.explore.strategies.dpor.dependence import ADDRESSES, Step, dependent, pending
from collector.explore.strategies.dpor.objects import Sharing
from collector.explore.strategies.dpor.search import INVARIANTS, TIME
from workbuf.counted import counted


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore.machine.execution import Draw, Pick
    from collector.explore.machine.machine import SteppedMachine
    from collector.explore.state.changes import Access
    from collector.explore.strategies.base import Options


class Choice:
    """A place on the path where there are alternatives: threads, or values."""

    __slots__ = ("accesses", "among", "asked", "far", "free", "past", "step", "todo", "used", "victim")

    def __init__(self, among: list[int], first: int, used: int, free: int) -> None:
        self.among = among
        self.todo = [first]
        """What is left to take, the first one under way."""
        self.asked = {first}
        self.used = used
        """Preemptions before it."""
        self.free = free
        """Who may go on without one; MAIN: anybody."""
        self.step: Step | None = None
        """Of a thread; of a value, None."""
        self.victim: Step | None = None
        """What a kill has cut off."""
        self.past = 0
        """The steps on the path that come before its step in every equivalent interleaving, as bits."""
        self.accesses: tuple[Access, ...] = ()
        """What the turn of its step has had to do with objects that threads share."""
        self.far: tuple[int, ...] = ()
        """Cells that were not there when the threads began, and that it has found there."""

    def costs(self, t: int) -> int:
        """Preemptions up to and with letting `t` go."""
        return self.used + (self.free not in {MAIN, t})


class Taken:
    """Indices of the steps of a path, by what may depend on them."""

    def __init__(self) -> None:
        self.reads: defaultdict[int, list[int]] = defaultdict(list)
        """By cell; also of those that waited for a write of it."""
        self.writes: defaultdict[int, list[int]] = defaultdict(list)
        self.steps: defaultdict[int, list[int]] = defaultdict(list)
        """By thread."""
        self.aims: defaultdict[int, list[int]] = defaultdict(list)
        """By the thread that was spawned or killed."""

    def add(self, i: int, step: Step) -> None:
        """The step of that index."""
        (self.writes if step.write else self.reads)[step.cell].append(i)
        for cell in step.guard:
            self.reads[cell].append(i)
        self.steps[step.thread].append(i)
        if step.aim >= 0:
            self.aims[step.aim].append(i)

    def concerning(self, step: Step) -> list[int]:
        """In order, all on which `step` may depend but for those of its own thread."""
        found = {*self.writes[step.cell], *self.aims[step.thread]}
        if step.write:
            found.update(self.reads[step.cell])
        for cell in step.guard:
            found.update(self.writes[cell])
        if step.aim >= 0:
            found.update(self.steps[step.aim])
        return sorted(found)


class BoundedDPOR:
    """Partial-order reduction under a growing preemption bound."""

    name = "dpor"
    observes = True

    def __init__(self, options: Options) -> None:
        self.bound = 0
        self.highest = options.preemptions or 0
        self.cut = False
        """The bound has cut something off."""
        self.done = False
        self.hindrance = ""
        """Why that proves nothing."""
        self.sharing: Sharing | None = None
        """Watches the objects that threads share, on the one machine that the search runs on."""
        self.path: list[Choice] = []
        self.at = 0
        """Choices that this schedule has come to."""
        self.new = 0
        """The first one that is other than in the schedule before."""

    @property
    def exhausted(self) -> bool:
        """Every trace was seen, and nothing tells its interleavings apart."""
        return self.done and not self.cut and not self.hindrance

    def begin(self, machine: SteppedMachine) -> tuple[Pick, Draw]:
        path, runnable, flags = self.path, machine.runnable, machine.flags
        self.at = 0
        used = 0
        if machine.invariants:
            self.hindrance = INVARIANTS
        arrive, go = self._watch(machine)
        machine.execution.over = arrive

        def choice(among: list[int], first: int, free: int) -> Choice:
            if self.at == len(path):
                path.append(Choice(among, first, used, free))
            elif path[self.at].among != among:
                machine.execution.refuse(
                    f"not the same twice: choice {self.at} is among threads or values {among}, and was among "
                    f"{path[self.at].among} after the same choices; {CURE}"
                )
            self.at += 1
            return path[self.at - 1]

        def pick(i: int) -> int:
            nonlocal used
            arrive()
            free = i if i in runnable and not flags[i] & PAUSED else MAIN
            first = next((t for t in runnable if t != i), i) if free == MAIN else i
            chosen = choice(runnable[:], first, free)
            t = chosen.todo[0]
            used = chosen.costs(t)
            chosen.step = known(machine, t)
            chosen.victim = known(machine, chosen.step.aim) if machine.kinds[t] == ops.KILL else None
            go(chosen, t)
            return t

        def draw(_i: int, n: int) -> int:
            values = choice(list(range(n)), 0, MAIN)
            if len(values.asked) < n:
                values.asked = {*range(n)}
                values.todo = [*range(n)]
            return values.todo[0]

        return pick, draw

    def _watch(self, machine: SteppedMachine) -> tuple[Callable[[], None], Callable[[Choice, int], None]]:
        """What looks after a turn, and before one, at the objects that threads share, while there is something to prove."""
        sharing = self.sharing = self.sharing or Sharing(machine)
        begun = False
        turn: tuple[Choice, int, Step, bool] | None = None

        def arrive() -> None:
            nonlocal begun, turn
            if not begun and not self.hindrance:
                begun = True
                sharing.begin()
            if turn:
                chosen, kind, step, watched = turn
                turn = None
                if watched:
                    accesses, log = sharing.shared.turned(kind), sharing.log()
                    chosen.far = sharing.far(log, step)
                    chosen.accesses = (*accesses, *sharing.cells(log, step, chosen.far))
                else:
                    sharing.pass_by(kind, chosen.accesses)

        def go(chosen: Choice, t: int) -> None:
            nonlocal turn
            # What comes before was run already, but for the turn whose `choose` returns another value.
            if not self.hindrance:
                turn = chosen, machine.kinds[t], pending(machine, t), self.at >= self.new
                if self.at >= self.new:
                    sharing.watch(t)

        return arrive, go

    def end(self, machine: SteppedMachine, /) -> None:
        """Ask for what the races of this schedule need; on to the next path."""
        if machine.execution.clock:
            self.hindrance = self.hindrance or TIME
        if machine.complete and machine.fault is None and self.at < len(self.path):
            refuse_end(machine)
        if self.sharing and not self.hindrance and self.sharing.afresh():
            self.path, self.new, self.bound, self.cut = [], 0, 0, False
            return
        self._races(machine)
        if self.sharing:
            self.hindrance = self.hindrance or self.sharing.unordered
        path = self.path
        while path:
            path[-1].todo.pop(0)
            if path[-1].todo:
                break
            path.pop()
        self.new = max(len(path) - 1, 0)
        if path:
            return
        self.done = not self.cut or self.bound >= self.highest
        if not self.done:
            self.bound += 1
            self.cut = False

    def _races(self, machine: SteppedMachine) -> None:
        """Find the races of the steps from the first new one on."""
        last: dict[int, int] = {}
        """Of each thread, the steps that come before its next one, as bits."""
        taken = Taken()
        for j, choice in enumerate(self.path):
            step = choice.step
            if step is None:
                continue
            before = last.get(step.thread, 0)
            if j >= self.new:
                choice.past = before | self._race(step, taken, before)
            taken.add(j, step)
            if self.sharing and j >= self.new - 1 and choice.accesses and not self.hindrance:
                self._compare(self.sharing, choice, j)
            if self.sharing and j >= self.new - 1 and choice.far and not self.hindrance:
                self._trace(self.sharing, choice, taken.writes[ADDRESSES])
            last[step.thread] = choice.past | 1 << j
            if step.aim >= 0 and not choice.victim:
                last[step.aim] = choice.past | 1 << j  # it spawns
            if choice.victim and j >= self.new:
                self._race(choice.victim, taken, last.get(step.aim, 0))
        for t in range(len(machine.names)):
            if not machine.has_ended(t):
                self._race(known(machine, t), taken, last.get(t, 0))

    def _race(self, step: Step, taken: Taken, before: int) -> int:
        """Ask for the other order of `step` and each of those `taken` that it races with; the steps that come before it."""
        past = 0
        for i in taken.concerning(step):
            choice = self.path[i]
            other = choice.step
            if other is None or other.thread == step.thread or not dependent(other, step):
                continue
            past |= choice.past | 1 << i
            if not before >> i & 1:
                self._ask(choice, step.thread)
                self._ask(self._block(i), step.thread)
        return past

    def _compare(self, sharing: Sharing, choice: Choice, j: int) -> None:
        """Is what the turn did with shared objects ordered with all that others have done before?"""
        for i, other in enumerate(self.path[:j]):
            first, second = other.step, choice.step
            if not first or not second or first.thread == second.thread or choice.past >> i & 1:
                continue
            if sharing.compare(first.thread, other.accesses, second.thread, choice.accesses):
                return

    def _trace(self, sharing: Sharing, choice: Choice, allocations: list[int]) -> None:
        """Were the cells that its turn has found there, there in any case?"""
        for k in sharing.taken(choice.far):
            first, second = self.path[allocations[k]].step if k >= 0 else None, choice.step
            if first and second and first.thread != second.thread and not choice.past >> allocations[k] & 1:
                sharing.use(first.thread, second.thread)

    def _block(self, i: int) -> Choice:
        """The last choice up to `i` at which its thread did not just go on: another one costs no preemption more there."""
        return next(c for c in reversed(self.path[: i + 1]) if c.step and c.free != c.step.thread)

    def _ask(self, choice: Choice, t: int) -> None:
        """Have `t` tried there; all, if it cannot go there."""
        for u in [t] if t in choice.among else choice.among:
            if choice.costs(u) > self.bound:
                self.cut = True
            elif u not in choice.asked:
                choice.asked.add(u)
                choice.todo.append(u)

    def outlook(self, schedules: int, /) -> str:
        """Of the current bound's tree, which still grows."""
        path = ((len(c.asked) - len(c.todo), len(c.asked)) for c in self.path)
        return f"{counted(self.bound, 'preemption')}: {left(schedules, path)}"

    def claim(self, schedules: int, /) -> Claim:
        """Exhausted, or up to which bound."""
        if self.exhausted:
            return Claim(Kind.PROVED, self.name, Seen.REPRESENTATIVES, schedules)
        finished = self.bound if self.done else self.bound - 1
        if self.hindrance or finished < 0:
            reason = self.hindrance or "not even all those without a preemption were run"
            return Claim(Kind.UNDECIDED, self.name, number=schedules, reason=reason)
        return Claim(Kind.BOUNDED, self.name, Seen.REPRESENTATIVES, schedules, bound=finished)


def known(machine: SteppedMachine, t: int) -> Step:
    """The step that thread `t` has announced, as a write if it may be one."""
    step = pending(machine, t)
    return step._replace(write=True) if machine.kinds[t] in ops.DEPENDING else step
