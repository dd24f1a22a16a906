"""Fixtures: runs a suite with the plugin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.collector.explore.plugin.suites import PLUGIN


if TYPE_CHECKING:
    from tests.collector.explore.plugin.suites import Run


@pytest.fixture(name="run")
def _run(pytester: pytest.Pytester) -> Run:
    """Runs a suite of one file, `test_it.py`, with these options."""

    def run(source: str, *options: str, **env: Any) -> pytest.RunResult:  # noqa: ANN401
        pytester.makepyfile(test_it=source)
        return pytester.runpytest("-p", PLUGIN, *options, **env)

    return run
