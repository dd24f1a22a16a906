"""Suites for the pytest plugin: one whose test loses an update, the same mended; and the command that a failed one says."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    Run = Callable[..., pytest.RunResult]

PLUGIN = "collector.explore.plugin"

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


def command(result: pytest.RunResult) -> list[str]:
    """The command that a failed test printed, from its node id on."""
    line = next(line for line in result.outlines if line.startswith("python -m pytest "))
    words = shlex.split(line)
    return words[next(i for i, word in enumerate(words) if "::" in word) :]
