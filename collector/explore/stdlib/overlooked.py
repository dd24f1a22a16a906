"""What threads may share of a loaded module that is not watched: globals and attributes of classes that change, and slots.

Of a global the code tells whether it may change.  Of a class only what holds others (a list, say) is told so: that another
attribute has changed is seen when the next schedule begins, or the same one again.
"""

from __future__ import annotations

import dis
from functools import lru_cache
from inspect import CO_OPTIMIZED
from types import CodeType
from typing import TYPE_CHECKING, NamedTuple

from collector.explore.stdlib.attributes import CHANGEABLE, own_classes


if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from types import ModuleType


USES = {
    "STORE_GLOBAL": 0, "DELETE_GLOBAL": 0, "LOAD_GLOBAL": 1, "STORE_ATTR": 2, "DELETE_ATTR": 2, "LOAD_ATTR": 3,
    "LOAD_METHOD": 3,
}  # fmt: skip
"""Instructions to fields of `Mentioned`."""


def overlooked(module: ModuleType, code: CodeType, unwatched: Collection[str]) -> Iterator[str]:
    """A warning for each, but for those named in `unwatched`; `code` is the module's."""
    assigned, named, _, got, hidden = mentioned(code)
    names = vars(module)
    for name in sorted(assigned | {name for name in named if isinstance(names.get(name), CHANGEABLE)}):
        if name not in unwatched:
            yield (
                f"the global {name} of {module.__name__} may change, and is not watched: what threads do with it is not"
                f" explored (if they only read it, or under a lock: unwatched=({name!r},))"
            )
    for cls in own_classes(module):
        name = cls.__qualname__
        if vars(cls).get("__slots__") and name not in unwatched:
            yield f"{module.__name__}.{name} has slots, which are not watched (if that is right: unwatched=({name!r},))"
        for attribute, value in vars(cls).items():
            if isinstance(value, CHANGEABLE) and attribute in got and attribute not in unwatched:
                yield changing(cls, attribute)
    for name in sorted(hidden - {*unwatched}):
        yield (
            f"the class {name} of {module.__name__} is made in a function, so its objects are not watched"
            f" (if that is right: unwatched=({name!r},))"
        )


def changing(cls: type, name: str) -> str:
    """What is said of an attribute of a class."""
    return (
        f"the attribute {name} of the class {cls.__qualname__} may change, and is not watched: what threads do with it is"
        f" not explored (if they only read it, or under a lock: unwatched=({name!r},))"
    )


class Kept:
    """The attributes of a loaded module's classes, as they were when it was loaded."""

    def __init__(self, module: ModuleType, unwatched: Collection[str]) -> None:
        self.attributes = [
            (cls, name, value)
            for cls in own_classes(module)
            for name, value in vars(cls).items()
            if not name.startswith("__") and name not in unwatched
        ]

    def changed(self) -> Iterator[str]:
        """A warning for each that is another one now."""
        return (changing(cls, name) for cls, name, value in self.attributes if vars(cls).get(name, self) is not value)


class Mentioned(NamedTuple):
    """What functions in some code do with names."""

    assigned: frozenset[str]
    """Globals that they assign,"""
    named: frozenset[str]
    """or read;"""
    given: frozenset[str]
    """attributes that they assign,"""
    got: frozenset[str]
    """or read;"""
    made: frozenset[str]
    """classes that they make."""


@lru_cache(100)
def mentioned(code: CodeType) -> Mentioned:
    """All functions in `code`."""
    found: list[set[str]] = [set(), set(), set(), set(), set()]
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            made = False
            for instruction in dis.get_instructions(inner):
                which = USES.get(instruction.opname)
                if which is not None:
                    found[which].add(str(instruction.argval))
                elif instruction.opname == "LOAD_BUILD_CLASS":
                    made = bool(inner.co_flags & CO_OPTIMIZED)  # of a function, and not of a class around it
                elif made and instruction.opname == "LOAD_CONST" and isinstance(instruction.argval, str):
                    found[4].add(instruction.argval)
                    made = False
            for names, more in zip(found, mentioned(inner), strict=True):
                names.update(more)
    return Mentioned(*map(frozenset, found))


def given(code: CodeType) -> frozenset[str]:
    """The names of attributes that code of a module gives to objects."""
    return mentioned(code).given
