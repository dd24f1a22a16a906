"""The status word: the lock of a goroutine's stack."""

from __future__ import annotations

import pytest

from mutator.goroutine import SCANNABLE, status_name
from mutator.world import (
    GCOPYSTACK,
    GDEAD,
    GIDLE,
    GMORIBUND,
    GRUNNABLE,
    GRUNNING,
    GSCAN,
    GSYSCALL,
    GWAITING,
    G,
)
from tests.machines import Watching
from tests.worlds import Bench, Noting
from workbuf.throw import Throw


ALL = range(GIDLE, GCOPYSTACK + 1)
CAN = (GRUNNABLE, GRUNNING, GSYSCALL, GWAITING)


@pytest.fixture(name="gp")
def _gp(bench: Bench) -> int:
    """A goroutine of nobody's."""
    return bench.world.newg("g", GIDLE)


def become(bench: Bench, gp: int, status: int) -> None:
    """Put a goroutine into a status without asking."""
    bench.machine.poke(gp + G.status, status)


def test_every_status_has_a_name_with_and_without_the_scan_bit() -> None:
    """They are Go's words; a number that is none comes out as itself."""
    assert [status_name(status) for status in ALL] == [
        *("idle", "runnable", "running", "syscall", "waiting", "moribund", "dead", "enqueue", "copystack")
    ]
    assert status_name(GRUNNING | GSCAN) == "scanrunning"
    assert status_name(77) == "77"


@pytest.mark.parametrize("status", CAN)
def test_castogscanstatus_acquires_and_casfrom_releases(bench: Bench, gp: int, status: int) -> None:
    """The scan bit is set once, refused to a second taker, and taken off again."""
    m = bench.gcm
    become(bench, gp, status)

    assert m.castogscanstatus(gp, status, status | GSCAN)
    assert m.readgstatus(gp) == status | GSCAN
    assert not m.castogscanstatus(gp, status, status | GSCAN)

    m.casfrom_Gscanstatus(gp, status | GSCAN, status)
    assert m.readgstatus(gp) == status


def test_castogscanstatus_fails_when_the_goroutine_has_moved_on(bench: Bench, gp: int) -> None:
    """It answers no and changes nothing."""
    become(bench, gp, GWAITING)

    assert not bench.gcm.castogscanstatus(gp, GRUNNING, GRUNNING | GSCAN)
    assert bench.gcm.readgstatus(gp) == GWAITING


@pytest.mark.parametrize(
    ("old", "new"),
    [
        *((status, status | GSCAN) for status in ALL if status not in CAN),
        (GRUNNING, GRUNNING),
        (GRUNNING, GWAITING | GSCAN),
        (GRUNNING | GSCAN, GRUNNING | GSCAN),
    ],
)
def test_castogscanstatus_throws_on_what_cannot_be_scanned(bench: Bench, gp: int, old: int, new: int) -> None:
    """A status that takes no scan bit, or a change that is more than the bit."""
    become(bench, gp, old)

    with pytest.raises(Throw) as thrown:
        bench.gcm.castogscanstatus(gp, old, new)

    assert thrown.value.text == "castogscanstatus"
    assert thrown.value.printed == (f"runtime: castogscanstatus oldval= {old:#x} newval= {new:#x}",)
    assert bench.gcm.readgstatus(gp) == old
    assert set(CAN) == SCANNABLE


@pytest.mark.parametrize(
    ("old", "new"), [(GWAITING, GWAITING), (GWAITING | GSCAN, GRUNNABLE), (GWAITING | GSCAN, GWAITING | GSCAN)]
)
def test_casfrom_throws_unless_it_takes_the_bit_off(bench: Bench, gp: int, old: int, new: int) -> None:
    """The old status needs the bit, and the new one is the same without it."""
    become(bench, gp, old)

    with pytest.raises(Throw) as thrown:
        bench.gcm.casfrom_Gscanstatus(gp, old, new)

    assert thrown.value.text == "casfrom_Gscanstatus:top gp->status is not in scan state"
    assert bench.gcm.readgstatus(gp) == old


