"""Why an object was lost: the path, who wrote its last edge, and who should have seen it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from collector.audit.lostpath import LostPath, Queued, Root
from collector.report.run.lost import Explained, Why
from collector.report.run.lostpicture import picture
from collector.run import main
from collector.stress.stores import Store
from mutator.phase import GCmark, GCmarktermination, GCoff, GCscan
from mutator.programs.syscalls import Syscalls
from workbuf.events import EMPTY, FULL, Event
from workbuf.recorder import Record


if TYPE_CHECKING:
    from pathlib import Path

BSS = Root("bss", 1, -1, "word 3 of bss")
STACK = Root("stack", 6, 1, "word 0 of frame 0 of goroutine 1")
THREADS = ("gc", "a1", "b2", "helper0")
HOLDER, LOST = 0x1000, 0x2000
CYCLE = [
    Record(0, 0, Event.CYCLE, 1, 0, 0),
    Record(1_000, 0, Event.PHASE, GCscan, GCoff, 0),
    Record(2_000, 1, Event.SCANSTACK, 1, 1, 0),
    Record(10_000, 0, Event.PHASE, GCmark, GCscan, 0),
    Record(50_000, 0, Event.PHASE, GCmarktermination, GCmark, 0),
    Record(60_000, 3, Event.ROOT, 1, 0, 0),
    Record(99_000, 0, Event.PHASE, GCoff, GCmarktermination, 0),
]


def why(path: LostPath, *stores: Store, records: tuple[Record, ...] = ()) -> str:
    """The sentences, after those that say the path."""
    return "\n".join(explained(path, *stores, records=records).lines)


def explained(path: LostPath, *stores: Store, records: tuple[Record, ...] = ()) -> Why:
    """What is known of it."""
    return Explained(path, sorted([*CYCLE, *records]), stores, THREADS, lambda b: f"wbuf{b}").why()


WITHOUT_P = r"took it for a barrier .*, in a system call since .*:\n  there it has no P"
HELD = LostPath(BSS, (7, HOLDER // 8 + 1), (HOLDER, LOST))
"""A word of bss, an object, and in word 1 of that the lost one."""


def test_a_store_in_the_mark_without_a_barrier() -> None:
    """Nothing happened between it and the thread's next store."""
    told = why(HELD, Store(20_000, 1, HOLDER // 8 + 1, LOST, sent=False))

    assert "word 1 of 0x1000 points to 0x2000, which is not marked: lost (stored by a1 79.0 us before the end" in told
    assert "the barrier of that store should have shaded 0x2000" in told
    assert "no barrier ran: a1 took no buffer between this store and its next" in told


def test_a_barrier_that_took_a_buffer_and_marked_nothing() -> None:
    """Which one, and where that went."""
    records = (
        Record(20_100, 1, Event.UNCACHED, 5, 0, 0),
        Record(20_200, 1, Event.CACHED, 5, 0, 0),
        Record(51_000, 0, Event.HARVESTED, 5, 1, 3),
        Record(51_100, 0, Event.PUT, 5, 947, FULL),
        Record(52_000, 3, Event.GET, 5, 504, FULL),
        Record(53_000, 3, Event.PUT, 5, 496, EMPTY),
    )
    told = why(HELD, Store(20_000, 1, HOLDER // 8 + 1, LOST, sent=False), records=records)

    assert "a1 took wbuf5 for it, 78.9 us before the end; yet the object is not marked" in told
    assert "gc harvested it from a1's cache, with 3 entries, 48.0 us before the end" in told
    assert "helper0 put it on empty" in told


def test_of_a_long_course_what_decided_is_told() -> None:
    """The first that happened to the buffer, its next harvest, and the last events; how many are left out in between."""
    records = (
        Record(20_100, 1, Event.GET, 5, 504, FULL),
        Record(20_200, 1, Event.CACHED, 5, 0, 0),
        Record(30_000, 1, Event.UNCACHED, 5, 0, 0),
        Record(30_100, 1, Event.CACHED, 5, 0, 0),
        Record(51_000, 0, Event.HARVESTED, 5, 1, 3),
        *(Record(51_100 + 100 * i, 3, Event.GET if i % 2 else Event.PUT, 5, 504, FULL) for i in range(10)),
    )
    told = why(HELD, Store(20_000, 1, HOLDER // 8 + 1, LOST, sent=False), records=records).partition("went:\n")[2]

    lines = told.splitlines()
    assert [line.strip().partition(",")[0] for line in lines[:4]] == [
        "a1 took it out of its cache",
        "(1 left out)",
        "gc harvested it from a1's cache",
        "(2 left out)",
    ]
    assert len(lines) == 4 + 8


def test_an_edge_that_was_there_before_the_barrier() -> None:
    """Who holds it was shaded by a barrier, into a buffer that is empty by now."""
    stores = (
        Store(5_000, 2, HOLDER // 8 + 1, LOST, sent=False),
        Store(20_000, 1, 7, HOLDER, sent=False),
    )
    told = why(HELD, *stores, records=(Record(20_100, 1, Event.GET, 5, 1181, EMPTY),))

    assert "no barrier was due for that edge: the scan of 0x1000, which is marked, should have found it" in told
    assert "it was shaded by a barrier, when a1 stored a pointer to it" in told
    assert "should be queued in wbuf5, but is in no buffer" in told
    assert "what a marker does to single objects is not recorded" in why(HELD, stores[0])


def test_a_harvest_that_left_a_cache() -> None:
    """The holder is queued in it."""
    path = HELD._replace(queued=Queued(5, 2))
    told = why(path, records=(Record(51_000, 0, Event.HARVESTED, 4, 1, 3),))

    assert "still queued in wbuf5 (0x28), in b2's cache" in told
    assert "taken it out of b2's cache; recorded of it in this cycle: wbuf4 of a1" in told


def test_a_barrier_without_a_p() -> None:
    """Who has the buffer took it in a system call, when the world was stopped: the harvest is not to blame."""
    path = HELD._replace(queued=Queued(5, 2))
    call = (Record(30_000, 2, Event.SYSCALL, 0, 0, 0), Record(48_000, 0, Event.STOPPED, 0, 0, 0))
    late = (Record(51_000, 0, Event.HARVESTED, 4, 1, 3), Record(52_000, 2, Event.GET, 5, 1181, EMPTY))
    told = why(path, records=(*call, *late, Record(52_100, 2, Event.CACHED, 5, 0, 0)))

    assert "b2 took it for a barrier 47.0 us before the end, in a system call since 69.0 us before the end" in told
    assert "no stop of the world waits for it" in told
    assert "the world had been stopped 51.0 us before the end" in told
    assert "the last harvest of a cache was 48.0 us before the end" in told
    assert "the harvest should have" not in told

    ended = Record(31_000, 2, Event.SYSCALL_END, 0, 0, 0)
    assert "the harvest should have taken it out of b2's cache" in why(path, records=(*call, ended, *late))


def test_a_stack_that_was_not_scanned_again() -> None:
    """And whose goroutine has run since: that its M was parked for a stop does not say so."""
    path = LostPath(STACK, (9,), (LOST,))
    parked = Record(30_000, 1, Event.PARK, 1, 0, 0)
    told = why(path, Store(30_000, 1, 8, HOLDER, sent=False))

    assert "last scanned by a1 97.0 us before the end, in phase scan, 1 frame; in mark termination it was not" in told
    assert "though a1 ran after that: it stored a pointer 69.0 us before the end" in told
    assert "ran after that: assist" in why(path, records=(parked, Record(31_000, 1, Event.ASSIST, 1, 0, 0)))
    assert "ran after that" not in why(path, records=(parked,))


def test_a_send_to_a_stack_that_counts_as_scanned() -> None:
    """Its barrier is the sender's."""
    path = LostPath(STACK, (9,), (LOST,))
    told = why(path, Store(20_000, 2, 9, LOST, sent=True))

    assert "(sent by b2 79.0 us before the end, in phase mark)" in told
    assert "no barrier ran: b2 took no buffer after the send" in told
    assert "last scanned by a1" in told


def test_a_root_job() -> None:
    """Executed, and by whom; or not at all."""
    path = LostPath(BSS, (7,), (LOST,))
    assert "helper0 executed it 39.0 us before the end, and did not mark what it points to" in why(path)
    data = LostPath(Root("data", 0, -1, "word 1 of data"), (7,), (LOST,))
    assert "it was not executed there" in why(data)


def test_the_picture_has_the_path() -> None:
    """Root, holder, lost object; who stored it, on the edge; names are escaped."""
    drawn = picture(explained(HELD, Store(20_000, 1, HOLDER // 8 + 1, LOST, sent=False)))
    assert re.findall(r'<rect class="(\w+)"', drawn) == ["root", "marked", "lost"]
    assert drawn.count('class="edge"') == 2
    assert ">a1<" in drawn
    assert ">79.0 us<" in drawn
    assert "&lt;b&gt;" in picture(Why([], [("<b>", "root")], []))


def test_a_long_path_says_what_is_left_out() -> None:
    """The first objects: the root points to none of those that are shown."""
    objects = tuple(range(0x1000, 0x8000, 0x1000))
    cells = (7, *(holder // 8 for holder in objects[:-1]))
    known = explained(LostPath(BSS, cells, objects), Store(500, 1, cells[2], objects[2], sent=False))

    assert known.lines[0] == "  (the path begins at word 3 of bss; 2 objects left out)"
    assert [name for name, _ in known.nodes[:3]] == ["word 3 of bss", "2 objects left out", "0x3000"]
    assert known.edges[:2] == ["", "a1, 98.5 us before the end"]
    assert len(known.edges) == len(known.nodes) - 1
    assert '<rect class="left"' in picture(known)


@pytest.mark.parametrize(
    ("fault", "programs", "said"),
    [
        ("harvest-nothing", "rewire,hider", r"in \w+\d's cache:\n  the harvest should have taken it out of"),
        (
            "stacks-unscanned-at-the-end",
            "rewire,hider",
            r"was last scanned by .* in mark termination it was not scanned",
        ),
        ("barrier-without-p", "syscalls,syscalls,syscalls,syscalls", WITHOUT_P),
        ("send-unshaded", "latesend,latesend", r"the send's barrier should have .*\n  no barrier ran"),
        (
            "shade-unqueued",
            "hider,pushpop",
            r"which took no buffer to queue it in|which is marked, should have found it",
        ),
    ],
)
def test_on_real_threads(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    fault: str,
    programs: str,
    said: str,
    seed: int,
) -> None:
    """What the report of a planted fault says, and that the page has the picture.

    A run may lose nothing, or something of which less is recorded: then the next is looked at.
    """
    page = tmp_path / "run.html"
    drawn = said != WITHOUT_P  # the buffer comes too late, and mostly nothing is lost by that
    # A call that is longer than the stop it falls into may end anywhere in it.
    monkeypatch.setattr(Syscalls, "longest_us", 3000)
    # In a mark of some length, while somebody allocates, there is time for a store between a root's scan and its end.
    objects = 4000 if fault == "shade-unqueued" else 200
    options = ["--heap", f"synthetic:random,n={objects}", "--programs", programs, "--cycles", "15", "--period", "0.02"]
    for number in range(0, 100_000, 1000):
        often = ["--until-failure", "--seed", str(seed + number)]
        assert main(["stress", "--plant", fault, *options, *often, "--quiet", "--html", str(page)]) == 1
        told = capsys.readouterr()
        if re.search(said, told.err):
            break
    assert re.search(said, told.err), told.out + told.err
    assert not drawn or 'class="way"' in page.read_text()
