"""What a failed run says: the buffer by the name that the log has for it, and what happened to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from collector.report.run.failure import failure
from collector.run import main
from workbuf.events import FULL, Event
from workbuf.recorder import Record
from workbuf.throw import Throw


if TYPE_CHECKING:
    from pathlib import Path

RECORDS = (Record(1_000, 1, Event.GET, 5, 504, FULL), Record(2_000, 0, Event.CACHED, 6, 0, 0))


@pytest.mark.parametrize(
    ("buffer", "says"),
    [
        (5, "what happened to wbuf5 (0x28), by the flight recorder (us before the end):\n          -1.0 us  a1"),
        (0, "what happened last, by the flight recorder (us before the end):\n          -1.0 us  a1"),
    ],
)
def test_the_last_events(buffer: int, says: str) -> None:
    """Of the buffer that it is about, or of all."""
    told = failure(Throw("no", buffer=buffer), RECORDS, ("gc", "a1"), lambda b: f"wbuf{b}", [0] * 99, "run", 1)

    assert says in told
    assert ("wbuf6" in told) == (not buffer)


def test_a_caches_owner_is_named() -> None:
    """As every thread is."""
    records = (Record(1_000, 0, Event.HARVESTED, 5, 1, 3),)
    told = failure(Throw("no", buffer=5), records, ("gc", "a1"), lambda b: f"wbuf{b}", [0] * 99, "run", 1)

    assert "gc           harvested  buffer wbuf5, owner a1, nobj 3" in told


def test_the_names_are_those_of_the_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """So that `inspect LOG wbuf N` can be asked of the buffer."""
    log = tmp_path / "run.log"
    words = ["stress", "--plant", "putfull-unlogged", "--heap", "synthetic:random,n=300", "--cycles", "9", "--quiet"]
    assert main([*words, "--log", str(log)]) == 1
    told = capsys.readouterr().err
    name = told.partition("'s own history")[0].rpartition("\n")[2]

    assert f"\nwhat happened to {name} (0x" in told
    assert main(["inspect", str(log), "wbuf", name]) == 0
