"""From a failed run's log to a schedule that fails in the same way."""

from __future__ import annotations

import json
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

import pytest

from collector.explore import explore
from collector.explore.result import Failure, Result
from collector.explore.simulation import Simulation
from collector.explore.strategies.base import Options
from collector.explore.strategies.walk import RandomWalk
from collector.explore.token import Token
from collector.explore.trace.step import Schedule
from collector.hunt.facts import Facts, facts
from collector.hunt.search import hunt
from collector.hunt.worlds import world, worlds
from collector.report.log.recorded import Recorded
from collector.run import main


if TYPE_CHECKING:
    from collections.abc import Callable

    Failed = Callable[..., str]

KNOWN = Facts(
    text="violation (lost): 3 reachable objects are not marked",
    hang=False,
    crash=False,
    fault="",
    phase="marktermination",
    helpers=2,
    syscalls=False,
    handoffs=False,
    assists=False,
    buffers=False,
    marks=True,
    freed=False,
    finalizers=False,
    cycle=2,
    stopped=False,
    threads=("gc",),
)


def failure(kind: str, message: str) -> Failure:
    """As the explorer has it."""
    return Failure(kind, message, "", Schedule((), ()))


@pytest.fixture(name="failed")
def _failed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Failed:
    """Makes a run fail and returns its log."""

    def failed(fault: str, *options: str) -> str:
        log = str(tmp_path / "run.log")
        words = ["stress", "--plant", fault, "--heap", "synthetic:random,n=200", "--cycles", "15", "--until-failure"]
        assert main([*words, "--quiet", "--programs", "rewire,hider", *options, "--log", log]) == 1
        assert (
            f"find a schedule that fails in the same way: python -m collector.run hunt {log}" in capsys.readouterr().out
        )
        return log

    return failed


