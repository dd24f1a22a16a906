"""Runs designs side by side along one axis, seed by seed, and puts each one's measures over those of the first.

A ratio is taken between two runs of the same seed, so that its spread is that of the pairs.  Where the base counted nothing
there is no ratio; where a run counted nothing, no value.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from importlib import import_module
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from collector.compare.figures import MEASURES, STEPPED, THREADS
from collector.compare.setup import Failed, Setup


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from collector.compare.figures import Figures, Measure
    from collector.designs.design import Design
    from collector.heaps.graph import Graph

SIZES = (128, 256, 512, 1024, 2048, 4096)
"""Bytes in a buffer; 7 to 503 entries."""
MS = (1, 2, 4, 8, 16, 32, 64)
"""Mutators."""
MARKERS = 31
"""Helpers at most: Go's limit, less the one that collects."""
AXES = ("designs", "sizes", "heaps", "ms")
RUNS = {STEPPED: "collector.compare.stepped", THREADS: "collector.compare.threads"}
"""The module that runs a setup on each machine."""


class Point(NamedTuple):
    """A place on the axis."""

    label: str
    setup: Setup


class Place(NamedTuple):
    """Where a run belongs."""

    point: str
    design: str


class Spread(NamedTuple):
    """A number over seeds."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Iterable[float | None]) -> Spread | None:
        """Of those that there are."""
        there = [value for value in values if value is not None]
        return cls(median(there), min(there), max(there)) if there else None


def points(axis: str, setup: Setup, heaps: Mapping[str, Graph]) -> list[Point]:
    """The places on `axis`, of which all else is as in `setup`."""
    if axis == "sizes":
        return [Point(str(size), replace(setup, wbufsize=size)) for size in SIZES]
    if axis == "ms":
        return [Point(str(n), replace(setup, mutators=n, helpers=min(n, MARKERS))) for n in MS]
    if axis == "heaps":
        return [Point(name, replace(setup, graph=graph)) for name, graph in heaps.items()]
    return [Point("", setup)]


@dataclass
class Comparison:
    """All runs of a comparison on one machine, as they come in."""

    machine: str
    axis: str
    designs: Sequence[Design]
    points: Sequence[Point]
    seeds: int
    measures: Sequence[Measure] = MEASURES
    """Those that are wanted."""
    runs: dict[Place, dict[int, Figures]] = field(default_factory=dict)
    """By place and seed."""
    failed: list[str] = field(default_factory=list)
    """Runs that broke an invariant, and how."""

    @property
    def base(self) -> Design:
        """The one whose measures the others' are put over: the seed, if it is there."""
        return next((design for design in self.designs if design.m is None), self.designs[0])

    @property
    def taken(self) -> list[Measure]:
        """Those wanted of which there is a value."""
        return [measure for measure in self.measures if any(self.spread(measure, place) for place in self.runs)]

    @property
    def length(self) -> int:
        """How many runs there will be."""
        return len(self.points) * len(self.designs) * self.seeds

    def perform(self, ticked: Callable[[], object] = lambda: None) -> Iterator[Place]:
        """Run after run, the designs of one seed one after another.

        `ticked` is called every now and then during a run, which ends with what it raises.
        """
        run: Callable[[Design, Setup, Callable[[], object]], Figures] = import_module(RUNS[self.machine]).run
        for point in self.points:
            for seed in range(1, self.seeds + 1):
                for design in self.designs:
                    place = Place(point.label, design.name)
                    try:
                        figures = run(design, replace(point.setup, seed=seed), ticked)
                    except Failed as failure:
                        self.failed.append(f"{self.at(place)}, seed {seed}: {failure}")
                    else:
                        self.runs.setdefault(place, {})[seed] = figures
                    yield place

    def at(self, place: Place) -> str:
        """Where that is, in words."""
        return " ".join(filter(None, (self.machine, *place)))

    @property
    def missing(self) -> list[str]:
        """What did not happen in a run, so that its figures say less than they seem to."""
        return [
            f"{self.at(place)}: {what}"
            for place, runs in self.runs.items()
            for what in sorted({what for figures in runs.values() for what in figures.missing})
        ]

    def values(self, measure: Measure, place: Place) -> dict[int, float | None]:
        """By seed."""
        return {seed: measure.of(figures) for seed, figures in self.runs.get(place, {}).items()}

    def spread(self, measure: Measure, place: Place) -> Spread | None:
        """Over the seeds."""
        return Spread.of(self.values(measure, place).values())

    def ratio(self, measure: Measure, place: Place) -> Spread | None:
        """Over that of the base, seed by seed."""
        base = self.values(measure, place._replace(design=self.base.name))
        mine = self.values(measure, place)
        pairs = ((value, base.get(seed)) for seed, value in mine.items())
        return Spread.of(value / its for value, its in pairs if value is not None and its)
