"""The mark `race`: what it asks for, and what the body of a marked test may do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from collector.explore.strategies import EXHAUSTING, NAMED
from tests.collector.explore.plugin.suites import KEPT, LOST, PLUGIN


if TYPE_CHECKING:
    from tests.collector.explore.plugin.suites import Run

pytest_plugins = ["pytester"]


class TestMark:
    """What the mark asks for."""

    def test_passes(self, run: Run) -> None:
        """A body that is right passes, having been called for every schedule, its other fixtures once."""
        result = run("""
            import pytest

            evaluated, called = [], []

            @pytest.fixture
            def counted():
                evaluated.append(1)
                return 5

            class TestIt:
                @pytest.mark.race(strategy="random", schedules=7)
                def test_it(self, machine, counted):
                    called.append(counted)
                    x = machine.word(0)
                    machine.spawn(lambda port: port.store(x, 1))

            def test_after():
                assert evaluated == [1] and len(called) >= 7 and set(called) == {5}
        """)

        result.assert_outcomes(passed=2)

    def test_exhausted(self, run: Run) -> None:
        """What has to be exhausted, and is, passes, by DPOR unless another strategy is named."""
        result = run(KEPT.replace("mark.race", "mark.race(exhaust=True)"), "--race-report")

        result.assert_outcomes(passed=1)
        result.stdout.re_match_lines([r"test_it.py::test_lost +dpor +2 +0 +0 +exhausted +0\.\d+"])

    def test_not_exhausted(self, run: Run) -> None:
        """What has to be exhausted, and is not, fails, and says how far it came."""
        result = run(KEPT.replace("mark.race", "mark.race(exhaust=True, schedules=1)"))

        result.assert_outcomes(failed=1)
        result.stdout.fnmatch_lines(
            ["not exhausted", "dpor: 1 schedule,* 1 interleaving passed, which is no proof: *left."]
        )

    def test_exhausted_to_a_bound(self, run: Run) -> None:
        """With a bound on preemptions, what has to be exhausted is what stays below it, and that whole."""
        source = KEPT.replace("port.xadd(x, 1)", "port.xadd(x, 1) and [port.load(x) for _ in range(3)]")
        source = source.replace(
            "mark.race", "mark.race(exhaust=True, strategy='exhaustive', preemptions=1, schedules=N)"
        )

        whole = run(source.replace("N", "100"), "--race-report")
        part = run(source.replace("N", "3"))

        whole.assert_outcomes(passed=1)
        whole.stdout.re_match_lines([r"test_it.py::test_lost .* exhausted to 1 preemption .*"])
        part.assert_outcomes(failed=1)
        part.stdout.fnmatch_lines(["not exhausted"])

    def test_need_not_exhaust(self, run: Run) -> None:
        """Without `exhaust`, or with False, a budget that is spent is no failure."""
        run(KEPT.replace("mark.race", "mark.race(strategy='dpor', schedules=1)")).assert_outcomes(passed=1)
        run(KEPT.replace("mark.race", "mark.race(strategy='dpor', schedules=1, exhaust=False)")).assert_outcomes(
            passed=1
        )

    def test_fails(self, run: Run) -> None:
        """A planted fault has to be found: by a part of its message, or by its kind."""
        run(LOST.replace("mark.race", "mark.race(fails='update is lost')")).assert_outcomes(passed=1)
        run(LOST.replace("mark.race", "mark.race(fails='check')")).assert_outcomes(passed=1)

    def test_fails_not(self, run: Run) -> None:
        """A planted fault that is not found fails the test, with the seed that did not find it."""
        result = run(KEPT.replace("mark.race", "mark.race(fails='lost')"), "--race-seed", "9")

        result.assert_outcomes(failed=1)
        result.stdout.fnmatch_lines([
            "no failure that says 'lost' was found",
            "Run it again with",
            f"python -m pytest -p {PLUGIN} * test_it.py::test_lost --race-seed 9",
        ])  # fmt: skip

    def test_fails_otherwise(self, run: Run) -> None:
        """Another failure than the planted one fails the test, shrunk."""
        result = run(LOST.replace("mark.race", "mark.race(fails='deadlock')"))

        result.assert_outcomes(failed=1)
        result.stdout.fnmatch_lines([
            "check: an update is lost*",
            "expected: a failure that says 'deadlock'",
            "found by *",
            "shrunk from * deviation* to [12]",
        ])  # fmt: skip

    def test_threads(self, run: Run) -> None:
        """`threads` is the body's argument, a test for each number."""
        source = KEPT.replace("mark.race", "mark.race(threads=NUMBER)").replace("(machine)", "(machine, threads)")
        source = source.replace('("left", "right")', "map(str, range(threads))").replace("== 2", "== threads")

        several = run(source.replace("NUMBER", "(1, 2, 3)"), "-v")
        one = run(source.replace("NUMBER", "2"), "-v")

        several.assert_outcomes(passed=3)
        several.stdout.fnmatch_lines([f"test_it.py::test_lost?{n}? PASSED*" for n in (1, 2, 3)])
        one.stdout.fnmatch_lines(["test_it.py::test_lost?2? PASSED*"])

    def test_marks_add_up(self, run: Run) -> None:
        """A module's mark holds for its tests, but for what theirs say otherwise."""
        source = KEPT.replace(
            "import pytest", "import pytest\n    pytestmark = pytest.mark.race(strategy='pos', schedules=3)"
        )

        result = run(source.replace("mark.race\n", "mark.race(schedules=4)\n"), "--race-report")

        result.stdout.re_match_lines([r"test_it.py::test_lost +pos +4 .* passed .*"])

    @pytest.mark.parametrize(
        ("mark", "text"),
        [
            pytest.param("stragety='pos'", "mark race: no option 'stragety'; there are strategy, *", id="name"),
            pytest.param("'pos'", "mark race: options by name only; there are *", id="position"),
            pytest.param("strategy='best'", "mark race: no strategy 'best'; there are *", id="strategy"),
            pytest.param("strategy='pos', preemptions=2", "mark race: preemptions=2 bounds *", id="bound"),
            pytest.param("examples=['s2.xx']", "examples: token 's2.xx': the checksum *", id="example"),
            pytest.param("examples='s2.xx'", "mark race: examples='s2.xx': a list of tokens", id="examples"),
            pytest.param("races='reprt'", "mark race: races='reprt': one of True, False, 'report', 'kno*", id="races"),
            pytest.param("schedules=0", "mark race: schedules=0: a whole number, 1 or more", id="schedules"),
            pytest.param("early=-1", "mark race: early=-1: a whole number, 0 or more", id="early"),
            pytest.param("seconds='5'", "mark race: seconds='5': a number greater than 0", id="seconds"),
            pytest.param("seconds=0", "mark race: seconds=0: a number greater than 0", id="no seconds"),
            pytest.param(
                "invariants=print", "mark race: invariants=*: a list of functions of the machine", id="invariant"
            ),
            pytest.param("fails=True", "mark race: fails=True: a text that the failure's message has", id="fails"),
            pytest.param("fails='x', examples=['s2.x']", "mark race: examples must hold, and *", id="both"),
        ],
    )
    def test_refused(self, run: Run, mark: str, text: str) -> None:
        """Options that do not exist are refused by name."""
        result = run(KEPT.replace("mark.race", f"mark.race({mark})"))

        result.assert_outcomes(failed=1)
        result.stdout.fnmatch_lines([text])
        result.stdout.no_fnmatch_line("*During handling of*")
        result.stdout.no_fnmatch_line("*plugin.py:*")

    @pytest.mark.parametrize("strategy", NAMED)
    def test_exhausting_strategies(self, run: Run, strategy: str) -> None:
        """What never comes to an end cannot exhaust anything, and is refused; all others do."""
        result = run(KEPT.replace("mark.race", f"mark.race(exhaust=True, strategy={strategy!r})"))

        if strategy in EXHAUSTING:
            result.assert_outcomes(passed=1)
        else:
            result.assert_outcomes(failed=1)
            result.stdout.fnmatch_lines([f"mark race: exhaust=True, and {strategy} never has seen everything; *"])

    def test_unmarked(self, run: Run) -> None:
        """A test that takes the machine without the mark is told so."""
        result = run(KEPT.replace("@pytest.mark.race", ""))

        result.assert_outcomes(failed=1)
        result.stdout.fnmatch_lines(["the fixture `machine` is for tests marked `race`: add @pytest.mark.race"])

    def test_another_machine(self, run: Run) -> None:
        """A marked test with a `machine` of its own is called as any other, and one without any too, with a warning."""
        source = """
            import pytest

            called = []

            @pytest.fixture
            def machine():
                return 7

            @pytest.mark.race
            def test_own(machine):
                called.append(machine)

            @pytest.mark.race
            def test_bare():
                assert called == [7]

            @pytest.mark.race(exhaust=True)
            def test_none():
                assert called == [7]
        """

        result = run(source, "-W", "default")

        result.assert_outcomes(passed=3, warnings=1)
        result.stdout.fnmatch_lines(
            ["*PytestWarning: marked `race`, but explores nothing: it takes no fixture `machine`"]
        )


