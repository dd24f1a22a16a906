"""The plugin's options, on the command line and in an ini file, and the ways by which pytest gets it."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.collector.explore.plugin.suites import KEPT, LOST, PLUGIN


if TYPE_CHECKING:
    from tests.collector.explore.plugin.suites import Run

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parents[4]


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

    def test_report_of_a_replay(self, run: Run) -> None:
        """The one schedule has its row; where no race was run the report says so."""
        failed = run(LOST)
        token = next(line.rpartition(" ")[2] for line in failed.outlines if "--race-replay" in line)

        result = run(LOST, "--race-report", "--race-replay", token)

        result.stdout.re_match_lines([
            r"test +strategy +executions +pruned +states +verdict +seconds",
            r"test_it.py::test_lost +replay +1 +0 +0 +check: an update is lost +\d.*",
        ], consecutive=True)  # fmt: skip
        run("def test_other(): pass", "--race-report").stdout.fnmatch_lines(["no test was explored"])

    def test_report_of_an_expected_failure(self, run: Run) -> None:
        """It was explored, too."""
        result = run(LOST.replace("@pytest.mark.race", "@pytest.mark.xfail\n    @pytest.mark.race"), "--race-report")

        result.assert_outcomes(xfailed=1)
        result.stdout.re_match_lines([r"test_it.py::test_lost +portfolio +\d+ .* check: an update is lost .*"])

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
