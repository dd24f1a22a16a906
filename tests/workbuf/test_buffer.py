"""The buffer: its size check, its ownership checks and its history.  Contract rows logget, logput, check*, gcinit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from workbuf.buffer import INUSE, gcinit
from workbuf.getfull import Getfull
from workbuf.throw import Throw


if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.machines import Look


@pytest.mark.parametrize("wbufsize", [256, 512, 1024, 2048, 4096, 112])
def test_gcinit_takes_a_whole_number_of_words_with_room_for_five_entries(wbufsize: int) -> None:
    """Go's size, its earlier sizes, and 112 bytes, the smallest whose buffer handoff can still split."""
    gcinit(wbufsize)


@pytest.mark.parametrize("wbufsize", [0, -256, 8, 72, 104, 255, 257, 1020])
def test_gcinit_throws_at_any_other_size(wbufsize: int) -> None:
    """Too small for five entries, or not a whole number of words."""
    with pytest.raises(Throw) as thrown:
        gcinit(wbufsize)

    assert str(thrown.value) == "fatal error: size of Workbuf is suboptimal"


def test_a_new_buffer_has_no_history_but_its_first_get(m: Getfull, look: Look) -> None:
    """It is zeroed, owned, and says who got it."""
    b = m.getempty(359)

    assert look.state(b) == (True, [359, 0, 0, 0], [])


def test_logget_takes_possession_and_shifts_the_history(m: Getfull, look: Look) -> None:
    """Newest first, four deep; the fifth is forgotten."""
    b = m.newbuffer()
    for entry in (1, 3, 5):
        m.logget(b, entry)
        m.logput(b, entry + 1)

    m.logget(b, 7)

    assert look.state(b) == (True, [7, 6, 5, 4], [])


def test_logput_gives_possession_up(m: Getfull, look: Look) -> None:
    """A put is in the history like a get, and the buffer is nobody's."""
    b = m.getempty(359)

    m.logput(b, 358)

    assert look.state(b) == (False, [358, 359, 0, 0], [])


def test_logget_of_a_buffer_in_use_throws_and_changes_nothing(m: Getfull, look: Look) -> None:
    """The printed line is Go's, with the history of the four previous owners and without the entry that failed."""
    b = m.getempty(359)
    before = look.state(b)

    with pytest.raises(Throw) as thrown:
        m.logget(b, 504)

    assert str(thrown.value) == (
        "runtime: logget fails log entry= 504 b.log[0]= 359 b.log[1]= 0 b.log[2]= 0 b.log[3]= 0\n"
        "fatal error: logget: get not legal"
    )
    assert thrown.value.buffer == b
    assert look.state(b) == before


def test_w2_double_put(m: Getfull, look: Look) -> None:
    """W2: The second putempty passes checkempty and throws in logput; the history shows who put it first."""
    b = m.getempty(359)
    m.putempty(b, 496)

    with pytest.raises(Throw) as thrown:
        m.putempty(b, 496)

    assert thrown.value.text == "logput: put not legal"
    assert thrown.value.printed == (
        "runtime:logput fails log entry= 496 b.log[0]= 496 b.log[1]= 359 b.log[2]= 0 b.log[3]= 0",
    )
    assert thrown.value.buffer == b
    assert look.state(b) == (False, [496, 359, 0, 0], [])
    assert look.lists() == {"empty": [b], "partial": [], "full": []}


@pytest.mark.parametrize(
    ("operation", "nobj"), [("putfull", 1), ("putpartial", 0), ("putpartial", 1), ("putpartial", 23)]
)
def test_putting_a_listed_buffer_by_any_way_throws(m: Getfull, look: Look, operation: str, nobj: int) -> None:
    """Every put checks that the caller owns what it puts."""
    b = m.getempty(359)
    look.fill(b, range(nobj))
    m.putpartial(b, 670)
    before = look.state(b), look.lists()

    with pytest.raises(Throw, match=r"^runtime:logput fails log entry= "):
        getattr(m, operation)(b, 496)

    assert (look.state(b), look.lists()) == before


LISTED_AND_GOT: dict[str, tuple[int, Callable[[Getfull], int]]] = {
    "getempty": (0, lambda m: m.getempty(1000)),
    "getpartialorempty, off partial": (1, lambda m: m.getpartialorempty(1000)),
    "trygetfull, off partial": (22, lambda m: m.trygetfull(1000)),
    "trygetfull, off full": (23, lambda m: m.trygetfull(1000)),
    "getfull, off partial": (22, lambda m: m.getfull(1000)),
    "getfull, off full": (23, lambda m: m.getfull(1000)),
}


@pytest.mark.parametrize("how", LISTED_AND_GOT)
def test_w3_get_of_a_listed_buffer_that_is_in_use(m: Getfull, look: Look, how: str) -> None:
    """W3: The pop returns it and logget throws: the history is unchanged and the buffer is off the list already."""
    nobj, get = LISTED_AND_GOT[how]
    b = m.getempty(359)
    look.fill(b, range(nobj))
    m.putpartial(b, 670)
    look.machine.poke(b + INUSE, 1)
    log = look.log(b)

    with pytest.raises(Throw) as thrown:
        get(m)

    assert thrown.value.text == "logget: get not legal"
    assert thrown.value.printed == (
        f"runtime: logget fails log entry= 1000 b.log[0]= {log[0]} b.log[1]= 359 b.log[2]= 0 b.log[3]= 0",
    )
    assert look.state(b) == (True, log, list(range(nobj)))
    assert look.lists() == {"empty": [], "partial": [], "full": []}


