"""A search in parts, which come back in any order, is the search by one process."""

from __future__ import annotations

import json
from itertools import islice
from random import Random
from typing import TYPE_CHECKING

import pytest

from collector.explore import explore
from collector.explore.strategies.base import Budget, Options
from collector.explore.strategies.dpor import frontier as trees
from collector.explore.strategies.dpor.frontier import Frontier, record, restored
from collector.explore.strategies.dpor.search import DPOR
from collector.explore.strategies.dpor.subtree import Subtrees
from collector.explore.strategies.pieces import Piece, Pieces
from collector.scenarios.registry import SCENARIOS
from tests.collector.explore import authors, genmc, programs, sleepsets
from tests.collector.explore.arbitrary import VOCABULARIES, program_of, shape
from tests.collector.explore.compare import AnyStep
from tests.collector.explore.traces import TooMany, runs_of


if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from collector.explore.program import Program
    from collector.explore.strategies.dpor.frontier import Leaf
    from collector.explore.strategies.dpor.subtree import Asked
    from collector.explore.strategies.dpor.twigs import Twig
    from tests.collector.explore.traces import Execution

COUNTS = {name: known for name, known in (authors.COUNTS | genmc.COUNTS).items() if known[1] > 5}
MOST = 300
Idle = frozenset[tuple[int, int]] | None


def parts(draw: Random, cutting: Idle = None, most: int = 9) -> Iterator[tuple[Frontier, Subtrees]]:
    """Parts of a search by DPOR, each to be run before the next is asked for; up to four at a time are out."""
    frontier, out = Frontier(), list[tuple[list["Leaf"], Subtrees]]()
    while not frontier.done or out:
        while frontier.waiting and len(out) < 4:
            leaves = frontier.leaves(draw.randint(1, 4))
            starts = [leaf.start for leaf in leaves]
            part = Subtrees(Options(), starts, Budget(runs=draw.randint(1, most)).begun(), cutting)
            yield frontier, part
            out.append((leaves, part))
        leaves, part = out.pop(draw.randrange(len(out)))
        frontier.back(leaves, part.explored)
        if not out:
            frontier = restored(json.loads(json.dumps(record(frontier))))


def schedules(program: Program, draw: Random, cutting: Idle = None, most: int = 9) -> tuple[int, int]:
    """How many schedules all parts have run, and how many were pruned."""
    found = [0, 0]
    for _, part in parts(draw, cutting, most):
        result = explore(program, part, schedules=1 << 30, shrink=False)
        found[0] += result.schedules
        found[1] += result.pruned
    return found[0], found[1]


