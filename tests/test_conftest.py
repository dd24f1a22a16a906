"""The harness: what tests draw can be drawn again, and a thread that fails or stays fails its test.

Each test runs a small suite of its own under the project's `conftest.py` and pytest configuration.
"""

from __future__ import annotations

import os
import re
import shlex
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

import pytest


if TYPE_CHECKING:
    from collections.abc import Callable


pytest_plugins = ["pytester"]

HERE = Path(__file__).parent

DRAWS = """
def test_one(seed):
    print("\\none", seed)

def test_two(seed):
    print("\\ntwo", seed)
"""


@pytest.fixture(name="suite")
def _suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], pytest.Pytester]:
    """Makes a suite of one file, `test_it.py`."""
    monkeypatch.setenv("PYTHONPATH", str(HERE.parent))  # a process of its own finds the plugin in a checkout too

    def make(source: str) -> pytest.Pytester:
        pytester.makeconftest((HERE / "conftest.py").read_text())
        pytester.makepyprojecttoml((HERE.parent / "pyproject.toml").read_text())
        pytester.makepyfile(test_it=source)
        return pytester

    return make


def draws(result: pytest.RunResult) -> list[str]:
    """What the tests of `DRAWS` drew."""
    return [line for line in result.outlines if re.match(r"(one|two) ", line)]


class TestSeed:
    """`--seed N` and the fixture `seed`."""

    def test_header(self, suite: Callable[[str], pytest.Pytester]) -> None:
        """The header prints the seed, the interpreter's version and whether the GIL is on."""
        result = suite("def test_nothing(): pass").runpytest("test_it.py", "--seed", "7")

        gil = "on" if getattr(sys, "_is_gil_enabled", lambda: True)() else "off"
        version = ".".join(map(str, sys.version_info[:3]))
        assert re.search(rf"^seed: 7, CPython {re.escape(version)}\S*, GIL {gil}$", result.stdout.str(), re.MULTILINE)

    def test_drawn_afresh(self, suite: Callable[[str], pytest.Pytester]) -> None:
        """Without --seed every run draws another one, and other numbers follow from it."""
        pytester = suite(DRAWS)

        first, second = (draws(pytester.runpytest("test_it.py", "-s")) for _ in range(2))

        assert len(first) == len(second) == 2
        assert all(a != b for a, b in zip(first, second, strict=True))

    def test_given_back(self, suite: Callable[[str], pytest.Pytester]) -> None:
        """The seed that the header printed draws the same again, in another process."""
        pytester = suite(DRAWS)
        first = pytester.runpytest("test_it.py", "-s")
        printed = re.search(r"^seed: (\d+)", first.stdout.str(), re.MULTILINE)
        assert printed

        second = pytester.runpytest_subprocess("test_it.py", "-s", "--seed", printed[1])

        assert len(draws(first)) == 2
        assert draws(first) == draws(second)

    def test_own_number(self, suite: Callable[[str], pytest.Pytester]) -> None:
        """Two tests draw different numbers from one seed, and a test run alone draws what it drew among others."""
        pytester = suite(DRAWS)
        one, two = draws(pytester.runpytest("test_it.py", "-s", "--seed", "7"))

        alone = draws(pytester.runpytest("test_it.py::test_two", "-s", "--seed", "7"))

        assert one.split()[1] != two.split()[1]
        assert alone == [two]

    def test_replay_command(self, suite: Callable[[str], pytest.Pytester]) -> None:
        """Under a failed test stands the command that fails in the same way, whatever its id looks like."""
        pytester = suite("""
            import pytest

            @pytest.mark.parametrize("name", ["it's; one"])
            def test_fails(name, seed):
                assert seed == name
        """)
        first = pytester.runpytest("test_it.py")
        command = next(line for line in first.outlines if line.startswith("python -m pytest "))

        second = pytester.runpytest(*shlex.split(command)[3:])

        first.assert_outcomes(failed=1)
        second.assert_outcomes(failed=1)
        assert [line for line in first.outlines if line.startswith("E ")] == [
            line for line in second.outlines if line.startswith("E ")
        ]

    def test_passing_is_silent(self, suite: Callable[[str], pytest.Pytester]) -> None:
        """A test that passes prints no such command."""
        result = suite("def test_nothing(): pass").runpytest("test_it.py", "-rA")

        assert "python -m pytest" not in result.stdout.str()

    def test_hypothesis(self, suite: Callable[[str], pytest.Pytester]) -> None:
        """Hypothesis prints what makes a failing example fail again, and that does."""
        source = """
            import hypothesis, hypothesis.strategies as st

            REPEAT
            @hypothesis.given(st.integers())
            def test_given(i):
                assert i < 1000
        """
        first = suite(source.replace("REPEAT", "")).runpytest("test_it.py")
        repeat = re.search(r"@(reproduce_failure\(.*\))", first.stdout.str())
        assert repeat

        second = suite(source.replace("REPEAT", f"@hypothesis.{repeat[1]}")).runpytest("test_it.py")

        first.assert_outcomes(failed=1)
        second.assert_outcomes(failed=1)
        second.stdout.no_fnmatch_line("*DidNotReproduce*")

    def test_nonsense(self, suite: Callable[[str], pytest.Pytester]) -> None:
        """A seed that is no number is refused by name."""
        result = suite("def test_nothing(): pass").runpytest("test_it.py", "--seed", "many")

        assert result.ret == pytest.ExitCode.USAGE_ERROR
        result.stderr.fnmatch_lines(["*argument --seed: invalid int value: 'many'*"])


