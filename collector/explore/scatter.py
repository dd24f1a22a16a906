"""Scatters Python's free memory, so that objects made from then on lie in another order: hashes and ids by address differ.

The allocator hands memory out in the order in which it was freed, so a program that is run again mostly finds its objects
where they were.  Here many objects of each size are made, and a random half of them is freed.
"""

from __future__ import annotations

from random import Random


SIZES = 12
"""Words in which the objects differ."""
EACH = 24
"""Objects of each size."""
KINDS: tuple[type, ...] = (
    object,
    *(type(f"Slots{n}", (), {"__slots__": tuple(f"slot{k}" for k in range(n))}) for n in range(SIZES)),
    type("Attributes", (), {}),
)


class Scatter:
    """Free memory is scattered while a `with` statement runs."""

    def __init__(self) -> None:
        self.random = Random(1)
        self.kept: list[object] = []

    def __enter__(self) -> None:
        made = [kind() for kind in KINDS for _ in range(EACH)]
        bits = self.random.getrandbits(len(made))
        self.kept = [v for k, v in enumerate(made) if bits >> k & 1]

    def __exit__(self, *_: object) -> None:
        self.kept.clear()
