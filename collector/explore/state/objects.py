"""Serializers for state capture: for each type of Python object, what of it belongs to a state.

A builtin container is written as its items in order, an iterator as what its `__reduce__` returns (which consumes nothing),
a function as its code and what that reaches, an object of a Python class as its class, attributes, slots and the content of
the builtin class that it extends.  Of other types written in C only those are supported whose `__reduce_ex__` names a
constructor and all its arguments.  All others are opaque.

Only `__reduce__` of builtin types is called, never a program's own, which may leave out parts of the state.
"""

from __future__ import annotations

import array
import collections
import ctypes
import functools
import gc
import itertools
import random
import types
import weakref
from typing import TYPE_CHECKING, Any

from collector.explore.machine.site import module_of
from collector.explore.state.assumptions import contents
from collector.explore.state.interpreter import NULL
from collector.explore.state.sets import layout
from collector.explore.state.walk import SCALARS


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from collector.explore.state.walk import Object, Walk, Writer


def written(parts: Callable[[Any], Iterable[object]]) -> Writer:
    """A writer of a type whose object is the `parts`, as many as there are."""

    def write(walk: Walk, v: Object) -> None:
        values = list(parts(v))
        walk.out += (type(v).__name__, len(values))
        walk.put(values)

    return write


def pairs(v: Mapping[Any, Any]) -> list[object]:
    """Keys and values in order."""
    return [*v.keys(), *v.values()]


BUFFERS: Any = ctypes.Structure.__base__
"""The class of all of C's data, which may lie in the memory of another object."""
LISTED: dict[type, Callable[[Any], list[object]]] = {list: list, collections.deque: list, set: list, dict: pairs}
"""By the types of containers, what lists the items of one."""


def items(v: dict[Any, Any]) -> list[object]:
    """The same of any kind of dictionary, whatever its class says that it holds."""
    return [*dict.keys(v), *dict.values(v)]


def ordered(v: collections.OrderedDict[Any, Any]) -> list[object]:
    """The same of one that keeps an order of its own."""
    keys = [*collections.OrderedDict.__iter__(v)]
    return [*keys, *(dict.__getitem__(v, key) for key in keys)]


def write_set(walk: Walk, v: Object) -> None:
    """The items in the order in which they are met, which decides what a loop over them does; and how they lie."""
    items = list(v)
    walk.out += (type(v).__name__, len(items), layout(v))
    walk.put(items)
    if len(items) > 1 and not all(_ordered(item) for item in items):
        walk.hidden("a set whose order depends on where its objects lie", ())


def _ordered(v: object) -> bool:
    """Does the hash of `v` come from its value?"""
    if isinstance(v, tuple | frozenset):
        return all(map(_ordered, v))
    return type(v).__hash__ is not object.__hash__


def write_exception(walk: Walk, v: Object) -> None:
    """Everything but the traceback."""
    walk.out.append("exception")
    walk.put([type(v), v.args, v.__dict__, v.__cause__, v.__context__])
    kind: Any = type(v)
    for field in fields(kind):
        try:
            walk.put([field.__get__(v)])
        except (AttributeError, TypeError):
            walk.put([NULL])  # it is not set


@functools.cache
def fields(kind: type) -> list[types.MemberDescriptorType | types.GetSetDescriptorType]:
    """What an exception holds beside its arguments and attributes: `errno`, `value`, slots."""
    found = [(name, v) for cls in kind.__mro__ for name, v in vars(cls).items()]
    return [
        v
        for name, v in found
        if isinstance(v, types.MemberDescriptorType)
        or (isinstance(v, types.GetSetDescriptorType) and name != "args" and not name.startswith("__"))
    ]


def write_enum(walk: Walk, v: Object) -> None:
    """An enum member: its name and value, and what was hung on it."""
    walk.out.append(type(v).__qualname__)
    walk.put(x for name, x in vars(v).items() if name not in {"_sort_order_", "__objclass__"})


def write_method(walk: Walk, v: Object) -> None:
    """A builtin function, a method of a builtin object, a descriptor."""
    walk.out.append(getattr(v, "__qualname__", ""))
    owner = getattr(v, "__self__", None)
    if owner is not None and type(owner) is not types.ModuleType:
        walk.put([owner])


def write_cell(walk: Walk, v: Object) -> None:
    """What a closure shares."""
    walk.put([contents(v)])


def reduced(walk: Walk, v: Object) -> None:
    """A type whose own `__reduce_ex__` is complete, or opaque."""
    kind = type(v)
    ways: list[object] = [kind.__reduce_ex__, kind.__reduce__]
    own = ways != [object.__reduce_ex__, object.__reduce__] and types.FunctionType not in map(type, ways)
    try:
        parts = v.__reduce_ex__(4) if own else ""
    except Exception:  # noqa: BLE001  whatever it raises, it tells nothing
        parts = ""
    if isinstance(parts, str) or len(parts) < 2 or parts[0] is getattr:
        hide(walk, v)
        return
    walk.out += (type(v).__name__, len(parts))
    if isinstance(v, BUFFERS):
        walk.put([v._objects])  # noqa: SLF001  whose memory it is
    walk.put([list(part) if k > 2 and part is not None else part for k, part in enumerate(parts)])


def named(kind: type) -> str:
    """A type, for people, with its article."""
    name = kind.__qualname__ if module_of(kind) in {"", "builtins"} else f"{module_of(kind)}.{kind.__qualname__}"
    return f"an {name}" if name[:1].lower() in "aeiou" else f"a {name}"


