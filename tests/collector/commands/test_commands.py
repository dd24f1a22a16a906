"""The table of commands: what `--help` says of each without importing it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from collector.commands import COMMANDS, load


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_told_by_the_first_line_of_its_module(name: str) -> None:
    """So the table cannot go its own way."""
    assert (load(name).__doc__ or "").partition("\n")[0] == COMMANDS[name]


def test_help_imports_no_command() -> None:
    """Nor what they import: the help is there before loguru could be."""
    script = (
        "import sys\nfrom collector.run import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "print([name for name in sys.modules if name in ('loguru', 'rich', 'greenlet', 'atomics', 'workbuf.machine')])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert "referee" in done.stdout