@pytest.mark.parametrize("name", COUNTS)
def test_as_many_executions_as_genmc(name: str, seed: int) -> None:
    """And none is cut off."""
    program, count = COUNTS[name]

    assert schedules(program, Random(seed), most=max(9, count // 10)) == (count, 0)


@pytest.mark.parametrize("accesses", ["rrw", "rwr", "wrr"])
def test_what_comes_after_a_race_in_another_part(accesses: str, seed: int) -> None:
    """A race asks for all that can come after it, in whichever part that is found."""
    assert schedules(programs.children(accesses), Random(seed)) == (144, 0)


def test_as_many_as_by_sleep_sets_alone_in_parts(seed: int) -> None:
    """Of programs with more threads than plain search can be asked about, some of which choose."""
    draw = Random(seed)
    for threads, count in sleepsets.some(draw, 4):
        assert schedules(sleepsets.program_of(threads), draw) == (count, 0), threads


def test_idle_turns_are_cut_as_by_one_process(seed: int) -> None:
    """Of a program that waits: as many are run, and as many pruned."""
    program = programs.spin_lock(3, by_exchange=True)
    search = DPOR(Options(races=True))
    search.plain = 5
    alone = explore(program, search, schedules=1 << 30)

    assert search.cutting
    assert schedules(program, Random(seed), frozenset(search.idle.heads), 40) == (alone.claim.number, alone.pruned)


def test_what_a_part_has_run_in_vain_is_not_counted(seed: int) -> None:
    """Each part of this program begins afresh, as its oracle looks at the memory: as many count as by one process."""
    program = SCENARIOS["latedecrement"].variants["fixed"].program
    search = DPOR(Options(races=True))
    search.plain = 30
    alone = explore(program, search, schedules=1 << 30)
    found = 0
    for _, part in parts(Random(seed), frozenset(search.idle.heads), 400):
        explore(program, part, schedules=1 << 30, shrink=False)
        found += part.explored.complete

    assert search.set_aside
    assert found == alone.claim.number


@pytest.mark.parametrize("cutting", [False, True], ids=["", "cutting"])
@pytest.mark.parametrize("vocabulary", VOCABULARIES)
def test_the_same_traces_of_arbitrary_programs(vocabulary: str, seed: int, cutting: bool) -> None:  # noqa: FBT001
    """With kills, choices, locks, notes: each trace once, or the same kinds of faults."""
    draw = Random(seed)
    program = program_of(shape(draw.getrandbits(30), VOCABULARIES[vocabulary].split()))
    search = DPOR(Options())
    search.plain = 1 << 62
    search.cutting = cutting
    search.idle.heads = AnyStep()
    try:
        alone = list(islice(runs_of(program, search), MOST + 1))
    except TooMany:
        return
    if len(alone) > MOST:
        return
    together: list[Execution] = []
    for _, part in parts(draw, frozenset() if cutting else None):
        part.idle.heads = AnyStep()
        together += runs_of(program, part)

    kinds = faults(alone)
    assert kinds == faults(together)
    if not kinds - {"deadlock"}:
        assert traces(alone) == traces(together)


def faults(runs: Sequence[Execution]) -> set[str]:
    """Their kinds."""
    return {run.fault.kind for run in runs if run.fault}


def traces(runs: Sequence[Execution]) -> list[int]:
    """Of the schedules that were not pruned: one that was run twice is there twice."""
    return sorted(hash(run.trace) for run in runs if not run.pruned)


def test_the_counts_show_an_insertion_that_is_dropped(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """What must not be done: to take a branch that was handed out for all that begins with its first step."""
    program, count = COUNTS["readers(8)"]

    def dropping(way: Sequence[Twig], asked: Asked) -> list[Twig]:
        children = way[asked.depth].children
        threads = {twig.step.thread for twig in children[children.index(way[asked.depth + 1]) + 1 :]}
        return [] if asked.steps[0].thread in threads else insert(way, asked)

    insert = trees.insert
    monkeypatch.setattr(trees, "insert", dropping)

    assert schedules(program, Random(seed))[0] < count


def test_what_was_not_handed_out_does_not_come_back() -> None:
    """Nothing is counted twice."""
    frontier = Frontier()
    leaves = frontier.leaves(1)
    part = Subtrees(Options(), [leaf.start for leaf in leaves], Budget().begun())
    explore(COUNTS["inc(3)"][0], part)
    frontier.back(leaves, part.explored)

    with pytest.raises(RuntimeError, match="not handed out"):
        frontier.back(leaves, part.explored)
    assert frontier.done


@pytest.mark.parametrize("preemptions", [0, 1, None])
def test_pieces_of_bounded_search(preemptions: int | None, seed: int) -> None:
    """As many schedules under each bound, and the bound has cut something off if it did."""
    draw = Random(seed)
    program, _ = COUNTS["casrot(4)"]
    alone = explore(program, "exhaustive", preemptions=preemptions, schedules=1 << 30)
    total, bound, cut = 0, -1, True
    while cut and bound != preemptions:
        bound, cut, todo = bound + 1, False, [Piece()]
        while todo:
            todo.sort(key=lambda piece: piece.taken)
            some = [todo.pop(draw.randrange(len(todo))) for _ in range(min(draw.randint(1, 3), len(todo)))]
            search = Pieces(Options(), bound, some, Budget(runs=draw.randint(1, 9)).begun())
            total += explore(program, search, schedules=1 << 30).schedules
            cut = cut or search.cut
            todo += search.rest

    assert (total, not cut) == (alone.schedules, alone.exhausted)
