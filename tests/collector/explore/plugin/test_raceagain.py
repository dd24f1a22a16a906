"""Failing schedules are remembered by the pytest plugin, replayed first, and forgotten; examples are kept in the mark."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from collector.explore.remembered import MOST, Remembered
from collector.explore.token import Token
from tests.collector.explore.plugin.suites import KEPT, LOST, PLUGIN, command


if TYPE_CHECKING:
    from pathlib import Path

    from tests.collector.explore.plugin.suites import Run

pytest_plugins = ["pytester"]
TEST = "test_it.py::test_lost"
HARD = LOST.replace("@pytest.mark.race", "@pytest.mark.race(strategy='random', schedules=1)")
"""One schedule is drawn: another run will hardly draw the same."""


@pytest.fixture(autouse=True)
def _anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if this were no CI server, where nothing is remembered."""
    monkeypatch.delenv("CI", raising=False)


def files(pytester: pytest.Pytester) -> list[Path]:
    """What is remembered."""
    return sorted((pytester.path / ".races").glob("*/*.token"))


def failing_seed(run: Run, source: str) -> str:
    """A seed with which the one schedule that is drawn fails; nothing is remembered."""
    for seed in range(60):
        result = run(source, "--race-seed", str(seed), "-o", "race_folder=none")
        if result.parseoutcomes().get("failed"):
            return str(seed)
    raise AssertionError


class TestRemembered:
    """A failure is found once and fails every run until it is mended."""

    def test_a_failure_comes_first_the_next_time(self, run: Run, pytester: pytest.Pytester) -> None:
        """Whatever is drawn then: without the memory the same run passes."""
        seed = failing_seed(run, HARD)
        assert files(pytester) == []
        passing = next(
            str(n)
            for n in range(1000, 1060)
            if not run(HARD, "--race-seed", str(n), "-o", "race_folder=none").parseoutcomes().get("failed")
        )
        first = run(HARD, "--race-seed", seed)
        assert len(files(pytester)) == 1

        again = run(HARD, "--race-seed", passing)

        again.assert_outcomes(failed=1)
        again.stdout.fnmatch_lines(["check: an update is lost*", "remembered: it has failed an earlier run", "*store*"])
        for each in (first, again):
            each.stdout.re_match_lines([r"It fails at test_it\.py:\d+$", "Replay it with$"])
        assert command(again) == command(first)
        assert len(files(pytester)) == 1

    def test_what_no_longer_fails_is_forgotten(self, run: Run, pytester: pytest.Pytester) -> None:
        """The mended test passes, and goes on to explore."""
        run(LOST).assert_outcomes(failed=1)
        assert files(pytester)

        result = run(KEPT, "--race-report")

        result.assert_outcomes(passed=1)
        assert not re.search(r"test_lost +replay", result.stdout.str())
        assert files(pytester) == []

    def test_a_test_that_has_gone_is_forgotten(self, run: Run, pytester: pytest.Pytester) -> None:
        """Its file is there and has it not; a run of one test alone says nothing of the others."""
        run(LOST).assert_outcomes(failed=1)
        renamed = KEPT.replace("test_lost", "test_other")

        pytester.makepyfile(test_it=renamed)
        pytester.runpytest("-p", PLUGIN, "test_it.py::test_other").assert_outcomes(passed=1)
        assert files(pytester)
        run(renamed).assert_outcomes(passed=1)

        assert files(pytester) == []

    def test_a_spoilt_file_is_dropped(self, run: Run, pytester: pytest.Pytester) -> None:
        """Somebody has cut it short."""
        run(LOST)
        (file,) = files(pytester)
        file.write_text(file.read_text()[:20])

        run(KEPT).assert_outcomes(passed=1)

    def test_the_folder_is_no_part_of_the_project(self, run: Run, pytester: pytest.Pytester) -> None:
        """Git ignores it; an ini option names another, or none."""
        run(LOST)
        assert (pytester.path / ".races" / ".gitignore").read_text() == "*\n"
        run(LOST, "-o", "race_folder=build/known")
        assert list((pytester.path / "build" / "known").glob("*/*.token"))

    def test_planted_faults_are_not_remembered(self, run: Run, pytester: pytest.Pytester) -> None:
        """They are to fail."""
        run(LOST.replace(".race", ".race(fails='lost')")).assert_outcomes(passed=1)
        assert files(pytester) == []

    @pytest.mark.skipif("not __import__('importlib.util').util.find_spec('xdist')", reason="pytest-xdist is not here")
    def test_by_several_processes(self, run: Run, pytester: pytest.Pytester) -> None:
        """All of their failures are there afterwards, each whole."""
        pytester.makepyfile(test_more=LOST + LOST.partition("\n")[2].replace("test_lost", "test_other"))
        # Processes of xdist's own, which load the plugin as this one does.
        result = run(LOST, "-p", "xdist", "-n", "2")
        result.assert_outcomes(failed=3)
        assert len(files(pytester)) == 3
        for file in files(pytester):
            assert Token.decode(file.read_text()).deviations


