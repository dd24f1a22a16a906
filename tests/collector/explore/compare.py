"""DPOR, without and with a bound, and stateful search against plain depth-first search."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.explore.claim import Kind
from collector.explore.strategies.base import Options
from collector.explore.strategies.bounded import Exhaustive
from collector.explore.strategies.dpor.bounded import BoundedDPOR
from collector.explore.strategies.dpor.search import DPOR
from tests.collector.explore.arbitrary import MINDS, VOCABULARIES, program_of, shape
from tests.collector.explore.traces import TooMany, executions, runs_of


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import TypeVar

    from tests.collector.explore.programs import Program
    from tests.collector.explore.traces import Execution

    Outcome = tuple[str, tuple[int, ...]]
    Bounded = TypeVar("Bounded", Exhaustive, BoundedDPOR)


def compare_dpor(program: Program, plain: Sequence[Execution], early: int = 0) -> list[Execution]:
    """DPOR ends as the `plain` schedules do, all there are, and runs every trace once; its schedules."""
    search = DPOR(Options())
    search.plain = 1 << 62
    reduced = list(runs_of(program, search, early=early))[search.set_aside :]
    failed = {run.fault.kind for run in plain if run.fault}
    if failed - {"deadlock"}:
        # Such a schedule ends all its threads, and with them what they would have raced with.
        assert failed == {run.fault.kind for run in reduced if run.fault}, "the faults differ"
        assert {run.outcome for run in reduced} <= {run.outcome for run in plain}, "DPOR ends otherwise"
        return reduced
    assert {run.outcome for run in plain} == {run.outcome for run in reduced}, "the ends differ"
    traces = [run.trace for run in reduced]
    assert {run.trace for run in plain} == set(traces), "the traces differ"
    assert not any(run.pruned for run in reduced), "a schedule was cut off"
    assert len(traces) == len(set(traces)), "a trace was run twice"
    return reduced


def compare_bounded(
    program: Program,
    limit: int,
    bounds: Iterable[int] = range(3),
    search: type[BoundedDPOR] = BoundedDPOR,
    *,
    early: int = 0,
) -> int:
    """DPOR under a bound ends as plain bounded search does, and comes to the same traces; bounds it claims nothing for.

    It has to, unless its claim is that what threads share in Python tells equivalent interleavings apart.
    """
    refused = 0
    for bound in bounds:
        reducing = only(search, bound)
        plain, reduced = (list(runs_of(program, each, limit, early)) for each in (only(Exhaustive, bound), reducing))
        found, expected = ends(reduced), ends(plain)
        assert all(found[kind] <= expected[kind] for kind in found), f"it ends otherwise with {bound} preemptions"
        if reducing.claim(len(reduced)).kind is Kind.UNDECIDED:
            refused += 1
            continue
        assert found.keys() == expected.keys(), f"the faults with {bound} preemptions differ"
        assert found.get("") == expected.get(""), f"the ends with {bound} preemptions differ"
        if not expected.keys() - {"", "deadlock"}:
            # A failing schedule ends all its threads, as above.
            assert {run.trace for run in reduced} == {run.trace for run in plain}, (
                f"traces with {bound} preemptions differ"
            )
    return refused


def only(search: type[Bounded], bound: int) -> Bounded:
    """The search under that bound alone, without the lower ones before it."""
    made = search(Options(preemptions=bound))
    made.bound = bound
    return made


def compare_sharing(program: Program, plain: Sequence[Execution]) -> bool:
    """Where threads share objects, DPOR has come to all ends, or does not call it a proof; whether it does."""
    search = DPOR(Options())
    reduced = [run for run in runs_of(program, search) if not run.pruned]
    assert {run.outcome for run in reduced} <= {run.outcome for run in plain}, "DPOR ends otherwise"
    if search.exhausted:
        assert {run.outcome for run in plain} == {run.outcome for run in reduced}, "a proof that has not seen all ends"
    return search.exhausted


class AnyStep(set[tuple[int, int]]):
    """A turn may begin with any."""

    def __contains__(self, _step: object) -> bool:
        return True


def compare_cutting(program: Program, plain: Sequence[Execution], early: int = 0) -> list[Execution]:
    """DPOR that cuts idle turns from the first schedule on ends as the `plain` ones do, and runs no trace twice."""
    search = DPOR(Options())
    search.cutting = True
    search.idle.heads = AnyStep()
    reduced = list(runs_of(program, search, early=early))
    whole = [run for run in reduced if not run.pruned][search.set_aside :]
    found, expected = ends(whole), ends(plain)
    assert found.keys() == expected.keys(), "the faults of DPOR that cuts differ"
    if not expected.keys() - {"", "deadlock"}:
        assert found == expected, "the ends of DPOR that cuts differ"
        traces = [run.trace for run in whole]
        assert {run.trace for run in plain} >= set(traces), "a trace that there is not"
        assert len(traces) == len(set(traces)), "a trace was run twice"
    assert all(found[kind] <= expected[kind] for kind in found), "DPOR that cuts ends otherwise"
    return reduced


def compare_stateful(program: Program, plain: Sequence[Execution], limit: int = 20_000, early: int = 0) -> None:
    """Stateful search ends as the `plain` schedules do, all there are; of livelocks it shows one, and stops there."""
    stateful = [run for run in executions(program, "stateful", limit, early) if not run.pruned]
    found, expected = ends(stateful), ends(plain)
    assert found.keys() == expected.keys(), "the faults of stateful search differ"
    if "livelock" not in expected:
        assert found == expected, "the ends of stateful search differ"
    assert all(found[kind] <= expected[kind] for kind in found), "stateful search ends otherwise"


def ends(runs: Sequence[Execution]) -> dict[str, set[Outcome]]:
    """How runs have ended, by the kind of their fault, empty without one."""
    found: dict[str, set[Outcome]] = {}
    for run in runs:
        found.setdefault(run.fault.kind if run.fault else "", set()).add(run.outcome)
    return found


def compare_arbitrary(
    vocabulary: str,
    seed: int,
    compare: Callable[[Program, list[Execution]], object],
    *,
    early: int = 0,
    most: int = 400,
) -> None:
    """The same for half a dozen arbitrary programs of few enough interleavings, of the seeds that follow `seed`.

    `scripts.fuzz_programs` takes larger ones, and as many as one likes.
    """
    compared = 0
    while compared < 6:
        seed += 1
        form = shape(seed, {**VOCABULARIES, **MINDS}[vocabulary].split())
        program = program_of(form)
        try:
            compare(program, list(executions(program, "dfs", most, early)))
        except TooMany:
            continue
        except AssertionError as error:
            error.add_note(f"seed {seed}: {form}")
            raise
        compared += 1
