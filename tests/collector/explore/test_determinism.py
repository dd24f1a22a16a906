"""Programs that are not the same on every run are refused, and never proved; those that are, are not refused."""

from __future__ import annotations

import gc
import importlib
import operator
import os
import random
import tempfile
import threading
import time
import uuid
from contextvars import ContextVar
from operator import length_hint
from typing import TYPE_CHECKING

import pytest

from collector.explore import explore
from collector.explore.claim import Kind
from collector.explore.determinism import TIMES
from collector.explore.impure import impure
from collector.explore.kept import Kept
from collector.explore.machine.carrier import MAIN
from collector.explore.scatter import Scatter
from collector.explore.strategies.dpor import search
from tests.collector.explore.differing import SOURCES, differing, misjudged


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from collector.explore import SteppedMachine
    from collector.explore.machine.execution import Pick
    from collector.explore.prefix import Taken
    from workbuf.machine import Port

STRATEGIES = ("portfolio", "random", "dpor", "stateful", "exhaustive")
KEPT: dict[int, int] = {}
LASTING: ContextVar[int] = ContextVar("lasting", default=0)
OF_THREAD = threading.local()
OWN = random.Random(5)


def values(machine: SteppedMachine) -> None:
    """A value that comes from a clock."""
    x = machine.word(0, "x")
    machine.spawn(lambda port: port.store(x, time.perf_counter_ns()))
    machine.spawn(lambda port: port.load(x))


def addresses(machine: SteppedMachine) -> None:
    """Which cell is used is drawn."""
    a = machine.alloc(64, "a")
    machine.spawn(lambda port: port.load(a + random.randrange(64)))
    machine.spawn(lambda port: port.store(a, 1))


def control(machine: SteppedMachine) -> None:
    """How many steps there are is kept from run to run."""
    x = machine.word(0, "x")
    KEPT[len(KEPT)] = 1

    def body(port: Port) -> None:
        for _ in range(1 + len(KEPT) % 2):
            port.xadd(x, 1)

    machine.spawn(body)
    machine.spawn(body)


def threads(machine: SteppedMachine) -> None:
    """How many threads there are is."""
    x = machine.word(0, "x")
    KEPT[len(KEPT)] = 1
    for _ in range(1 + len(KEPT) % 3):
        machine.spawn(lambda port: port.load(x))


def late(machine: SteppedMachine) -> None:
    """A cache that is filled by the first run, and only then."""
    x = machine.word(0, "x")

    def body(port: Port) -> None:
        if not KEPT:
            KEPT[0] = port.load(x)
        port.store(x, 1)

    machine.spawn(body)
    machine.spawn(body)


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("program", [values, addresses, control, threads, late])
def test_another_program_every_time(program: Callable[[SteppedMachine], None], strategy: str) -> None:
    """Said so, whatever differs."""
    KEPT.clear()
    result = explore(program, strategy, schedules=500)

    assert result.claim.kind is Kind.REFUSED, result
    assert "not the same twice" in result.statement


@pytest.mark.parametrize("source", SOURCES)
def test_arbitrary_programs_that_differ(source: str, seed: int) -> None:
    """Whatever it is that differs, and what follows from it."""
    for number in range(seed, seed + 4):
        program = differing(source, number)
        for strategy in STRATEGIES:
            wrong = misjudged(program, explore(program.program, strategy, schedules=300, shrink=False))
            assert not wrong, f"{strategy}, seed {number}: {wrong}"


def test_scattered_memory_changes_the_order_of_a_set_of_objects() -> None:
    """As many runs as are made before a proof nearly always see both orders, however memory lies."""
    scatter = Scatter()
    proofs = 16
    both = 0
    for _ in range(proofs):
        orders = set()
        for _ in range(TIMES):
            scatter()
            objects = [Holder(), Holder()]
            orders.add(next(iter({*objects})) is objects[0])
        both += len(orders) == 2

    assert both >= proofs - 2


class Once:
    """Differs in a single run, which is not one that is run again for a comparison."""

    def __init__(self, run: int, differ: Callable[[SteppedMachine, int], None]) -> None:
        self.run = run
        self.differ = differ
        self.runs = 0

    def __call__(self, machine: SteppedMachine) -> None:
        self.runs += 1
        self.differ(machine, int(self.runs == self.run))
        x = machine.word(0, "counter")
        for _ in range(3):
            machine.spawn(lambda port: port.xadd(x, 1))


def stores_another(machine: SteppedMachine, once: int) -> None:
    """The first step stores something else."""
    x = machine.word(0, "x")
    machine.spawn(lambda port: port.store(x, once))


def loads_another(machine: SteppedMachine, once: int) -> None:
    """It is of another cell."""
    x = machine.alloc(2, "x")
    machine.spawn(lambda port: port.load(x + once))


