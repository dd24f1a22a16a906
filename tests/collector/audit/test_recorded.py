"""The judges of recorded events: no correct run is accused, and what is changed in its events is noticed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from collector.audit.recorded.barrier import Operation, impossible
from collector.audit.recorded.happened import Happened
from collector.audit.recorded.judge import judge
from collector.report.log.lines import LogfileError
from collector.report.log.recorded import Recorded
from collector.run import main
from mutator.phase import GCmark, GCoff, GCscan
from scripts.mutate_log import MUTATIONS, STRESS, noticed, sample
from workbuf.events import EMPTY, FULL, PARTIAL, Event


Events = list[Happened]

TRIES = 100
"""Runs with a planted fault, which may not come into play where threads do not meet: the first that shows it is enough."""


@pytest.fixture(name="path", scope="module")
def _path(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The log of a small correct run."""
    path = tmp_path_factory.mktemp("log") / "run.log"
    assert main(["stress", *STRESS, "--log", str(path)]) == 0
    return str(path)


@pytest.fixture(name="events", scope="module")
def _events(path: str) -> Events:
    return Recorded(path).events


def found(events: Events) -> list[str]:
    """The rules broken, in the order of time."""
    return [finding.rule for finding in judge(events, closed=True, mutators=0).findings]


def where(events: Events, kind: Event, nth: int = 0, **fields: int) -> int:
    """The place of the nth event of that kind."""
    fits = [i for i, e in enumerate(events) if e.kind == kind and all(getattr(e, k) == v for k, v in fields.items())]
    return fits[nth]


def without(events: Events, at: int) -> Events:
    """The events but one."""
    return events[:at] + events[at + 1 :]


