"""The parallel for: Go's own four tests, vector W16, what it refuses, and its way out.

Sizes are Go's; of TestParForParallel's two, 1e7 elements and 1e6 with -short, the second, by 4 threads.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import pytest

from collector.parfor import LOW32, PARFOR, STATISTICS, THR, parforalloc, thr
from tests.machines import Enough, Watching
from tests.worlds import Noting
from workbuf.events import Event
from workbuf.machine import Pause
from workbuf.throw import Throw


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.runtime import AuditedM
    from tests.worlds import Bench


@pytest.fixture(name="desc")
def _desc(bench: Bench) -> int:
    """A descriptor for 32 threads."""
    return parforalloc(bench.machine, 32, "desc")


def apply(data: list[int]) -> Callable[[int], None]:
    """Go's body: what is applied once makes i into i * i + 1."""

    def body(i: int) -> None:
        data[i] = data[i] * data[i] + 1

    return body


def pieces(bench: Bench, desc: int, n: int) -> list[tuple[int, int]]:
    """The first `n` threads' (begin, end)."""
    words = [bench.peek(thr(desc, i) + THR.pos) for i in range(n)]
    return [(word & LOW32, word >> 32) for word in words]


def test_parfor(bench: Bench, desc: int) -> None:
    """TestParFor: one thread, 20 elements, wait."""
    data = list(range(20))

    bench.gcm.parforsetup(desc, 1, 20, wait=True, body=apply(data))
    bench.gcm.parfordo(desc, apply(data))

    assert data == [i * i + 1 for i in range(20)]


def test_parfor2(bench: Bench, desc: int) -> None:
    """TestParFor2: 7 threads' parts, one after the other in one thread, without wait: it must not block."""
    data = list(range(1003))

    bench.gcm.parforsetup(desc, 7, 1003, wait=False, body=apply(data))
    for _ in range(7):
        bench.gcm.parfordo(desc, apply(data))

    assert data == [i * i + 1 for i in range(1003)]


@pytest.mark.parametrize("nthr", range(1, 12))
def test_parforsetup(bench: Bench, desc: int, nthr: int) -> None:
    """TestParForSetup: up to 11 threads, 0 to 100 elements: pieces are contiguous and as good as equal."""
    for n in range(101):
        bench.gcm.parforsetup(desc, nthr, n, wait=True, body=print)
        found = pieces(bench, desc, nthr)
        sizes = [end - begin for begin, end in found]

        assert found[0][0] == 0
        assert [begin for begin, _ in found[1:]] == [end for _, end in found[:-1]]
        assert sum(sizes) == n
        assert set(sizes) <= {sizes[0], sizes[0] + 1}


def test_parfor_parallel(bench: Bench, desc: int) -> None:
    """TestParForParallel with -short: 4 threads on 1,000,000 elements, without wait; every element exactly once."""
    n = 1_000_000
    data = list(range(n))
    bench.gcm.parforsetup(desc, 4, n, wait=False, body=apply(data))
    ms = [bench.model.gcm, *bench.model.mutators, *bench.model.helpers]

    bench.run(*((record, lambda m: m.parfordo(desc, apply(data))) for record in ms))

    assert data == [i * i + 1 for i in range(n)]


