"""Start-up: commands that do nothing else over an interpreter that imports argparse."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from functools import partial
from typing import TYPE_CHECKING

from scripts.bench.rows import Row, inturn


if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

COMMANDS = ("--help", "scenarios", "explore --help")


def rows(rounds: int) -> Iterator[Row]:
    """Processor time, with compiled modules kept, as after an installation."""
    for words in COMMANDS:
        command = [sys.executable, "-m", "collector.run", *words.split()]
        bare = [sys.executable, "-c", "import argparse"]
        sides = {"bare": partial(spent, bare), "command": partial(spent, command)}
        for side in sides.values():
            side()
        found = inturn(rounds, sides)
        figure = found.median("command") * 1e3
        yield Row(words, "python -c 'import argparse'", found.ratios("command", "bare"), figure, "ms")


def spent(command: Sequence[str]) -> float:
    """Processor seconds of a process and of what it starts."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
