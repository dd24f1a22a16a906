"""A soak test of the command line: odd options, kills, signals, full disks, closed pipes and mutated inputs.

    python -m scripts.soak --minutes 1
    python -m scripts.soak --hours 2 --python python3.11 --python python3.14t
    python -m scripts.soak --case kill:2904779447           # one case again

Every case has a seed of its own, which is printed with what it finds; what the operating system does with threads and
signals follows from no seed.  A finding is a traceback, a wrong exit status, a hang, an object lost, a log that cannot be
opened or counts wrongly, a file left behind.  Prints a table in the end, also when it is interrupted; the exit status is 1
when there is a finding.
"""

from __future__ import annotations

import argparse
import bz2
import gzip
import json
import lzma
import resource
import secrets
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from collector.commands.usage import listed
from collector.report.log.database import Logfile
from scripts.soak_inputs import FoundError, heaps, logs, tokens


if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[1]
LONGEST = 240.0
"""Seconds after which a case hangs; a busy machine is slow."""
RUN = ["--quiet", "--period", "0.02"]
HEAPS = ("none", "synthetic:random,n=400", "synthetic:tree,n=3000,garbage=0.4", "synthetic:list,n=2000")
BUSY_HEAPS = ("synthetic:random,n=20000,m=40000", "synthetic:list,n=20000", "synthetic:tree,n=3000,garbage=0.4")
PACKED: dict[str, Callable[[bytes], bytes]] = {".gz": gzip.decompress, ".bz2": bz2.decompress, ".xz": lzma.decompress}
GOOD: dict[str, tuple[str, ...]] = {
    "--mutators": ("0", "1", "3", "8"),
    "--helpers": ("0", "1", "4"),
    "--programs": ("rewire", "pushpop,hider", "channel,finalizers", "longlist,bintree"),  # no more than mutators
    "--workbuf": ("112", "256", "4096"),
    "--gogc": ("off", "20", "100", "800"),
    "--jitter": ("0.01", "0.2"),
    "--switch-interval": ("1e-5", "1e-3"),
}
ODD: dict[str, tuple[str, ...]] = {
    "--mutators": ("-1", "129", "two", "\u00b2"),
    "--cycles": ("0", "1e3", ""),
    "--seconds": ("nan", "inf", "-1", "0", "1e99"),
    "--workbuf": ("0", "100", "113", "999999999"),
    "--gogc": ("much", "9" * 30, ""),
    "--jitter": ("2", "-1", "nan"),
    "--log-rotation": ("1 B", "0 seconds", "-1 days", "10000000 years", "foo"),
    "--programs": ("nosuch", ",", "rewire,,hider", "rewire,hider,rewire,hider,rewire", "\x1b[2J"),
    "--heap": ("nosuch", "synthetic:", "synthetic:ring", "/dev/null", "."),
    "--log": (".", "no/such/place", "x" * 300),
    "--patience": ("0", "nan"),
    "--nosuch": ("1",),
}


@dataclass
class Soak:
    """The results of the cases so far."""

    pythons: list[str]
    cases: Counter[str] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    """Of operations, events and inputs, over all cases."""

    def case(self, kind: str, seed: int) -> None:
        """Run one; notes what it finds."""
        self.cases[kind] += 1
        with tempfile.TemporaryDirectory() as folder:
            try:
                KINDS[kind](self, Random(seed), Path(folder))
            except FoundError as found:
                self.findings.append(f"{kind}:{seed}: {found}")
            except Exception as error:  # noqa: BLE001  a finding like any other
                self.findings.append(f"{kind}:{seed}: {type(error).__name__}: {error}")

    def words(self, rng: Random, folder: Path, *more: str) -> list[str]:
        """A small run with some options, its log in `folder`."""
        chosen = {name: rng.choice(GOOD[name]) for name in rng.sample(sorted(GOOD), rng.randrange(4))}
        if "--programs" in chosen and len(chosen["--programs"].split(",")) > int(chosen.get("--mutators", "4")):
            del chosen["--programs"]
        options = [word for option in chosen.items() for word in option]
        log = ["--log", str(folder / "run.log")]
        if rng.random() < 0.7:
            log += ["--log-rotation", rng.choice(("5 KB", "50 KB", "1 MB", "1 second"))]
        if rng.random() < 0.7:
            log += ["--log-compression", rng.choice(("gz", "bz2", "xz"))]
        return ["--heap", rng.choice(HEAPS), *RUN, *options, *log, *more]

    def start(self, rng: Random, words: list[str], shell: str = 'exec "$@"') -> subprocess.Popen[str]:
        """The command in a process of its own, within a line of shell."""
        run = [rng.choice(self.pythons), "-m", "collector.run", *words]
        return subprocess.Popen(
            ["/bin/bash", "-o", "pipefail", "-c", shell, "bash", *run],
            cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace",
        )  # fmt: skip