@pytest.mark.parametrize("wait", [False, True])
@pytest.mark.parametrize("n", [0, 1, 5, 64, 700])
def test_every_index_is_executed_once_on_real_threads(bench: Bench, desc: int, n: int, *, wait: bool) -> None:
    """With uneven bodies, so that thieves have something to do; with wait nobody leaves before the last is done."""
    counts = bench.machine.alloc(max(n, 1), "counts")
    left: list[int] = []

    def life(m: AuditedM) -> None:
        def body(i: int) -> None:
            for _ in range(200 if i < n // 4 else 0):
                m.port.check()
            m.port.xadd(counts + i, 1)

        m.parfordo(desc, body)
        left.append(sum(m.port.hints(counts, n)) if n else 0)

    bench.gcm.parforsetup(desc, 4, n, wait=wait, body=print)
    bench.run(*((record, life) for record in [bench.model.gcm, *bench.model.mutators, *bench.model.helpers]))

    assert [bench.peek(counts + i) for i in range(n)] == [1] * n
    if wait:
        assert left == [n] * 4


def test_w16_where_the_pieces_of_1003_among_7_begin_and_end(bench: Bench, desc: int) -> None:
    """W16: In 64-bit arithmetic, n * i / nthr; slots past the threads get ranges past the end, which nobody uses (O-22)."""
    bench.gcm.parforsetup(desc, 7, 1003, wait=False, body=print)

    found = pieces(bench, desc, 32)

    assert [begin for begin, _ in found[:7]] == [0, 143, 286, 429, 573, 716, 859]
    assert [end for _, end in found[:7]] == [143, 286, 429, 573, 716, 859, 1003]
    assert all(1003 <= begin <= end for begin, end in found[7:])


@pytest.mark.parametrize(
    ("desc", "nthr", "body"), [(0, 1, print), (8, 0, print), (8, 33, print), (8, 1, None)], ids=str
)
def test_invalid_arguments_throw(bench: Bench, desc: int, nthr: int, body: Any) -> None:  # noqa: ANN401
    """No descriptor, no thread, too many threads, no body; the line before says which."""
    with pytest.raises(Throw) as thrown:
        bench.gcm.parforsetup(desc, nthr, 5, wait=False, body=body)

    assert thrown.value.text == "parfor: invalid args"
    assert thrown.value.printed == (f"desc= {desc} nthr= {nthr} count= 5 body= {body}",)


def test_32_threads_are_allowed(bench: Bench, desc: int) -> None:
    """That is the length of the descriptor's array."""
    bench.gcm.parforsetup(desc, 32, 64, wait=False, body=print)

    assert pieces(bench, desc, 32) == [(2 * i, 2 * i + 2) for i in range(32)]


def test_a_thread_too_many_throws(bench: Bench, desc: int) -> None:
    """Somebody takes part who was not counted."""
    bench.gcm.parforsetup(desc, 1, 3, wait=False, body=print)
    bench.gcm.parfordo(desc, lambda _: None)

    with pytest.raises(Throw) as thrown:
        bench.gcm.parfordo(desc, lambda _: None)

    assert thrown.value.text == "parfor: invalid tid"
    assert thrown.value.printed == ("tid= 1 nthr= 1",)


def test_a_single_thread_touches_no_counter(bench: Bench, desc: int) -> None:
    """It runs the body 0 to n - 1 and returns."""
    order: list[int] = []
    bench.gcm.parforsetup(desc, 1, 5, wait=True, body=print)

    bench.gcm.parfordo(desc, order.append)

    assert order == [0, 1, 2, 3, 4]
    assert pieces(bench, desc, 1) == [(0, 5)]
    assert [bench.peek(desc + PARFOR.offsets[field]) for field in ("done", *STATISTICS)] == [0] * 6


def test_a_thief_takes_the_upper_half_and_never_the_last_index(bench: Bench, desc: int) -> None:
    """Of what the owner has not claimed: 10 of 10..19, then the upper half of what is left, and so on."""
    order: list[int] = []
    noting = Noting(bench.port)
    m = bench.again(bench.gcm, through=noting)
    m.parforsetup(desc, 2, 20, wait=False, body=print)

    m.parfordo(desc, order.append)

    # Its own ten; 15..19 of the other's 10..19; 12, 13, 14 of 10..14; 11 of 10, 11; 10 is left to its owner.
    assert order == [*range(10), *range(15, 20), 12, 13, 14, 11]
    assert pieces(bench, desc, 2)[1] == (10, 11)
    assert bench.peek(desc + PARFOR.nsteal) == 3
    assert bench.peek(desc + PARFOR.nstealcnt) == 9
    assert noting.events == [(Event.STEAL, 1, jobs, 0) for jobs in (5, 3, 1)]
    m.parfordo(desc, order.append)
    assert sorted(order) == list(range(20))


@pytest.mark.parametrize(
    ("nthr", "wait", "procyields", "osyields"), [(2, False, 6, 0), (3, False, 9, 0), (2, True, 6, 4), (3, True, 9, 6)]
)
def test_a_thread_without_work_looks_on_for_a_while(
    bench: Bench, desc: int, nthr: int, *, wait: bool, procyields: int, osyields: int
) -> None:
    """Nthr times without a pause, up to 4 nthr with a procyield; then it leaves, or with wait, yields, then sleeps."""
    turns = procyields + osyields + 5
    watching = Watching(bench.port, turns)
    m = bench.again(bench.gcm, through=watching)
    m.parforsetup(desc, nthr, 0, wait=wait, body=print)
    # The others are still at it: for who waits, the loop is over when the test has seen enough, and not before.
    with pytest.raises(Enough) if wait else nullcontext():
        m.parfordo(desc, print)

    kinds = [kind for kind, _ in watching.pauses]
    assert kinds[:procyields] == [Pause.PROCYIELD] * procyields
    assert kinds[procyields : procyields + osyields] == [Pause.OSYIELD] * osyields
    assert kinds[procyields + osyields :] == [Pause.USLEEP] * (5 if wait else 0)
    assert bench.peek(desc + PARFOR.done) == 1


def test_an_idle_thread_counts_itself_back_in_before_it_steals(bench: Bench, desc: int) -> None:
    """Otherwise the others could leave with the stolen range in nobody's word."""
    order: list[int] = []
    seen: list[int] = []
    m = bench.gcm
    m.parforsetup(desc, 2, 0, wait=True, body=print)

    def meanwhile(turn: int) -> None:
        if turn == 10:  # idle by now; the other thread has got something after all
            seen.append(bench.peek(desc + PARFOR.done))
            bench.machine.poke(thr(desc, 1) + THR.pos, 4 | 8 << 32)
        if turn == 12:
            bench.port.xadd(desc + PARFOR.done, 1)

    def body(i: int) -> None:
        order.append(i)
        seen.append(bench.peek(desc + PARFOR.done))

    bench.again(m, through=Watching(bench.port, 100, meanwhile)).parfordo(desc, body)

    assert order == [6, 7, 5]
    assert seen == [1, 0, 0, 0]
    assert bench.peek(desc + PARFOR.done) == 2


def test_a_thread_that_counts_as_idle_may_not_take_a_range(bench: Bench, desc: int) -> None:
    """Nothing is stored: the range would be worked on by somebody whom nobody waits for."""
    bench.gcm.parforsetup(desc, 2, 0, wait=True, body=print)

    with pytest.raises(Throw, match=r"^fatal error: parfor: should not be idle$"):
        bench.gcm.take(thr(desc, 0), 3, 5, idle=True)

    assert pieces(bench, desc, 1) == [(0, 0)]
    assert bench.peek(thr(desc, 0) + THR.nsteal) == 0
