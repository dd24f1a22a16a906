"""The operations of the stepped machine's ports, those of `workbuf.machine.Port`, each preceded by a scheduling point.

Theory of operation.  `point` is the heart: it announces the thread's next step and returns when this thread has been
picked; the operation itself follows, then plain Python up to the next point.  Nothing is allocated per step but the
trail's entry: this is the hot path of all exploration, so `Execution.step` is written out in it.

A write that changes its cell tells the threads that have read it (for their pauses).  One that leaves the cell as it was,
and a failed CAS, tell nobody: there is nothing to see.
"""

from __future__ import annotations

from itertools import compress, repeat
from operator import contains
from typing import TYPE_CHECKING, NoReturn

from collector.explore.machine import ops
from collector.explore.machine.carrier import ABORT
from collector.explore.machine.ports import SteppedPort
from collector.explore.machine.threads import EXPIRED, PAUSED, TIMED
from workbuf.machine import MASK64, WORD, Aborted, Pause
from workbuf.throw import Throw


if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from collector.explore.machine.execution import Execution
    from collector.explore.machine.memory import Memory
    from workbuf.machine import Port

    Spawn = Callable[[Callable[[Port], object], str, int], None]


def outside(a: int) -> NoReturn:
    """A cell outside the memory, or 0, is Go's fault."""
    raise Throw("fault", f"unexpected fault address {a * WORD:#x}")


def no_word(execution: Execution, what: str, *given: object) -> NoReturn:
    """One of what was `given` is no integer; recorded at once, whatever the body does about exceptions."""
    wrong = next((v for v in given if not isinstance(v, int)), given[0])
    execution.refuse(f"{what}: a word is an integer, an address one of a cell, not {wrong!r}")


