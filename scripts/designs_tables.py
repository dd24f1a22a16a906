"""Measures the tables of the guide's page on designs anew: runs the commands that the page names and puts the tables below.

python -m scripts.designs_tables [WORD ...]     the tables whose commands have all the words (all: five minutes)

A command stands in the page in a line of its own, `<!-- COMMAND -->`; its table is what follows, up to `<!-- end -->`.
Behind `free-threaded: ` it is one for an interpreter without a GIL: only such a one measures it, and no other command.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import sysconfig

from collector.guide import FOLDER


PAGE = FOLDER / "designs.md"
TABLE = re.compile(r"<!-- (free-threaded: )?(python -m collector\.run compare [^\n]*) -->\n.*?<!-- end -->", re.DOTALL)
FREE = "free-threaded: " if sysconfig.get_config_var("Py_GIL_DISABLED") else ""


def main() -> int:
    """Measure, and write the page after each table; returns the exit status."""
    page = PAGE.read_text(encoding="utf-8")
    commands = [found[2] for found in TABLE.finditer(page) if (found[1] or "") == FREE]
    for command in commands:
        _, *words = shlex.split(command)
        if all(word in words for word in sys.argv[1:]):
            print(command, flush=True)
            done = subprocess.run(
                [sys.executable, *words, "--markdown", "-"], capture_output=True, text=True, check=False
            )
            if done.returncode not in (0, 3):
                print(done.stderr)
                return done.returncode
            PAGE.write_text(replaced(PAGE.read_text(encoding="utf-8"), command, done.stdout), encoding="utf-8")
    return 0


def replaced(page: str, command: str, tables: str) -> str:
    """The page with other tables below a command."""

    def other(found: re.Match[str]) -> str:
        ours = (found[1] or "", found[2]) == (FREE, command)
        return f"<!-- {FREE}{command} -->\n\n{tables}\n<!-- end -->" if ours else found[0]

    return TABLE.sub(other, page)


if __name__ == "__main__":
    sys.exit(main())
