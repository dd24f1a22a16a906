"""Reads the entries of the catalogue from its TOML files, by id.

An id is a letter and a number: I1, K-1, K-19b, O-1, W1, S1.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Statement:
    """An invariant (I) or a worked example (W): what it says, the code that guards it, the tests that check it."""

    id: str
    title: str
    says: str
    tests: tuple[str, ...]
    guards: tuple[str, ...] = ()


@dataclass(frozen=True)
class Commit:
    """One of Go's commits: the first ten digits of its hash, and the number of its code review, 0 if not known."""

    id: str
    cl: int = 0


@dataclass(frozen=True)
class Correction:
    """What the default does otherwise than the seed."""

    ids: tuple[str, ...]
    seed: str
    wrong: str
    default: str
    commits: tuple[str, ...]
    where: tuple[str, ...]
    """Modules, from the project's root."""


@dataclass(frozen=True)
class Bug:
    """A bug that Go knows of (K) or a finding about the seed (O)."""

    id: str
    title: str
    kind: str
    """fault, cost, sound (it looks wrong and is not) or report (what the field saw)."""
    happens: str
    seed: bool = True
    """In the commit modelled here, not in a later one only."""
    issues: tuple[int, ...] = ()
    commits: tuple[Commit, ...] = ()
    here: str = ""
    """What this project does about it; empty where `correction` says it."""
    unshown: str = ""
    """Why no scenario shows it; empty where one does."""
    correction: Correction | None = None


@dataclass(frozen=True)
class Experiment:
    """A question (S), and the ids of the bugs it is about."""

    id: str
    title: str
    bugs: tuple[str, ...]


Entry = Statement | Bug | Experiment

FOLDER = Path(__file__).parent
ID = re.compile(r"([ikosw])-?([1-9]\d*)([a-z]?)", re.IGNORECASE)
HYPHENATED = "KO"
"""Letters with a hyphen between them and their number."""


def table(name: str) -> dict[str, Any]:
    """One of the files, the line breaks of its prose undone and its lists made tuples."""

    def plain(value: object) -> object:
        if isinstance(value, str):
            return " ".join(value.split())
        if isinstance(value, list):
            return tuple(plain(item) for item in value)
        if isinstance(value, dict):
            return {key: plain(item) for key, item in value.items()}
        return value

    return {key: plain(value) for key, value in tomllib.loads((FOLDER / name).read_text("utf-8")).items()}


@cache
def corrections() -> tuple[Correction, ...]:
    """What the default does otherwise than the seed, in the order of the guide's table."""
    return tuple(Correction(**fields) for fields in table("corrections.toml")["correction"])


@cache
def entries() -> dict[str, Entry]:
    """Every entry, by its id."""
    corrected = {name: correction for correction in corrections() for name in correction.ids}
    found: dict[str, Entry] = {}
    for file in ("invariants.toml", "examples.toml"):
        found |= {name: Statement(name, **fields) for name, fields in table(file).items()}
    for file in ("known.toml", "found.toml"):
        for name, fields in table(file).items():
            commits = tuple(Commit(**commit) for commit in fields.pop("commits", ()))
            found[name] = Bug(name, commits=commits, correction=corrected.get(name), **fields)
    return found | {name: Experiment(name, **fields) for name, fields in table("experiments.toml").items()}


def identifier(text: str) -> str:
    """The id that `text` means, `k3` for K-3; empty if it is none, whether or not there is such an entry."""
    match = ID.fullmatch(text)
    if not match:
        return ""
    letter, number, part = match.groups()
    return f"{letter.upper()}{'-' * (letter.upper() in HYPHENATED)}{number}{part.lower()}"


def nearest(name: str, most: int = 3) -> list[str]:
    """The `most` ids of the same letter whose numbers are nearest to that of `name`, which is an id."""
    letter, number = parts(name)
    return sorted((at for at in entries() if at[0] == letter), key=lambda at: abs(parts(at)[1] - number))[:most]


def extent(name: str) -> str:
    """The first and the last id of the letter of `name`, which is an id."""
    ids = [at for at in entries() if at[0] == name[0]]
    return f"{ids[0]} to {ids[-1]}"


def parts(name: str) -> tuple[str, int]:
    """Letter and number of an id."""
    match = ID.fullmatch(name)
    if not match:
        raise ValueError(f"{name!r} is no id")
    return match[1].upper(), int(match[2])