def test_casfrom_throws_when_the_bit_is_gone(bench: Bench, gp: int) -> None:
    """A release must not fail: somebody else has released what the caller thought was its own."""
    become(bench, gp, GWAITING)

    with pytest.raises(Throw) as thrown:
        bench.gcm.casfrom_Gscanstatus(gp, GWAITING | GSCAN, GWAITING)

    assert thrown.value.text == "casfrom_Gscanstatus: gp->status is not in scan state"
    assert thrown.value.printed == ("runtime: casfrom_Gscanstatus failed waiting",)


@pytest.mark.parametrize(
    ("old", "new"), [(GRUNNING | GSCAN, GRUNNING), (GRUNNING, GRUNNING | GSCAN), (GRUNNING, GRUNNING)]
)
def test_casgstatus_throws_on_scan_bits_and_on_no_change(bench: Bench, gp: int, old: int, new: int) -> None:
    """The bit has functions of its own."""
    become(bench, gp, old)

    with pytest.raises(Throw) as thrown:
        bench.gcm.casgstatus(gp, old, new)

    assert thrown.value.text == "casgstatus: bad incoming values"
    assert bench.gcm.readgstatus(gp) == old


def test_casgstatus_throws_rather_than_wait_for_a_goroutine_made_runnable(bench: Bench, gp: int) -> None:
    """Two partners that both ready the same goroutine: the second would wait for ever."""
    become(bench, gp, GRUNNABLE)

    with pytest.raises(Throw) as thrown:
        bench.gcm.casgstatus(gp, GWAITING, GRUNNABLE)

    assert thrown.value.text == "casgstatus: waiting for Gwaiting but is Grunnable"


def test_casgstatus_waits_while_the_stack_is_being_scanned(bench: Bench, gp: int) -> None:
    """The change happens in the turn after the scan bit is given back, and not before."""
    become(bench, gp, GWAITING | GSCAN)
    seen: list[int] = []

    def scanner(turn: int) -> None:
        seen.append(bench.gcm.readgstatus(gp))
        if turn == 3:
            bench.gcm.casfrom_Gscanstatus(gp, GWAITING | GSCAN, GWAITING)

    watching = Watching(bench.port, 100, scanner)
    bench.again(bench.gcm, through=watching).casgstatus(gp, GWAITING, GRUNNABLE)

    assert seen == [GWAITING | GSCAN] * 3
    assert bench.gcm.readgstatus(gp) == GRUNNABLE


@pytest.mark.parametrize("new", [GRUNNING, GRUNNABLE, GWAITING, GSYSCALL])
def test_gcscanvalid_is_cleared_by_running_alone(bench: Bench, gp: int, new: int) -> None:
    """Only a goroutine that runs changes its stack."""
    become(bench, gp, GMORIBUND)
    bench.machine.poke(gp + G.gcscanvalid, 1)

    bench.gcm.casgstatus(gp, GMORIBUND, new)

    assert bench.g(gp, "gcscanvalid") == int(new != GRUNNING)


def test_gcscanvalid_is_cleared_after_the_goroutine_runs(bench: Bench, gp: int) -> None:
    """Before, a scan in between could set it again on a goroutine that is on its way (K-15)."""
    become(bench, gp, GRUNNABLE)
    noting = Noting(bench.port)

    bench.again(bench.gcm, through=noting).casgstatus(gp, GRUNNABLE, GRUNNING)

    assert noting.order(gp + G.status, gp + G.gcscanvalid) == [("cas", gp + G.status), ("post", gp + G.gcscanvalid)]


def test_a_dead_goroutine_is_dead(bench: Bench, gp: int) -> None:
    """Nothing of it can be scanned."""
    become(bench, gp, GDEAD)

    with pytest.raises(Throw, match="castogscanstatus"):
        bench.gcm.castogscanstatus(gp, GDEAD, GDEAD | GSCAN)
