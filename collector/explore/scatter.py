"""Scatters Python's free memory, so that objects made from then on lie in another order: hashes and ids by address differ.

The allocator hands out first what was freed last, so a program that is run again mostly finds its objects where they were.
Here many objects of each size are made, and a random half of them is freed, in random order.
"""

from __future__ import annotations

from itertools import repeat, starmap
from random import Random


SIZES = range(0, 12, 2)
"""Words in which the objects differ; the allocator goes by two."""
EACH = 24
"""Objects of each size."""
KINDS: tuple[type, ...] = (
    object,
    *(type(f"Slots{n}", (), {"__slots__": tuple(f"slot{k}" for k in range(n))}) for n in SIZES),
    type("Attributes", (), {}),
)


class Scatter:
    """Scatters free memory whenever it is called."""

    def __init__(self) -> None:
        self.random = Random(1)
        self.kept: list[object] = []

    def __call__(self) -> None:
        made: list[object] = []
        for kind in KINDS:
            made += starmap(kind, repeat((), EACH))
        self.random.shuffle(made)
        freed = made[len(made) // 2 :]
        del made[len(made) // 2 :]
        self.kept = made
        freed.clear()  # last, and one after the other: what is freed after these would be used before them