class TestBody:
    """What a body may do beside spawning."""

    def test_raises(self, run: Run) -> None:
        """A body that raises before any thread runs fails with its own traceback."""
        result = run("""
            import pytest

            @pytest.mark.race
            def test_it(machine):
                raise KeyError('set-up')
        """)

        result.assert_outcomes(failed=1)
        result.stdout.fnmatch_lines([">*raise KeyError('set-up')", "test_it.py:5: KeyError"])

    def test_skips(self, run: Run) -> None:
        """A body that skips is skipped."""
        result = run("""
            import pytest

            @pytest.mark.race
            def test_it(machine):
                pytest.skip("not here")
        """)

        result.assert_outcomes(skipped=1)

    def test_threads_assert(self, run: Run) -> None:
        """An assertion in a thread fails the test with what pytest has to say about it, under the schedule."""
        result = run("""
            import pytest

            @pytest.mark.race
            def test_it(machine):
                x = machine.word(3, "x")
                def body(port):
                    found = port.load(x)
                    assert found == 4
                machine.spawn(body, "reader")
        """)

        result.assert_outcomes(failed=1)
        result.stdout.fnmatch_lines(["assertion: assert 3 == 4", "*load x = 3*", "reader: assertion: assert 3 == 4"])

    @pytest.mark.parametrize(
        ("function", "told"),
        [
            pytest.param("def test_it(machine): return 3", "the program returns 3: a program *", id="function"),
            pytest.param(
                "class TestIt:\n def test_it(self, machine): return 3", "the program returns 3: *", id="method"
            ),
        ],
    )
    def test_no_check(self, run: Run, function: str, told: str) -> None:
        """What is returned and is no check is refused where the test is, and not where this plugin calls it."""
        marked = f"import pytest\npytestmark = pytest.mark.race\n{function}"

        result = run(marked)

        result.assert_outcomes(failed=1)
        place = 3 + function.count("\n")
        result.stdout.fnmatch_lines([f"*Refused: *test_it.py:{place}: {told}"])

    def test_async(self, run: Run) -> None:
        """An async test would not be run at all: it is refused, and no coroutine is left behind."""
        result = run(LOST.replace("def test_lost", "async def test_lost"), "-W", "error")

        result.assert_outcomes(failed=1)
        result.stdout.fnmatch_lines(["mark race: the test is async, so nothing of it would be run: *"])

    @pytest.mark.parametrize(
        ("state", "counted", "told"),
        [
            pytest.param("runs = [0]", "runs[0]", "runs", id="global"),
            pytest.param("class runs: n = 0", "runs.n", "n", id="class"),
        ],
    )
    def test_keeps(self, run: Run, state: str, counted: str, told: str) -> None:
        """A test that counts its runs, and might do otherwise in a later one, has not been exhausted."""
        result = run(f"""
            import pytest

            {state}

            @pytest.mark.race(exhaust=True)
            def test_it(machine):
                {counted} += 1
                added = 1 if {counted} < 900 else 2
                x = machine.word(0, "x")
                for _ in range(2):
                    machine.spawn(lambda port: port.xadd(x, added))
        """)

        result.assert_outcomes(failed=1)
        result.stdout.fnmatch_lines(["not exhausted", f"*state is kept between runs: *{told}* at *test_it.py:*"])

    def test_keeps_in_a_fixture(self, run: Run) -> None:
        """Fixtures are made once, so what the test changes in one is kept."""
        result = run("""
            import pytest

            @pytest.fixture
            def runs():
                return [0]

            @pytest.mark.race(exhaust=True)
            def test_it(machine, runs):
                runs[0] += 1
                x = machine.word(runs[0] > 900, "x")
                for _ in range(2):
                    machine.spawn(lambda port: port.xadd(x, 1))
        """)

        result.assert_outcomes(failed=1)
        result.stdout.fnmatch_lines(["not exhausted", "*state is kept between runs: a list at *test_it.py:*"])

    def test_asks_the_clock(self, run: Run) -> None:
        """Nor has one that asks the clock, which may say something else another time."""
        result = run("""
            import time
            import pytest

            @pytest.mark.race(exhaust=True)
            def test_it(machine):
                x = machine.word(int(time.time() < 9), "x")
                for _ in range(2):
                    machine.spawn(lambda port: port.xadd(x, 1))
        """)

        result.assert_outcomes(failed=1)
        result.stdout.fnmatch_lines(["not exhausted", "*the program calls time.time at *test_it.py:6, *"])

    @pytest.mark.parametrize(
        "look", ["eval('self.v')", "[*vars().values()][0].v", "[*locals().values()][0].v", "self.v"]
    )
    def test_its_object(self, run: Run, look: str) -> None:
        """However a test looks at it, it is there."""
        result = run(f"""
            import pytest

            class TestIt:
                def setup_method(self):
                    self.v = 1

                @pytest.mark.race
                def test_it(self, machine):
                    machine.spawn(lambda port: None)
                    assert {look} == 1
        """)

        result.assert_outcomes(passed=1)

    def test_beside_others(self, run: Run) -> None:
        """What other tests of its class do is no business of a test that does not use its object, and of one that does."""
        result = run("""
            import time
            import pytest

            class TestIt:
                START = 0

                def test_real(self):
                    assert time.time()

                @pytest.mark.race(exhaust=True)
                def test_apart(self, machine):
                    x = machine.word(0, "x")
                    for _ in range(2):
                        machine.spawn(lambda port: port.xadd(x, 1))

                @pytest.mark.race(exhaust=True)
                def test_looks(self, machine):
                    x = machine.word(self.START, "x")
                    for _ in range(2):
                        machine.spawn(lambda port: port.xadd(x, 1))

                @pytest.mark.race(exhaust=True)
                def test_stores(self, machine):
                    self.x = machine.word(0, "x")
        """)

        result.assert_outcomes(passed=2, failed=2)
        result.stdout.fnmatch_lines(["*the program calls time.time at *test_it.py:8, *"] * 2)

    def test_order_of_arguments(self, run: Run) -> None:
        """Fixtures may come before the machine and behind it; behind `*` the machine is refused."""
        result = run("""
            import pytest

            @pytest.fixture
            def one():
                return 1

            @pytest.fixture
            def two():
                return 2

            class TestIt:
                @pytest.mark.race
                def test_method(self, one, machine, *, two, three=3):
                    assert (one, two, three, machine.word(7)) == (1, 2, 3, 1)

            @pytest.mark.race
            def test_named(one, *, machine):
                pass

            @pytest.mark.race
            @pytest.mark.usefixtures("machine")
            def test_used(one):
                pass
        """)

        result.assert_outcomes(passed=1, failed=2)
        result.stdout.fnmatch_lines(["mark race: the test has to take `machine` as an argument *"] * 2)

    def test_limit(self, run: Run) -> None:
        """Schedules that outgrew their limit are a warning: a pass is no pass of all."""
        source = """
            import pytest

            @pytest.mark.race(strategy="random", schedules=1, steps=3)
            def test_it(machine):
                x = machine.word(0, "x")
                machine.spawn(lambda port: [port.xadd(x, 1) for _ in range(5)])
        """
        run(source, "-W", "default").assert_outcomes(passed=1, warnings=1)
        run(source, "-W", "error").assert_outcomes(failed=1)

    def test_limit_of_a_fault(self, run: Run) -> None:
        """They are none where a planted fault was found all the same."""
        source = LOST.replace("mark.race", "mark.race(strategy='random', steps=1, fails='lost')")

        run(source, "-W", "error").assert_outcomes(passed=1)
