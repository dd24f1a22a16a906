"""The soak finds what is planted, and nothing where nothing is."""

from __future__ import annotations

import sys
from random import Random
from typing import TYPE_CHECKING

import pytest

from collector.report.log import queries
from collector.report.log.database import Logfile
from collector.report.log.writer import EventLog
from scripts import soak_lists
from scripts.soak import Soak, main, odd, opened
from workbuf.events import FULL, Event
from workbuf.lfstack import Lfstack, unpack
from workbuf.machine import Pause
from workbuf.recorder import Record


if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("kind", ["logs", "tokens", "heaps", "odd"])
def test_a_case_of_each_quick_kind(kind: str, seed: int) -> None:
    """The others are processes that are killed and interrupted: CI has a minute of them."""
    soak = Soak([sys.executable])
    soak.case(kind, seed)

    assert soak.findings == []
    assert soak.cases[kind] == 1


def test_a_traceback_is_found(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault of ours comes with the seed of its case."""
    for question in ("summary", "wbuf", "listing", "cycle", "contention", "whoheld", "violations"):
        monkeypatch.setattr(queries, question, None)
    soak = Soak([sys.executable])
    soak.case("logs", seed)

    assert len(soak.findings) == 1
    assert soak.findings[0].startswith(f"logs:{seed}: status 70")


def test_a_wrong_count_and_what_is_left_behind_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a log that was killed."""
    header = {"seed": 1, "python": "3.x", "command": "x", "threads": ["gc", "a"]}
    log = EventLog(tmp_path / "run.log", lambda b: f"wbuf{b}", header, rotation=2000, compression="gz")
    log.events(Record(1000 + i, 1, Event.PUT, i % 5, 358, FULL) for i in range(100))
    log.event("end", dropped=0)
    log.close()
    soak = Soak([])
    assert opened(soak, tmp_path)
    assert soak.counts["events counted"] == 100

    (tmp_path / ".0123.part").touch()
    with pytest.raises(Exception, match="left behind"):
        opened(soak, tmp_path)
    (tmp_path / ".0123.part").unlink()

    read = Logfile.open

    def short(path: str) -> Logfile:
        log = read(path)
        log.db.execute("DELETE FROM events WHERE id = 7")
        return log

    monkeypatch.setattr(Logfile, "open", short)
    with pytest.raises(Exception, match="99 events of 100"):
        opened(soak, tmp_path)


def test_what_is_drawn_can_be_run(tmp_path: Path, seed: int) -> None:
    """No more programs than mutators, which the command refuses; of both, and of neither, there are some."""
    rng, soak = Random(seed), Soak([])
    drawn = [soak.words(rng, tmp_path) for _ in range(2000)]
    both = [words for words in drawn if {"--programs", "--mutators"} <= {*words}]

    assert both
    assert len(both) < sum("--programs" in words for words in drawn) < len(drawn)
    for words in both:
        programs, mutators = (words[words.index(name) + 1] for name in ("--programs", "--mutators"))
        assert len(programs.split(",")) <= int(mutators), words


@pytest.mark.parametrize("words", [["--kinds", "odd,none"], ["--case", "none:3"], ["--kinds", "odd,,logs"]])
def test_a_kind_that_there_is_not(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """It would be a finding in every case, for hours."""
    monkeypatch.setattr(sys, "argv", ["soak", *words, "--cases", "1"])
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 2


def test_a_wrong_status_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, seed: int) -> None:
    """An option that was thought to be refused and is not."""
    monkeypatch.setattr("scripts.soak.ODD", {"--cycles": ("1",)})
    with pytest.raises(Exception, match="status 0"):
        odd(Soak([sys.executable]), Random(seed), tmp_path)


class ByStore(Lfstack):
    """Pops by a load and a store: two threads may take one node."""

    def lfstackpop(self, head: int) -> int:
        old = self.port.load(head)
        if old == 0:
            return 0
        node = unpack(old) >> 3
        self.port.pause(Pause.OSYIELD, 1)
        self.port.store(head, self.port.load(node))
        return node


def test_the_lists_soak_counts_every_node(seed: int) -> None:
    """Nothing is lost, and what was asked for was done."""
    soak = soak_lists.Soak(nodes=16, threads=3, operations=30_000, seed=seed)
    soak.machine.run()

    assert sum(soak.done) >= 30_000
    assert soak.lost() == 0


def test_the_lists_soak_sees_a_ring() -> None:
    """A stack whose last node points at its first has no end: its nodes come twice."""
    soak = soak_lists.Soak(nodes=4, threads=1, operations=2, seed=1)
    boot = Lfstack(soak.machine.boot(), soak.world, soak.records[0])
    node = boot.lfstackpop(soak.heads[0])
    boot.lfstackpush(soak.heads[0], node)
    soak.machine.boot().store(node, soak.machine.boot().load(soak.heads[0]))

    assert soak.lost() > 0


def test_the_lists_soak_sees_a_pop_in_two_steps(seed: int) -> None:
    """A node in two hands, or one that is gone."""
    soak = soak_lists.Soak(nodes=16, threads=3, operations=300_000, seed=seed, stack=ByStore)
    try:
        soak.machine.run()
    except soak_lists.TwiceError:
        return
    assert soak.lost() > 0