class TestThreads:
    """Threads belong to the test that starts them."""

    def test_left_behind(self, suite: Callable[[str], pytest.Pytester]) -> None:
        """A test that leaves a thread running fails and names it; the next one does not pay for it."""
        pytester = suite("""
            import threading

            def test_leaves():
                threading.Thread(target=threading.Event().wait, name="forgotten", daemon=True).start()

            def test_next():
                pass
        """)
        conftest = pytester.path / "conftest.py"
        conftest.write_text(conftest.read_text().replace("LEAVE_SECONDS = 5.0", "LEAVE_SECONDS = 0.1"))

        result = pytester.runpytest_subprocess("test_it.py")

        result.assert_outcomes(passed=2, errors=1)
        result.stdout.fnmatch_lines(["threads left behind: forgotten; *", "python -m pytest test_it.py::test_leaves *"])

    def test_joined(self, suite: Callable[[str], pytest.Pytester]) -> None:
        """A test that joins its threads, or whose threads end by themselves, passes."""
        result = suite("""
            import threading

            def test_joins():
                thread = threading.Thread(target=print)
                thread.start()
                thread.join()

            def test_ends():
                threading.Timer(0.01, print).start()
        """).runpytest("test_it.py")

        result.assert_outcomes(passed=2)

    def test_exception(self, suite: Callable[[str], pytest.Pytester]) -> None:
        """An exception in a thread fails the test that started it."""
        result = suite("""
            import threading

            def test_raises():
                thread = threading.Thread(target=int, args=["not a number"])
                thread.start()
                thread.join()
        """).runpytest("test_it.py")

        result.assert_outcomes(failed=1)
        result.stdout.fnmatch_lines(["*PytestUnhandledThreadExceptionWarning*"])


class TestStrictness:
    """What pytest by itself would let pass."""

    @pytest.mark.parametrize(
        ("source", "text"),
        [
            pytest.param(
                "import pytest\n@pytest.mark.rcae\ndef test_it(): pass", "*'rcae' not found in `markers`*", id="marker"
            ),
            pytest.param("import pytest\n@pytest.mark.xfail\ndef test_it(): pass", "*XPASS(strict)*", id="xfail"),
            pytest.param("import warnings\ndef test_it(): warnings.warn('old')", "*UserWarning: old*", id="warning"),
        ],
    )
    def test_refused(self, suite: Callable[[str], pytest.Pytester], source: str, text: str) -> None:
        """An unknown marker, a test that passes against expectation and a warning are failures."""
        result = suite(source).runpytest("test_it.py")

        assert sum(result.parseoutcomes().get(outcome, 0) for outcome in ("failed", "errors")) == 1
        result.stdout.fnmatch_lines([text])


@pytest.mark.skipif(not sysconfig.get_config_var("Py_GIL_DISABLED"), reason="this interpreter is built with the GIL")
@pytest.mark.skipif("PYTHON_GIL" in os.environ, reason="PYTHON_GIL decides")
def test_gil_stays_off() -> None:
    """No package that the tests import switches the GIL of a free-threaded interpreter back on."""
    is_gil_enabled: Callable[[], bool] = getattr(sys, "_is_gil_enabled")  # noqa: B009 - unknown to mypy before 3.13

    assert not is_gil_enabled()
