"""handoff: half of a buffer for those who wait.  Vector W8."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from workbuf.buffer import HANDOFF_MIN
from workbuf.local import MLOCAL


if TYPE_CHECKING:
    from tests.machines import Look
    from workbuf.getfull import Getfull


@pytest.mark.parametrize("nobj", range(5, 24))
def test_w8_the_newer_half_stays_in_the_hand(m: Getfull, look: Look, nobj: int) -> None:
    """W8: N = nobj // 2; the buffer keeps the older nobj - n and goes to full, the new one gets the newest n in order."""
    b = m.getempty(359)
    entries = list(range(100, 100 + nobj))
    look.fill(b, entries)
    n = nobj // 2

    b1 = m.handoff(b)

    assert look.state(b) == (False, [942, 359, 0, 0], entries[: nobj - n])
    assert look.state(b1) == (True, [915, 0, 0, 0], entries[nobj - n :])
    assert look.listed("full") == [b]
    assert gcstats(look, m) == {"nhandoff": 1, "nhandoffcnt": n, "nprocyield": 0, "nosyield": 0, "nsleep": 0}


def test_w8_five_entries_split_three_and_two(m: Getfull, look: Look) -> None:
    """W8: The smallest buffer that is ever split."""
    b = m.getempty(359)
    look.fill(b, [10, 11, 12, 13, 14])

    b1 = m.handoff(b)

    assert look.entries(b) == [10, 11, 12]
    assert look.entries(b1) == [13, 14]


def test_w8_twenty_three_entries_split_twelve_and_eleven(m: Getfull, look: Look) -> None:
    """W8: The largest."""
    b = m.getempty(359)
    look.fill(b, range(23))

    b1 = m.handoff(b)

    assert (len(look.entries(b)), len(look.entries(b1))) == (12, 11)


def test_handoff_takes_an_empty_buffer_off_its_list(m: Getfull, look: Look) -> None:
    """Under 915, on top of its old history."""
    old = m.getempty(359)
    b = m.getempty(359)
    m.putempty(old, 496)
    look.fill(b, range(9))

    assert m.handoff(b) == old
    assert look.log(old) == [915, 496, 359, 0]
    assert look.lists() == {"empty": [], "partial": [], "full": [b]}


def test_handoffs_add_up_in_the_statistics(m: Getfull, look: Look) -> None:
    """Nhandoff counts calls, nhandoffcnt entries moved."""
    b = m.getempty(359)
    look.fill(b, range(23))

    while len(look.entries(b)) > HANDOFF_MIN:
        b = m.handoff(b)

    assert gcstats(look, m)["nhandoff"] == 3
    assert gcstats(look, m)["nhandoffcnt"] == 11 + 5 + 2


@pytest.mark.parametrize("nobj", range(24))
def test_a_handoff_is_wanted_from_five_entries_on(m: Getfull, look: Look, nobj: int) -> None:
    """Four or fewer stay together, however many wait."""
    b = m.getempty(359)
    look.fill(b, range(nobj))
    m.port.store(m.work_nwait, 1)

    assert m.wanted(b) == (nobj > 4)


def test_a_handoff_is_wanted_only_while_others_wait_and_find_nothing(m: Getfull, look: Look) -> None:
    """Nobody waiting, or something on full already, and the buffer stays whole; what is on partial does not count."""
    b, partial, full = m.getempty(1), m.getempty(1), m.getempty(1)
    for filled in (b, partial, full):
        look.fill(filled, range(9))
    m.putpartial(partial, 670)

    assert not m.wanted(b)

    m.port.store(m.work_nwait, 1)
    assert m.wanted(b)

    m.putfull(full, 358)
    assert not m.wanted(b)


def gcstats(look: Look, m: Getfull) -> dict[str, int]:
    """The M's five counters."""
    counters = [field for field in MLOCAL.fields if field not in {"currentwbuf", "wbuf2"}]
    return {field: look.peek(m.record + MLOCAL.offsets[field]) for field in counters}