def test_w3_through_getempty_of_getpartialorempty_prints_the_composite_entry(m: Getfull, look: Look) -> None:
    """W3: The number that failed says by which way the buffer came."""
    b = m.getempty(359)
    m.putempty(b, 496)
    look.machine.poke(b + INUSE, 1)

    with pytest.raises(Throw) as thrown:
        m.getpartialorempty(460)

    assert thrown.value.printed == (
        "runtime: logget fails log entry= 80700460 b.log[0]= 496 b.log[1]= 359 b.log[2]= 0 b.log[3]= 0",
    )


def test_w4_putempty_of_a_buffer_that_is_not_empty(m: Getfull, look: Look) -> None:
    """W4: Checkempty fires before logput, so neither ownership nor history nor list has changed."""
    b = m.getempty(359)
    look.fill(b, [7])

    with pytest.raises(Throw) as thrown:
        m.putempty(b, 496)

    assert thrown.value.text == "workbuf is not empty"
    assert thrown.value.printed == ("runtime: empty check fails b.log[0]= 359 b.log[1]= 0 b.log[2]= 0 b.log[3]= 0",)
    assert thrown.value.buffer == b
    assert look.state(b) == (True, [359, 0, 0, 0], [7])
    assert look.listed("empty") == []


def test_w5_putfull_of_an_empty_buffer(m: Getfull, look: Look) -> None:
    """W5: Checknonempty fires before logput: unchanged."""
    b = m.getempty(359)

    with pytest.raises(Throw) as thrown:
        m.putfull(b, 358)

    assert thrown.value.text == "workbuf is empty"
    assert thrown.value.printed == ("runtime: nonempty check fails b.log[0]= 359 b.log[1]= 0 b.log[2]= 0 b.log[3]= 0",)
    assert thrown.value.buffer == b
    assert look.state(b) == (True, [359, 0, 0, 0], [])
    assert look.listed("full") == []


def test_getempty_checks_what_it_popped_before_it_logs_the_get(m: Getfull, look: Look) -> None:
    """A buffer that was filled while listed is caught, and the line shows its four previous owners, not the getter."""
    b = m.getempty(359)
    m.putempty(b, 496)
    look.fill(b, [7])

    with pytest.raises(Throw) as thrown:
        m.getempty(915)

    assert str(thrown.value) == (
        "runtime: empty check fails b.log[0]= 496 b.log[1]= 359 b.log[2]= 0 b.log[3]= 0\n"
        "fatal error: workbuf is not empty"
    )
    assert look.state(b) == (False, [496, 359, 0, 0], [7])


@pytest.mark.parametrize("list_", ["full", "partial"])
def test_trygetfull_checks_what_it_popped_after_it_logs_the_get(m: Getfull, look: Look, list_: str) -> None:
    """A buffer that was drained while listed is caught, and the line shows the getter first."""
    b = drained_while_listed(m, look, list_)

    with pytest.raises(Throw) as thrown:
        m.trygetfull(545)

    assert str(thrown.value) == (
        "runtime: nonempty check fails b.log[0]= 545 b.log[1]= 670 b.log[2]= 359 b.log[3]= 0\n"
        "fatal error: workbuf is empty"
    )
    assert look.inuse(b)


def test_getfull_checks_what_came_off_full(m: Getfull, look: Look) -> None:
    """The same throw as trygetfull's."""
    drained_while_listed(m, look, "full")

    with pytest.raises(
        Throw,
        match=r"b\.log\[0\]= 504 b\.log\[1\]= 670 b\.log\[2\]= 359 b\.log\[3\]= 0\nfatal error: workbuf is empty$",
    ):
        m.getfull(504)


def test_getfull_does_not_check_what_came_off_partial(m: Getfull, look: Look) -> None:
    """The one way on which Go looks at nothing; its caller does (O-4)."""
    b = drained_while_listed(m, look, "partial")

    assert m.getfull(504) == b
    assert look.state(b) == (True, [504, 670, 359, 0], [])


def test_the_checks_look_at_nobj_alone(m: Getfull, new_m: Callable[..., Getfull], look: Look) -> None:
    """Checkempty and checknonempty do not ask whose buffer it is."""
    b = m.getempty(359)
    other = new_m()

    other.checkempty(b)
    look.fill(b, [7])
    other.checknonempty(b)

    assert look.state(b) == (True, [359, 0, 0, 0], [7])


def drained_while_listed(m: Getfull, look: Look, list_: str) -> int:
    """A buffer on the list that has lost its entries there."""
    b = m.getempty(359)
    look.fill(b, range({"full": 23, "partial": 1}[list_]))
    m.putpartial(b, 670)
    assert look.listed(list_) == [b]
    look.fill(b, [])
    return b


class Unlogged(Getfull):
    """A release's protocol."""

    _Debugwbufs = False


def test_without_debugwbufs_nothing_is_logged_and_no_owner_is_checked(m: Getfull, look: Look) -> None:
    """Logget and logput leave the buffer alone, whoever calls them; the checks of the filling stay."""
    unlogged = Unlogged(m.port, look.world, m.record)
    b = unlogged.getempty(359)
    assert look.state(b) == (False, [0, 0, 0, 0], [])

    unlogged.logput(b, 496)
    unlogged.logget(b, 504)
    unlogged.logget(b, 504)
    assert look.state(b) == (False, [0, 0, 0, 0], [])

    with pytest.raises(Throw, match="workbuf is empty"):
        unlogged.putfull(b, 942)
    look.fill(b, [8])
    with pytest.raises(Throw, match="workbuf is not empty"):
        unlogged.putempty(b, 496)
    unlogged.putfull(b, 942)
    assert look.listed("full") == [b]