def test_a_correct_run_is_not_accused(path: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is found in the log of a correct run, and all of it is judged."""
    out = tmp_path / "check.json"
    assert main(["inspect", path, "check", "--json", str(out)]) == 0
    told = json.loads(out.read_text())
    assert told["findings"] == []
    assert told["judged"] == told["events"] > 200
    # A concurrent cycle has three stops, two harvests and two rounds, a forced one has one of each.
    assert told["harvests"] == told["rounds"] >= 3
    assert told["stops"] - told["harvests"] >= 1
    assert "ok: nothing wrong" in capsys.readouterr().out


def test_nor_is_one_whose_programs_end_before_they_begin(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its only cycle is the forced one: by then a mutator may have ended, and sent no event; its stack is not scanned."""
    path = str(tmp_path / "run.log")
    for seed in range(TRIES):
        words = ["--cycles", "1", "--heap", "none", "--quiet", "--seed", str(seed), "--log", path]
        assert main(["stress", *words]) == 0
        assert main(["inspect", path, "check"]) == 0, capsys.readouterr().out
        log = Recorded(path)
        silent = {1, 2, 3, 4} - {event.thread for event in log.events}
        if silent:
            break

    assert silent
    assert log.mutators == 4
    # Without the threads' names nobody knows that those goroutines are not parked for ever, and left out.
    texts = {f"the phase is over, and the stack of goroutine {g} was not scanned" for g in silent}
    assert texts & {found.text for found in judge(log.events, closed=True, mutators=0).findings}


def test_a_stack_that_nobody_scans(events: Events, path: str) -> None:
    """Of an M that goes on, or of a goroutine that is parked for ever."""
    ms = Recorded(path).mutators
    second = where(events, Event.ROOTS, 1)
    # Whoever holds it up scans it, and the collector may scan it once more.
    unscanned = [e for i, e in enumerate(events) if i > second or e.kind != Event.SCANSTACK or e.a != 1]
    assert len(unscanned) < len(events)
    assert [found.rule for found in judge(unscanned, closed=True, mutators=ms).findings] == ["roots"]
    opened = where(events, Event.ROOTS)
    jobs = int(events[opened].a)
    more = events[opened]._replace(a=jobs + 1)
    job = next(e for e in events[opened:] if e.kind == Event.ROOT and e.a == jobs - 1)
    changed = [*events[:opened], more, *events[opened + 1 :], job._replace(time=job.time + 1, a=jobs)]
    told = [found.text for found in judge(changed, closed=True, mutators=ms).findings]
    assert f"the phase is over, and the stack of goroutine {jobs - 5} was not scanned" in told


@pytest.mark.parametrize(
    "options",
    [
        ["--mutators", "6", "--helpers", "4", "--jitter", "0.05", "--heap", "synthetic:random,n=300"],
        ["--checkmark", "--heap", "synthetic:random,n=300", "--workbuf", "112"],
        ["--programs", "bintree,latesend,finalizerchains,hider", "--heap", "none"],
    ],
)
def test_nor_are_others(tmp_path: Path, options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Nor with more threads, a verifying mark, other programs."""
    path = str(tmp_path / "run.log")
    assert main(["stress", *options, "--cycles", "2", "--quiet", "--log", path]) == 0
    assert main(["inspect", path, "check"]) == 0, capsys.readouterr().out


def test_mutations_are_noticed_or_the_reason_is_known(path: str) -> None:
    """What is removed or doubled is noticed but where the table says why it cannot be."""
    tried, unexplained = sample(Recorded(path), 250, seed=3)
    again = "python -m scripts.mutate_log --seed 3 --of 250"
    assert [one for one in unexplained if one.startswith(("removed", "doubled"))] == [], again
    assert len(unexplained) <= 5, f"{again}: {unexplained}"  # exchanged: another run's order may be as good
    assert {how for _, how, _ in tried} == {*MUTATIONS}
    seen = sum(n for (_, how, yes), n in tried.items() if yes and how in ("removed", "doubled"))
    assert seen > 80


def test_an_acquitted_log_is_not_noticed(path: str) -> None:
    """Without a mutation the same judges find nothing."""
    log = Recorded(path)
    assert not noticed(log.events, log)


def test_a_buffer_in_two_places(events: Events) -> None:
    """Without a put its buffer is still in the hand when another gets it."""
    at = where(events, Event.PUT)
    assert "ownership" in found(without(events, at))


def test_a_cache_that_the_harvest_forgot(events: Events) -> None:
    """A cache that had a buffer when the phase changed has it when the harvest is over."""
    at = where(events, Event.HARVESTED)
    put = next(i for i, e in enumerate(events) if i > at and e.thread == events[at].thread)
    assert events[put].kind == Event.PUT
    rules = found(without(without(events, put), at))  # the harvest, and its put: who is in the system goes on meanwhile
    assert rules[0] == "harvest"


def test_an_m_that_runs_on_in_the_stopped_world(events: Events) -> None:
    """A mutator assists between the stop and the start."""
    stopped = where(events, Event.STOPPED, 1)
    parked = where([e for e in events if e.time > events[stopped].time], Event.PARK, a=1)
    park = [e for e in events if e.time > events[stopped].time][parked]
    running = Happened(events[stopped].time + 1, park.thread, Event.ASSIST, 4, 0, 0)
    changed = sorted([*events, running, running._replace(time=running.time + 1, kind=Event.ASSIST_END)])
    assert "stop" in found(changed)


def test_a_stop_that_names_too_few(events: Events) -> None:
    """As many Ps are waited for as are named."""
    at = where(events, Event.STOP)
    changed = [*events[:at], events[at]._replace(a=int(events[at].a) + 1), *events[at + 1 :]]
    assert found(changed) == ["stop"]


def test_an_order_that_no_stack_has() -> None:
    """X is put and surely below y, and got while y surely lies on it."""

    def course(first: str, second: str) -> Events:
        made = [
            e
            for t, b in ((0, "x"), (10, "y"))
            for e in (
                Happened(t, 0, Event.NEW, b, 1, 0),
                Happened(t + 1, 0, Event.GET, b, 359, EMPTY),
                Happened(t + 2, 0, Event.PUT, b, 358, FULL),
            )
        ]
        then = [Happened(t, 1, Event.GET, b, 359, FULL) for t, b in ((30, first), (40, second))]
        return [*made, Happened(20, 0, Event.GET, "z", 0, PARTIAL), Happened(25, 1, Event.GET, "w", 0, PARTIAL), *then]

    def lists(events: Events) -> list[str]:
        return [f.text for f in judge(events, closed=True, mutators=0).findings if f.rule == "lists"]

    assert lists(course("x", "y")) == ["x is got off full from under y, put after it and got later"]
    assert lists(course("y", "x")) == []


def test_a_list_found_empty_that_was_not() -> None:
    """A buffer is made although, all the while, another surely lay on the empty list; or only may have."""

    def lists(*between: int) -> list[str]:
        events = [
            Happened(0, 0, Event.NEW, "x", 1, 0),
            Happened(1, 0, Event.GET, "x", 359, EMPTY),
            Happened(2, 0, Event.PUT, "x", 496, EMPTY),
            *(Happened(t, 0, Event.ROOT, 0, 0, 0) for t in between),
            Happened(10, 1, Event.ROOT, 0, 0, 0),
            Happened(20, 1, Event.NEW, "y", 2, 0),
            Happened(30, 0, Event.GET, "x", 359, EMPTY),
        ]
        return [f.text for f in judge(events, closed=True, mutators=0).findings if f.rule == "lists"]

    assert lists(5, 25) == ["empty was found empty, and all the while was not"]
    assert lists(5) == []  # x may have been got soon after 5
    assert lists(25) == []  # or pushed only just before 25


def test_counting_that_no_order_explains() -> None:
    """Increments may be seen late, but some order must lead through all their values."""

    def waits(*operations: tuple[int, int, int, int]) -> list[Operation]:
        return [Operation(since, Happened(t, 0, Event.WAIT, v, 0, 0), delta, v) for since, t, delta, v in operations]

    # 2 before 1: the second was over later but may have come first.
    assert impossible(waits((0, 10, 1, 2), (5, 20, 1, 1))) == (None, True)
    wrong, decided = impossible(waits((0, 10, 1, 2), (11, 20, 1, 1)))
    assert decided
    assert wrong is not None
    assert wrong.value == 2
    assert impossible(waits((0, 10, 1, 1), (0, 11, 1, 1)))[0] is not None
    # Somebody has left in between, seen later.
    assert impossible(waits((0, 10, 1, 1), (0, 12, 1, 1), (5, 30, -1, 0), (13, 40, -1, 0))) == (None, True)


def test_a_waiter_that_looks_for_a_buffer_when_others_have_left(events: Events) -> None:
    """It saw the last buffer before that was taken, finds nothing, and sees the end, too; one that has one is noticed."""
    at, last = [(i, e) for i, e in enumerate(events) if e.kind == Event.REACHED][-1]
    nproc = next(e.b for e in reversed(events[:at]) if e.kind == Event.ROOTS)
    assert isinstance(nproc, int)
    assert nproc > 1
    before, after = events[:at], [e._replace(time=e.time + 10) for e in events[at:]]
    looks = Happened(last.time + 1, last.thread, Event.RESUME, nproc - 1, 0, 0)
    waits = Happened(last.time + 2, last.thread, Event.WAIT, nproc, 0, 0)
    gets = Happened(last.time + 2, last.thread, Event.GET, "wbuf0", 504, FULL)

    assert found([*before, looks, waits, *after]) == []
    assert "barrier" in found([*before, looks, *after])
    assert found([*before, looks, gets, waits, *after])


@pytest.mark.parametrize(
    ("fault", "rule"),
    [
        ("harvest-nothing", "harvest"),
        ("no-concurrent-drain", "cycle"),
        ("getfull-leaves-early", "barrier"),
    ],
)
def test_planted_faults(tmp_path: Path, capsys: pytest.CaptureFixture[str], fault: str, rule: str, seed: int) -> None:
    """Real runs with a fault in them: the rule that it breaks is named."""
    options = ["--heap", "synthetic:random,n=200", "--cycles", "2", "--programs", "syscalls,rewire"]
    for number in range(TRIES):
        path = str(tmp_path / f"run{number}.log")
        main(["stress", "--plant", fault, *options, "--seed", str(seed + number), "--log", path])
        capsys.readouterr()
        status = main(["inspect", path, "check"])
        said = capsys.readouterr().out
        if f" {rule} " in said:
            break
    assert f" {rule} " in said
    assert status == 1


def test_that_the_run_failed_is_said(path: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its events may be those of a correct run all the same."""
    lines = Path(path).read_text().splitlines(keepends=True)
    failed, out = tmp_path / "failed.log", tmp_path / "check.json"
    failure = json.dumps({"event": "failure", "error": "Violation", "text": "where\nviolation (lost): one"})
    failed.write_text("".join([*lines[:-1], f"{failure}\n", lines[-1]]))

    assert main(["inspect", str(failed), "check", "--json", str(out)]) == 0
    said = capsys.readouterr().out
    assert "(the run itself failed: violation (lost): one; see python -m collector.run inspect " in said
    assert json.loads(out.read_text())["failure"] == "violation (lost): one"
    assert main(["inspect", path, "check"]) == 0
    assert "failed" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("fault", "rules"), [("harvest-skips-second", {"harvest", "barrier"}), ("harvest-by-store", set())]
)
def test_a_faulty_harvest_is_accused_of_what_it_forgets_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], fault: str, rules: set[str], seed: int
) -> None:
    """What it does harvest, it harvests as it should; and where nobody else can take, nothing is wrong in the events."""
    log, out = str(tmp_path / "run.log"), tmp_path / "check.json"
    main(
        [
            "stress",
            "--plant",
            fault,
            "--heap",
            "synthetic:random,n=300",
            "--cycles",
            "3",
            "--seed",
            str(seed),
            "--log",
            log,
        ]
    )
    main(["inspect", log, "check", "--json", str(out)])
    capsys.readouterr()
    assert {one["rule"] for one in json.loads(out.read_text())["findings"]} <= rules, f"seed {seed}"


