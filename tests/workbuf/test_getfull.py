"""getfull on one thread: what it takes, when it ends, how it waits.  Vectors W11, W12 and the order that O-24 asks for.

Other participants act from inside the waiting one's pauses and pops, so every interleaving here is certain.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from collector.scenarios.latedecrement import LateDecrement
from tests.machines import Enough, Look, Watching
from workbuf.events import Event
from workbuf.getfull import Getfull
from workbuf.local import MLOCAL
from workbuf.machine import Aborted, Pause, Port
from workbuf.throw import Throw


NewM = Callable[..., Getfull]


def test_w11_a_single_participant_ends_at_its_first_look(new_m: NewM, port: Port, look: Look) -> None:
    """W11: Nwait goes from 0 to 1, equals nproc, and getfull returns 0 without a pause; nwait stays raised."""
    watching = Watching(port, turns=1)
    m = new_m(through=watching)
    participants(m, 1)

    assert m.getfull(504) == 0

    assert look.work("nwait") == 1
    assert watching.pauses == []
    assert waits(look, m) == (0, 0, 0)
    assert watching.events == [(Event.WAIT, 1, 0, 0), (Event.REACHED, 0, 0, 0)]


def test_w11_a_second_call_without_a_reset_never_returns(new_m: NewM, port: Port, look: Look) -> None:
    """W11: Nwait becomes 2 and is never again equal to nproc (O-10): it was still waiting after a hundred turns."""
    m = new_m(through=Watching(port, turns=100))
    participants(m, 1)
    assert m.getfull(504) == 0

    with pytest.raises(Enough):
        m.getfull(504)

    assert look.work("nwait") == 2
    assert waits(look, m) == (10, 10, 80)


def test_w11_a_reset_makes_the_second_call_end(new_m: NewM, port: Port, look: Look) -> None:
    """W11: What gcscan_m and gc do before the barrier is used again."""
    m = new_m(through=Watching(port, turns=1))
    participants(m, 1)
    assert m.getfull(504) == 0

    participants(m, 1)

    assert m.getfull(504) == 0
    assert look.work("nwait") == 1


@pytest.mark.parametrize("turns", [1, 10, 11, 20, 21, 25])
def test_w12_the_other_participant_never_comes(new_m: NewM, port: Port, look: Look, turns: int) -> None:
    """W12: Ten turns of 20 PAUSE instructions, ten yields, then sleeps of 100 microseconds, each counted in gcstats."""
    watching = Watching(port, turns)
    m = new_m(through=watching)
    participants(m, 2)

    with pytest.raises(Enough):
        m.getfull(504)

    stages = [(Pause.PROCYIELD, 20)] * 10 + [(Pause.OSYIELD, 1)] * 10 + [(Pause.USLEEP, 100)] * 5
    assert watching.pauses == stages[:turns]
    assert waits(look, m) == tuple(min(max(turns - start, 0), 10) for start in (0, 10, 20))
    assert look.work("nwait") == 1


def test_w12_an_abort_ends_the_wait(new_m: NewM, port: Port) -> None:
    """W12: A pause is where a waiting participant notices that the run was given up."""
    watching = Watching(port, turns=100, at_pause=lambda turn: turn == 5 and aborted())
    m = new_m(through=watching)
    participants(m, 2)

    with pytest.raises(Aborted):
        m.getfull(504)

    assert len(watching.pauses) == 5


def test_the_last_participant_to_come_ends_at_once_and_lets_the_others_end(new_m: NewM, port: Port, look: Look) -> None:
    """All are told the same: nothing is left."""
    last = new_m()
    ended = []
    first = new_m(
        through=Watching(port, turns=100, at_pause=lambda turn: turn == 3 and ended.append(last.getfull(504)))
    )
    participants(first, 2)

    assert first.getfull(504) == 0

    assert ended == [0]
    assert look.work("nwait") == 2
    assert waits(look, first) == (3, 0, 0)
    assert waits(look, last) == (0, 0, 0)


def test_it_asks_full_then_partial_then_its_own_cache(m: Getfull, look: Look) -> None:
    """Lists under its entry, the cache unlogged; nobody is counted as waiting while there is work."""
    participants(m, 1)
    full, partial, cached = listed(m, look, 23), listed(m, look, 1), m.getempty(359)
    look.fill(cached, [7])
    m.cache(cached)

    assert [m.getfull(504), m.getfull(504), m.getfull(504)] == [full, partial, cached]
    assert [look.log(b)[0] for b in (full, partial, cached)] == [504, 504, 359]
    assert look.work("nwait") == 0
    assert look.cache(m.record) == 0


def test_it_puts_its_empty_cached_buffer_away_before_it_waits(m: Getfull, look: Look) -> None:
    """To empty, under 877: a participant that is counted in holds nothing (O-24)."""
    participants(m, 1)
    b = m.getempty(359)
    m.cache(b)

    assert m.getfull(504) == 0

    assert look.state(b) == (False, [877, 359, 0, 0], [])
    assert look.listed("empty") == [b]


def test_work_on_full_wakes_a_waiter(new_m: NewM, port: Port, look: Look) -> None:
    """It counts itself out and returns the buffer, checked and logged under its entry."""
    producer = new_m()
    b = producer.getempty(359)
    look.fill(b, [7])
    watching = Watching(port, turns=100, at_pause=lambda turn: turn == 4 and producer.putfull(b, 942))
    m = new_m(through=watching)
    participants(m, 2)

    assert m.getfull(504) == b

    assert look.state(b) == (True, [504, 942, 359, 0], [7])
    assert look.work("nwait") == 0
    assert [event[:3] for event in watching.events] == [
        (Event.WAIT, 1, 0),
        (Event.RESUME, 0, 4),
        (Event.GET, b, 504),
    ]


def test_work_on_partial_alone_wakes_nobody(new_m: NewM, port: Port, look: Look) -> None:
    """A waiter looks at full only (K-3): a buffer put on partial while it waits stays there."""
    producer = new_m()
    b = producer.getempty(359)
    look.fill(b, [7])
    m = new_m(through=Watching(port, turns=100, at_pause=lambda turn: turn == 4 and producer.putpartial(b, 670)))
    participants(m, 2)

    with pytest.raises(Enough):
        m.getfull(504)

    assert look.listed("partial") == [b]


def test_a_waiter_woken_for_nothing_counts_itself_in_again(new_m: NewM, port: Port, look: Look) -> None:
    """Another was quicker: nwait goes down and up, and the wait goes on where it was."""
    producer = new_m()
    b = producer.getempty(359)
    look.fill(b, [7])
    seen: list[int] = []

    class Late(Getfull):
        """Finds full empty at its first pop after a wait."""

        def popfull(self, entry: int) -> int:
            if look.listed("full") == [b]:
                seen.append(look.work("nwait"))
                assert producer.trygetfull(545) == b
            return super().popfull(entry)

    watching = Watching(port, turns=6, at_pause=lambda turn: turn == 4 and producer.putfull(b, 942))
    m = new_m(Late, watching)
    participants(m, 2)

    with pytest.raises(Enough):
        m.getfull(504)

    assert seen == [0]
    assert look.work("nwait") == 1
    assert waits(look, m) == (6, 0, 0)
    assert [event[:2] for event in watching.events] == [(Event.WAIT, 1), (Event.RESUME, 0), (Event.WAIT, 1)]


def test_a_waiter_that_missed_full_takes_what_is_on_partial_and_checks_it(new_m: NewM, port: Port, look: Look) -> None:
    """Once woken it asks both lists, and here, unlike at the entrance, what came off partial is checked."""
    producer = new_m()
    b, partial = producer.getempty(359), producer.getempty(359)
    look.fill(b, [7])
    look.fill(partial, [8])

    class Late(Getfull):
        """Finds full empty and partial not, at its first pop after a wait."""

        def popfull(self, entry: int) -> int:
            if look.listed("full") == [b]:
                assert producer.trygetfull(545) == b
                producer.putpartial(partial, 670)
                look.fill(partial, [])
            return super().popfull(entry)

    m = new_m(Late, Watching(port, turns=9, at_pause=lambda turn: turn == 4 and producer.putfull(b, 942)))
    participants(m, 2)

    with pytest.raises(Throw, match=r"b\.log\[0\]= 504 b\.log\[1\]= 670 .*\nfatal error: workbuf is empty$"):
        m.getfull(504)


def test_o24_who_resumes_counts_itself_out_before_it_pops(new_m: NewM, port: Port, look: Look) -> None:
    """While a woken participant holds its buffer, the last other one to run dry waits: it is not told that all is done."""
    assert ending_of_the_other(Getfull, new_m, port, look) is Enough


def test_o24_counting_out_after_the_pop_ends_the_mark_early(new_m: NewM, port: Port, look: Look) -> None:
    """The planted fault: with the two steps exchanged the other is told 0 while there is a buffer in a hand."""
    assert ending_of_the_other(LateDecrement, new_m, port, look) == 0


def test_a_participant_that_never_counts_itself_in_leaves_the_others_waiting(new_m: NewM, port: Port) -> None:
    """The planted fault: the barrier of two is not reached though both have run dry."""

    class Uncounted(Getfull):
        """Gives up without taking part in the barrier."""

        def getfull(self, entry: int) -> int:
            return self.trygetfull(entry)

    uncounted = new_m(Uncounted)
    m = new_m(through=Watching(port, turns=50, at_pause=lambda _: uncounted.getfull(504)))
    participants(m, 2)

    with pytest.raises(Enough):
        m.getfull(504)


def ending_of_the_other(cls: type[Getfull], new_m: NewM, port: Port, look: Look) -> object:
    """What the second of two participants gets from getfull, if it calls just after the first has popped the last work.

    The first waits; the second gives its only buffer away and runs dry while the first holds it.  0 is an early end; the
    class Enough says that it was still waiting after 30 turns, as it must.
    """
    second = new_m(cls, Watching(port, turns=30))
    work = second.getempty(359)
    look.fill(work, [7])
    endings: list[object] = []

    class First(cls):  # type: ignore[misc,valid-type]
        """The other participant acts between this one's pop and whatever it does next."""

        def popfull(self, entry: int) -> int:
            b: int = super().popfull(entry)
            if b:
                assert b == work
                try:
                    endings.append(second.getfull(504))
                except Enough:
                    endings.append(Enough)
            return b

    first = new_m(First, Watching(port, turns=100, at_pause=lambda turn: turn == 2 and second.putfull(work, 942)))
    participants(first, 2)

    assert first.getfull(504) == work
    (ending,) = endings
    return ending


def aborted() -> None:
    """What a pause does in an aborted run."""
    raise Aborted


def participants(m: Getfull, nproc: int) -> None:
    """The reset that gc does before a mark with `nproc` participants."""
    m.port.store(m.work_nproc, nproc)
    m.port.store(m.work_nwait, 0)


def listed(m: Getfull, look: Look, nobj: int) -> int:
    """A further buffer with that many entries, put by putpartial."""
    b = m.getempty(359)
    look.fill(b, range(nobj))
    m.putpartial(b, 670)
    return b


def waits(look: Look, m: Getfull) -> tuple[int, int, int]:
    """The M's nprocyield, nosyield and nsleep."""
    return (
        look.peek(m.record + MLOCAL.nprocyield),
        look.peek(m.record + MLOCAL.nosyield),
        look.peek(m.record + MLOCAL.nsleep),
    )