def does_another(machine: SteppedMachine, once: int) -> None:
    """It is another operation."""
    x = machine.word(0, "x")
    machine.spawn(lambda port: port.hint(x) if once else port.load(x))


def finds_another(machine: SteppedMachine, once: int) -> None:
    """Another value is in the cell."""
    x = machine.word(once, "x")
    machine.spawn(lambda port: port.load(x))


def chooses_of_more(machine: SteppedMachine, once: int) -> None:
    """There is one more value to choose."""
    x = machine.word(0, "x")
    machine.spawn(lambda port: port.store(x, port.choose(2 + once)))


def is_missing(machine: SteppedMachine, once: int) -> None:
    """There is a thread less."""
    x = machine.word(0, "x")
    if not once:
        machine.spawn(lambda port: port.load(x))


@pytest.mark.parametrize("strategy", ["dpor", "stateful"])
@pytest.mark.parametrize(
    ("differ", "says"),
    [
        (stores_another, "store of x with 1, which held 0; it was store of x with 0"),
        (loads_another, "load of x[1], which held 0; it was load of x[0]"),
        (does_another, "hint of x, which held 0; it was load of x"),
        (finds_another, "load of x, which held 1; it was load of x, which held 0"),
        (chooses_of_more, "choose of 3 values; it was choose of 2 values"),
        (is_missing, "xadd of counter with 1, which held 0; it was load of x"),
    ],
)
def test_a_prefix_is_compared(differ: Callable[[SteppedMachine, int], None], says: str, strategy: str) -> None:
    """Step by step, where the schedules that are run again show nothing."""
    results = [explore(Once(run, differ), strategy) for run in range(2, 12)]

    assert any(says in result.statement for result in results if result.claim.kind is Kind.REFUSED), results


@pytest.mark.parametrize("strategy", ["dpor", "stateful", "dfs"])
def test_an_end_before_that_of_the_prefix_is_seen(strategy: str) -> None:
    """Where no thread is left, no step is compared."""

    class Missing(Once):
        def __call__(self, machine: SteppedMachine) -> None:
            self.runs += 1
            x = machine.word(0, "x")
            for _ in range(3 * (self.runs != self.run)):
                machine.spawn(lambda port: port.xadd(x, 1))

    results = [explore(Missing(run, is_missing), strategy) for run in (3, 5)]  # run 4 is the second one again

    assert all("it ended after 0 steps, and went on" in result.statement for result in results), results


def test_a_state_is_compared_where_another_thread_is_to_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not the same there is the program's fault, and no crash of the search."""

    class Fewer(Once):
        def __call__(self, machine: SteppedMachine) -> None:
            self.runs += 1
            x = machine.word(0, "x")
            for _ in range(3 - (self.runs == self.run)):
                machine.spawn(lambda port: port.xadd(x, 1))

    def told() -> str:
        return "".join(explore(Fewer(run, is_missing), "dpor").statement for run in range(3, 10))

    assert "the next steps are t0 xadd, t1 xadd; they were t0 xadd, t1 xadd, t2 xadd" in told()

    monkeypatch.setattr(search, "check_scene", lambda _machine, _was: None)

    assert "thread 2 cannot go, and could if all were the same as before" in told()


def unchecked(_machine: SteppedMachine, steps: Iterator[Taken], then: Pick) -> Pick:
    """Picks `steps`, whatever they are now."""
    return lambda i: next((t for t, _ in steps), MAIN) if length_hint(steps) else then(i)


def test_without_that_it_would_be_proved(monkeypatch: pytest.MonkeyPatch) -> None:
    """Such a program is the same in all the runs that are made a second time; what it keeps must not be looked at either."""
    monkeypatch.setattr(Kept, "changed", lambda _kept: "")
    refused = [run for run in range(2, 12) if explore(Once(run, stores_another), "dpor").claim.kind is Kind.REFUSED]
    monkeypatch.setattr(search, "check", lambda _machine, _t, _was: None)
    monkeypatch.setattr(search, "following", unchecked)

    assert any(explore(Once(run, stores_another), "dpor").claim.kind is Kind.PROVED for run in refused)


def test_the_claim_counts_the_steps_of_prefixes() -> None:
    """As steps that were compared."""

    def program(machine: SteppedMachine) -> None:
        x = machine.word(0, "x")
        for _ in range(3):
            machine.spawn(lambda port: port.xadd(x, 1))

    claim = explore(program, "dpor").claim

    assert claim.number == 6
    assert claim.compared > 2 * 3  # the first schedule, of three steps, is run again twice


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_equal_draws_are_seen_too(strategy: str) -> None:
    """In the state of Python's generator."""

    def program(machine: SteppedMachine) -> None:
        x = machine.word(0, "x")
        machine.spawn(lambda port: port.store(x, int(random.random() < 2)))

    assert "draws from Python's random" in explore(program, strategy, schedules=5).statement