def ended(process: subprocess.Popen[str], statuses: set[int]) -> tuple[str, str]:
    """What a process has printed; FoundError if it hangs, has another status or a traceback."""
    asked = shlex.join(map(str, process.args if isinstance(process.args, list) else []))
    try:
        out, err = process.communicate(timeout=LONGEST)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise FoundError(f"hangs: {asked}") from None
    if process.returncode not in statuses or "Traceback" in err:
        raise FoundError(f"status {process.returncode}: {asked}\n{err[-2000:]}")
    return out, err


def odd(soak: Soak, rng: Random, folder: Path) -> None:
    """An option that cannot be: one line, status 2, no file."""
    name = rng.choice(sorted(ODD))
    _, err = ended(soak.start(rng, ["--heap", "none", *RUN, "--cycles", "1", f"{name}={rng.choice(ODD[name])}"]), {2})
    if err.count("\n") != 1 or not err[:-1].isprintable():
        raise FoundError(f"{name}: {err!r}")
    if list(folder.iterdir()):
        raise FoundError(f"{name}: a file was left")


def whole(soak: Soak, rng: Random, folder: Path) -> None:
    """A run to its end: nothing lost, its log has every get and put that was counted."""
    out = folder / "out.json"
    words = soak.words(rng, folder, "--cycles", "2", "--json", str(out))
    ended(soak.start(rng, words), {0})
    summary = json.loads(out.read_text())
    soak.counts["list operations"] += summary["gets"] + summary["puts"]
    if summary["lost"] or summary["buffers_leaked"] or summary["violations"]:
        raise FoundError(f"{shlex.join(words)}: lost {summary['lost']}")
    with Logfile.open(str(folder / "run.log")) as log:
        counts = dict(log.db.execute("SELECT event, COUNT(*) FROM events GROUP BY event").fetchall())
    if summary["events_dropped"] == 0 and counts.get("get", 0) != summary["gets"]:
        raise FoundError(f"{shlex.join(words)}: {counts.get('get', 0)} gets in the log, {summary['gets']} were counted")


def busy(soak: Soak, rng: Random, folder: Path) -> None:
    """Many Ms, small buffers, for a while: nothing lost.  What makes list operations in whole runs the fastest."""
    out = folder / "out.json"
    words = [
        *("--heap", rng.choice(BUSY_HEAPS), "--workbuf", rng.choice(("112", "128"))),
        *("--mutators", rng.choice(("4", "8", "16")), "--helpers", rng.choice(("2", "4"))),
        *("--seconds", "30", "--period", "0.001", "--seed", str(rng.randrange(1 << 32))),
    ]
    ended(soak.start(rng, [*words, "--quiet", "--json", str(out)]), {0})
    summary = json.loads(out.read_text())
    soak.counts["list operations"] += summary["gets"] + summary["puts"]
    if summary["lost"] or summary["buffers_leaked"] or summary["violations"]:
        raise FoundError(f"{shlex.join(words)}: lost {summary['lost']}, leaked {summary['buffers_leaked']}")


def underway(soak: Soak, rng: Random, folder: Path) -> subprocess.Popen[str]:
    """A run with a log, at some moment of its first two seconds."""
    process = soak.start(rng, soak.words(rng, folder, "--seconds", "60"))
    until = time.monotonic() + 30
    while not (folder / "run.log").exists() and process.poll() is None and time.monotonic() < until:
        time.sleep(0.01)  # no event tells that another process has made a file
    time.sleep(rng.random() * 2)  # the moment is drawn: whatever the run does then is what ends
    return process


def kill(soak: Soak, rng: Random, folder: Path) -> None:
    """Killed at some moment: the log opens, and has every event whose line is there."""
    process = underway(soak, rng, folder)
    process.kill()
    process.communicate()
    opened(soak, folder)


def interrupt(soak: Soak, rng: Random, folder: Path) -> None:
    """Interrupted at some moment, once or twice: status 130, and the log has its end."""
    process = underway(soak, rng, folder)
    for _ in range(rng.randrange(1, 3)):
        process.send_signal(rng.choice((signal.SIGINT, signal.SIGTERM)))
    ended(process, {130})
    if not opened(soak, folder):
        raise FoundError("an interrupted run's log has no end")


