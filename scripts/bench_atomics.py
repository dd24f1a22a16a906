"""Measures the cost of each atomic operation, and how two threads that share no Python object scale.

    python scripts/bench_atomics.py [--rounds N] [--seconds S]

Prints, for every operation of a port, nanoseconds through each binding that there is here and the ratio to
the fast one; then how much two threads get done together, compared with one, each on words of its own.  Every figure is
the median of the rounds with the lowest and the highest beside it; what is compared is measured alternately, so that a
machine that is busy with something else falsifies a ratio less than it does a figure.  Costs are processor time of the
calling thread; only the rate of two threads needs the clock on the wall, and a machine with two free processors.
"""

from __future__ import annotations

import argparse
import platform
import sys
from statistics import median
from time import perf_counter, thread_time
from typing import TYPE_CHECKING, NamedTuple

from workbuf.hardware.machine import HardwareMachine
from workbuf.hardware.selftest import BINDINGS
from workbuf.machine import WORD, Pause


if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from workbuf.machine import Port

SWITCH_SECONDS = 1e-4
"""The switch interval at which runs of the model take place on a build with a GIL."""


class Spread(NamedTuple):
    """Median, lowest and highest of several figures."""

    middle: float
    low: float
    high: float

    @classmethod
    def of(cls, figures: Sequence[float]) -> Spread:
        """Of these."""
        return cls(median(figures), min(figures), max(figures))

    def show(self, form: str) -> str:
        """All three in the format `form`."""
        return f"{self.middle:{form}} [{self.low:{form}}..{self.high:{form}}]"


def operations(port: Port, a: int) -> dict[str, Callable[[], object]]:
    """One call of each operation, at cell `a` and the three behind it."""
    words, byte, zero = port.words, a * WORD, Pause.PROCYIELD
    return {
        "load": lambda: port.load(a),
        "store": lambda: port.store(a, 1),
        "cas": lambda: port.cas(a, 1, 1),
        "xchg": lambda: port.xchg(a, 1),
        "xadd": lambda: port.xadd(a, 0),
        "or8": lambda: port.or8(byte, 1),
        "words": lambda: words[a],
        "hint": lambda: port.hint(a),
        "hints of 4": lambda: port.hints(a, 4),
        "post": lambda: port.post(a, 1),
        "fill of 4": lambda: port.fill(a, 4, 1),
        "check": port.check,
        "procyield 20": lambda: port.pause(zero, 20),
        "osyield": lambda: port.pause(Pause.OSYIELD, 1),
    }


def nanoseconds(call: Callable[[], object], seconds: float) -> float:
    """Time of one call, over as many as fit into about `seconds`; what the loop itself costs is taken off."""
    calls = 8
    while True:
        took, empty = loop(call, calls), loop(nothing, calls)
        if took >= seconds:
            return max(took - empty, 0.0) / calls * 1e9
        calls *= 2


def loop(call: Callable[[], object], calls: int) -> float:
    """Seconds of the processor for so many calls."""
    began = thread_time()
    for _ in range(calls):
        call()
    return thread_time() - began


def nothing() -> None:
    """What the loop costs when there is nothing to call."""


def costs(rounds: int, seconds: float) -> None:
    """Print what each operation costs through each binding that there is here."""
    ports = {
        name: machine.boot()
        for name in BINDINGS
        if (machine := HardwareMachine(words=64, binding=name)).binding == name
    }
    calls = {name: operations(port, port.sysalloc(4, 8)) for name, port in ports.items()}
    print(f"{'operation':14}" + "".join(f"{name + ', ns':>24}{'/ fast':>20}" for name in ports))
    for operation in calls["fast"]:
        plain = operation not in ("load", "store", "cas", "xchg", "xadd", "or8")
        found: dict[str, list[float]] = {name: [] for name in (("fast",) if plain else ports)}
        for _ in range(rounds):
            for name, costs in found.items():
                costs.append(nanoseconds(calls[name][operation], seconds))
        line = f"{operation:14}"
        for costs in found.values():
            ratios = [cost / fast for cost, fast in zip(costs, found["fast"], strict=True)]
            line += f"{Spread.of(costs).show('.0f'):>24}{Spread.of(ratios).show('.2f'):>20}"
        print(line)


class Race(NamedTuple):
    """What threads that compare-and-swap side by side, each on a cache line of its own, get done."""

    rate: float
    """Millions a second, all together."""
    cost: float
    """Nanoseconds of the processor for each."""


def race(threads: int, turns: int) -> Race:
    """So many threads, so many turns each."""
    machine = HardwareMachine(words=1 << 12)
    lines = [machine.alloc(8, f"line{i}", align=8) for i in range(threads)]
    spent = [0.0] * threads

    def body(port: Port) -> None:
        a, cas = lines[port.index], port.cas
        began = thread_time()
        for i in range(turns):
            cas(a, i, i + 1)
        spent[port.index] = thread_time() - began

    for _ in range(threads):
        machine.spawn(body)
    began = perf_counter()
    machine.run()
    took = perf_counter() - began
    done = sum(machine.peek(a) for a in lines)
    if done != threads * turns:
        raise SystemExit(f"{threads * turns - done} of {threads * turns} compare-and-swaps failed on private words")
    return Race(done / took / 1e6, sum(spent) / done * 1e9)


def scaling(rounds: int, seconds: float) -> None:
    """Print what a second thread adds to the rate, and to the cost."""
    turns = max(1000, int(seconds * 1e6 * race(1, 1000).rate))
    pairs = [(race(1, turns), race(2, turns)) for _ in range(rounds)]
    for threads, races in zip(("one thread", "two threads"), zip(*pairs, strict=True), strict=True):
        rate, cost = Spread.of([one.rate for one in races]), Spread.of([one.cost for one in races])
        print(f"{threads + ', private words':28}{rate.show('.2f')} million cas/s, {cost.show('.0f')} ns each")
    print(f"{'two over one, rate':28}{Spread.of([two.rate / one.rate for one, two in pairs]).show('.2f')}")
    print(f"{'two over one, cost of each':28}{Spread.of([two.cost / one.cost for one, two in pairs]).show('.2f')}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0], allow_abbrev=False)
    parser.add_argument("--rounds", type=int, default=7, help="measurements of each figure (default %(default)s)")
    parser.add_argument(
        "--seconds",
        type=float,
        default=0.02,
        help="length of one measurement, ten times it for threads (default %(default)s)",
    )
    options = parser.parse_args()
    if options.rounds < 1 or options.seconds <= 0:
        parser.error("at least one round, of more than no time")
    gil = getattr(sys, "_is_gil_enabled", lambda: True)()
    if gil:
        sys.setswitchinterval(SWITCH_SECONDS)
    print(f"{platform.python_implementation()} {platform.python_version()}, GIL {'on' if gil else 'off'}")
    costs(options.rounds, options.seconds)
    scaling(options.rounds, options.seconds * 10)


if __name__ == "__main__":
    main()
