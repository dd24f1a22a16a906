"""The version string in tokens and reports: the release, and a digest of the protocol's sources."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from pathlib import Path

from collector import __version__


PACKAGES = ("workbuf", "mutator", "mutator/heap", "mutator/programs", "collector", "collector/scenarios")
"""Packages whose code decides what steps a schedule takes."""


@cache
def code_version() -> str:
    """For example `0.1.0+3f9c2a71`; the same on every interpreter and machine that has the same sources."""
    root = Path(__file__).parents[2]
    digest = sha256()
    for package in PACKAGES:
        for path in sorted((root / package).glob("*.py")):
            digest.update(f"{package}/{path.name}\n".encode() + path.read_bytes().replace(b"\r\n", b"\n"))
    return f"{__version__}+{digest.hexdigest()[:8]}"
