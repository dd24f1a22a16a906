"""What a thread keeps in Python: its frames, their variables, and what tells one value from another.

Theory of operation.  The machine's own frames belong to no program; what is left, from the thread's body inwards, is where
its code stands.  What it keeps there are the frames' local variables, those of the functions around them included, the
attributes of their `self`, and what lies on an evaluation stack (`collector.explore.state.temporaries`).

Relied on.  Scalars and containers of them are compared by value, functions by their code and what they close over, other
objects by their class alone.  An iterator is as good as a temporary: nothing tells how much of it is left.
"""

from __future__ import annotations

from types import CellType, FunctionType, MethodType
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator
    from types import FrameType


SCALARS = (int, str, bytes, float, type(None))


class Hidden(Exception):
    """A variable holds something that cannot be told from others of its kind."""


def named(frame: FrameType, uncounted: set[str]) -> Iterator[tuple[str, object]]:
    """The variables of `frame` and the attributes of its `self`."""
    variables = frame.f_locals
    yield from variables.items()
    attributes = getattr(variables.get("self"), "__dict__", {})
    for name, v in attributes.items():
        if name not in uncounted:
            yield f"self.{name}", v


def frozen(v: object) -> Hashable:
    """What tells `v` from others of its kind.  Raises Hidden if nothing does."""
    if isinstance(v, SCALARS):
        return v
    if isinstance(v, list | tuple):
        return type(v), tuple(map(frozen, v))
    if isinstance(v, set | frozenset):
        return type(v), frozenset(map(frozen, v))
    if isinstance(v, dict):
        return dict, tuple((frozen(key), frozen(value)) for key, value in v.items())
    if isinstance(v, FunctionType):
        return v.__code__, tuple(_inside(cell) for cell in v.__closure__ or ())
    if isinstance(v, MethodType):
        return v.__func__.__code__ if isinstance(v.__func__, FunctionType) else MethodType
    if hasattr(type(v), "__next__"):
        raise Hidden
    return type(v).__module__, type(v).__qualname__


def _inside(cell: CellType) -> Hashable:
    """What a function closes over; of other functions, which may close over it, only the code."""
    try:
        v = cell.cell_contents
    except ValueError:
        return None
    return v.__code__ if isinstance(v, FunctionType) else frozen(v)
