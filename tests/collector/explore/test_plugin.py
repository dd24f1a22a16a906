"""The pytest plugin: small suites of its own, run in this process or, where it matters how the plugin got in, in another."""

from __future__ import annotations

import re
import shlex
import tomllib
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from collector.explore.token import Token


if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[..., pytest.RunResult]


pytest_plugins = ["pytester"]

PLUGIN = "collector.explore.plugin"
ROOT = Path(__file__).parents[3]

LOST = """
    import pytest

    @pytest.mark.race
    def test_lost(machine):
        x = machine.word(0, "x")
        for name in ("left", "right"):
            machine.spawn(lambda port: port.store(x, port.load(x) + 1), name)

        def check():
            assert machine.peek(x) == 2, "an update is lost"

        return check
"""
KEPT = LOST.replace("port.store(x, port.load(x) + 1)", "port.xadd(x, 1)")


@pytest.fixture(name="run")
def _run(pytester: pytest.Pytester) -> Run:
    """Runs a suite of one file, `test_it.py`, with these options."""

    def run(source: str, *options: str, **env: Any) -> pytest.RunResult:  # noqa: ANN401
        pytester.makepyfile(test_it=source)
        return pytester.runpytest("-p", PLUGIN, *options, **env)

    return run


def command(result: pytest.RunResult) -> list[str]:
    """The command that a failed test printed, from its node id on."""
    line = next(line for line in result.outlines if line.startswith("python -m pytest "))
    words = shlex.split(line)
    return words[next(i for i, word in enumerate(words) if "::" in word) :]


class TestFound:
    """A race is found, told and repeated."""

    def test_printed(self, run: Run) -> None:
        """A failing test says what failed, prints the shrunk schedule by thread, and a traceback of nobody's."""
        result = run(LOST)

        result.assert_outcomes(failed=1)
        result.stdout.fnmatch_lines([
            "check: an update is lost*",
            "found by * in schedule *; preemptions: 1",
            "shrunk from * deviations to [12]",
            "*step*left*right*",
            "*load x = 0*",
            "*store x := 1*",
            "Replay it with",
            f"python -m pytest -p {PLUGIN} * test_it.py::test_lost --race-replay s2.*",
        ])  # fmt: skip
        assert "Traceback" not in result.stdout.str()
        assert "_pytest" not in result.stdout.str()

    def test_replayed(self, run: Run, pytester: pytest.Pytester) -> None:
        """The printed command runs that schedule and fails with that trace, whatever the seed."""
        first = run(LOST)
        second = pytester.runpytest("-p", PLUGIN, *command(first), "--race-seed", "1")

        second.assert_outcomes(failed=1)

        def trace(result: pytest.RunResult) -> list[str]:
            # On CI the summary tells the whole failure again.
            told = takewhile(lambda line: "short test summary" not in line, result.outlines)
            return [line for line in told if re.match(r"\s*\d+ .*(load|store) ", line)]

        assert len(trace(first)) == 4
        assert trace(first) == trace(second)

    def test_awkward_id(self, run: Run, pytester: pytest.Pytester) -> None:
        """The command survives a shell whatever the test's id looks like."""
        source = LOST.replace(
            "@pytest.mark.race", "@pytest.mark.parametrize('n', [\"it's; $one\"])\n    @pytest.mark.race"
        )
        first = run(source.replace("(machine)", "(machine, n)"))

        second = pytester.runpytest("-p", PLUGIN, *command(first))

        second.assert_outcomes(failed=1)
        second.stdout.fnmatch_lines(["*check: an update is lost*"])

    def test_about(self, run: Run) -> None:
        """The token says which test it is of."""
        token = Token.decode(command(run(LOST))[-1])

        assert token.about == {"test": "test_it.py::test_lost"}

    def test_other_test(self, run: Run) -> None:
        """A token of another test is refused, and says whose it is."""
        first = run(LOST)

        second = run(LOST.replace("test_lost", "test_other"), *command(first)[1:])

        second.assert_outcomes(failed=1)
        second.stdout.fnmatch_lines([
            "--race-replay: the token is not of this test but of test test_it.py::test_lost: python -m pytest *"
        ])  # fmt: skip

    def test_only_the_tests_own(self, run: Run) -> None:
        """Without a node id the token decides which test is run."""
        source = LOST + LOST.partition("\n")[2].replace("test_lost", "test_other")
        token = command(run(LOST))[-1]

        result = run(source, "--race-replay", token)

        result.assert_outcomes(failed=1, deselected=1)
        result.stdout.fnmatch_lines(["*check: an update is lost*"])

    def test_called_elsewhere(self, run: Run, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
        """The command repeats how pytest was called, from where that was; a seed or token of before is left out."""
        run(LOST)
        (pytester.path / "below").mkdir()
        monkeypatch.chdir(pytester.path / "below")

        result = pytester.runpytest("-p", PLUGIN, "../test_it.py", "-q", "--race-seed", "3")

        result.stdout.fnmatch_lines([f"python -m pytest -p {PLUGIN} -q * ../test_it.py::test_lost --race-replay s2.*"])
        assert "--race-seed" not in " ".join(line for line in result.outlines if line.startswith("python -m pytest"))

    def test_no_test(self, run: Run) -> None:
        """So is a token that no test made."""
        result = run(LOST, "--race-replay", Token(about={"scenario": "aba"}).encode())

        result.assert_outcomes(failed=1)
        result.stdout.fnmatch_lines(["--race-replay: the token is not of this test but of no test of pytest's"])

    def test_mended(self, run: Run) -> None:
        """Replayed on a test that has been mended, the schedule passes; it is printed, and that it is another one."""
        first = run(LOST)

        second = run(KEPT, *command(first)[1:])

        second.assert_outcomes(passed=1)
        second.stdout.fnmatch_lines(["test_it.py::test_lost: the schedule passed (2 steps)", "diverged: *", "*xadd x*"])

    def test_expected_replay(self, run: Run) -> None:
        """A planted fault's schedule passes its test when replayed, and is printed all the same."""
        token = command(run(LOST))[-1]

        result = run(LOST.replace("mark.race", "mark.race(fails='lost')"), "--race-replay", token)

        result.assert_outcomes(passed=1)
        result.stdout.fnmatch_lines(["test_it.py::test_lost: check: an update is lost", "*step*left*right*"])

    def test_warned(self, run: Run) -> None:
        """A body that keeps something from schedule to schedule is refused."""
        result = run("""
            import pytest

            runs = []

            @pytest.mark.race(strategy="random")
            def test_keeps(machine):
                runs.append(1)
                x = machine.word(0)
                machine.spawn(lambda port: port.xadd(x, 1))
                def check():
                    assert len(runs) != 2
                return check
        """)

        result.assert_outcomes(failed=1)
        result.stdout.fnmatch_lines(["refused", "random: *not the same twice*"])


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
        result.stdout.fnmatch_lines(["not exhausted", "dpor: 1 schedules*no proof: more are left."])

    def test_exhausted_to_a_bound(self, run: Run) -> None:
        """With a bound on preemptions, what has to be exhausted is what stays below it, and that whole."""
        source = KEPT.replace("port.xadd(x, 1)", "port.xadd(x, 1) and [port.load(x) for _ in range(3)]")
        source = source.replace(
            "mark.race", "mark.race(exhaust=True, strategy='exhaustive', preemptions=1, schedules=N)"
        )

        whole = run(source.replace("N", "100"), "--race-report")
        part = run(source.replace("N", "3"))

        whole.assert_outcomes(passed=1)
        whole.stdout.re_match_lines([r"test_it.py::test_lost .* exhausted to 1 preemptions .*"])
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
            "shrunk from * deviations to [12]",
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
            pytest.param("strategy='best'", "*no strategy 'best'; there are *", id="strategy"),
        ],
    )
    def test_refused(self, run: Run, mark: str, text: str) -> None:
        """Options that do not exist are refused by name."""
        result = run(KEPT.replace("mark.race", f"mark.race({mark})"))

        result.assert_outcomes(failed=1)
        result.stdout.fnmatch_lines([text])

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


