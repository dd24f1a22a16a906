"""Conservation of buffers: every kind of misplacement is found, and said with the buffer's history."""

from __future__ import annotations

import pytest

from collector.audit import buffers
from collector.audit.violation import Violation
from tests.worlds import Bench
from workbuf.buffer import INUSE, NOBJ
from workbuf.local import WORK
from workbuf.machine import WORD


LISTS = ("empty", "partial", "full")


def ms(bench: Bench) -> list[int]:
    """The records of all Ms."""
    return bench.world.records(bench.world.allm, bench.runtime("allmlen"))


def check(bench: Bench) -> buffers.Places:
    """The audit."""
    return buffers.check(bench.world, bench.port.words, ms(bench))


def found(bench: Bench) -> Violation:
    """What it finds."""
    with pytest.raises(Violation) as violation:
        check(bench)
    assert violation.value.kind == "leak"
    return violation.value


def new(bench: Bench, n: int) -> int:
    """A buffer in hand with `n` entries, none of those that lie on a list."""
    b = bench.gcm.newbuffer()
    bench.gcm.logget(b, 359)
    bench.machine.poke(b + NOBJ, n)
    return b


def put(bench: Bench, list_: str, n: int) -> int:
    """A buffer with `n` entries on a list, whatever belongs there."""
    b = new(bench, n)
    bench.gcm.logput(b, 670)
    bench.gcm.lfstackpush(bench.world.work + WORK.offsets[list_], b)
    return b


def everywhere(bench: Bench) -> dict[str, list[int]]:
    """Two buffers in every place that there is."""
    where = {name: [put(bench, name, n) for n in some] for name, some in (("partial", (1, 22)), ("full", (1, 23)))}
    cached = [new(bench, n) for n in (0, 23)]
    for m, b in zip(bench.mutators, cached, strict=True):
        m.cache(b)
    return where | {"empty": [put(bench, "empty", 0), put(bench, "empty", 0)], "cached": cached}


def test_where_everything_is_in_its_place(bench: Bench) -> None:
    """Lists from the top, caches in the order of allm."""
    where = everywhere(bench)

    places = check(bench)

    assert [places.empty, places.partial, places.full] == [where[name][::-1] for name in LISTS]
    assert places.cached == where["cached"]
    assert sorted(places.made) == sorted(b for some in where.values() for b in some)
    assert places.leaked == []


def test_no_buffers_are_no_problem(bench: Bench) -> None:
    """None has been made."""
    assert check(bench) == buffers.Places([], [], [], [], [])


@pytest.mark.parametrize("n", [1, 3])
def test_a_buffer_that_is_nowhere_is_leaked(bench: Bench, n: int) -> None:
    """How many, and the history of the first."""
    everywhere(bench)
    lost = [new(bench, 1) for _ in range(n)]

    violation = found(bench)

    assert violation.count == n
    assert violation.text == f"{n} of {8 + n} buffers are in nobody's hands and on no list"
    assert violation.buffer == min(lost)
    assert violation.printed[0] == f"runtime: buffer {min(lost) * 8:#x} nobj=1 inuse=1"
    assert violation.printed[1] == "  log[0] 359: greyobject (its buffer was full), getempty: from empty, or new"
    assert violation.printed[4] == "  log[3] 0: nothing recorded"


@pytest.mark.parametrize(("list_", "n"), [("empty", 1), ("partial", 0), ("partial", 23), ("full", 0), ("full", 24)])
def test_a_list_holds_what_it_says(bench: Bench, list_: str, n: int) -> None:
    """Nothing on empty, 1 to 22 on partial, 1 to 23 on full (I2)."""
    b = put(bench, list_, n)

    violation = found(bench)

    assert violation.text == f"a buffer on {list_} holds {n} entries"
    assert violation.buffer == b


def test_a_cached_buffer_holds_no_more_than_fits(bench: Bench) -> None:
    """From none to 23."""
    b = bench.gcm.getempty(359)
    bench.machine.poke(b + NOBJ, 24)
    bench.gcm.cache(b)

    assert found(bench).text == "a buffer on cached holds 24 entries"


