"""The table of commands: what `--help` says of each without importing it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from collector.commands import COMMANDS, load
from collector.commands.explore import STRATEGIES
from collector.explore.strategies import NAMED
from collector.scenarios.contents import CONTENTS
from collector.scenarios.registry import SCENARIOS
from scripts.contents import rows


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_told_by_the_first_line_of_its_module(name: str) -> None:
    """So the table cannot go its own way."""
    assert (load(name).__doc__ or "").partition("\n")[0] == COMMANDS[name]


@pytest.mark.parametrize("words", [["--help"], ["scenarios"], ["explore", "--help"]])
def test_help_and_lists_import_no_engine(words: list[str]) -> None:
    """They take a few times what the interpreter itself takes: what is slow is imported by those who work with it."""
    slow = ("loguru", "rich", "greenlet", "atomics", "workbuf.machine", "collector.explore", "importlib.metadata")
    script = (
        "import sys\nfrom collector.run import main\n"
        f"try:\n    main({words})\nexcept SystemExit:\n    pass\n"
        f"print([name for name in sys.modules if name in {slow}])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert "NAME" in done.stdout or "referee" in done.stdout


def test_what_is_written_out_for_them_is_so() -> None:
    """The strategies' names, and the scenarios' table of contents."""
    assert rows() == CONTENTS, "python -m scripts.contents writes it anew"
    assert [*CONTENTS] == [*SCENARIOS]
    assert tuple(sorted(NAMED)) == STRATEGIES
