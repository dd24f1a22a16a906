"""The file to start from does what it says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from tests.documents import ROOT, Walk


if TYPE_CHECKING:
    import pytest


def test_the_starter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Copied anywhere: one test is exhausted, the other finds the planted fault."""
    monkeypatch.chdir(tmp_path)
    Path("test_stack.py").write_text((ROOT / "examples" / "test_stack.py").read_text("utf-8"), "utf-8")
    walk = Walk(capsys)

    walk.command("python -m pytest --race-report test_stack.py")

    assert re.search(r"test_linearizable +dpor +\d+ .* exhausted", walk.said)
    assert re.search(r"test_a_hasty_push_is_noticed .* fault found", walk.said)
