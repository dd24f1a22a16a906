"""The scenarios' table of contents, for those who list them: without importing their programs, and with them the protocol.

Each file says the same of itself in its `SCENARIO`.  `python -m scripts.contents` writes `contents.json` anew from them, and
a test compares.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, NamedTuple


if TYPE_CHECKING:
    from collections.abc import Mapping


class Row(NamedTuple):
    """One scenario."""

    title: str
    kind: str
    """fault, cost or sound."""
    bugs: Mapping[str, str]
    """The ids that it is about, and their titles in the catalogue; empty for one that is not there."""
    variants: Mapping[str, str]
    """For each what must be found; empty: nothing may be."""


FILE = os.path.join(os.path.dirname(__file__), "contents.json")  # noqa: PTH118, PTH120  pathlib takes a third of the time
with open(FILE, encoding="utf-8") as _file:  # noqa: PTH123
    CONTENTS = {name: Row(**row) for name, row in json.load(_file).items()}
"""By the scenarios' names, in the order in which they are listed."""
