"""Why an object is alive, and what a heap consists of: shortest paths and counts by type."""

from __future__ import annotations

import json
import struct
from dataclasses import asdict, replace
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pytest

from collector.heaps import Graph, Limits, read
from collector.heaps.graph import broken, typed
from collector.heaps.hprofclasses import readable
from collector.heaps.path import Path as Way
from collector.heaps.path import named, path
from collector.heaps.types import bytype
from collector.run import main
from tests.collector.heaps.graphs import SIZE, graph
from tests.collector.heaps.writers import HPROF_HEADER, hprof_bytes, hprof_class, hprof_instance, hprof_objects, record


if TYPE_CHECKING:
    from collections.abc import Iterable

SAMPLES = Path(__file__).parents[2] / "heaps"
JAVA = SAMPLES / "java17-small-all.hprof.gz"


def distances(of: Graph) -> dict[int, int]:
    """Links from the nearest root to each reachable object, by relaxation until nothing changes."""
    far = dict.fromkeys(of.root_objects(), 1)
    changed = True
    while changed:
        changed = False
        for i in list(far):
            for j in of.targets(i):
                if far.get(j, of.objects + 1) > far[i] + 1:
                    far[j] = far[i] + 1
                    changed = True
    return far


def follows(of: Graph, way: Way) -> bool:
    """Is every link a slot of the object before it?"""
    for above, below in zip(way.links, way.links[1:], strict=False):
        slots = range(of.first[above.object], of.first[above.object + 1])
        there = {(of.offset[k], of.target[k], of.interior[k]) for k in slots}
        if (below.offset, below.object, below.interior) not in there:
            return False
    return True


@pytest.mark.parametrize("seed", range(20))
def test_a_path_is_there_and_none_is_shorter(seed: int) -> None:
    """On random graphs, for every object: as long as relaxation says, each link a slot; none for garbage."""
    rng = Random(seed)
    n = rng.randrange(2, 30)
    edges = [rng.choices(range(n), k=rng.randrange(4)) for _ in range(n)]
    of = graph(edges, rng.sample(range(n), rng.randrange(1, 3)), [(rng.randrange(n), rng.randrange(n))] * (seed % 2))
    far = distances(of)

    for i in range(n):
        way = path(of, [i])
        if way is None:
            assert i not in far
            continue
        assert (len(way.links), way.links[-1].object) == (far[i], i)
        assert way.links[0].object in set(of.root_objects())
        assert follows(of, way)


def test_a_path_with_a_wrong_link_does_not_follow() -> None:
    """The check of the test above can fail."""
    of = graph([[1], [2], []], [0])
    way = path(of, [2])

    assert way is not None
    assert follows(of, way)
    assert not follows(of, replace(way, links=(way.links[0], way.links[2])))


def test_the_nearest_of_several_is_taken() -> None:
    """A type's name means all its objects."""
    of = graph([[1], [2], [], []], [0])

    assert path(of, [2, 1]) == path(of, [1])
    assert path(of, [3]) is None


def test_an_object_is_named_by_its_address_or_one_inside_it() -> None:
    """In decimal and hexadecimal; an address outside is nobody's."""
    of = graph([[], []], [0])

    assert named(of, hex(0x1000 + SIZE)) == named(of, str(0x1000 + SIZE + 8)) == [1]
    assert named(of, "0xfff") == named(of, "Thing") == []


def test_finalizers_keep_what_they_need() -> None:
    """The closure and what the object refers to are alive by it; the object itself is not."""
    of = graph([[1], [], []], [], [(0, 2)])

    assert [path(of, [i]) is None for i in range(3)] == [True, False, False]
    closure, referent = path(of, [2]), path(of, [1])
    assert closure is not None
    assert referent is not None
    assert closure.root == f"closure of the finalizer of the object at {0x1000:#x}"
    assert referent.root == f"object with a finalizer at {0x1000:#x}"


def test_types_add_up() -> None:
    """Every object, byte and reachable object is counted once, and keys of one name are one type."""
    of = graph([[1], [], [], []], [0])
    kinds, names = typed([7, 8, 9, 7], lambda key: "odd" if key % 2 else "even")
    of = replace(of, type=kinds, types=names)

    assert broken(of) is None
    assert [asdict(count) for count in bytype(of)] == [
        {"type": "odd", "objects": 3, "bytes": 3 * SIZE, "reachable": 1},
        {"type": "even", "objects": 1, "bytes": SIZE, "reachable": 1},
    ]
    assert broken(replace(of, types=names[:1])) == "an object's type has no name"


