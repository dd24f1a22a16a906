"""The matrix: known faults and mutants are killed by what should kill them, a hang is a result, and rows outlive a run."""

from __future__ import annotations

import json
import os
import re
import signal
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import pytest

from collector import guide, mutation
from collector.commands.status import INTERRUPTED
from collector.commands.stressexecution import interpreter
from collector.faults import FAULTS
from collector.mutation import checks, matrix
from collector.mutation.battery import COLLECTIONS, killed, of_fault, of_source
from collector.mutation.cell import isolated
from collector.mutation.kill import RACE, STRESS, Kill
from collector.mutation.matrix import KILLED, SURVIVED, FaultRow, Limits, MutantRow, fault_row, mutant_row
from collector.mutation.mutants import digest, every
from collector.mutation.programs import FOUND_BY, RACES
from collector.mutation.store import Store
from collector.report.faults import by_options, fault_line, files, old, page, record, totals
from collector.run import main
from collector.scenarios.museum import STRATEGIES


LIMITS = Limits(schedules=300, seconds=2.0, seeds=1)
STACK = "workbuf/lfstack.py"


def spins() -> None:
    """Never ends."""
    while True:
        pass


def eats() -> int:
    """More than there is."""
    return len(bytearray(1 << 40))


def deaf() -> bool:
    """Does it hear of Ctrl-C?"""
    os.kill(os.getpid(), signal.SIGINT)
    return signal.SIGINT in signal.sigpending()


def dies() -> None:
    """Without a word."""
    raise SystemExit(7)


def test_a_fault_is_killed_by_both() -> None:
    """The first mark shows it already, whatever the threads do, on either machine."""
    row = fault_row("mcaches-unflushed", LIMITS)

    assert row.race is not None
    assert row.race.schedules
    assert {*row.strategies} == {*STRATEGIES}
    assert row.stress is not None
    assert row.verdict == KILLED
    assert "mcaches-unflushed" in fault_line(row)


def test_a_mutant_is_killed_and_the_next_one_is_not() -> None:
    """The CAS of a pop made plain; a process has nothing of another's mutant, so a change of no consequence survives."""
    known = every([STACK])
    (plain,) = [mutant for mutant in known.values() if mutant.kind == "plain" and "nxt" in mutant.was]
    (count,) = [mutant for mutant in known.values() if "cas_failures" in mutant.id and "pop" in mutant.id]
    ran = {"stack": [f"{STACK} Lfstack.lfstackpop"], "pool": ["another file"]}

    killed = mutant_row(plain, ran, LIMITS)
    alive = isolated(RACE, checks.race_mutant, 200.0, count, ["stack"], 300, 1)

    assert killed.verdict == KILLED
    assert killed.kill is not None
    assert (killed.kill.by, killed.kill.program) == (RACE, "stack")
    assert alive is None


@pytest.mark.parametrize(
    ("file", "dropped", "check"),
    [
        (
            "collector/cycle.py",
            "Cycle.background: drop `self.gcwork(force)`",
            "cycles: there was no cycle but the forced",
        ),
        ("mutator/heap/central.py", "Central.mcentral_freespan: drop `self.mheap_free(span)`", "heap: "),
    ],
)
def test_stress_looks_at_what_no_throw_tells(file: str, dropped: str, check: str) -> None:
    """No collection, and memory that is lost: neither harms a live object."""
    mutant = every([file])[f"{file} {dropped}"]
    killed = isolated(STRESS, checks.stress_mutant, 200.0, mutant, 20.0, 1)

    assert killed is not None
    assert killed.check.startswith(check), killed


@pytest.mark.parametrize(("check", "what"), [(spins, "hang"), (eats, "memory"), (dies, "crash")])
def test_what_ends_badly_is_a_result(check: object, what: str) -> None:
    """A mutant may do anything."""
    ended = isolated(STRESS, check, 1.0)  # type: ignore[arg-type]

    assert isinstance(ended, Kill)
    assert ended.check.startswith(what)