def hide(walk: Walk, v: Object) -> None:
    """A type that does not tell all; of what it holds, the collector knows (of a frame that runs, it does not)."""
    walk.hidden(named(type(v)), None if isinstance(v, STACKS) else gc.get_referents(v))


def write_reference(walk: Walk, v: Object) -> None:
    """What a weak reference refers to, and whom it calls when that is gone."""
    walk.put(["weak", v(), v.__callback__])


def write_proxy(walk: Walk, v: Object) -> None:
    """A view of a dictionary that cannot be written through."""
    walk.put(["proxy", *gc.get_referents(v)])


def write_weak_proxy(walk: Walk, v: Object) -> None:
    """What passes all on to what it refers to, weakly."""
    try:
        walk.put(["weak proxy", v.__reduce_ex__.__self__])
    except ReferenceError:
        walk.put([NULL])


def write_view_iterator(walk: Walk, v: Object) -> None:
    """An iterator over a dictionary or a set: what is left, and of what."""
    walk.out.append(type(v).__name__)
    try:
        left = list(v.__reduce__()[1])
    except RuntimeError:
        walk.hidden(f"{named(type(v))} over what has grown", gc.get_referents(v))
    else:
        walk.put([left, *gc.get_referents(v)])


def write_recipe(walk: Walk, v: Object) -> None:
    """An iterator whose repr says all: how often, and of what."""
    if all(type(part) in SCALARS for part in gc.get_referents(v) if part is not type(v)):
        walk.out.append(repr(v))
    else:
        hide(walk, v)


def cached(v: Object) -> list[object]:
    """What a cache without a bound keeps; how often it was asked decides nothing.  A bounded one also keeps an order."""
    return [r for r in gc.get_referents(v) if type(r) is dict and r is not v.__dict__]


def write_cached(walk: Walk, v: Object) -> None:
    """A function with a cache."""
    if v.cache_info().maxsize is not None:
        walk.hidden(named(type(v)), ())
    walk.put([v.__wrapped__, *cached(v), *pairs(v.__dict__)])


CACHE = type(functools.lru_cache(len))
STACKS = (types.FrameType, types.TracebackType)
ITERATORS: tuple[type, ...] = tuple(
    map(
        type,
        (
            iter([]), iter(()), iter(""), iter("\u0100"), iter(b""), iter(bytearray()), iter(range(0)), iter(range(1 << 70)),
            reversed(()), reversed([]), reversed(range(0)), enumerate(()), zip(),
            map(len, ()), filter(None, ()), iter(int, 1), array.array("b").__iter__(),
        ),
    )
)  # fmt: skip
VIEW_ITERATORS: tuple[type, ...] = tuple(
    map(
        type,
        (
            iter({}), iter({}.values()), iter({}.items()), iter(set()),
            reversed({}), reversed({}.values()), reversed({}.items()),
        ),
    )
)  # fmt: skip

CONTENT: dict[type, Callable[[Any], Iterable[object]]] = {
    list: list.__iter__,
    tuple: tuple.__iter__,
    dict: items,
    collections.OrderedDict: ordered,
    collections.defaultdict: lambda v: [v.default_factory, *items(v)],
    collections.deque: lambda v: [v.maxlen, *collections.deque.__iter__(v)],
    bytearray: lambda v: [bytes(bytearray.__getitem__(v, slice(None)))],
    array.array: lambda v: [v.typecode, array.array.tobytes(v)],
    int: lambda v: [int.__int__(v)],
    float: lambda v: [float.__float__(v)],
    str: lambda v: [str.__str__(v)],
    bytes: lambda v: [bytes.__getitem__(v, slice(None))],
    random.Random: random.Random.getstate,
}
"""What an object of a builtin class holds, and an object of a Python class that extends it beside its attributes."""

WRITERS: dict[type, Writer] = {
    **{kind: written(parts) for kind, parts in CONTENT.items()},
    set: write_set,
    frozenset: write_set,
    types.CellType: write_cell,
    types.BuiltinFunctionType: write_method,
    types.MethodDescriptorType: write_method,
    types.WrapperDescriptorType: write_method,
    types.MethodWrapperType: write_method,
    types.ClassMethodDescriptorType: write_method,
    types.GetSetDescriptorType: write_method,
    types.MemberDescriptorType: write_method,
    types.MethodType: written(lambda v: [v.__func__, v.__self__]),
    types.MappingProxyType: write_proxy,
    functools.partial: written(lambda v: [v.func, v.args, v.keywords, *pairs(v.__dict__)]),
    staticmethod: written(lambda v: [v.__func__, *pairs(vars(v))]),
    classmethod: written(lambda v: [v.__func__, *pairs(vars(v))]),
    property: written(lambda v: [v.fget, v.fset, v.fdel]),
    functools.cached_property: written(lambda v: [v.func]),
    range: written(lambda v: [v.start, v.stop, v.step]),
    slice: written(lambda v: [v.start, v.stop, v.step]),
    weakref.ReferenceType: write_reference,
    weakref.ProxyType: write_weak_proxy,
    weakref.CallableProxyType: write_weak_proxy,
    CACHE: write_cached,
    type(...): written(lambda _v: []),
    type(NotImplemented): written(lambda _v: []),
    **{kind: written(lambda v: v.__reduce__()) for kind in ITERATORS},
    **dict.fromkeys(VIEW_ITERATORS, write_view_iterator),
    **dict.fromkeys((itertools.count, itertools.repeat), write_recipe),
    # They also know whether what they go over has been changed, and do not tell.
    **dict.fromkeys(
        map(type, (iter(collections.deque()), reversed(collections.deque()), iter(collections.OrderedDict()))), hide
    ),
}
"""By exact type."""
