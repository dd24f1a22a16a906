"""What code names: globals, attributes, what it takes of a global at once, and what it stores."""

from __future__ import annotations

import sys
import types
from typing import NamedTuple

from collector.explore.state.bytecode import analysed


READING = frozenset({"getattr", "hasattr", "attrgetter"})
"""Who reads what is named by a text does it with one of these."""
BY_TEXT = READING | {"setattr", "delattr", "vars", "globals", "__dict__", "__setattr__"}
"""Who names something by a text does it with one of these."""


class Mentioned(NamedTuple):
    """The names in some code and in the code within it."""

    names: set[str]
    """Globals."""
    attributes: set[str]
    stored: set[str]
    """Globals that are stored."""
    named_late: set[str]
    """Attributes that are stored, or are named by a text: they may come to be."""
    stored_late: set[str]
    """Attributes that are stored, also by a text."""
    paths: set[tuple[str, ...]]
    """Of each time that a global is read: its name, and the attributes that are taken of it at once."""
    modules: list[types.ModuleType]
    """Imported."""


def mentioned(code: types.CodeType) -> Mentioned:
    """What `code` and the code within it name."""
    found = Mentioned(set(), set(), set(), set(), set(), set(), [])
    texts: set[str] = set()
    waiting = [code]
    while waiting:
        code = waiting.pop()
        waiting += [inner for inner in code.co_consts if isinstance(inner, types.CodeType)]
        texts |= {text for text in code.co_consts if isinstance(text, str)}
        _add(code, found)
    if not BY_TEXT.isdisjoint(found.names | found.attributes):
        if not (BY_TEXT - READING).isdisjoint(found.names | found.attributes):
            found.stored_late.update(texts)
        if "globals" in found.names:
            found.names.update(texts)
        found.attributes.update(texts)
        found.named_late.update(texts)
    return found


def _add(code: types.CodeType, found: Mentioned) -> None:
    """What the instructions of `code` name."""
    path: tuple[str, ...] = ()
    for instruction in analysed(code).instructions:
        verb, name = instruction.opname, instruction.argval
        if verb in {"LOAD_ATTR", "LOAD_METHOD"} and path:
            path = (*path, name)
        else:
            found.paths.add(path)
            path = (name,) if verb in {"LOAD_GLOBAL", "LOAD_NAME"} else ()
        if verb in {"LOAD_GLOBAL", "LOAD_NAME", "STORE_GLOBAL", "DELETE_GLOBAL"}:
            found.names.add(name)
            if "GLOBAL" in verb and not verb.startswith("LOAD"):
                found.stored.add(name)
        elif verb in {"LOAD_ATTR", "LOAD_METHOD", "STORE_ATTR", "DELETE_ATTR", "IMPORT_FROM"}:
            found.attributes.add(name)
            if verb in {"STORE_ATTR", "DELETE_ATTR"}:
                found.named_late.add(name)
                found.stored_late.add(name)
        elif verb == "IMPORT_NAME" and name in sys.modules:
            found.modules.append(sys.modules[name])
    found.paths.discard(())
