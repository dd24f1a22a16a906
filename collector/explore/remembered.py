"""Failing schedules are remembered: their tokens in a folder, a file each, to be replayed first on the next run.

A token's file is named by what it holds, `.races/DIGEST OF THE TEST'S ID/DIGEST OF THE TOKEN`, and put there whole by a
rename: so several processes may write to the folder at once, and one failure found twice is one file.
"""

from __future__ import annotations

import os
from contextlib import suppress
from hashlib import blake2b
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING

from collector.explore.token import Token


if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


MOST = 10
"""Tokens of a test that are kept: the oldest make room."""
SUFFIX = ".token"


class Remembered:
    """The failing schedules in `folder`; None: nothing is remembered."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder

    def of(self, test: str) -> list[str]:
        """The tokens of that test, the newest first."""
        return [token for file in self._files(test) if (token := read(file))]

    def keep(self, test: str, token: str) -> None:
        """Remember that this schedule fails that test.  Raises OSError."""
        if self.folder is None:
            return
        new = not self.folder.exists()
        place = self.folder / digest(test)
        place.mkdir(parents=True, exist_ok=True)
        if new:
            (self.folder / ".gitignore").write_text("*\n")
        with NamedTemporaryFile("w", dir=place, suffix=".new", delete=False) as file:
            file.write(f"{token}\n")
        os.replace(file.name, place / f"{digest(token)}{SUFFIX}")  # noqa: PTH105  whole or not at all
        for old in self._files(test)[MOST:]:
            old.unlink(missing_ok=True)

    def drop(self, test: str, token: str) -> None:
        """Forget one; another process may have done so."""
        if self.folder is not None:
            (self.folder / digest(test) / f"{digest(token)}{SUFFIX}").unlink(missing_ok=True)

    def tests(self) -> Iterator[str]:
        """The tests of which something is remembered."""
        for file in self.folder.glob(f"*/*{SUFFIX}") if self.folder else ():
            with suppress(ValueError):
                yield str(Token.decode(read(file)).about.get("test", ""))

    def _files(self, test: str) -> list[Path]:
        """The files of that test, the newest first."""
        if self.folder is None:
            return []
        aged = []
        for file in (self.folder / digest(test)).glob(f"*{SUFFIX}"):
            with suppress(OSError):  # another process has just dropped it
                aged.append((-file.stat().st_mtime_ns, file))
        return [file for _, file in sorted(aged)]


def digest(text: str) -> str:
    """What a folder or a file is called."""
    return blake2b(text.encode(), digest_size=10).hexdigest()


def read(file: Path) -> str:
    """The token in the file; empty if it has gone or cannot be read."""
    try:
        return file.read_text().strip()
    except (OSError, UnicodeDecodeError):
        return ""