def full(soak: Soak, rng: Random, folder: Path) -> None:
    """No file may be longer than so much: the run has its verdict, what is written can be read."""
    limit = rng.choice((0, 1, 4, 16, 64, 256))
    words = soak.words(rng, folder, "--cycles", "1", "--html", str(folder / "page.html"))
    ended(soak.start(rng, words, f'ulimit -f {limit}; exec "$@"'), {0, 2})
    if (folder / "run.log").exists() and (folder / "run.log").stat().st_size > 1000:
        opened(soak, folder)


def leave(soak: Soak, rng: Random, folder: Path) -> None:
    """A reader that leaves, streams that are closed or full: the status is the run's, and its files are there."""
    shell, statuses = rng.choice(
        (
            ('"$@" | true', {0}),
            ('"$@" | head -n 1', {0}),
            ('"$@" >&-', {0}),
            ('"$@" 2>&-', {0}),
            ('"$@" <&- >&- 2>&-', {0}),
            ('"$@" >/dev/full', {2}),
        )
    )
    ended(soak.start(rng, soak.words(rng, folder, "--cycles", "1", "--json", str(folder / "json")), shell), statuses)
    json.loads((folder / "json").read_text())
    opened(soak, folder)


def opened(soak: Soak, folder: Path) -> bool:
    """Open the log in `folder`; FoundError if it cannot be, or counts other than its lines; says whether it has its end."""
    soak.counts["logs opened"] += 1
    left = sorted(path.name for path in folder.iterdir() if path.name.endswith(".part"))
    if left:
        raise FoundError(f"left behind: {left}")
    wanted = 0
    parts: dict[str, bytes] = {}
    for path in folder.glob("run*.log*"):
        packed = PACKED.get(path.suffix)
        name = path.name.removesuffix(path.suffix) if packed else path.name
        if name not in parts or not packed:
            parts[name] = packed(path.read_bytes()) if packed else path.read_bytes()
    if not parts:
        return False
    for content in parts.values():
        for line in content.splitlines(keepends=True)[1:]:
            with suppress(ValueError):
                kind = json.loads(line)["event"]
                wanted += line.endswith(b"\n") and kind not in {"gctrace", "failure", "end"}
    with Logfile.open(str(folder / "run.log")) as log:
        (found,) = log.db.execute("SELECT COUNT(*) FROM events").fetchone()
        if found != wanted or log.about.missing:
            raise FoundError(f"{found} events of {wanted}; {log.about.missing}")
        soak.counts["events counted"] += found
        return log.about.ended


KINDS: dict[str, Callable[[Soak, Random, Path], None]] = {
    function.__name__: function
    for function in (odd, whole, kill, interrupt, full, leave, logs, tokens, heaps, busy)
}  # fmt: skip
USUAL = [kind for kind in KINDS if kind != "busy"]
"""Those that are short."""


def main() -> int:
    """Run cases until the time is over; prints what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=0.0)
    parser.add_argument("--minutes", type=float, default=0.0)
    parser.add_argument("--cases", type=int, default=0, metavar="N", help="so many instead")
    which = f"those of {', '.join(KINDS)} (all but busy)"
    parser.add_argument("--kinds", type=listed("kind"), default=",".join(USUAL), metavar="KIND,..", help=which)
    parser.add_argument("--python", action="append", metavar="PYTHON", help="an interpreter for the runs (this one)")
    parser.add_argument("--seed", type=int, default=secrets.randbits(32), help="of all cases' seeds (drawn)")
    parser.add_argument("--case", metavar="KIND:SEED", help="this one alone")
    args = parser.parse_args()
    kind, _, seed = (args.case or "").partition(":")
    if unknown := {kind or each for each in args.kinds} - {*KINDS}:
        parser.error(f"no kind {unknown.pop()!r}; there are {', '.join(KINDS)}")
    soak = Soak(args.python or [sys.executable])
    began = time.monotonic()
    if args.case:
        soak.case(kind, int(seed))
    else:
        print(f"seed {args.seed}", flush=True)
        draw, kinds = Random(args.seed), args.kinds
        until = began + 60 * (args.minutes + 60 * args.hours)
        with suppress(KeyboardInterrupt):
            while (sum(soak.cases.values()) < args.cases) if args.cases else time.monotonic() < until:
                soak.case(kinds[sum(soak.cases.values()) % len(kinds)], draw.randrange(1 << 32))
    for kind, times in soak.cases.items():
        print(f"{kind:10} {times:6} cases")
    for what, count in soak.counts.items():
        print(f"{count} {what}")
    for finding in soak.findings:
        print(finding)
    cases, seconds = sum(soak.cases.values()), time.monotonic() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{len(soak.findings)} findings in {cases} cases, {seconds:.0f} s, {peak} MiB at most")
    return int(bool(soak.findings))


if __name__ == "__main__":
    sys.exit(main())
