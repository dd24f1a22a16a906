"""The exploration strategies, one to a file; `NAMED` lists them by the names that the command line uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.explore.strategies.bounded import Exhaustive
from collector.explore.strategies.dpor.bounded import BoundedDPOR
from collector.explore.strategies.dpor.search import DPOR
from collector.explore.strategies.pct import PCT
from collector.explore.strategies.portfolio import DefaultPortfolio, Portfolio
from collector.explore.strategies.pos import POS
from collector.explore.strategies.stateful import Stateful
from collector.explore.strategies.surw import SURW
from collector.explore.strategies.urw import URW
from collector.explore.strategies.walk import RandomWalk


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore.strategies.base import Options, Strategy


NAMED: dict[str, Callable[[Options], Strategy | Portfolio]] = {
    "portfolio": DefaultPortfolio,
    "random": RandomWalk,
    "urw": URW,
    "pct": PCT,
    "pos": POS,
    "surw": SURW,
    "exhaustive": Exhaustive,
    "dfs": Exhaustive.unbounded,
    "dpor": lambda options: DPOR(options) if options.preemptions is None else BoundedDPOR(options),
    "stateful": Stateful,
}
BOUNDED = ("portfolio", "exhaustive", "dpor")
"""Those that a preemption bound means anything to."""
DEEP = ("portfolio", "pct")
"""Those that a depth means anything to."""
EXHAUSTING = ("portfolio", "exhaustive", "dfs", "dpor", "stateful")
"""Those that come to an end; the others draw for ever."""
