"""What every test gets: a seed that can be given back, lines of a known width, and a look round for threads left behind.

Theory of operation.  One number decides what a run leaves to chance: `--seed N`, drawn at start-up where it is not given
and printed in the header.  A test takes its own number from the fixture `seed`, which depends on N and on the test's id
and on nothing else, neither the order of tests nor the process.  So the command printed under a failed test draws again
what that test drew.  Hypothesis looks after itself, because what it draws depends on which modules are loaded: it keeps
a failing example for the next run and prints the decorator that repeats it.

Not decided by N: how the operating system runs the threads.

Relied on.  Run from the project's root, where ids begin with `tests/`.
"""

from __future__ import annotations

import gc
import hashlib
import platform
import secrets
import shlex
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING

import hypothesis
import pytest


if TYPE_CHECKING:
    from collections.abc import Generator


pytest_plugins = ["collector.explore.plugin"]

LEAVE_SECONDS = 5.0
"""How long the threads that are on their way out may take before they count as left behind."""

# No time limits of Hypothesis's own: two cores shared with others say nothing about a test.
hypothesis.settings.register_profile(
    "workbuf",
    hypothesis.settings.get_profile("default"),
    deadline=None,
    print_blob=True,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("workbuf")


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--seed N`."""
    parser.addoption("--seed", type=int, metavar="N", help="what tests draw follows from N (default: drawn, printed)")


def pytest_configure(config: pytest.Config) -> None:
    """Draw the seed that was not given; the races' is the same.  Ctrl-C is heard by tests, and by processes of theirs.

    A job in the background ignores it, and so would all that it begins.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if config.option.seed is None:
        config.option.seed = secrets.randbits(32)
    if config.option.race_seed is None:
        config.option.race_seed = config.option.seed


def pytest_report_header(config: pytest.Config) -> str:
    """The line that a report of a failure needs."""
    gil = getattr(sys, "_is_gil_enabled", lambda: True)()
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"seed: {config.option.seed}, {python}, GIL {'on' if gil else 'off'}"


@pytest.fixture(autouse=True, scope="module")
def _settled() -> None:
    """What there is before a module's first test stays: a collection of Python's need not look through it each time.

    Without the GIL it passes by all objects anyhow.
    """
    gc.collect()
    if getattr(sys, "_is_gil_enabled", lambda: True)():
        gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Print under a failed test the command that runs it again with what it drew."""
    report = yield
    if report.failed:
        command = f"python -m pytest {shlex.quote(item.nodeid)} --seed {item.config.option.seed}"
        report.sections.append(("Run it again with", command))
    return report


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    """This test's own 32-bit seed."""
    name = f"{request.config.option.seed} {request.node.nodeid}"
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=4).digest())


@pytest.fixture(autouse=True)
def _width(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is printed, and compared with pages, is as wide as where no terminal is, whatever the shell exports."""
    monkeypatch.delenv("COLUMNS", raising=False)


@pytest.fixture(autouse=True)
def _no_thread_left_behind() -> Generator[None]:
    """Fail a test whose threads outlive it: they would run into the next one."""
    before = set(threading.enumerate())
    yield
    # The explorer's watchdog stays for a second, for the next exploration.
    started = [thread for thread in threading.enumerate() if thread not in before and thread.name != "watchdog"]
    deadline = time.monotonic() + LEAVE_SECONDS
    for thread in started:
        thread.join(max(0.0, deadline - time.monotonic()))
    left = [thread.name for thread in started if thread.is_alive()]
    if left:
        pytest.fail(f"threads left behind: {', '.join(left)}; join every thread that the test starts", pytrace=False)
