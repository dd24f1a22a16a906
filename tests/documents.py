"""Runs what a Markdown page shows: its commands, its programs, and what it says that they print."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from io import StringIO
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple
from unittest.mock import patch

from collector.run import main


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pytest

ROOT = Path(__file__).parent.parent
SAMPLES = ROOT / "tests" / "heaps"
HEAPS = {
    "FILE": str(SAMPLES / "go119-small-nogc.heapdump.gz"),
    "BEFORE": str(SAMPLES / "go119-pair-small.heapdump.before.gz"),
    "AFTER": str(SAMPLES / "go119-pair-small.heapdump.after.gz"),
}
"""Sample heaps for the names that pages give them."""
PLUGINS = ["-p", "collector.explore.plugin", "-p", "collector.report.schedule.racepages"]
"""Those that an installed project brings."""


class Block(NamedTuple):
    """A fenced block: what stands behind the fence, and its text."""

    kind: str
    text: str


def blocks(page: str) -> Iterator[Block]:
    """The fenced blocks of a page, in order."""
    for kind, text in re.findall(r"^```(\w*)\n(.*?)^```$", page, re.DOTALL | re.MULTILINE):
        yield Block(kind, text)


TRIES = 20
"""Runs of a stress scenario at most, until its mechanism was driven: on a busy machine threads may not meet for a second."""


class Walk:
    """Does what a page says, block by block, in the current folder; `said` is all that was printed so far.

    `instead`: what stands for words such as FILE.  `more`: what is added to a command, as it is written, that takes long.
    """

    def __init__(
        self,
        capsys: pytest.CaptureFixture[str],
        instead: Mapping[str, str] = MappingProxyType({}),
        more: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.capsys = capsys
        self.instead = instead
        self.more = more
        self.said = ""
        self.names: dict[str, object] = {"__name__": "program"}

    def through(self, page: str) -> None:
        """Run the `sh` and `python` blocks; what stands in a `text` block must have been printed before it, but for numbers.

        A program whose first line is `# name.py`, or a `toml` block of that kind, is written to that file.  A comment says
        `status N` where it is not 0.
        """
        for kind, text in blocks(page):
            match kind:
                case "sh":
                    for line in text.splitlines():
                        self.command(line)
                case "python" | "toml" if named := re.match(r"# (\w+\.(py|toml))\n", text):
                    Path(named[1]).write_text(text)
                case "python":
                    exec(compile(text, "program", "exec"), self.names)  # noqa: S102  that is the point
                    self.said += self.capsys.readouterr().out
                case "text":
                    printed = {plain(line) for line in self.said.splitlines()}
                    assert [line for line in text.splitlines() if plain(line) not in printed] == []

    def command(self, line: str) -> None:
        """Run one command of this interpreter's, which ends as its comment says; a `printf '..' |` is what it reads."""
        typed = re.match(r"printf '([^']*)' \| ", line)
        line = line.removeprefix(typed[0]) if typed else line
        words, _, comment = line.partition(" #")
        words += " " + self.more.get(words.strip(), "")
        expected = re.search(r"status (\d+)", comment)
        for token in re.findall(r"--race-replay (s\d\.\S+)", self.said)[-1:]:
            words = words.replace("TOKEN", token)
        python, m, module, *rest = (self.instead.get(word, word) for word in shlex.split(words))
        assert (python, m) == ("python", "-m")
        if module == "collector.run" and rest[0] != "campaign":
            for _ in range(TRIES):
                with patch.object(sys, "stdin", StringIO(typed[1].replace("\\n", "\n") if typed else "")):
                    status = main(rest)
                out, err = self.capsys.readouterr()
                if "was not driven" not in err:
                    break
            assert status or not err or "--json -" in words, (line, err)
        else:
            plugins = [*PLUGINS, "-p", "no:cacheprovider"] if module == "pytest" else []
            done = subprocess.run(
                [sys.executable, "-m", module, *plugins, *rest],
                capture_output=True,
                text=True,
                check=False,
                env={"PYTHONPATH": str(ROOT), "COLUMNS": "100"},
            )
            status, out, err = done.returncode, done.stdout, done.stderr
        assert status == int(expected[1] if expected else 0), (line, out, err)
        self.said += out


def plain(line: str) -> str:
    """A printed line without the numbers of one run, be they 1 or more, and the widths of its columns."""
    bare = " ".join(re.sub(r"\d[\d.]*(e[-+]\d+)?", "N", line).split())
    return re.sub(r"\bN (\w+?)s?\b", r"N \1", bare)