class TestExamples:
    """Tokens in the mark."""

    def test_an_example_fails_until_it_is_mended(self, run: Run) -> None:
        """It is run first, whatever is drawn; then it holds."""
        token = command(run(LOST, "-o", "race_folder=none"))[-1]
        marked = (source.replace(".race", f".race(examples=[{token!r}], schedules=1)") for source in (LOST, KEPT))
        with_fault, mended = marked

        result = run(with_fault, "--race-seed", "3")
        result.assert_outcomes(failed=1)
        result.stdout.fnmatch_lines(["check: an update is lost*", "an example of the mark", f"* --race-replay {token}"])
        run(mended).assert_outcomes(passed=1)

    def test_no_token(self, run: Run) -> None:
        """One line says so; and an example cannot be one of a fault that is to be found."""
        result = run(LOST.replace(".race", ".race(examples=['s2.x'])"))
        result.stdout.fnmatch_lines(["examples: token 's2.x'*"])
        result = run(LOST.replace(".race", ".race(examples=['s2.x'], fails='lost')"))
        result.stdout.fnmatch_lines(["mark race: examples must hold*"])


class TestElsewhere:
    """A failure of a CI server is fetched."""

    def test_the_command_is_printed_and_works(
        self, run: Run, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """`--race-keep` keeps the token and fails with it."""
        monkeypatch.setenv("CI", "true")
        there = run(LOST, "-o", "race_folder=none")
        line = next(line for line in there.outlines if "--race-keep" in line)
        token = line.split()[-1]
        there.stdout.fnmatch_lines([f"@pytest.mark.race(examples=['{token}'])"])
        monkeypatch.delenv("CI")

        here = run(HARD + LOST.partition("\n")[2].replace("test_lost", "test_other"), "--race-keep", token)

        here.assert_outcomes(failed=1, deselected=1)
        here.stdout.fnmatch_lines(["remembered: it has failed an earlier run"])
        assert "--race-keep" not in "\n".join(line for line in here.outlines if line.startswith("python -m pytest"))
        assert len(files(pytester)) == 1

    def test_of_another_test(self, run: Run) -> None:
        """It is refused."""
        token = command(run(LOST, "-o", "race_folder=none"))[-1]
        result = run(LOST.replace("test_lost", "test_other"), "--race-keep", token)
        result.stderr.fnmatch_lines(
            ["*--race-keep: the token is of test_it.py::test_lost, which is not among the tests"]
        )
        assert run(LOST, "--race-keep", "s2.x").ret == pytest.ExitCode.USAGE_ERROR


def test_so_many_are_kept(tmp_path: Path) -> None:
    """The oldest make room; the same token is one file."""
    memory = Remembered(tmp_path / "folder")
    tokens = [Token(deviations=((n, 1),), about={"test": TEST}).encode() for n in range(MOST + 3)]
    for token in [*tokens, tokens[-1]]:
        memory.keep(TEST, token)
    assert len(memory.of(TEST)) == MOST
    assert memory.of(TEST)[0] == tokens[-1]
    assert set(memory.tests()) == {TEST}
    memory.drop(TEST, tokens[-1])
    memory.drop(TEST, tokens[-1])
    assert memory.of(TEST)[0] != tokens[-1]
