"""The list of all designs, in the order in which they came."""

from __future__ import annotations

from collector.designs import go15, go16, go112, parent
from collector.designs.design import Design


SEED = Design(
    name="seed",
    when="February 2015",
    commits=("a15818fed303",),
    what="One cached buffer of 23 entries on each M, harvested in the stopped world.",
)

DESIGNS = {design.name: design for design in (parent.DESIGN, SEED, go15.DESIGN, go16.DESIGN, go112.DESIGN)}
"""Every design under its name."""