class TestOptions:
    """The command line."""

    def test_seed(self, run: Run) -> None:
        """The header prints the seed; the same one draws the same schedules, for each test its own."""
        source = """
            import pytest

            @pytest.mark.race(strategy="random", schedules=20)
            @pytest.mark.parametrize("i", [1, 2])
            def test_it(machine, i, record_property):
                order = []
                for t in range(4):
                    x = machine.word(0)
                    machine.spawn(lambda port, t=t, x=x: port.load(x) or order.append(t))
                def check():
                    print("drew", i, order)
                return check
        """

        def drew(*options: str) -> tuple[list[str], list[str]]:
            result = run(source, "-s", *options)
            lines = [line.split("drew ", 1)[1] for line in result.outlines if "drew " in line]
            one, two = ([line[2:] for line in lines if line[0] == i] for i in "12")
            assert len(one) == len(two) >= 20  # some are run twice
            return one, two

        first = drew("--race-seed", "7")

        run(source, "--race-seed", "7").stdout.fnmatch_lines(["race seed: 7"])
        assert first[0] != first[1]
        assert drew("--race-seed", "7") == first
        assert drew("--race-seed", "8") != first
        assert drew() != drew()

    def test_schedules(self, run: Run) -> None:
        """--race-schedules replaces the mark's budget, time limit included, but for what must be exhausted."""
        source = """
            import pytest

            @pytest.mark.race(strategy="random", schedules=2, seconds=1e-9)
            def test_short(machine):
                y = machine.word(0)
                machine.spawn(lambda port: port.load(y))

            @pytest.mark.race(exhaust=True)
            def test_whole(machine):
                x = machine.word(0)
                for _ in range(3):
                    machine.spawn(lambda port: port.xadd(x, 1))
        """
        result = run(source, "--race-schedules", "5", "--race-report")

        result.assert_outcomes(passed=2)
        result.stdout.re_match_lines([
            r"test_it.py::test_short +random +5 .* passed .*",
            r"test_it.py::test_whole +dpor +6 .* exhausted .*",
        ])  # fmt: skip

    def test_report(self, run: Run) -> None:
        """--race-report lists every race with its strategy, executions and verdict, the failed ones too."""
        source = LOST + KEPT.replace("import pytest", "").replace("test_lost", "test_kept")
        found = (
            LOST.replace("import pytest", "").replace("test_lost", "test_found").replace("race", "race(fails='lost')")
        )

        result = run(source + found, "--race-report")

        result.stdout.re_match_lines([
            r"test +strategy +executions +pruned +states +verdict +seconds",
            r"test_it.py::test_found +portfolio +\d+ +\d+ +\d+ +fault found +\d.*",
            r"test_it.py::test_kept +portfolio +\d+ +\d+ +\d+ +exhausted +\d.*",
            r"test_it.py::test_lost +portfolio +\d+ +\d+ +\d+ +check: an update is lost +\d.*",
        ], consecutive=True)  # fmt: skip

    def test_no_report(self, run: Run) -> None:
        """Unasked, there is none."""
        assert "executions" not in run(KEPT).stdout.str()

    @pytest.mark.parametrize(
        ("options", "text"),
        [
            pytest.param(["--race-replay", "s1.AAAA"], "*--race-replay: token 's1.AAAA': the checksum *", id="token"),
            pytest.param(["--race-schedules", "0"], "*--race-schedules 0: at least 1", id="schedules"),
            pytest.param(["--race-seed", "many"], "*argument --race-seed: invalid int value: 'many'*", id="seed"),
        ],
    )
    def test_refused(self, run: Run, options: list[str], text: str) -> None:
        """What cannot be meant is refused in a line, before any test."""
        result = run(KEPT, *options)

        assert result.ret == pytest.ExitCode.USAGE_ERROR
        result.stderr.fnmatch_lines([text])

    def test_mark_explained(self, run: Run) -> None:
        """--markers explains the mark, with the options there are."""
        run(KEPT, "--markers").stdout.fnmatch_lines(["@pytest.mark.race(strategy, *exhaust, fails, threads): *"])


