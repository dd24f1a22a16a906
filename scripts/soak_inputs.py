"""Cases of the soak test with mutated inputs: logs that are asked, tokens that are replayed, heaps that are read.

Each is called with the soak, a generator of random numbers and a folder, and raises FoundError for what it finds.
"""

from __future__ import annotations

import io
import json
import shlex
from base64 import urlsafe_b64decode, urlsafe_b64encode
from contextlib import redirect_stderr, redirect_stdout
from typing import TYPE_CHECKING, Any

from collector.explore.token import Token, checksum
from collector.run import main as command
from collector.scenarios.registry import SCENARIOS
from tests.collector.heaps.fuzz import Fuzzer


if TYPE_CHECKING:
    from pathlib import Path
    from random import Random

    from scripts.soak import Soak

MUTANTS = 100
"""Of a case of mutated inputs."""
STRANGE = (b"9" * 400, b"NaN", b"[" * 2000, b"\\ud800", b"\xff\xfe", b"\x1b[2J", b"null", b'"')
"""What is put into a mutant."""


class FoundError(Exception):
    """What a case found."""


def spoilt(rng: Random, data: bytes) -> bytes:
    """A mutant."""
    made = bytearray(data)
    for _ in range(rng.randrange(1, 4)):
        at = rng.randrange(len(made)) if made else 0
        match rng.randrange(6):
            case 0:
                made[at : at + 1] = bytes([made[at] ^ 1 << rng.randrange(8)]) if made else b""
            case 1:
                del made[at : at + rng.randrange(1, 40)]
            case 2:
                made[at:at] = rng.choice(STRANGE)
            case 3:
                made[at:at] = made[at : at + rng.randrange(200)]
            case 4:
                del made[at:]
            case _:
                made[at : at + 1] = rng.choice((b"-", b"1e999", b"\n", b"\0", b"18446744073709551616"))
    return bytes(made)


def asked(words: list[str]) -> None:
    """A command in this process; FoundError for a status that it may not have, or a complaint of several lines."""
    said, wrong = io.StringIO(), io.StringIO()
    with redirect_stdout(said), redirect_stderr(wrong):
        try:
            status: Any = command(words)
        except SystemExit as left:
            status = left.code
    text = wrong.getvalue()
    if status not in (0, 1, 2) or (status == 2 and text.count("\n") != 1):
        raise FoundError(f"status {status}: {shlex.join(words)[:500]}\n{text[:2000]}")


def logs(soak: Soak, rng: Random, folder: Path) -> None:
    """Mutated logs, asked."""
    header = {"schema": "workbuf-log", "version": 1, "seed": 7, "python": "3", "command": "x", "threads": ["gc", "a"]}
    events = [
        {"t": 1000, "m": "gc", "event": "cycle", "number": 1, "forced": 0},
        {"t": 2000, "m": "a", "event": "get", "wbuf": "wbuf1", "entry": 359, "site": "s", "list": "empty"},
        {"t": 2500, "m": "gc", "event": "stop", "reason": 1, "waitedfor": ["a"]},
        {"t": 9000, "m": "a", "event": "put", "wbuf": "wbuf1", "entry": 358, "site": "s", "list": "full"},
        {"event": "gctrace", "cycle": 1, "line": "gc1", "objects": 1, "reachable": 1, "marked": 1, "floating": 0},
        {"event": "failure", "error": "Throw", "text": "one\ntwo"},
        {"event": "end", "dropped": 0},
    ]  # fmt: skip
    data = "".join(f"{json.dumps(line)}\n" for line in (header, *events)).encode()
    questions = (
        ["summary"],
        ["wbuf", "1"],
        ["m", "a"],
        ["cycle", "1"],
        ["contention"],
        ["who-held", "1us"],
        ["violations"],
        ["check"],
    )
    for _ in range(MUTANTS):
        (folder / "log").write_bytes(spoilt(rng, data))
        soak.counts["mutated inputs"] += 1
        asked(["inspect", str(folder / "log"), *rng.choice(questions)])


def tokens(soak: Soak, rng: Random, folder: Path) -> None:
    """Mutated tokens with a right checksum, replayed, where they are of the smallest scenario."""
    del folder
    name = "aba"
    assert name in SCENARIOS
    about = {"scenario": name, "variant": "failing", "version": "x"}
    for _ in range(MUTANTS):
        deviations = tuple(
            (at, rng.choice((-3, -2, 0, 1, 2))) for at in sorted(rng.sample(range(40), rng.randrange(4)))
        )
        raw = Token(deviations, steps=rng.randrange(40), about=dict(about)).encode()
        prefix, body = raw[:3], raw[3:]
        data = spoilt(rng, urlsafe_b64decode(body + "=" * (-len(body) % 4))[:-4])
        forged = urlsafe_b64encode(data + checksum(data, prefix)).rstrip(b"=").decode()
        soak.counts["mutated inputs"] += 1
        asked(["replay", prefix + forged])


def heaps(soak: Soak, rng: Random, folder: Path) -> None:
    """Mutated heaps, read."""
    fuzzer = Fuzzer(rng.randrange(1 << 32))
    name = rng.choice(sorted(fuzzer.samples))
    tally = fuzzer.run(name, range(MUTANTS), folder)
    soak.counts["mutated inputs"] += MUTANTS
    if tally.findings:
        raise FoundError("; ".join(tally.findings))
