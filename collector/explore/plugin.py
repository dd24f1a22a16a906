"""The pytest plugin: tests whose body is run schedule after schedule.

    @pytest.mark.race(strategy="dpor", exhaust=True)
    def test_counter(machine):            # called afresh for every schedule
        x = machine.word(0, "x")
        for _ in range(2):
            machine.spawn(lambda port: port.xadd(x, 1))
        def check():                      # optional, after all threads have ended
            assert machine.peek(x) == 2
        return check

A test that takes this plugin's fixture `machine` is not called once but given to `explore` as its program; its other
fixtures are evaluated once and passed to every call.  What the mark says goes to `explore` as it is, but for what is
the plugin's own:

    exhaust=True     the test fails unless every inequivalent interleaving was seen, by dpor if no strategy is named; with
                     preemptions=N (strategy exhaustive or dpor), every interleaving that has no more preemptions
    fails="text"     the test is about a planted fault: it fails unless a failure is found that says this
    examples=[TOKEN] schedules that failed once and must not any more: run first, each time
    threads=2, (2,3) how many threads the body is to spawn: its argument `threads`, a test for each number

Marks of a function, its parameters, its class and its module add up; the closest wins.  One number, `--race-seed`, decides
all that is drawn: a test's own follows from it and from the test's id.  A failing test prints its shrunk schedule and the
command that repeats it; the token in that says which test it is of.  The token is remembered, and replayed first on the next
run, until it fails no more (`collector.explore.remembered`).

The plugin may come as an entry point, by `-p` or by a conftest's `pytest_plugins`, together too: pytest registers one
name once, so the entry point's name is this module's.

Async test functions are not supported, nor fixtures made afresh for every schedule.
"""

from __future__ import annotations

from hashlib import blake2b
from shlex import quote
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from collector.explore import raceagain, raceoptions
from collector.explore.claim import Kind
from collector.explore.engine import explore
from collector.explore.raceagain import Again
from collector.explore.racebody import body
from collector.explore.racemark import MARK, OWN, PASSED_ON, asked, marked
from collector.explore.racereport import Row, table
from collector.explore.replay import Replay
from collector.explore.token import Token
from workbuf.counted import counted


if TYPE_CHECKING:
    from collections.abc import Sequence

    from collector.explore.machine.machine import SteppedMachine
    from collector.explore.program import Invariant, Program
    from collector.explore.result import Result


UNBOUNDED = 1 << 62
"""Schedules, where it is a test's business to see them all."""
OUTCOMES = ("passed", "failed", "xfailed", "xpassed")
"""Those of tests that were run."""
TOLD = 60
"""Characters of a failure that the report has room for."""

_AFRESH: Any = object()
"""What the fixture stands for: the body gets a machine of its own every time."""
_REPLAYED = pytest.StashKey[list[str]]()


class Failing(NamedTuple):
    """A schedule that fails a test, for other plugins: its token, and what replays it."""

    schedule: str
    program: Program
    invariants: Sequence[Invariant]


FAILED = pytest.StashKey[Failing]()
"""Where a test keeps the schedule that failed it."""


@pytest.fixture
def machine() -> SteppedMachine:
    """The stepped machine, empty for every schedule, for tests marked `race`."""
    stands_for: SteppedMachine = _AFRESH
    return stands_for


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options."""
    raceoptions.add(parser)


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Explain the mark, draw the seed that was not given, refuse what cannot be meant."""
    options = ", ".join((*PASSED_ON, *OWN))
    config.addinivalue_line("markers", f"{MARK}({options}): the body is run under schedule after schedule")
    config.stash[_REPLAYED] = []
    raceoptions.settle(config)