def test_what_reaches_into_a_hole_is_not_judged(events: Events) -> None:
    """Of one thread's ring the oldest have fallen out, twice; the rest is judged, and accused of nothing."""
    stops = [i for i, e in enumerate(events) if e.kind == Event.STOPPED]
    lost = list(events)
    for at in (stops[2], stops[1]):
        thread = events[at].thread  # which has just done something, so its hole begins there
        gone = [i for i in range(at, len(lost)) if lost[i].thread == thread][:10]
        after = next(e for e in lost[gone[-1] + 1 :] if e.thread == thread)
        lost = [e for i, e in enumerate(lost) if i not in gone]
        lost.insert(lost.index(after), Happened(after.time, thread, Event.LOST, 10, 0, 0))
    verdict = judge(lost, closed=True, mutators=0)
    assert verdict.findings == []
    assert verdict.pieces >= 2
    assert 0 < verdict.judged < verdict.events


@pytest.mark.parametrize(
    ("rests", "returns", "scanned", "told"),
    [
        (Event.BLOCK, True, False, True),
        (Event.SYSCALL, True, False, True),
        (Event.BLOCK, False, False, True),
        (Event.SYSCALL, False, False, True),
        (Event.BLOCK, True, True, False),
        (Event.BLOCK_END, False, False, False),
    ],
)
def test_who_rests_since_before_a_hole_has_not_ended(rests: Event, *, returns: bool, scanned: bool, told: bool) -> None:
    """Behind the hole its M sends nothing, whether it comes back behind a second hole, or never; its stack is scanned."""
    jobs = 6 + 1  # of no goroutine, and of goroutines 0 and 1
    events = [Happened(1, 1, rests, 1, 0, 0), Happened(2, 2, Event.PUT, 9, 0, 0), Happened(3, 2, Event.LOST, 1, 0, 0)]
    events += [Happened(4, 3, Event.PHASE, GCscan, GCoff, 0), Happened(5, 3, Event.ROOTS, jobs, 1, 0)]
    events += [Happened(10 + job, 3, Event.ROOT, job, 0, 0) for job in range(jobs)]
    events += [Happened(20 + g, 3, Event.SCANSTACK, g, 1, 0) for g in range(2) if scanned or g != 1]
    events += [Happened(30, 3, Event.PHASE, GCmark, GCscan, 0)]
    events += [Happened(31, 2, Event.PUT, 9, 0, 0), Happened(32, 2, Event.LOST, 1, 0, 0)]
    events += [Happened(40, 1, Event.SYSCALL_END, 0, 0, 0)] * returns
    findings = [found for found in judge(events, closed=True, mutators=3).findings if found.rule == "roots"]
    expected = [(30, "the phase is over, and the stack of goroutine 1 was not scanned")]
    assert [(found.time, found.text) for found in findings] == expected * told


