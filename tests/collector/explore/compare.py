"""DPOR and stateful search against plain depth-first search."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.explore.strategies.base import Options
from collector.explore.strategies.dpor.search import DPOR
from tests.collector.explore.arbitrary import MINDS, VOCABULARIES, program_of, shape
from tests.collector.explore.traces import TooMany, executions, runs_of


if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.collector.explore.programs import Program
    from tests.collector.explore.traces import Execution

    Outcome = tuple[str, tuple[int, ...]]


def compare_dpor(program: Program, plain: Sequence[Execution]) -> list[Execution]:
    """DPOR ends as the `plain` schedules do, all there are, and runs every trace once; its schedules."""
    search = DPOR(Options())
    search.plain = 1 << 62
    reduced = list(runs_of(program, search))
    failed = {run.fault.kind for run in plain if run.fault}
    if failed:
        # A failing schedule ends all its threads, and with them what they would have raced with.
        assert failed == {run.fault.kind for run in reduced if run.fault}, "the faults differ"
        assert {run.outcome for run in reduced} <= {run.outcome for run in plain}, "DPOR ends otherwise"
        return reduced
    assert {run.outcome for run in plain} == {run.outcome for run in reduced}, "the ends differ"
    traces = [run.trace for run in reduced]
    assert {run.trace for run in plain} == set(traces), "the traces differ"
    assert not any(run.pruned for run in reduced), "a schedule was cut off"
    assert len(traces) == len(set(traces)), "a trace was run twice"
    return reduced


class AnyStep(set[tuple[int, int]]):
    """A turn may begin with any."""

    def __contains__(self, _step: object) -> bool:
        return True


def compare_cutting(program: Program, plain: Sequence[Execution]) -> list[Execution]:
    """DPOR that cuts idle turns from the first schedule on ends as the `plain` ones do, and runs no trace twice."""
    search = DPOR(Options())
    search.cutting = True
    search.idle.heads = AnyStep()
    reduced = list(runs_of(program, search))
    whole = [run for run in reduced if not run.pruned]
    found, expected = ends(whole), ends(plain)
    assert found.keys() == expected.keys(), "the faults of DPOR that cuts differ"
    if not expected.keys() - {""}:
        assert found == expected, "the ends of DPOR that cuts differ"
        traces = [run.trace for run in whole]
        assert {run.trace for run in plain} >= set(traces), "a trace that there is not"
        assert len(traces) == len(set(traces)), "a trace was run twice"
    assert all(found[kind] <= expected[kind] for kind in found), "DPOR that cuts ends otherwise"
    return reduced


def compare_stateful(program: Program, plain: Sequence[Execution], limit: int = 20_000) -> None:
    """Stateful search ends as the `plain` schedules do, all there are; of livelocks it shows one, and stops there."""
    stateful = [run for run in executions(program, "stateful", limit) if not run.pruned]
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


def compare_arbitrary(vocabulary: str, seed: int, compare: Callable[[Program, list[Execution]], object]) -> None:
    """The same for half a dozen arbitrary programs of few enough interleavings, of the seeds that follow `seed`."""
    compared = 0
    while compared < 6:
        seed += 1
        form = shape(seed, {**VOCABULARIES, **MINDS}[vocabulary].split())
        program = program_of(form)
        try:
            compare(program, list(executions(program, "dfs", limit=5000)))
        except TooMany:
            continue
        except AssertionError as error:
            error.add_note(f"seed {seed}: {form}")
            raise
        compared += 1
