"""Pages of race tests that fail: `--race-html`."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from collector.explore.token import Token


if TYPE_CHECKING:
    from pathlib import Path

pytest_plugins = ["pytester"]

PLUGINS = ("-p", "collector.explore.plugin", "-p", "collector.report.schedule.racepages")
SUITE = """
    import pytest

    def small(machine):
        assert machine.peek(machine.x) < 2, "too big"

    @pytest.mark.race
    @pytest.mark.parametrize("name", ["a/b", "a-b"])
    def test_lost(machine, name):
        x = machine.word(0, "x")
        for _ in range(2):
            machine.spawn(lambda port: port.store(x, port.load(x) + 1))

        def check():
            assert machine.peek(x) == 2, f"lost {name}"

        return check

    @pytest.mark.race(invariants=(small,))
    def test_invariant(machine):
        x = machine.x = machine.word(0, "x")
        machine.spawn(lambda port: port.xadd(x, 2))

    @pytest.mark.race(exhaust=True)
    def test_kept(machine):
        x = machine.word(0, "x")
        machine.spawn(lambda port: port.xadd(x, 1))
"""


def data(page: Path) -> dict[str, Any]:
    """What the page shows."""
    (text,) = re.findall(r'<script [^>]*id="data"[^>]*>(.*?)</script>', page.read_text("utf-8"), re.DOTALL)
    shown: dict[str, Any] = json.loads(text)
    return shown


def test_each_failure_has_a_page(pytester: pytest.Pytester) -> None:
    """Under a name of its own, with the failure, the sources and the token; what passes has none."""
    pytester.makepyfile(test_it=SUITE)
    result = pytester.runpytest(*PLUGINS, "--race-html", "new/pages")

    result.assert_outcomes(failed=3, passed=1)
    pages = sorted((pytester.path / "new/pages").iterdir())
    shown = [data(page) for page in pages]
    assert {page["fault"]["message"].partition("\n")[0] for page in shown} == {"lost a/b", "lost a-b", "too big"}
    assert all(Token.decode(page["token"]).about["test"] == page["title"] for page in shown)
    assert all("test_it.py" in str(page["sites"]) for page in shown)
    for page in pages:
        result.stdout.fnmatch_lines([f"open new?pages?{page.name} in a browser to step through it"])


def test_a_replayed_failure_has_a_page(pytester: pytest.Pytester) -> None:
    """Also one that only an invariant of the mark sees."""
    pytester.makepyfile(test_it=SUITE)
    pytester.runpytest(*PLUGINS, "--race-html", "pages", "-k", "invariant")
    (page,) = (pytester.path / "pages").iterdir()
    token = data(page)["token"]
    page.unlink()
    result = pytester.runpytest(*PLUGINS, "--race-html", "pages", "-k", "invariant", "--race-replay", token)

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*invariant: *too big*"])
    assert data(page)["token"] == token


def test_a_folder_that_cannot_be_is_refused(pytester: pytest.Pytester, tmp_path: Path) -> None:
    """In a line, before any test is run."""
    file = tmp_path / "file"
    file.touch()
    result = pytester.runpytest(*PLUGINS, "--race-html", str(file))

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*--race-html {file}: File exists"])