@pytest.mark.parametrize(
    "ways",
    [
        pytest.param(ways, id="+".join(ways))
        for ways in (["conftest"], ["installed"], ["option", "conftest", "installed"])
    ],
)
def test_registered_once(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, ways: list[str]) -> None:
    """However the plugin gets in, from a checkout or installed, and by however many ways at once, it is in once."""
    if "installed" in ways:
        points = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]["pytest11"]
        info = pytester.mkdir("race_plugin-1.0.dist-info")
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: race-plugin\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(
            "[pytest11]\n" + "".join(f"{name} = {value}\n" for name, value in points.items())
        )
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    pytester.makeconftest(f"pytest_plugins = [{PLUGIN!r}]" if "conftest" in ways else "")
    pytester.makepyfile(test_it=KEPT)

    result = pytester.runpytest_subprocess(*(["-p", PLUGIN] if "option" in ways else []))

    result.assert_outcomes(passed=1)
    assert sum(line.startswith("race seed: ") for line in result.outlines) == 1


class TestIni:
    """What a project's ini file may say."""

    def test_a_fixed_seed(self, run: Run, pytester: pytest.Pytester) -> None:
        """Is that of every run, unless the command names another."""
        pytester.makeini("[pytest]\nrace_seed = 11\n")

        run(KEPT).stdout.fnmatch_lines(["race seed: 11"])
        run(KEPT, "--race-seed", "12").stdout.fnmatch_lines(["race seed: 12"])

    def test_a_time_limit(self, run: Run, pytester: pytest.Pytester) -> None:
        """Ends a test that would go on, and fails one that is to be exhausted."""
        pytester.makeini("[pytest]\nrace_seconds = 0.000001\n")
        many = KEPT.replace("mark.race", "mark.race(strategy='random', schedules=10**9)")

        run(many).assert_outcomes(passed=1)
        result = run(KEPT.replace("mark.race", "mark.race(exhaust=True)"))

        result.assert_outcomes(failed=1)
        result.stdout.fnmatch_lines(["not exhausted"])
        run(KEPT.replace("mark.race", "mark.race(exhaust=True, seconds=60)")).assert_outcomes(passed=1)

    @pytest.mark.parametrize("line", ["race_seed = x", "race_seconds = -1"])
    def test_nonsense(self, run: Run, pytester: pytest.Pytester, line: str) -> None:
        """Is refused in a line."""
        pytester.makeini(f"[pytest]\n{line}\n")

        assert f"ini option {line}: a positive number" in run(KEPT).stderr.str()
