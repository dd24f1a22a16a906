"""The order of a run as a guide: which events it is made of, and that schedules follow it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.audit.recorded.happened import Happened
from collector.explore import explore
from collector.explore.strategies.base import Options
from collector.hunt.facts import programs
from collector.hunt.observed import Observed, Seen, cast, order
from workbuf.events import Event


if TYPE_CHECKING:
    from collector.explore import SteppedMachine
    from workbuf.machine import Port

THREADS = ("gc", "rewire0", "hider1", "channel2", "helper0", "helper1")


def happened(time: int, thread: int, kind: Event) -> Happened:
    """An event of buffer 5."""
    return Happened(time, thread, kind, 5, 0, 0)


EVENTS = [
    happened(1, 2, Event.GET),
    happened(2, 0, Event.GET),
    happened(3, 0, Event.PUT),
    happened(4, 0, Event.GET),
    happened(5, 0, Event.DRAIN),
    happened(6, 0, Event.PUT),
    happened(7, 0, Event.PHASE),
    happened(8, 1, Event.CACHED),
    happened(9, 3, Event.GET),
    happened(10, 5, Event.GET),
    happened(11, 3, Event.PUT),
]


def test_those_take_part_who_were_active_last() -> None:
    """Two mutators and a helper, as the small world calls them; and what they ran, with both ends of a channel."""
    assert cast(EVENTS, THREADS) == {3: "mutator1", 5: "helper1", 1: "mutator2", 0: "gc"}
    assert programs(EVENTS, THREADS) == (("channel", "channel"), ("rewire", "hider"))
    assert programs([], ("gc", "pushpop0")) == (("pushpop",),)


def test_the_first_and_the_last_between_two_phases_count() -> None:
    """Of each thread and kind; what is no matter of owners, and who has no part, is left out."""
    assert [(seen.thread, seen.kind) for seen in order(EVENTS, THREADS)] == [
        ("gc", Event.GET),
        ("gc", Event.PUT),
        ("gc", Event.GET),
        ("gc", Event.PUT),
        ("gc", Event.PHASE),
        ("mutator2", Event.CACHED),
        ("mutator1", Event.GET),
        ("helper1", Event.GET),
        ("mutator1", Event.PUT),
    ]


def test_the_first_schedule_follows_the_order() -> None:
    """Whatever it is; later ones go by orders near to it, the same for the same seed."""
    come: list[tuple[str, Event]] = []

    def program(machine: SteppedMachine) -> None:
        x = machine.word(0, "x")
        come.clear()

        def body(name: str) -> object:
            def thread(port: Port) -> None:
                for kind in (Event.GET, Event.PUT):
                    port.load(x)
                    come.append((name, kind))
                    port.event(kind, 1)
                port.load(x)

            return thread

        for name in ("gc", "mutator1", "mutator2"):
            machine.spawn(body(name), name)  # type: ignore[arg-type]

    def after(seen: list[Seen], seed: int, schedules: int) -> list[tuple[str, Event]]:
        explore(program, Observed(Options(seed), seen), schedules=schedules, races=False)
        return come[:]

    one = [Seen(m, kind) for m, kind in (
        ("mutator2", Event.GET), ("gc", Event.GET), ("mutator2", Event.PUT), ("mutator1", Event.GET),
        ("mutator1", Event.PUT), ("gc", Event.PUT),
    )]  # fmt: skip
    for seen in (one, [one[i] for i in (3, 0, 4, 1, 5, 2)]):
        assert after(seen, 1, 1) == [tuple(each) for each in seen]
    later = {tuple(after(one, seed, n)) for seed in (1, 2) for n in (3, 4, 5)}
    assert len(later) > 1
    assert after(one, 1, 4) == after(one, 1, 4)