def seeded(machine: SteppedMachine) -> None:
    """A generator of its own, made afresh every time."""
    rng = random.Random(7)
    x = machine.word(0, "x")
    for _ in range(2):
        machine.spawn(lambda port: port.xadd(x, rng.randrange(3)))


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_what_is_the_same_is_not_refused(strategy: str) -> None:
    """Chance of its own that depends on the order alone."""
    result = explore(seeded, strategy, schedules=200)

    assert result.claim.passed, result
    if result.exhausted:
        assert result.claim.compared > 0


def test_a_call_that_could_differ_forbids_a_proof() -> None:
    """Although nothing has differed."""

    def program(machine: SteppedMachine) -> None:
        x = machine.word(0, "x")
        machine.spawn(lambda port: port.store(x, int(time.monotonic() > 0)))

    claim = explore(program, "dpor").claim

    assert claim.kind is Kind.UNDECIDED
    assert "time.monotonic" in claim.reason
    assert claim.where.startswith(__file__)


class Holder:
    """Calls from a method."""

    def draw(self) -> object:
        """A draw."""
        return uuid.uuid4()


def helper() -> float:
    """A clock behind a function."""
    return time.monotonic()


def test_calls_are_found() -> None:
    """In the program's functions, those that they name, and the methods of what they hold."""
    holder = Holder()
    assert impure([lambda: time.time_ns() + 1]).startswith("time.time_ns at ")
    assert impure([lambda: random.choice("ab")]).startswith("random.choice at ")
    assert impure([lambda: os.urandom(2)]).startswith("os.urandom at ")
    assert impure([lambda: {id(each) for each in range(1)}]).startswith("builtins.id at ")
    assert impure([lambda: [holder.draw()]]).startswith("uuid.uuid4 at ")
    assert impure([lambda: [helper()]]).startswith("time.monotonic at ")
    assert impure([lambda: [LASTING.get()]]).startswith("contextvars.ContextVar.get at ")
    assert impure([lambda: OF_THREAD.x]).startswith("threading.local at ")
    assert impure([lambda: [OWN.random()], lambda: random.Random(3), lambda: os.fspath("a")]) == ""


class Timed:
    """Its object holds a clock."""

    clock: Callable[[], float]


class Clock:
    """Has a clock as a method."""

    now = staticmethod(time.time)


TIMED = Timed()
TIMED.clock = time.monotonic


def locally() -> float:
    """Imports a clock."""
    from time import perf_counter as now  # noqa: PLC0415  that is what is to be found

    return now()


def by_default(now: Callable[[], float] = time.time) -> float:
    """Has a clock as a default."""
    return now()


@pytest.mark.parametrize(
    ("function", "call"),
    [
        (by_default, "time.time"),
        (lambda: TIMED.clock() + 1, "time.monotonic"),
        (lambda: Clock.now(), "time.time"),  # noqa: PLW0108  it names the class
        (locally, "time."),
        (lambda: getattr(time, "ti" + "me")() + 1, "time at "),
        (lambda: operator.methodcaller("time")(time), "time"),
        (lambda: __import__("time").time(), "builtins.__import__"),
        (lambda: importlib.import_module("time").time(), "importlib.import_module"),
        (lambda: random.Random().random(), "random.Random()"),
        (lambda: random.expovariate(1), "random.expovariate"),
        (lambda: tempfile.mkdtemp(), "tempfile.mkdtemp"),  # noqa: PLW0108
        (lambda: open("/dev/urandom", "rb").read(1), "io.open"),  # noqa: PTH123, SIM115
        (lambda: gc.get_count(), "gc.get_count"),  # noqa: PLW0108
        (lambda: threading.get_ident(), "threading.get_ident"),  # noqa: PLW0108
        (lambda: os.stat("/").st_atime, "os.stat"),  # noqa: PTH116
        (lambda: os.path.getmtime("/"), "genericpath.getmtime"),  # noqa: PTH204
        (lambda: os.path.exists("/"), "genericpath.exists"),  # noqa: PTH110
        (lambda: os.path.ismount("/"), "posixpath.ismount"),
        (lambda: os.getloadavg(), "os.getloadavg"),  # noqa: PLW0108
    ],
)
def test_what_is_impure_is_found_wherever_it_comes_from(function: Callable[[], object], call: str) -> None:
    """Defaults, attributes, imports in a function, modules that are passed on."""
    assert impure([function]).startswith(call)
    assert __file__ in impure([function])


def test_what_holds_much_is_read_after_the_code() -> None:
    """So that data does not hide a call."""
    many = [[k] for k in range(100_000)]
    assert impure([lambda: [many, helper()]]).startswith("time.monotonic at ")
