"""Race programs of finalizers: two Ms set them, take them away, queue and take them, and a collector looks on."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from collector.mutation.heapshared import FN, Shared, entries, sweepall
from collector.mutation.race import Race
from mutator.heap import (
    FIN,
    FINALIZER,
    FINBLOCK,
    MHEAP,
    SPAN,
    SPECIAL,
    HeapLocal,
)


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine
    from collector.explore.program import Program


def attaching(m: type[HeapLocal], spans: int) -> Program:
    """Two Ms set a finalizer each and take one away, in one span or in two."""

    def program(machine: SteppedMachine) -> Callable[[], object]:
        shared = Shared(machine, m)
        made = shared.spans(2)
        mine = [made[0][::2], made[spans - 1][1::2]]
        for p in (made[0][0], *(old for _, old in mine)):
            shared.boot.setfinalizer(p, FN)
        shared.boot.setfinalizer(made[0][0], 0)

        def changes(fresh: int, old: int) -> Callable[[HeapLocal], object]:
            def body(me: HeapLocal) -> None:
                me.setfinalizer(fresh, FN)
                me.setfinalizer(old, 0)

            return body

        shared.run(*(changes(*each) for each in mine))

        def check() -> None:
            fresh = sorted(p for p, _ in mine)
            there = {special: of for p in fresh for special, of in shared.specials(p).items()}
            assert [*there.values()] == [(p, FINALIZER) for p in fresh], (
                "a finalizer is lost, one too many, or out of order"
            )
            dead, at = [], machine.peek(shared.world.heap.mheap + MHEAP.deadspecials)
            while at:
                dead.append(at)
                at = machine.peek(at + SPECIAL.next)
            assert len({*dead, *there}) == len(dead) + len(there), "a record is used and not used"

        return check

    return program


def walking(m: type[HeapLocal], *, taking: bool) -> Program:
    """A collector walks the finalizers of a span, without a lock, while one is set, or one is taken away.

    It meets a whole record or none, and of those that are not used none that looks as if it was.
    """

    def program(machine: SteppedMachine) -> None:
        shared = Shared(machine, m)
        (unused, *rest), _ = shared.spans(2)
        first, second, fresh = rest
        for p in (first, second, unused)[: 3 if taking else 2]:
            shared.boot.setfinalizer(p, FN)
        if taking:
            shared.boot.setfinalizer(unused, 0)

        def walks(me: HeapLocal) -> None:
            hint, span = me.port.hint, me.spanOf(first)
            for special in me.specials(span):
                kind, p = hint(special + SPECIAL.kind), hint(span + SPAN.start) + hint(special + SPECIAL.offset)
                assert kind == FINALIZER or taking, "a collector has met half a record"
                assert p in rest or not kind, "a collector has met the finalizer of an object that has none"

        shared.run(lambda me: me.setfinalizer(*((first, 0) if taking else (fresh, FN))), walks)

    return program


def sweeping(m: type[HeapLocal]) -> Program:
    """A dead object's finalizer is queued while others are set, in the same span and in another."""

    def program(machine: SteppedMachine) -> Callable[[], object]:
        shared = Shared(machine, m)
        (dead, alive, *_), (other, *_) = shared.spans(2)
        shared.boot.setfinalizer(dead, FN)
        shared.collected(alive, other)
        shared.boot.ensure_swept(shared.boot.spanOf(other))

        def sets(me: HeapLocal) -> None:
            me.setfinalizer(other, 2 * FN)
            me.setfinalizer(alive, 2 * FN)

        shared.run(sweepall, sets)

        def check() -> None:
            shared.wellkept()
            assert shared.queue() == [(FN, dead)], "not the finalizer is queued that there was"
            for p in (alive, other):
                assert [*shared.specials(p).values()] == [(p, FINALIZER)], "a finalizer is lost, or one too many"

        return check

    return program


def queueing(m: type[HeapLocal]) -> Program:
    """A collector looks at the queue, without a lock, while a finalizer is queued: what is counted is there."""

    def program(machine: SteppedMachine) -> None:
        shared = Shared(machine, m)
        shared.boot.queuefinalizer(FN, FN)

        def looks(me: HeapLocal) -> None:
            hint = me.port.hint
            for block in me.finblocks():
                for entry in entries(block, hint(block + FINBLOCK.cnt)):
                    assert all(hint(entry + field) for field in (FIN.fn, FIN.arg)), (
                        "half a finalizer is counted as queued"
                    )

        shared.run(lambda me: me.queuefinalizer(FN, FN), looks)

    return program


def running(m: type[HeapLocal]) -> Program:
    """Two Ms take finalizers off the queue: each is run once."""

    def program(machine: SteppedMachine) -> Callable[[], object]:
        shared = Shared(machine, m)
        shared.boot.queuefinalizer(FN, FN)
        taken: list[list[object]] = [[], []]
        shared.run(*(lambda me, mine=mine: mine.append(me.takefinalizer()) for mine in taken))

        def check() -> None:
            assert sorted(map(str, taken[0] + taken[1])) == sorted(map(str, [(FN, FN), None])), "not each is run once"

        return check

    return program


RACES = {
    "attaching": Race(HeapLocal, partial(attaching, spans=1)),
    "attaching-apart": Race(HeapLocal, partial(attaching, spans=2)),
    "walking": Race(HeapLocal, partial(walking, taking=False)),
    "walking-taking": Race(HeapLocal, partial(walking, taking=True)),
    "sweeping": Race(HeapLocal, sweeping, plain_points=True),
    "queueing": Race(HeapLocal, queueing),
    "running": Race(HeapLocal, running),
}
"""By name; all are proved in a few schedules."""
