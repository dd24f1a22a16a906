"""The default run: what share of the processor time after loading goes into mutators and marking."""

from __future__ import annotations

import time
from collections import defaultdict
from typing import TYPE_CHECKING, Any, ClassVar

from collector import heaps
from collector.commands.stressoptions import DAWDLE, DEFAULT_PROGRAMS, MUTATORS, PERIOD, SECONDS
from collector.runtime import Config
from collector.stress.run import Plan, Stress, StressM
from scripts.bench.rows import Row


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


AIM = 0.8


class Split(StressM):
    """Counts the processor time of each thread, and of the parts of the collector's."""

    spent: ClassVar[dict[str, float]] = defaultdict(float)

    def counted(self, part: str, call: Callable[..., Any], *arguments: Any) -> Any:  # noqa: ANN401
        """What `call` returns; its time is added to `part`."""
        began = time.thread_time()
        try:
            return call(*arguments)
        finally:
            self.spent[part] += time.thread_time() - began

    def mstart(self, life: Callable[[Any], object]) -> None:
        """The collector's and the mutators'."""
        self.counted("collector" if self.port.name == "gc" else "mutators", super().mstart, life)

    def idlem(self) -> None:
        """A helper's, its waiting included."""
        self.counted("helpers", super().idlem)

    def marked(self) -> None:
        """An audit."""
        self.counted("audit", super().marked)

    def bgsweep(self) -> None:
        """A sweep in the background."""
        self.counted("sweep", super().bgsweep)


def rows(rounds: int) -> Iterator[Row]:
    """As the command has it, on this interpreter's own heap."""
    names = DEFAULT_PROGRAMS.split(",")[:MUTATORS]
    shares: list[float] = []
    cycles = 0
    parts: dict[str, float] = defaultdict(float)
    for seed in range(1, min(rounds, 3) + 1):
        config = Config(mutators=MUTATORS, helpers=2)
        plan = Plan(config=config, programs=tuple(names), seconds=SECONDS, period=PERIOD, seed=seed, dawdle=DAWDLE)
        run = Stress(plan, heaps.read("cpython"), Split)
        Split.spent.clear()
        began = time.process_time()
        run.run()
        total = time.process_time() - began
        spent = Split.spent
        spent["marking"] = spent.pop("collector") - spent["audit"] - spent["sweep"] + spent["helpers"]
        shares.append((spent["mutators"] + spent["marking"]) / total)
        for part, seconds in spent.items():
            parts[part] += seconds
        parts["all"] += total
        cycles += len(run.reports) - 1
    note = ", ".join(f"{part} {parts[part] / parts['all']:.0%}" for part in ("mutators", "marking", "audit", "sweep"))
    figure = cycles / len(shares)
    work = "default run: mutators and marking"
    yield Row(work, "its processor time after loading", shares, figure, "cycles", least=AIM, note=note)
