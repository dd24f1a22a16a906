"""A race that the plugin has found: told in a few lines, and run again by the command that it prints."""

from __future__ import annotations

import re
from itertools import takewhile
from typing import TYPE_CHECKING

from collector.explore.token import Token
from tests.collector.explore.plugin.suites import KEPT, LOST, PLUGIN, command


if TYPE_CHECKING:
    import pytest

    from tests.collector.explore.plugin.suites import Run

pytest_plugins = ["pytester"]


class TestFound:
    """A race is found, told and repeated."""

    def test_printed(self, run: Run) -> None:
        """A failing test says what failed, prints the shrunk schedule by thread, and a traceback of nobody's."""
        result = run(LOST)

        result.assert_outcomes(failed=1)
        result.stdout.fnmatch_lines([
            "check: an update is lost*",
            "found by * in schedule *; preemptions: 1",
            "shrunk from * deviation* to [12]",
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
