"""Programs whose threads keep what they read where a capture of their state does not look: names, registries, caches.

In a few schedules the check fails; a search that merges states finds that, or claims nothing.  Each is a pair: how to keep
it, and how to read it; `keepingprograms` makes the program of it.
"""

# ruff: noqa: ANN401, B009, B010, D103, PLW0108  the programs' names say what they are, and this is how they hide things

from __future__ import annotations

import abc
import collections
import enum
import functools
import typing
import weakref
from typing import TYPE_CHECKING, Any

from tests.collector.explore.kinds import of


if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.collector.explore.keepingprograms import Pair

HIDING: dict[str, Callable[[], Pair]] = {}
T = typing.TypeVar("T")


def one(*_: object) -> int:
    return 1


def zero(*_: object) -> int:
    return 0


# --- functions and classes -----------------------------------------------------------------------------------------------


def set_name(of: Any, v: int) -> None:
    of.__name__ = f"called {v}"


@of(HIDING)
def in_the_name_of_a_function() -> Pair:
    def function() -> None: ...

    return lambda v: set_name(function, v), lambda: int(function.__name__ == "called 1")


@of(HIDING)
def in_the_name_of_a_global_function_by_setattr() -> Pair:
    return lambda v: setattr(zero, "__qualname__", f"called {v}"), lambda: int("called 1" in repr(zero))


@of(HIDING)
def in_the_name_of_a_class() -> Pair:
    return lambda v: set_name(Meta, v), lambda: int(Meta.__name__ == "called 1")


@of(HIDING)
def in_the_name_of_a_generator() -> Pair:
    generator: Any = (i for i in (1, 2))
    return lambda v: set_name(generator, v), lambda: int(generator.__name__ == "called 1")


class Meta(type):
    kept = 0


class OfMeta(metaclass=Meta):
    pass


@of(HIDING)
def in_a_metaclass() -> Pair:
    def keep(v: int) -> None:
        type(OfMeta).kept = v

    return keep, lambda: OfMeta.kept


@of(HIDING)
def in_a_class_attribute_of_a_special_name() -> Pair:
    class Own:
        __version__ = 0

    def keep(v: int) -> None:
        Own.__version__ = v

    return keep, lambda: Own.__version__


@of(HIDING)
def in_the_registry_of_an_abstract_class() -> Pair:
    class Abstract(abc.ABC):  # noqa: B024  it is about who is registered
        pass

    class Concrete:
        pass

    return lambda v: v and Abstract.register(Concrete), lambda: int(isinstance(Concrete(), Abstract))


@of(HIDING)
def in_the_registry_of_a_class_of_the_library() -> Pair:
    class Concrete:
        pass

    return lambda v: v and collections.abc.Sized.register(Concrete), lambda: int(
        isinstance(Concrete(), collections.abc.Sized)
    )


@of(HIDING)
def on_a_static_method() -> Pair:
    method: Any = staticmethod(zero)
    method.kept = 0
    return lambda v: setattr(method, "kept", v), lambda: method.kept


@of(HIDING)
def on_a_function_with_a_cache() -> Pair:
    function: Any = functools.cache(zero)
    return lambda v: setattr(function, "kept", v), lambda: function.kept


@of(HIDING)
def in_the_hits_of_a_cache() -> Pair:
    function = functools.cache(zero)
    return lambda v: [function(0) for _ in range(1 + v)], lambda: function.cache_info().hits


class Box(enum.Enum):
    FULL = [0]  # noqa: RUF012  it is about that
    EMPTY = 0


@of(HIDING)
def in_the_value_of_an_enumeration() -> Pair:
    Box.FULL.value[0] = 0
    return lambda v: Box.FULL.value.__setitem__(0, v), lambda: Box.FULL.value[0]


@of(HIDING)
def in_a_private_attribute_of_an_enumeration() -> Pair:
    setattr(Box.EMPTY, "_kept", 0)
    return lambda v: setattr(Box.EMPTY, "_kept", v), lambda: getattr(Box.EMPTY, "_kept")


@of(HIDING)
def on_a_type_variable() -> Pair:
    variable: Any = T
    return lambda v: setattr(variable, "kept", v), lambda: variable.kept


GIVEN: Any = functools.partial(zero)


@of(HIDING)
def on_a_partial_function() -> Pair:
    GIVEN.kept = 0
    return lambda v: setattr(GIVEN, "kept", v), lambda: GIVEN.kept


class Listed:
    __kept__: typing.ClassVar[list[int]] = []


@of(HIDING)
def in_a_list_of_a_special_name() -> Pair:
    Listed.__kept__.clear()
    return lambda v: Listed.__kept__.append(v), lambda: Listed.__kept__[0]


@of(HIDING)
def in_a_dead_variable_of_a_generator() -> Pair:
    def turns() -> Any:
        last = 0
        while True:
            sent = yield last
            last = sent

    generator = turns()
    next(generator)
    return lambda v: generator.send(v), lambda: int(generator.gi_frame.f_locals["last"])


# --- objects of the library ------------------------------------------------------------------------------------------------


@of(HIDING)
def in_the_errno_of_an_exception() -> Pair:
    error = OSError()
    return lambda v: setattr(error, "errno", v), lambda: error.errno or 0


@of(HIDING)
def in_the_value_of_an_exception() -> Pair:
    error = StopIteration()
    return lambda v: setattr(error, "value", v), lambda: error.value or 0


@of(HIDING)
def in_the_end_of_a_decoding_error() -> Pair:
    error = UnicodeDecodeError("ascii", b"abc", 0, 1, "")
    return lambda v: setattr(error, "end", v), lambda: error.end


@of(HIDING)
def in_whom_a_weak_reference_calls() -> Pair:
    kept: list[Any] = []

    class Own:
        pass

    own = Own()
    return lambda v: kept.append(weakref.ref(own, one if v else zero)), lambda: kept[0].__callback__(0)


@of(HIDING)
def in_a_finalizer() -> Pair:
    class Own:
        pass

    own = Own()
    return lambda v: v and weakref.finalize(own, zero), lambda: weakref.getweakrefcount(own)


@of(HIDING)
def in_the_room_of_a_set() -> Pair:
    kept: set[int] = set()

    def keep(v: int) -> None:
        for i in range(100 * v):
            kept.add(i)
        kept.clear() if not v else kept.difference_update(range(100))

    def read() -> int:
        kept.update((8, 1))
        return int(list(kept) == [1, 8])

    return keep, read


@of(HIDING)
def in_what_a_dictionary_iterator_has_missed() -> Pair:
    kept = {1: 1}
    iterator = iter(kept)

    def read() -> int:
        try:
            next(iterator)
        except RuntimeError:
            return 1
        return 0

    return lambda v: v and kept.setdefault(2, 2), read


@of(HIDING)
def in_what_an_iterator_over_a_deque_has_missed() -> Pair:
    kept = collections.deque((1, 2))
    iterator = iter(kept)

    def read() -> int:
        try:
            next(iterator)
        except RuntimeError:
            return 1
        return 0

    return lambda v: v and (kept.append(3), kept.pop()), read


@of(HIDING)
def in_the_trace_function_of_a_frame() -> Pair:
    generator: Any = (i for i in (1, 2))
    frame = generator.gi_frame
    return lambda v: setattr(frame, "f_trace", one if v else None), lambda: int(frame.f_trace is not None)
