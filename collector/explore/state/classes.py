"""Where an object of a Python class stores its data: dictionary, slots, and the content of a builtin base.

A class written in C may store more than that.  So the sizes are added up: builtin base, slots, and the words for a
dictionary and weak references.  An object that is larger holds something that cannot be inspected.
"""

from __future__ import annotations

from types import GetSetDescriptorType, MemberDescriptorType
from typing import TYPE_CHECKING, Any, NamedTuple

from collector.explore.state.interpreter import NULL, WORD
from collector.explore.state.objects import CONTENT


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class Shape(NamedTuple):
    """Where the objects of a class keep things."""

    slots: tuple[MemberDescriptorType, ...]
    content: Callable[[Any], Iterable[object]] | None
    """What the builtin base holds."""
    dictionary: bool
    finalized: bool
    """Something is done when an object dies."""


def shape(cls: type) -> Shape | None:
    """Where objects of `cls` keep things; None if there is more than can be seen."""
    if any("__dict__" in vars(c) and not isinstance(vars(c)["__dict__"], GetSetDescriptorType) for c in cls.__mro__):
        return None  # it shows others than there are
    base = next((c for c in cls.__mro__ if c in CONTENT or c is object), object)
    slots = tuple(
        v
        for c in cls.__mro__[: cls.__mro__.index(base)]
        for name, v in c.__dict__.items()
        if isinstance(v, MemberDescriptorType) and name not in {"__dict__", "__weakref__"}
    )
    if cls.__basicsize__ != base.__basicsize__ + WORD * (len(slots) + _words(cls) - _words(base)):
        return None
    return Shape(slots, CONTENT.get(base), cls.__dictoffset__ != 0, hasattr(cls, "__del__"))


def _words(cls: type) -> int:
    """Words of an object for its dictionary, unless it lies in front of the object, and for weak references."""
    return (cls.__dictoffset__ > 0 or cls.__dictoffset__ == -WORD) + (cls.__weakrefoffset__ > 0)


def slot_values(slots: tuple[MemberDescriptorType, ...], v: object) -> list[object]:
    """What lies in the slots of `v`."""
    found: list[object] = []
    for slot in slots:
        try:
            found.append(slot.__get__(v, type(v)))
        except AttributeError:
            found.append(NULL)
    return found
