"""The version of everything that decides what comes of a task, and the check that all who do tasks have the same one.

A worker of a cluster that is there may have begun before the files were changed, or have others: what it finds is not of the
code that it would be stored for.
"""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.campaign.task import Outcome


class OtherVersion(Exception):
    """A process has another version than the campaign: the text says which."""


@cache
def version() -> str:
    """A digest of all sources, as they were when this process asked first."""
    root = Path(__file__).parents[2]
    digest = sha256()
    for package in ("workbuf", "mutator", "collector"):
        for path in sorted((root / package).rglob("*.py")):
            with suppress(OSError):
                digest.update(f"{path.relative_to(root)}\n".encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def of(wanted: str, function: Callable[..., Outcome], *arguments: object) -> Outcome:
    """What the function gives, if this process has the version that is wanted; raises OtherVersion."""
    if version() != wanted:
        raise OtherVersion(f"process {os.getpid()} of {socket.gethostname()}")
    return function(*arguments)
