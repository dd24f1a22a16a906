"""The commands over real heaps: heap, heap --mark, referee, and stress --heap."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from collector.commands.limits import size
from collector.guide import page
from collector.heaps import Graph, oracle, read
from collector.heaps.oracle import reach
from collector.run import main
from collector.stress.survivors import Keep, KeepingM
from tests.collector.heaps.writers import HPROF_HEADER, GoDump, hprof_bytes, record


SAMPLES = Path(__file__).parents[2] / "heaps"
BEFORE = SAMPLES / "go119-pair-small.heapdump.before.gz"
AFTER = SAMPLES / "go119-pair-small.heapdump.after.gz"


def summary(words: list[str], out: Path) -> tuple[int, dict[str, Any]]:
    """Run a command with --json: its status and what it wrote."""
    status = main([*words, "--json", str(out)])
    return status, json.loads(out.read_text())


@pytest.mark.parametrize("sample", sorted(path.name for path in SAMPLES.glob("*.gz")))
def test_every_sample_is_marked_as_the_oracles_say(sample: str, tmp_path: Path) -> None:
    """The marks of our threads are what a traversal of the file's own graph reaches."""
    status, figures = summary(["heap", str(SAMPLES / sample), "--mark"], tmp_path / "out.json")

    assert status == 0
    assert (figures["lost"], figures["wrongly_marked"]) == (0, 0)
    assert figures["marked"] == figures["reachable"] > 0


