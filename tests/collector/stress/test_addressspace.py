"""Room: a run asks for the address space that it needs, takes less where there is less, and says what would do."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from collector import heaps
from collector.runtime import Config
from collector.stress.addressspace import LEAST, arenas, needed, reserved
from collector.stress.placement import sized
from collector.stress.run import Plan
from collector.stress.survivors import Keep
from workbuf.hardware.limits import ALLOCATOR
from workbuf.hardware.machine import HardwareMachine
from workbuf.machine import WORD


ROOT = Path(__file__).parents[3]
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="limits and /proc as Linux has them")
MARK = ["heap", "synthetic:list,n=500", "--mark"]
STRESS = ["--heap", "synthetic:list,n=500", "--cycles", "1", "--quiet", "--seed", "1"]

LIMITED = """
import os, resource, sys
from collector.commands import heap, stress  # before the measure is taken
from collector.run import main
kind, soft, words = getattr(resource, sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
if kind == resource.RLIMIT_NPROC:
    main(["heap", "synthetic:list,n=5", "--mark"])  # imports what another user may not read
    main(["--heap", "synthetic:list,n=5", "--cycles", "1", "--quiet"])
    print("limited", file=sys.stderr)
    if os.getuid() == 0:
        os.setuid(65534)  # root may have any number of processes
elif soft < 0:  # beyond what the interpreter has already: without a GIL that is a gigabyte
    from pathlib import Path
    soft = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize() - soft
resource.setrlimit(kind, (soft, resource.getrlimit(kind)[1]))
sys.exit(main(words))
"""


def limited(kind: str, limit: int, words: list[str]) -> tuple[int, list[str]]:
    """Run a command under a limit, in a process of its own: its status and its lines on stderr."""
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, kind, str(limit), *words],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    return done.returncode, done.stderr.partition("limited\n")[2 if kind == "RLIMIT_NPROC" else 0].splitlines()


def test_a_small_heap_asks_for_little() -> None:
    """500 objects and no mutator: less than 100 MB; with mutators the room that they are given."""
    graph = heaps.read("synthetic:list,n=500")
    alone, busy = (sized(Config(mutators=mutators), graph) for mutators in (0, 4))

    (arena,) = arenas(alone, graph)
    assert needed(Config(mutators=0, arena=arena), graph) < 100_000_000
    sizes = list(arenas(busy, graph))
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] >= LEAST
    assert needed(Config(arena=sizes[0]), graph) < 1_000_000_000


@pytest.mark.parametrize(
    "source",
    ["synthetic:wide,n=200000", "synthetic:random,n=20000,size=8-9000", "synthetic:list,n=30000,size=8"],
)
def test_the_room_is_enough(source: str) -> None:
    """Small objects with a mask each, large ones, long lists: loaded and marked, and half of the memory is spare at most."""
    graph = heaps.read(source)
    run = Keep(Plan(config=Config(mutators=0, helpers=2), programs=(), cycles=2, concurrent=False), graph)

    kept = run.result(graph)

    assert not kept.violation
    assert run.machine.memory.take(1) < run.machine.memory.words


def test_less_is_taken_where_less_is_to_be_had() -> None:
    """The system refuses until a quarter of the wish is left; the arena is then as large as that."""
    graph = heaps.read("synthetic:list,n=500")
    config = sized(Config(mutators=1), graph)
    asked: list[int] = []

    def machine(words: int) -> HardwareMachine:
        asked.append(words)
        if len(asked) < 3:
            raise MemoryError
        return HardwareMachine(words=words)

    made, fitting = reserved(config, graph, machine)

    assert made.memory.words == asked[-1] == needed(fitting, graph) // WORD
    assert [fitting.arena] == list(arenas(config, graph))[2:3]
    with pytest.raises(
        MemoryError, match=r"^\d+ bytes of address space: a limit of (\d+) kB would do \(ulimit -v \1\)$"
    ):
        reserved(config, graph, lambda _: (_ for _ in ()).throw(MemoryError))


@LINUX
@pytest.mark.parametrize("words", [MARK, STRESS])
def test_too_little_address_space_is_one_line_with_the_number_that_would_do(words: list[str]) -> None:
    """And with that number the run is in order."""
    status, said = limited("RLIMIT_AS", -20_000_000, words)

    assert (status, len(said)) == (2, 1)
    found = re.search(r"\(ulimit -v (\d+)\)$", said[0])
    assert found, said
    assert limited("RLIMIT_AS", int(found[1]) * 1024, words) == (0, [])


@LINUX
@pytest.mark.parametrize("words", [MARK, STRESS])
def test_too_few_threads_are_one_line_with_the_number_that_would_do(words: list[str]) -> None:
    """As above, for the processes and threads of a user."""
    status, said = limited("RLIMIT_NPROC", 1, words)

    assert (status, len(said)) == (2, 1)
    found = re.search(r"threads are needed and the system has started 0: .*\(ulimit -u (\d+)\)", said[0])
    assert found, said
    assert limited("RLIMIT_NPROC", int(found[1]), words) == (0, [])


@LINUX
@pytest.mark.parametrize("spare", [220_000_000, 300_000_000, 600_000_000])
def test_no_limit_between_is_too_little(spare: int) -> None:
    """Where a run fits it fits with more, too: threads do not take what was spared for others."""
    assert limited("RLIMIT_AS", -spare - 7 * ALLOCATOR, STRESS) == (0, [])