def make_port(i: int, memory: Memory, execution: Execution, spawn_thread: Spawn) -> SteppedPort:
    """The port of thread `i`."""
    threads, mem = execution.threads, memory.words
    kinds, addrs, expects, flags, stale = (
        threads.kinds, threads.addrs, threads.expects, threads.flags, threads.stale,
    )  # fmt: skip
    goto, trail, arrive, refresh, moved = (
        execution.carrier.goto, execution.trail, execution.arrive, threads.refresh, threads.moved,
    )  # fmt: skip
    awaited = threads.awaited
    few, rivals, their_reads = threads.few[i], threads.rivals[i], threads.their_reads[i]
    append = trail.append
    seen = threads.seen[i]
    add = seen.add
    pausing = False

    def point(kind: int, a: int) -> None:
        # What is wrong is asked for by subscripts: where nothing is, that costs a fifth of a call of len.
        try:
            mem[a]
            if a < 1 and kind in ops.TOUCHING:
                outside(a)
        except IndexError:
            if kind in ops.TOUCHING:
                outside(a)
        except TypeError:
            no_word(execution, ops.NAMES[kind], a)
        kinds[i] = kind
        addrs[i] = a
        if flags[i]:
            arrive(i)
            return
        if execution.current != i:
            execution.foreign(i)
        if len(trail) >= execution.limit:
            execution.watch.overrun()
        t = execution.pick(i)
        append(t)
        if t != i:
            execution.current = t
            if goto[t](i) == ABORT:
                raise Aborted

    def wrote(a: int) -> None:
        if a in awaited:
            awaited[a] = len(trail)
            moved(i, a)
        for t, reads in few or compress(rivals, map(contains, their_reads, repeat(a))):
            if a in reads:
                stale[t] = True
                if flags[t] & PAUSED:
                    refresh(t)

    def hint(a: int) -> int:
        point(ops.HINT, a)
        add(a)
        return mem[a]

    def hints(a: int, n: int) -> Sequence[int]:
        hint = port.hint
        counted("hints", n)
        return [hint(cell) for cell in range(a, a + n)]

    def post(a: int, v: int) -> None:
        try:
            if v >> 64:
                v &= MASK64
        except TypeError:
            no_word(execution, "post", v)
        expects[i] = v
        point(ops.POST, a)
        if mem[a] != v:
            mem[a] = v
            wrote(a)

    def fill(a: int, n: int, v: int) -> None:
        words = port.words
        counted("fill", n)
        for cell in range(a, a + n):
            words[cell] = v

    def counted(what: str, n: int) -> None:
        if not isinstance(n, int) or n < 0:
            execution.refuse(f"{what} of {n!r} cells: there are none, one or more")

    def load(a: int) -> int:
        point(ops.LOAD, a)
        add(a)
        return mem[a]

    def store(a: int, v: int) -> None:
        try:
            if v >> 64:
                v &= MASK64
        except TypeError:
            no_word(execution, "store", v)
        expects[i] = v
        point(ops.STORE, a)
        if mem[a] != v:
            mem[a] = v
            wrote(a)

    def cas(a: int, old: int, new: int) -> bool:
        try:
            if (old | new) >> 64:
                old, new = old & MASK64, new & MASK64
        except TypeError:
            no_word(execution, "cas", old, new)
        expects[i] = old
        point(ops.CAS, a)
        add(a)
        if mem[a] != old:
            return False
        mem[a] = new
        wrote(a)
        return True

    def xchg(a: int, v: int) -> int:
        try:
            if v >> 64:
                v &= MASK64
        except TypeError:
            no_word(execution, "xchg", v)
        expects[i] = v
        point(ops.XCHG, a)
        add(a)
        old = mem[a]
        if old != v:
            mem[a] = v
            wrote(a)
        return old

    def xadd(a: int, delta: int) -> int:
        try:
            if delta >> 64:
                delta &= MASK64
        except TypeError:
            no_word(execution, "xadd", delta)
        expects[i] = delta
        point(ops.XADD, a)
        add(a)
        old = mem[a]
        new = mem[a] = old + delta & MASK64
        if new != old:
            wrote(a)
        return new

    def or8(byte: int, mask: int) -> None:
        try:
            a = byte >> 3
            bits = expects[i] = (mask & 0xFF) << (byte & 7) * 8
        except TypeError:
            no_word(execution, "or8", byte, mask)
        point(ops.OR8, a)
        if ~mem[a] & bits:
            mem[a] |= bits
            wrote(a)

    def pause(kind: Pause, n: int) -> None:
        if type(kind) is not Pause:
            execution.refuse(
                f"pause({kind!r}): {Pause.__module__} has {', '.join(f'Pause.{each.name}' for each in Pause)}"
            )
        if not isinstance(n, int) or n < 0:
            execution.refuse(f"pause(Pause.{kind.name}, {n!r}): it takes how long, an integer")
        if execution.current != i:
            execution.foreign(i)
        if flags[i] & PAUSED:
            point(ops.PAUSE, 0)
        elif not seen:
            # It has read nothing, so nothing says that it waits for others: they may go first, and that is all.
            stale[i] = True
        elif threads.early:
            if threads.ended_early[i] == threads.early:
                threads.lasted = True
            elif ends_early():
                threads.ended_early[i] += 1
                seen.clear()
                stale[i] = True
        flags[i] |= PAUSED

    def ends_early() -> bool:
        nonlocal pausing
        pausing = True
        try:
            return port.choose(2) == 1
        finally:
            pausing = False

    def wake(note: int) -> None:
        expects[i] = 0
        point(ops.WAKE, note)
        add(note)
        if mem[note]:
            raise Throw("notewakeup - double wakeup")
        mem[note] = 1
        wrote(note)

    def lock(a: int) -> None:
        try:
            if not 0 < a < len(mem):
                outside(a)
        except TypeError:
            no_word(execution, "lock", a)
        kinds[i] = ops.LOCK
        addrs[i] = a
        awaited.setdefault(a, 0)
        arrive(i)
        if mem[a]:
            execution.refuse("the lock was taken by a plain write, of which nobody is told: trylock takes a lock")
        add(a)
        mem[a] = i + 1
        wrote(a)

    def unlock(a: int) -> None:
        expects[i] = i + 1
        point(ops.UNLOCK, a)
        if mem[a] != i + 1:
            raise Throw("unlock of unlocked lock")
        mem[a] = 0
        wrote(a)

    def trylock(a: int) -> bool:
        return port.cas(a, 0, i + 1)

    def choose(n: int) -> int:
        if not isinstance(n, int) or n < 1:
            execution.refuse(
                f"choose({n!r}): there is nothing to choose; it takes how many values there are, 1 or more"
            )
        expects[i] = ops.ENDS_EARLY if pausing else n
        point(ops.CHOOSE, 0)
        v = execution.draw(i, n)
        append(~1 - v)
        return v

    def sleep(note: int, ns: int = -1) -> bool:
        """Wait until the note was woken.  With a limit: or until nobody else can run, which returns False."""
        try:
            if not 0 < note < len(mem):
                outside(note)
            if ns >= 0:
                flags[i] |= TIMED
                threads.limited = threads.limited or not mem[note]
        except TypeError:
            no_word(execution, "sleep", note, ns)
        awaited.setdefault(note, 0)
        while True:
            kinds[i] = ops.SLEEP
            addrs[i] = note
            arrive(i)
            add(note)
            woken = mem[note] != 0
            if woken or flags[i] & EXPIRED:
                flags[i] &= ~(TIMED | EXPIRED)
                return woken

    def spawn(body: Callable[[Port], object], name: str = "") -> None:
        point(ops.SPAWN, 0)
        spawn_thread(body, name, i)
        execution.spawned(i)

    def sysalloc(n: int, align: int = 1) -> int:
        point(ops.SYSALLOC, 0)
        return memory.extend(n, align)

    port = SteppedPort(i, execution)
    port.words = memory.plain
    port.hint, port.hints, port.post, port.fill = hint, hints, post, fill
    port.load, port.store, port.cas, port.xchg, port.xadd, port.or8 = load, store, cas, xchg, xadd, or8
    port.pause, port.sleep, port.wake, port.choose = pause, sleep, wake, choose
    port.lock, port.trylock, port.unlock = lock, trylock, unlock
    port.spawn, port.sysalloc, port.label = spawn, sysalloc, memory.names.label
    port.point, port.wrote = point, wrote
    return port
