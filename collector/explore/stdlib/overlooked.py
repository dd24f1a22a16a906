"""What threads may share of a loaded module that is not watched: globals that change, and slots."""

from __future__ import annotations

import dis
from functools import lru_cache
from types import CodeType
from typing import TYPE_CHECKING

from collector.explore.stdlib.attributes import CHANGEABLE


if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from types import ModuleType


def overlooked(module: ModuleType, code: CodeType, unwatched: Collection[str]) -> Iterator[str]:
    """A warning for each, but for those named in `unwatched`; `code` is the module's."""
    assigned, named = mentioned(code)
    names = vars(module)
    for name in sorted(assigned | {name for name in named if isinstance(names.get(name), CHANGEABLE)}):
        if name not in unwatched:
            yield (
                f"the global {name} of {module.__name__} may change, and is not watched: what threads do with it is not"
                f" explored (if they only read it, or under a lock: unwatched=({name!r},))"
            )
    for name, value in names.items():
        mine = isinstance(value, type) and value.__module__ == module.__name__
        if mine and vars(value).get("__slots__") and name not in unwatched:
            yield f"{module.__name__}.{name} has slots, which are not watched (if that is right: unwatched=({name!r},))"


@lru_cache(100)
def mentioned(code: CodeType) -> tuple[frozenset[str], frozenset[str]]:
    """Globals that functions in `code` assign, and those that they name."""
    assigned: set[str] = set()
    named: set[str] = set()
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            for instruction in dis.get_instructions(inner):
                if instruction.opname in {"STORE_GLOBAL", "DELETE_GLOBAL"}:
                    assigned.add(str(instruction.argval))
                elif instruction.opname == "LOAD_GLOBAL":
                    named.add(str(instruction.argval))
            more = mentioned(inner)
            assigned |= more[0]
            named |= more[1]
    return frozenset(assigned), frozenset(named)
