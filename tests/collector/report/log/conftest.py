"""Fixtures: logs written to a file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.collector.report.log.logs import HEADER, LIFE


if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture(name="write")
def _write(tmp_path: Path) -> Callable[..., str]:
    """Writes a log of the given lines, with `tail` behind them, and returns its path."""

    def write(lines: list[dict[str, Any]], tail: str = "") -> str:
        path = tmp_path / "log"
        path.write_text("".join(json.dumps(line) + "\n" for line in lines) + tail)
        return str(path)

    return write


@pytest.fixture(name="log")
def _log(write: Callable[..., str]) -> str:
    return write([HEADER, *LIFE])
