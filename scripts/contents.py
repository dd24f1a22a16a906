"""Writes the scenarios' table of contents anew, from their files and the catalogue.

python -m scripts.contents
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from collector.catalogue.entries import entries
from collector.scenarios.contents import FILE, Row
from collector.scenarios.registry import SCENARIOS


def rows() -> dict[str, Row]:
    """The table, as the files say it."""
    known = entries()
    return {
        name: Row(
            scenario.title,
            scenario.kind,
            {bug: known[bug].title if bug in known else "" for bug in scenario.bugs},
            {variant: of.fails for variant, of in scenario.variants.items()},
        )
        for name, scenario in SCENARIOS.items()
    }


def main() -> int:
    """Write it; returns the exit status."""
    text = json.dumps({name: row._asdict() for name, row in rows().items()}, indent=1)
    Path(FILE).write_text(f"{text}\n", encoding="utf-8")
    print(FILE)
    return 0


if __name__ == "__main__":
    sys.exit(main())