def test_rows_are_kept(tmp_path: Path) -> None:
    """What a file has is read again, of the same version only; what was cut off is not."""
    path = tmp_path / "rows.jsonl"
    (mutant, *_) = every([STACK]).values()
    fault = FaultRow("pop-by-store", Kill(RACE, "stack", "check: lost", 1, 0.5))
    store = Store(path, "one", "3.11")
    store.add(fault)
    store.add(MutantRow(mutant.id, mutant.file, mutant.line, None))
    store.add_ran({"stack": ["f"]})
    with path.open("a") as file:
        file.write('{"version": "protocol one, 3.11", "ki')

    again = Store(path, "one", "3.11")

    assert (again.faults, again.mutants, again.ran) == (store.faults, store.mutants, {"stack": ["f"]})
    assert not again.missing([fault.name, mutant.id])
    assert not Store(path, "one", "3.14").faults
    assert again.mutants[mutant.id].verdict == SURVIVED
    again.add(FaultRow("push-by-store", None))
    assert set(Store(path, "one", "3.11").faults) == {fault.name, "push-by-store"}, "it stands on a line of its own"


@pytest.mark.parametrize("text", ["no row\nno row\n", "a letter", '{"version": 1}\n', "[]\n", "\udcff\udcfe"])
def test_a_file_of_another_kind_is_no_store(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is refused in a line, and nothing is added to it."""
    path = tmp_path / "other"
    path.write_bytes(text.encode(errors="surrogateescape"))

    assert main(["faults", "--only", "pop-by-store", "--within", "1e-9", "--store", str(path)]) == 2
    assert capsys.readouterr().err.endswith(": line 1 is no row of `faults --store`: name a file of its own\n")
    assert path.read_bytes() == text.encode(errors="surrogateescape")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes")
def test_a_pipe_is_no_store(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody writes into it, so reading it would never end."""
    os.mkfifo(tmp_path / "pipe")

    assert main(["faults", "--within", "1e-9", "--store", str(tmp_path / "pipe")]) == 2
    assert "pipe: a device, a pipe or a socket" in capsys.readouterr().err


def test_a_fault_that_is_no_more(tmp_path: Path) -> None:
    """The row of an earlier protocol is passed over."""
    path = tmp_path / "rows.jsonl"
    Store(path, "one", "3.11").add(FaultRow("a fault of long ago", None))

    assert not Store(path, "two", "3.11").faults


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="no masks of signals")
def test_an_interrupt_is_no_result(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Ctrl-C goes to the processes of the matrix as well; they do not hear of it, and no row says that one has died."""
    path = tmp_path / "rows.jsonl"

    def run(_name: str, _limits: Limits) -> FaultRow:
        held = isolated(STRESS, deaf, 200.0)
        assert held is True
        raise KeyboardInterrupt

    monkeypatch.setattr(matrix, "fault_row", run)

    assert main(["faults", "--only", "pop-by-store", "--store", str(path)]) == INTERRUPTED
    assert not path.exists()


def test_rows_of_an_earlier_protocol(tmp_path: Path) -> None:
    """They are kept and told as such, and missing until they are run again; they replace none of this protocol."""
    path = tmp_path / "rows.jsonl"
    before = FaultRow("pop-by-store", None)
    since = FaultRow("pop-by-store", Kill(RACE, "stack", "check: lost", 1, 0.5))
    earlier = Store(path, "one", "3.11")
    earlier.add(before)
    earlier.add_ran({"stack": ["f"]})

    store = Store(path, "two", "3.11")
    assert (store.faults, store.earlier, store.ran) == ({"pop-by-store": before}, {"pop-by-store": "one"}, {})
    assert store.missing(["pop-by-store", "push-by-store"]) == ["pop-by-store", "push-by-store"]
    assert "1 planted faults and 0 mutants were run with an earlier protocol (one)" in old(
        store.faults, store.mutants, store.earlier
    )
    store.add(since)
    earlier.add(before)

    again = Store(path, "two", "3.11")
    assert (again.faults, again.earlier) == ({"pop-by-store": since}, {})
    assert again.missing(["pop-by-store"]) == []
    assert old(again.faults, again.mutants, again.earlier) == ""


def test_a_page_of_rows_of_an_earlier_protocol(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It says so, though no row has been run; a failure of that protocol is none of this one."""
    store, page_, out = tmp_path / "rows.jsonl", tmp_path / "page.md", tmp_path / "rows.json"
    Store(store, "0", interpreter()).add(FaultRow("pop-by-store", None))

    words = ["faults", "--store", str(store), "--within", "1e-9", "--markdown", str(page_), "--json", str(out)]
    assert main(words) == 0

    told = "1 planted faults and 0 mutants were run with an earlier protocol (0) and not again since."
    assert told in page_.read_text()
    assert told in capsys.readouterr().out
    assert json.loads(out.read_text())["earlier"] == {"pop-by-store": "0"}


def test_a_page_says_by_which_options_its_rows_were_made(tmp_path: Path) -> None:
    """Those of each row, not those of the command that wrote the page."""
    store, page_ = tmp_path / "rows.jsonl", tmp_path / "page.md"
    kept = Store(store, digest(), interpreter())
    kept.add(FaultRow("pop-by-store", None, limits=str(Limits(7, 2.0, 1))))
    kept.add(FaultRow("harvest-nothing", None))

    main(["faults", "--store", str(store), "--within", "1e-9", "--seconds", "5", "--markdown", str(page_)])

    told = "1 of the rows with `--seconds 2 --schedules 7 --seeds 1`, 1 of the rows with options that were not kept;"
    assert told in page_.read_text()
    assert by_options(Store(store, digest(), interpreter()).faults.values()) == told.rstrip(";")


def test_the_guides_page_has_every_planted_fault() -> None:
    """Or says that it was not run."""
    text = (Path(guide.__file__).parent / "faults.md").read_text("utf-8")
    unrun = re.findall(r"[\w-]+", next(iter(re.findall(r"^Not run: (.*)\.$", text, re.MULTILINE)), ""))
    told = re.findall(r"^\| ([a-z][\w-]*) \|", text.partition("## Mutants")[0], re.MULTILINE)

    assert sorted({*told, *unrun} - {"fault"}) == sorted(FAULTS)
    # Then the program is at fault: it offers less than the protocol may ask for.
    assert re.findall(r"exception: \w+Error", text.partition("## Mutants")[0]) == []


@pytest.mark.parametrize("fault", ["push-by-store", "pop-by-store"])
def test_one_thread_cannot_tell_two_steps_from_one(fault: str) -> None:
    """What a program for one thread says of a list that is right by one thread."""
    (program,) = (each for each in of_fault(FAULTS[fault], 60) if each.name == "upperhalf")

    assert killed([program], 1) == (None, None)


def test_tables() -> None:
    """The page has every fault, the sums, and the holes."""
    known = every([STACK])
    (mutant, *_) = known.values()
    rows = {mutant.id: MutantRow(mutant.id, mutant.file, mutant.line, None)}
    faults = [FaultRow("pop-by-store", None, stress=Kill(STRESS, "stops", "throw: odd", 0, 1.25))]
    text = page(faults, known, rows, "Made by hand.")

    assert totals(faults) == "1 planted fault: 1 killed; race programs kill 0, stress 1, both 0"
    assert "| pop-by-store |" in text
    assert f"Not run: {', '.join(name for name in FAULTS if name != 'pop-by-store')}." in text
    assert "1.2 | throw: odd" in text
    assert mutant.id.partition(":")[0] in text
    assert files(known.values(), rows)[-1][0] == "all"
    told = record(faults, known, rows)
    assert told["faults"]["pop-by-store"]["verdict"] == KILLED
    assert len(told["set_aside"]) + len(told["not_run"]) + 1 == len(known)


def test_what_there_is_not_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """In a line."""
    assert main(["faults", "--only", "nothing"]) == 2
    assert "--only nothing: no such fault (did you mean harvest-nothing?)" in capsys.readouterr().err
    assert main(["faults", "--file", "workbuf/list.py"]) == 2
    assert "--file workbuf/list.py: no file of the protocol" in capsys.readouterr().err


def test_no_program_kills_the_protocol_as_it_is() -> None:
    """Else it would kill every mutant.  The variants of scenarios are run by the tests of these."""
    ours = [each for each in of_source(300) if each.name in RACES or each.name in COLLECTIONS]

    assert [each.name for each in ours] == [*RACES, *COLLECTIONS]
    assert killed([each._replace(seconds=each.seconds / 8) for each in ours], 1) == (None, None)


def test_every_fault_has_a_race_program_that_takes_it() -> None:
    """A whole collection, at the least."""
    assert [name for name, fault in FAULTS.items() if not next(of_fault(fault, 1), None)] == []


def test_a_fault_that_stress_does_not_see_has_a_race_program_of_its_own() -> None:
    """So `explore fault:NAME` shows it."""
    assert [name for name, fault in FAULTS.items() if fault.unseen and name not in FOUND_BY] == []
    assert [race for race in FOUND_BY.values() if race not in RACES] == []


def test_no_two_race_programs_have_one_name() -> None:
    """The later would be run in place of the earlier, and nobody would see that."""
    modules = (import_module(f"collector.mutation.{each.name}") for each in iter_modules(mutation.__path__))
    parts = [getattr(module, "RACES", RACES) for module in modules]
    names = [name for part in parts if part is not RACES for name in part]

    assert len(names) == len({*names})
    assert {*names} <= {*RACES}
