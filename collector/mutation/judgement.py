"""What has been judged of mutants by reading: why one is equivalent, or of a kind that decides nothing; from judged.toml."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import NamedTuple


FILE = Path(__file__).parent / "judged.toml"


class Judged(NamedTuple):
    """The judgements."""

    aside: dict[str, str]
    """By a regular expression for the ids of mutants, why such a one decides nothing; they are not run."""
    equivalent: dict[str, str]
    """By id, why no run can tell the mutant from the protocol."""


@cache
def judged() -> Judged:
    """All of them."""
    read = tomllib.loads(FILE.read_text("utf-8"))
    return Judged(
        {rule["pattern"]: rule["why"] for rule in read["aside"]},
        {mutant: group["why"] for group in read.get("equivalent", []) for mutant in group["mutants"]},
    )


def aside(mutant: str) -> str:
    """Why a mutant of that id is set aside; empty if it is to be run."""
    return next((why for pattern, why in judged().aside.items() if re.search(pattern, mutant)), "")


def equivalent(mutant: str) -> str:
    """Why it is equivalent; empty if nobody has said so."""
    return judged().equivalent.get(mutant, "")