def test_a_heap_is_described(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The table for people and the figures for programs agree."""
    status, figures = summary(["heap", "synthetic:list,n=500,seed=3"], tmp_path / "out.json")

    assert status == 0
    assert (figures["objects"], figures["edges"], figures["depth"], figures["longest_chain"]) == (500, 499, 499, 500)
    assert "500" in capsys.readouterr().out


@pytest.mark.parametrize(("option", "of"), [("--most", "--types"), ("--helpers", "--mark")])
def test_an_option_of_another_is_not_passed_over(option: str, of: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Without that other."""
    assert main(["heap", "synthetic:list,n=5", option, "1"]) == 2
    assert f"{option} is of {of}: add that, or leave it out" in capsys.readouterr().err
    assert main(["heap", "synthetic:list,n=5", option, "1", of]) == 0


def test_go_is_the_referee(tmp_path: Path) -> None:
    """Over the Go 1.19 pair nothing is missing in any of the four runs."""
    status, verdict = summary(["referee", str(BEFORE), str(AFTER)], tmp_path / "out.json")

    assert status == 0
    assert (verdict["missing"], verdict["extra"], verdict["new"], verdict["kept"]) == (0, 0, 4, 8238)
    assert (verdict["phantoms"], verdict["unseen"]) == (0, 0)
    assert verdict["cycles"] == len(verdict["runs"]) == 4
    assert [bool(run["barriers"]) for run in verdict["runs"].values()] == [False, False, False, True]


def pairofdumps(tmp_path: Path, *, held: bool) -> list[str]:
    """Two dumps of two objects, the second of which nothing holds in BEFORE; in AFTER the data segment does, if `held`."""
    paths = []
    for name, roots in (
        ("before", {0: 0xC000000000}),
        ("after", {0: 0xC000000000} | ({8: 0xC000000040} if held else {})),
    ):
        dump = GoDump().params().object(0xC000000000, 64, {}).object(0xC000000040, 64, {}).segment(12, 16, roots)
        path = tmp_path / name
        path.write_bytes(dump.statistics(len(roots)).done())
        paths.append(str(path))
    return paths


def test_what_go_kept_and_we_do_not_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Planted: an AFTER that holds an object which nothing reaches in BEFORE.  Without it the pair is in order."""
    status, verdict = summary(["referee", *pairofdumps(tmp_path, held=True)], tmp_path / "out.json")

    assert (status, verdict["missing"], verdict["missing_at"]) == (1, 1, [0xC000000040])
    assert "missing at 0xc000000040" in capsys.readouterr().out
    assert main(["referee", *pairofdumps(tmp_path, held=False)]) == 0


def test_what_go_freed_or_nobody_can_judge_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A cleanup queued in AFTER; two roots of BEFORE whose objects AFTER lists without one, and does not list."""
    at = [0xC000000000 + 64 * i for i in range(4)]
    before, after = GoDump().params(), GoDump().params()
    for made, objects in ((before, at), (after, at[:3])):
        for address in objects:
            made.object(address, 64, {})
    before.segment(12, 24, {0: at[0], 8: at[2], 16: at[3]})
    after.segment(12, 24, {0: at[0]}).finalizer(0, at[1], queued=True)
    (tmp_path / "before").write_bytes(before.statistics(4).done())
    (tmp_path / "after").write_bytes(after.statistics(3).done())

    status, found = summary(["referee", str(tmp_path / "before"), str(tmp_path / "after")], tmp_path / "out.json")

    said = capsys.readouterr().out
    assert status == 0
    assert (found["missing"], found["not_judged"], found["not_judged_at"]) == (0, 1, [at[1]])
    assert (found["extra"], found["extra_listed"], found["extra_freed"]) == (2, 1, 1)
    assert "extra: AFTER still lists 1 (unlinked between Go's collection and the dump), 1 were freed" in said
    assert "not judged: 1 objects that only queued cleanups keep" in said


def test_a_collector_that_forgets_a_mark(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Planted: one object is never greyed.  Go misses it, the oracles miss it, the run's own audit does, and all say so."""
    grey = KeepingM.greyobject
    forgotten: list[int] = []

    def forget(self: KeepingM, obj: int, base: int, off: int, hbits: int, bits: int, wbuf: int) -> int:
        assert self.noting is not None
        assert self.noting.placed is not None
        if obj == self.noting.placed.address[forgotten[0]]:
            return wbuf
        return grey(self, obj, base, off, hbits, bits, wbuf)

    monkeypatch.setattr(KeepingM, "greyobject", forget)
    graph = read(str(BEFORE))
    forgotten.append(reach(graph).index(1))

    status, verdict = summary(["referee", str(BEFORE), str(AFTER)], tmp_path / "out.json")

    assert status == 1
    assert graph.address[forgotten[0]] in verdict["missing_at"]
    assert all("violation (lost)" in run["violation"] for run in verdict["runs"].values())
    assert "failed: missing" in capsys.readouterr().out

    status, figures = summary(["heap", str(BEFORE), "--mark"], tmp_path / "out.json")

    assert status == 1
    assert figures["lost"] == figures["reachable"] - figures["marked"] > 0
    assert {says["lost"] for says in figures["oracles"].values()} == {figures["lost"]}
    assert graph.address[forgotten[0]] in figures["lost_at"]
    assert "violation (lost)" in figures["violation"]


@pytest.mark.parametrize("wrong", ["search", "second"])
def test_an_oracle_that_disagrees_shows(
    wrong: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Planted: one of two oracles says that an object more is reachable.  The marks must be as both say."""

    def more(graph: Graph) -> bytearray:
        marks = reach(graph)
        marks[marks.index(0)] = 1
        return marks

    monkeypatch.setattr(oracle, "oracles", lambda: {"search": reach, "second": reach} | {wrong: more})

    status, figures = summary(["heap", str(BEFORE), "--mark"], tmp_path / "out.json")

    assert (status, figures["lost"], figures["oracles"][wrong]["lost"]) == (1, 1, 1)
    assert f"by {wrong}" in capsys.readouterr().out


def test_a_lost_object_is_a_violation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Planted: one object whose mark is not noted.  The referee names its address."""
    note = Keep.note

    def forget(self: Keep, m: KeepingM) -> None:
        note(self, m)
        assert self.marks is not None
        self.marks[self.marks.index(1)] = 0

    monkeypatch.setattr(Keep, "note", forget)

    status, verdict = summary(["referee", str(BEFORE), str(AFTER)], tmp_path / "out.json")

    assert status == 1
    assert verdict["missing"] == 1
    assert hex(verdict["missing_at"][0]) in capsys.readouterr().out
    assert main(["heap", str(BEFORE), "--mark"]) == 1


def test_a_real_heap_survives_its_mutators(tmp_path: Path, seed: int) -> None:
    """Stress over a Go dump, rewired meanwhile."""
    words = ["--heap", str(BEFORE), "--cycles", "2", "--programs", "rewire,hider", "--quiet", "--seed", str(seed)]
    status, figures = summary(words, tmp_path / "out.json")

    assert status == 0
    assert figures["reachable"] > 1000
    assert (figures["lost"], figures["violations"], figures["buffers_leaked"]) == (0, 0, 0)


@pytest.mark.parametrize("second", [(8, "pointers"), (0, "another one")])
def test_finalizers_that_go_cannot_have_set_are_one_line(
    second: tuple[int, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Inside an object, or twice: no throw of the model, in `heap --mark` and in stress."""
    at = 0xC000000000
    dump = GoDump().params().object(at, 64, {}).segment(12, 8, {0: at}).finalizer(at, at).finalizer(at + second[0], at)
    path = tmp_path / "finalizers"
    path.write_bytes(dump.statistics(1).done())

    for words in (["heap", str(path), "--mark"], ["--heap", str(path), "--cycles", "1"]):
        assert main(words) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert "a finalizer" in line or "one finalizer" in line
        assert second[1] in line


def test_limits_are_options(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each limit is named where it refuses, and lifted by its option or by --trust, in every command."""
    zeros = tmp_path / "zeros.hprof.gz"
    zeros.write_bytes(gzip.compress(HPROF_HEADER + record(0x0C, hprof_bytes(0x1000, bytes(24 << 20))), 9))
    commands = ["heap", str(zeros)], ["heap", str(zeros), "--mark"]

    for words in commands:
        assert main(words) == 2
        assert "(see --max-ratio)" in capsys.readouterr().err
        assert main([*words, "--max-ratio", "2000"]) == 0
        assert main([*words, "--max-ratio", "2000", "--max-heap", "20M"]) == 2
        assert "at most 20971520 bytes of heap, found more (see --max-heap)" in capsys.readouterr().err
        assert main([*words, "--trust"]) == 0
    for words in (["heap", str(BEFORE)], ["referee", str(BEFORE), str(AFTER)], ["--heap", str(BEFORE)]):
        assert main([*words, "--max-objects", "1000"]) == 2
        assert "at most 1000 objects, found more (see --max-objects)" in capsys.readouterr().err


@pytest.mark.parametrize("command", [["heap"], ["referee"], ["stress"]])
def test_limits_and_their_defaults_are_in_the_help(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """And in the guide, where they are named."""
    with pytest.raises(SystemExit):
        main([*command, "--help"])

    said = " ".join(capsys.readouterr().out.split())
    guide = page("heaps")
    for option, default in (("--max-heap", "8G"), ("--max-objects", "16777216"), ("--max-ratio", "200")):
        assert option in said
        assert f"({default})" in said
        assert option in guide
        assert default in guide


@pytest.mark.parametrize("text", ["", "x", "1.5G", "-1", "0", "8 G", "9" * 30, "1P", "\u0663"])
def test_sizes(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A number of bytes, with K, M, G or T; anything else is bad usage."""
    with pytest.raises(SystemExit, match="2"):
        main(["heap", "cpython", f"--max-heap={text}"])
    assert "say 500000, 512M or 8G" in capsys.readouterr().err
    assert [size(word) for word in ("7", "2k", "3M", "1G", "1t")] == [7, 2048, 3 << 20, 1 << 30, 1 << 40]


@pytest.mark.parametrize(
    "words",
    [
        ["heap", "/nowhere/at/all"],
        ["heap", "synthetic:cube"],
        ["referee", str(BEFORE), str(SAMPLES / "node20-small.heapsnapshot.gz")],
        ["referee", str(AFTER), str(BEFORE)],
        ["referee", str(SAMPLES / "go119-small-nogc.heapdump.gz"), str(AFTER)],
        ["--heap", str(Path(__file__))],
        ["heap", "synthetic:list,n=100000,size=1000000", "--mark"],
    ],
)
def test_what_cannot_be_read_is_one_line(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Status 2, one line, no traceback."""
    assert main(words) == 2

    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert "expected" in said[0]