@pytest.mark.parametrize("fault", ["harvest-nothing", "stacks-unscanned-at-the-end", "putfull-unlogged"])
def test_from_the_log_to_the_schedule(
    fault: str, failed: Failed, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The token is of a failure of the same kind; replayed, it fails again; explained, it says so."""
    log, token, out = failed(fault), tmp_path / "token", tmp_path / "out.json"

    assert main(["hunt", log, "--seconds", "200", "--token", str(token), "--json", str(out)]) == 1

    told = json.loads(out.read_text())
    assert f":{fault}:" in told["world"]
    assert told["schedule"] == token.read_text().strip()
    assert told["tried"][-1]["came"]
    assert f"replay it with: python -m collector.run replay {told['schedule']}" in capsys.readouterr().out
    assert main(["replay", told["schedule"]]) == 1
    message = told["tried"][-1]["came"].rpartition("throw: ")[2]
    assert message in capsys.readouterr().out
    assert facts(Recorded(log)).same(failure("throw", message))
    assert main(["explain", told["schedule"]]) == 1
    assert message in capsys.readouterr().out


def test_what_was_tried_is_said(failed: Failed, capsys: pytest.CaptureFixture[str]) -> None:
    """Where nothing is found in the time: status 3, and the worlds."""
    log = failed("harvest-nothing")
    Path(log).write_text(Path(log).read_text().replace("an M's cache still holds", "nobody says"))

    for seconds in (3, 30, 100):  # on a busy machine little is tried in three
        assert main(["hunt", log, "--seconds", str(seconds)]) == 3
        told = capsys.readouterr().out
        if "of another kind, in cycle:" in told:
            break

    assert "cycle:move+hide:7:" in told or "cycle:call+move:7:" in told
    assert "of another kind, in cycle:" in told
    assert "not found: no schedule of these worlds" in told


def test_shrinking_is_no_part_of_a_searchs_seconds(failed: Failed, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor of the time that there is: what was found is shrunk, however long that takes."""
    known = facts(Recorded(failed("harvest-nothing")))
    waited = [0.0]

    def shrinks(*args: Any, **options: Any) -> Result:  # noqa: ANN401
        waited[0] += 1000 * options["shrink"]
        return explore(*args, **options)

    monkeypatch.setattr("collector.hunt.search.monotonic", lambda: monotonic() + waited[0])
    monkeypatch.setattr("collector.hunt.search.explore", shrinks)
    found = hunt(known, 200, 1, {}, lambda _: None)

    assert found.result
    assert waited == [1000]
    assert 0 < found.tried[-1].seconds < 1000


def test_a_run_that_did_not_fail(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """There is nothing to hunt."""
    log = str(tmp_path / "run.log")
    assert main(["stress", "--heap", "none", "--cycles", "1", "--quiet", "--log", log]) == 0
    assert main(["hunt", log]) == 2
    assert "did not fail" in capsys.readouterr().err


def test_a_log_without_an_end(failed: Failed, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of a run that was killed: nobody says that it did not fail.  Where its failure was still written, it is hunted."""
    lines = Path(failed("harvest-nothing")).read_text().splitlines(keepends=True)
    killed, cut = tmp_path / "killed.log", tmp_path / "cut.log"
    killed.write_text("".join(lines[:-2]) + lines[-2][:20])
    cut.write_text("".join(lines[:-1]))

    assert main(["hunt", str(killed)]) == 2
    said = capsys.readouterr().err
    assert "neither a failure nor an end" in said
    assert "killed" in said
    assert "did not fail" not in said
    assert main(["hunt", str(cut), "--seconds", "200"]) == 1
    assert "found: " in capsys.readouterr().out


def test_the_likeliest_world_comes_first() -> None:
    """What the log shows: helpers, calls, handoffs, assists, what kinds of collections; then the run's programs."""
    programs = (("rewire", "hider"),)

    def first(**other: Any) -> str:  # noqa: ANN401
        return worlds(KNOWN._replace(**other))[0]

    assert first() == "cycle:move+hide:7:1::cc"
    assert first(cycle=1) == "cycle:move+hide:7:1::c"
    assert first(helpers=0, fault="barrier-off") == "cycle:move+hide:7:0:barrier-off:cc"
    assert first(syscalls=True) == "cycle:call+move:7:1::cc"
    assert first(assists=True) == "cycle:move+hide:25:1::cc"
    assert first(handoffs=True) == "cycle:move+hide:25:2::s:8"
    assert first(freed=True, cycle=6) == "cycle:replace+replace:7:1::ccc"
    assert first(buffers=True, stopped=True) == "cycle:move+hide:7:1::s"
    theirs = [name for name in worlds(KNOWN._replace(programs=programs, stopped=True)) if "hider" in name]
    assert theirs[:4] == [f"cycle:rewire+hider:{n}:1::{plan}" for plan in ("cs", "s") for n in (7, 25)]
    last = worlds(KNOWN._replace(programs=programs, freed=True, cycle=7))
    assert "cycle:rewire+hider:7:1::cccc" in last[:16]
    finalizing = KNOWN._replace(programs=(*programs, ("finalizers", "rewire")), finalizers=True, freed=True, cycle=7)
    assert worlds(finalizing)[0] == "cycle:finalizers+rewire:7:1::cccc"
    assert len(set(worlds(KNOWN))) == 20


@pytest.mark.parametrize(
    "name",
    [
        *worlds(KNOWN)[::5],
        "cycle:latesend+latesend:25:1::cs",
        "cycle:finalizers+pushpop",
        "cycle:replace+move:25:2::s:8",
    ],
)
def test_worlds_can_be_explored(name: str) -> None:
    """To the end of a schedule, which passes."""
    trail, fault, _ = Simulation(Token(), world(name)[1].program).complete((), RandomWalk(Options(seed=1)))

    assert len(trail) > 100
    assert fault is None


def test_a_fault_of_allocation_shows_in_spans_of_eight_slots() -> None:
    """Which are what small worlds have."""
    small = world("cycle:pushpop+syscalls:7:0:slot-taken-twice:cc")[1].program

    _, fault, _ = Simulation(Token(limit=8000), small).complete((), RandomWalk(Options(seed=1)), 50)

    assert fault is not None
    assert "heap corrupted" in fault.message


def test_the_same_kind() -> None:
    """But for numbers; a hang is one whatever the explorer calls it."""
    assert KNOWN.same(failure("throw", "1 reachable objects are not marked"))
    assert not KNOWN.same(failure("throw", "work.full != 0"))
    assert KNOWN._replace(hang=True).same(failure("livelock", "gc goes round in a circle"))
    assert not KNOWN._replace(hang=True).same(failure("throw", "x"))
    crashed = KNOWN._replace(crash=True)
    assert crashed.same(failure("throw", "unexpected fault address 0x18"))
    assert not crashed.same(failure("throw", "1 reachable objects are not marked"))


def test_the_protocol_as_it_is_passes() -> None:
    """No world fails of itself."""
    found = hunt(KNOWN, 3.0, 1, {}, lambda _: None)
    assert found.result is None
    assert found.other is None
    assert sum(one.schedules for one in found.tried) > 0


@pytest.mark.parametrize(
    "name",
    [
        "cycle:fly",
        "cycle:move:0",
        "cycle:move:3:x",
        "cycle:move:3:1:no-such",
        "cycle:move:3:1::x",
        "cycle:move::::ccccc",
        "cycle:move:3:1::c:4",
    ],
)
def test_names_that_mean_nothing(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One line, status 2."""
    with pytest.raises(ValueError, match=r"cycle:|objects|collections"):
        world(name)
    assert main(["explore", name]) == 2
    assert name in capsys.readouterr().err