def string(identifier: int, name: str) -> bytes:
    """A STRING record."""
    return record(0x01, struct.pack(">Q", identifier) + name.encode())


def loaded(address: int, name: int) -> bytes:
    """A LOAD CLASS record."""
    return record(0x02, struct.pack(">IQIQ", 1, address, 0, name))


@pytest.mark.parametrize("window", [1, 60, 1 << 20])
def test_java_classes_have_their_names(tmp_path: Path, window: int) -> None:
    """As sources write them; a class that no record names has its address."""
    heap = (
        hprof_class(0x100, 0, 0, b""),
        hprof_class(0x200, 0, 0, b""),
        hprof_instance(0x300, 0x100, b""),
        hprof_objects(0x400, 0x200, [0x300]),
        hprof_bytes(0x500, b"abc"),
        hprof_instance(0x600, 0x700, b""),
        hprof_class(0x700, 0, 0, b""),
    )
    names = string(1, "java/lang/Thread") + string(2, "[Ljava/lang/Thread;") + loaded(0x100, 1) + loaded(0x200, 2)
    file = tmp_path / "j.hprof"
    file.write_bytes(HPROF_HEADER + names + record(0x1C, b"".join(heap)) + record(0x2C, b""))

    of = read(str(file), limits=Limits(window=window))

    types = {of.address[i]: of.types[of.type[i]] for i in range(of.objects)}
    assert types == {
        0x100: "java.lang.Class",
        0x200: "java.lang.Class",
        0x300: "java.lang.Thread",
        0x400: "java.lang.Thread[]",
        0x500: "byte[]",
        0x600: "class at 0x700",
        0x700: "java.lang.Class",
    }


@pytest.mark.parametrize(
    ("internal", "written"),
    [("a/B$C", "a.B$C"), ("[[I", "int[][]"), ("[La/B;", "a.B[]"), ("[", "[]"), ("", "")],
)
def test_names_of_the_jvm(internal: str, written: str) -> None:
    """Arrays and packages."""
    assert readable(internal) == written


def samples() -> Iterable[str]:
    """Heaps that tell types."""
    return ("cpython", str(JAVA), str(SAMPLES / "node20-small.heapsnapshot.gz"))


@pytest.mark.parametrize("heap", samples(), ids=lambda heap: Path(heap).name)
def test_the_command_counts_by_type(heap: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The counts add up to the heap's own figures."""
    out = tmp_path / "out.json"
    # Of this interpreter, which may be a large one, a part will do.
    part = ["--max-objects", "30000"] if heap == "cpython" else []
    assert main(["heap", heap, "--types", "--most", "3", "--json", str(out), *part]) == 0

    figures = json.loads(out.read_text())
    for what in ("objects", "bytes", "reachable"):
        assert sum(count[what] for count in figures["types"]) == figures[what]
    said = capsys.readouterr().out
    assert figures["types"][0]["type"] in said
    assert f"(the first 3 of {len(figures['types'])} types; --most N for more)" in said


def test_the_command_says_why_an_object_is_alive(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By its type's name and by its address, the same path."""
    out, again = tmp_path / "out.json", tmp_path / "again.json"
    assert main(["heap", str(JAVA), "--path", "java.util.HashMap$Node[]", "--json", str(out)]) == 0
    assert "alive by data: sticky class\nslot " in capsys.readouterr().out
    links = json.loads(out.read_text())["path"]["links"]
    assert main(["heap", str(JAVA), "--path", hex(links[-1]["address"]), "--json", str(again)]) == 0

    assert json.loads(again.read_text())["path"]["links"] == links


def test_what_is_not_there_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    """No such object: status 2, with the nearest type; garbage and a format without types: in a line."""
    assert main(["heap", str(JAVA), "--path", "java.util.HashMa"]) == 2
    assert "(did you mean java.util.HashMap?); objects lie from 0x" in capsys.readouterr().err

    go = str(SAMPLES / "go119-small-nogc.heapdump.gz")
    assert main(["heap", go, "--types", "--path", "0xc000000000"]) == 0
    said = capsys.readouterr().out
    assert "types: the format go tells none\n" in said
    assert "0xc000000000: no path from a root: it is garbage\n" in said