@pytest.mark.parametrize(("list_", "n"), [("empty", 0), ("partial", 1), ("full", 23)])
def test_a_listed_buffer_is_in_nobodys_use(bench: Bench, list_: str, n: int) -> None:
    """I3, one way."""
    bench.machine.poke(put(bench, list_, n) + INUSE, 1)

    assert found(bench).text == f"a buffer on {list_} is marked in use: 1"


def test_a_cached_buffer_is_in_use(bench: Bench) -> None:
    """I3, the other way."""
    b = bench.gcm.getempty(359)
    bench.machine.poke(b + INUSE, 0)
    bench.gcm.cache(b)

    assert found(bench).text == "a buffer on cached is marked in use: 0"


def test_a_buffer_on_a_list_and_in_a_cache_is_in_two_places(bench: Bench) -> None:
    """I1; its history says who put it on the list."""
    b = put(bench, "empty", 0)
    bench.machine.poke(bench.mutators[1].currentwbuf, b * WORD)

    violation = found(bench)

    assert violation.text == "a buffer is in two places: empty and cached"
    assert violation.printed[1] == "  log[0] 670: markroot (at its end), putpartial: to partial or full"


def test_a_buffer_in_two_caches_is_in_two_places(bench: Bench) -> None:
    """I1."""
    b = bench.gcm.getempty(359)
    for m in bench.mutators:
        bench.machine.poke(m.currentwbuf, b * WORD)

    assert found(bench).text == "a buffer is in two places: cached and cached"


def test_a_list_that_has_become_a_ring_is_found(bench: Bench) -> None:
    """One buffer pushed twice in a row names itself; the walk ends all the same."""
    put(bench, "full", 2)
    b = put(bench, "full", 1)
    bench.gcm.lfstackpush(bench.world.work + WORK.full, b)

    violation = found(bench)

    assert violation.text == "a buffer is in two places: full and full"
    assert violation.buffer == b


def test_a_buffer_on_two_lists_is_in_two_places(bench: Bench) -> None:
    """Pushed onto a second list while it was on the first, which now goes on where the second does."""
    b = put(bench, "partial", 1)
    bench.gcm.lfstackpush(bench.world.work + WORK.full, b)

    assert found(bench).text == "a buffer is in two places: partial and full"


def test_something_on_a_list_that_is_no_buffer_is_found(bench: Bench) -> None:
    """Nobody has made it."""
    stray = bench.machine.alloc(64, "stray", align=8)
    bench.gcm.lfstackpush(bench.world.work + WORK.empty, stray)

    assert found(bench).text == f"empty: {stray * 8:#x} is no buffer"


@pytest.mark.parametrize("wbufsize", [112, 1024])
def test_what_fits_depends_on_the_size(wbufsize: int) -> None:
    """A full one is full."""
    bench = Bench(wbufsize=wbufsize)
    put(bench, "full", bench.gcm.len_obj)
    check(bench)

    put(bench, "full", bench.gcm.len_obj + 1)
    found(bench)


@pytest.mark.parametrize(("list_", "n"), [("partial", 1), ("full", 1)])
def test_after_mark_termination_a_list_still_holds_work(bench: Bench, list_: str, n: int) -> None:
    """I7: Go's own two checks."""
    b = put(bench, list_, n)

    with pytest.raises(Violation) as violation:
        buffers.checkdrained(check(bench), bench.port.words)

    assert violation.value.kind == "lists"
    assert violation.value.text == f"mark termination is over and {list_} still holds a buffer (1 in all)"
    assert violation.value.buffer == b


@pytest.mark.parametrize("n", [0, 5])
def test_after_mark_termination_a_cache_is_not_empty(bench: Bench, n: int) -> None:
    """I7: the third, which Go omits; an empty buffer counts as well."""
    bench.mutators[1].cache(bench.full(bench.gcm, [bench.leaf() for _ in range(n)]))

    with pytest.raises(Violation, match=r"an M's cache still holds a buffer \(1 in all\)"):
        buffers.checkdrained(check(bench), bench.port.words)


def test_after_mark_termination_empty_buffers_are_as_they_should_be(bench: Bench) -> None:
    """Any number of them."""
    for _ in range(3):
        put(bench, "empty", 0)

    buffers.checkdrained(check(bench), bench.port.words)