def pytest_report_header(config: pytest.Config) -> str:
    """The line that a report of a failure needs."""
    return f"race seed: {config.option.race_seed}"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A schedule is replayed of the one test that it is of."""
    raceagain.forget(config, items)
    raceoptions.only_replayed(config, items)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test for each number of threads that the mark asks for."""
    threads = marked(metafunc.definition).get("threads")
    if threads is not None:
        metafunc.parametrize("threads", [threads] if isinstance(threads, int) else threads)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Explore the body instead of calling it, if it takes this plugin's machine."""
    if "machine" not in pyfuncitem.funcargs and marked(pyfuncitem):
        # Without options the mark may as well be the project's own, for tests whose threads run as they like.
        pyfuncitem.warn(pytest.PytestWarning(f"marked `{MARK}`, but explores nothing: it takes no fixture `machine`"))
    if pyfuncitem.funcargs.get("machine") is not _AFRESH:
        return None
    if pyfuncitem.get_closest_marker(MARK) is None:
        pytest.fail(f"the fixture `machine` is for tests marked `{MARK}`: add @pytest.mark.{MARK}", pytrace=False)
    race = Race(pyfuncitem)
    if pyfuncitem.config.option.race_replay is None:
        race.explore()
    else:
        race.replay(pyfuncitem.config.option.race_replay)
    return True


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Replayed schedules that did not fail their test, and the report that was asked for."""
    write = terminalreporter.write_line
    for story in config.stash[_REPLAYED]:
        terminalreporter.section("race replayed")
        write(story)
    if config.option.race_report:
        reports = [report for found in OUTCOMES for report in terminalreporter.getreports(found)]
        rows = [Row(*value) for report in reports for name, value in report.user_properties if name == MARK]
        terminalreporter.section("races")
        for line in table(sorted(rows)) if rows else ["no test was explored"]:
            write(line)


class Race:
    """One test and what its marks ask for."""

    def __init__(self, item: pytest.Function) -> None:
        self.item = item
        self.config = item.config
        self.options = asked(item)
        self.exhaust = bool(self.options.get("exhaust"))
        self.fails: str = self.options.get("fails", "")
        self.invariants: Sequence[Invariant] = self.options.get("invariants", ())
        self.memory = Again(item)
        self.program = body(item)

    def arguments(self) -> dict[str, Any]:
        """What `explore` is called with, beside the program."""
        arguments = {name: value for name, value in self.options.items() if name in PASSED_ON}
        if self.exhaust:
            arguments = {"strategy": "dpor", "schedules": UNBOUNDED, **arguments}
        elif self.config.option.race_schedules is not None:
            arguments |= {"schedules": self.config.option.race_schedules, "seconds": None}
        if self.config.option.race_seconds is not None and self.config.option.race_schedules is None:
            arguments = {"seconds": self.config.option.race_seconds, **arguments}
        name = f"{self.config.option.race_seed} {self.item.nodeid}"
        seed = int.from_bytes(blake2b(name.encode(), digest_size=4).digest(), "big")
        return {**arguments, "seed": seed, "about": {"test": self.item.nodeid}}

    def explore(self) -> None:
        """Look for what the test is about; fails the test if that is not so."""
        self.again()
        arguments = self.arguments()
        # A failure that is expected is shown to nobody, so it need not be shrunk.
        result = explore(self.program, **arguments, shrink=not self.fails)
        found = result.failure is not None and self.fails in str(result.failure)
        if self.fails and result.failure and not found:
            result = explore(self.program, **arguments)
        wrong = self.verdict(result, found=found)
        self.note(result, wrong)
        if wrong:
            if result.failure:
                self.failed(result.failure.schedule)
                self.memory.keep(result.failure.schedule)
            pytest.fail(wrong, pytrace=False)
        for warning in result.warnings if not found else ():
            self.item.warn(pytest.PytestWarning(f"{MARK}: {warning}"))

    def again(self) -> None:
        """Run what has failed before; fails the test if it still does."""
        if self.config.option.race_keep is not None:
            self.memory.keep(self.config.option.race_keep)
        if self.fails:
            return
        found = self.memory.failing([*self.options.get("examples", ())], self.program, self.invariants)
        if found:
            self.note(found.result, found.story)
            self.failed(found.schedule)
            pytest.fail(found.story, pytrace=False)

    def failed(self, schedule: str) -> None:
        """Keep the schedule of that token as what failed the test."""
        self.item.stash[FAILED] = Failing(schedule, self.program, self.invariants)

    def verdict(self, result: Result, *, found: bool) -> str:
        """What is wrong, as it is to be printed; empty if the test has passed."""
        failure = result.failure
        if self.fails and found:
            return ""
        drawn = f"Run it again with\n{raceoptions.again(self.item, '--race-seed', str(self.config.option.race_seed))}"
        if failure:
            before, after, _ = result.shrunk
            return "\n".join([
                str(failure),
                *([f"expected: a failure that says {self.fails!r}"] if self.fails else []),
                f"found by {result.found_by} in schedule {result.schedules}; preemptions: {failure.preemptions}",
                f"shrunk from {counted(before, 'deviation')} to {after}",
                *(f"warning: {warning}" for warning in result.warnings),
                f"\n{failure.trace}\n",
                *raceoptions.failsat(self.item, failure),
                "Replay it with",
                raceoptions.again(self.item, "--race-replay", failure.schedule),
                *raceagain.elsewhere(self.item, failure.schedule),
            ])  # fmt: skip
        if result.claim.kind is Kind.REFUSED:
            return "\n".join(("refused", str(result), drawn))
        if self.fails:
            return f"no failure that says {self.fails!r} was found\n{result}\n{drawn}"
        if self.exhaust and not (result.exhausted or self.bounded(result)):
            return "\n".join(("not exhausted", str(result), *result.warnings, drawn))
        return ""

    def bounded(self, result: Result) -> bool:
        """Was everything run with as many preemptions as the mark names?"""
        claim = result.claim
        return claim.kind is Kind.BOUNDED and claim.bound == self.options.get("preemptions")

    def note(self, result: Result, wrong: str) -> None:
        """Leave a row for the report, where junit files and other processes find it too."""
        verdict = "exhausted" if result.exhausted else "passed"
        if wrong:
            verdict = wrong.partition("\n")[0][:TOLD]
        elif self.fails and result.failure:
            verdict = "fault found"
        elif self.exhaust and not result.exhausted:
            verdict = f"exhausted to {counted(self.options['preemptions'], 'preemption')}"
        seconds = round(result.seconds, 3)
        name = self.item.nodeid
        row = Row(name, result.strategy, result.schedules, result.pruned, result.states, verdict, seconds)
        self.item.user_properties.append((MARK, tuple(row)))

    def replay(self, text: str) -> None:
        """Run one schedule; fails the test if the schedule does and is not expected to."""
        token = Token.decode(text)
        of = token.about.get("test")
        if of != self.item.nodeid:
            whose = f"test {of}: python -m pytest {quote(str(of))} --race-replay ..." if of else "no test of pytest's"
            pytest.fail(f"--race-replay: the token is not of this test but of {whose}", pytrace=False)
        try:
            again = Replay(token, self.program, self.invariants)
        except ValueError as error:
            raise pytest.fail.Exception(f"--race-replay: {error}", pytrace=False) from None
        if again.refused:
            pytest.fail(f"refused: {again.refused}", pytrace=False)
        fault = again.fault
        how = f"{fault.kind}: {fault.message}" if fault else f"the schedule passed ({counted(again.steps, 'step')})"
        but = f"diverged: {again.diverged}; has the test changed since?\n" if again.diverged else ""
        story = f"{self.item.nodeid}: {how}\n{but}\n{again.trace}"
        wrong = story if fault and not (self.fails and self.fails in how) else ""
        self.note(again.result, wrong and how)
        if wrong:
            self.failed(text)
            pytest.fail(story, pytrace=False)
        self.config.stash[_REPLAYED].append(story)