def test_a_ring_that_overflows(tmp_path: Path) -> None:
    """Tiny rings: the log says where events are missing, and what is there is not accused."""
    from collector.report.log.writer import EventLog  # noqa: PLC0415
    from collector.runtime import Config  # noqa: PLC0415
    from collector.stress.run import Plan, Stress  # noqa: PLC0415

    run = Stress(Plan(Config(mutators=2), programs=("rewire", "pushpop"), cycles=2, ring=12, events=True))
    path = tmp_path / "run.log"
    log = EventLog(path, run.buffername, {"threads": run.threads})
    run.run(lambda report: log.events(report.events))
    log.events(run.recorder.drain())
    log.event("end", dropped=run.recorder.dropped)
    log.close()
    recorded = Recorded(str(path))
    assert run.recorder.dropped == sum(int(e.a) for e in recorded.events if e.kind == Event.LOST) > 0
    assert judge(recorded.events, closed=recorded.closed, mutators=0).findings == []


def test_logs_of_an_earlier_version_are_refused(path: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """They do not say when the barrier is opened; and options of other questions are refused."""
    old = tmp_path / "old.log"
    with Path(path).open() as lines:
        old.write_text("".join(line for line in lines if '"roots"' not in line))
    with pytest.raises(LogfileError, match="earlier version"):
        Recorded(str(old))
    assert main(["inspect", str(old), "check"]) == 2
    assert main(["inspect", path, "check", "--m", "gc"]) == 2
    assert "takes --most and --json" in capsys.readouterr().err


@pytest.mark.parametrize(
    "wrong", ['{"t": 1, "m": "x", "event": "get"}', '{"t": "1", "m": "gc", "event": "start"}', "[]"]
)
def test_what_is_no_event(path: str, tmp_path: Path, wrong: str) -> None:
    """Lines that nobody has written: one clear line."""
    bad = tmp_path / "bad.log"
    with Path(path).open() as lines:
        head, *rest = lines
    bad.write_text("".join([head, *rest[:5], f"{wrong}\n", *rest[5:]]))
    with pytest.raises(LogfileError, match="no event of a log"):
        Recorded(str(bad))
