"""A pytest plugin beside the explorer's: `--race-html DIR` writes a page to step through for each race test that fails.

A page is named after its test, so that the next run's takes its place; the test's report says where it is.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING
from zlib import crc32

import pytest

from collector.explore.plugin import FAILED
from collector.explore.replay import Replay
from collector.explore.token import Token
from collector.report.atomicwrite import replacing
from collector.report.page import page
from collector.report.schedule.alternatives import leads
from collector.report.schedule.steps import steps


if TYPE_CHECKING:
    from collections.abc import Generator

    from collector.explore.plugin import Failing

LONGEST = 100
"""Characters of a test's id in the name of its page."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option."""
    add = parser.getgroup("race").addoption
    add("--race-html", type=Path, metavar="DIR", help="write a page to step through for each race test that fails")


def pytest_configure(config: pytest.Config) -> None:
    """Make the folder, before anything is run."""
    folder = config.option.race_html
    try:
        if folder:
            folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise pytest.UsageError(f"--race-html {folder}: {error.strerror}") from None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Write the page of a test that has failed, and say so in its report."""
    report = yield
    folder, failing = item.config.option.race_html, item.stash.get(FAILED, None)
    if folder and failing and report.when == "call" and report.failed:
        file = folder / name(item.nodeid)
        try:
            with replacing(file) as out:
                out.write(written(item.nodeid, failing).encode())
            report.sections.append(("race page", f"open {file} in a browser to step through it"))
        except OSError as error:
            report.sections.append(("race page", f"cannot write {file}: {error.strerror}"))
    return report


def name(test: str) -> str:
    """A file's name for the page of a test; the checksum tells those apart whose ids differ in other signs only."""
    return f"{re.sub(r'[^a-zA-Z0-9_.-]+', '-', test)[-LONGEST:].strip('-')}-{crc32(test.encode()):08x}.html"


def written(test: str, failing: Failing) -> str:
    """The page: the failing schedule, run once more with the sources of its steps."""
    token = Token.decode(failing.schedule)
    again = Replay(token, failing.program, failing.invariants, sources=True)
    leading = leads(again, failing.program, failing.invariants)
    return page("steps.html", steps(again.schedule, test, token=failing.schedule, leads=leading), title=test)
