"""Programs whose threads keep what they read where a capture of their state does not look: names, registries, settings.

In a few schedules the check fails; a search that merges states finds that, or claims nothing.  Each is a pair: how to keep
it, and how to read it.
"""

# ruff: noqa: ANN401, B009, B010, D103, PLW0108  the programs' names say what they are, and this is how they hide things

from __future__ import annotations

import abc
import builtins
import codecs
import collections
import enum
import functools
import gc
import json
import logging
import os
import string
import sys
import tempfile
import threading
import types
import typing
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.collector.explore.verdictprograms import keeping


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine

    Pair = tuple[Callable[[int], object], Callable[[], int]]

HIDING: dict[str, Callable[[SteppedMachine], Any]] = {}
LOGGER = logging.getLogger(__name__)
T = typing.TypeVar("T")


def hiding(pair: Callable[[], Pair]) -> Callable[[], Pair]:
    """The program whose threads keep what they read so."""
    HIDING[pair.__name__] = lambda machine: keeping(*pair())(machine)
    return pair


def one(*_: object) -> int:
    return 1


def zero(*_: object) -> int:
    return 0


# --- functions and classes -----------------------------------------------------------------------------------------------


def set_name(of: Any, v: int) -> None:
    of.__name__ = f"called {v}"


@hiding
def in_the_name_of_a_function() -> Pair:
    def function() -> None: ...

    return lambda v: set_name(function, v), lambda: int(function.__name__ == "called 1")


@hiding
def in_the_name_of_a_global_function_by_setattr() -> Pair:
    return lambda v: setattr(zero, "__qualname__", f"called {v}"), lambda: int("called 1" in repr(zero))


@hiding
def in_the_name_of_a_class() -> Pair:
    return lambda v: set_name(Meta, v), lambda: int(Meta.__name__ == "called 1")


@hiding
def in_the_name_of_a_generator() -> Pair:
    generator: Any = (i for i in (1, 2))
    return lambda v: set_name(generator, v), lambda: int(generator.__name__ == "called 1")


class Meta(type):
    kept = 0


class OfMeta(metaclass=Meta):
    pass


@hiding
def in_a_metaclass() -> Pair:
    def keep(v: int) -> None:
        type(OfMeta).kept = v

    return keep, lambda: OfMeta.kept


@hiding
def in_a_class_attribute_of_a_special_name() -> Pair:
    class Own:
        __version__ = 0

    def keep(v: int) -> None:
        Own.__version__ = v

    return keep, lambda: Own.__version__


@hiding
def in_the_registry_of_an_abstract_class() -> Pair:
    class Abstract(abc.ABC):  # noqa: B024  it is about who is registered
        pass

    class Concrete:
        pass

    return lambda v: v and Abstract.register(Concrete), lambda: int(isinstance(Concrete(), Abstract))


@hiding
def in_the_registry_of_a_class_of_the_library() -> Pair:
    class Concrete:
        pass

    return lambda v: v and collections.abc.Sized.register(Concrete), lambda: int(
        isinstance(Concrete(), collections.abc.Sized)
    )


@hiding
def on_a_static_method() -> Pair:
    method: Any = staticmethod(zero)
    method.kept = 0
    return lambda v: setattr(method, "kept", v), lambda: method.kept


@hiding
def on_a_function_with_a_cache() -> Pair:
    function: Any = functools.cache(zero)
    return lambda v: setattr(function, "kept", v), lambda: function.kept


@hiding
def in_the_hits_of_a_cache() -> Pair:
    function = functools.cache(zero)
    return lambda v: [function(0) for _ in range(1 + v)], lambda: function.cache_info().hits


class Box(enum.Enum):
    FULL = [0]  # noqa: RUF012  it is about that
    EMPTY = 0


@hiding
def in_the_value_of_an_enumeration() -> Pair:
    Box.FULL.value[0] = 0
    return lambda v: Box.FULL.value.__setitem__(0, v), lambda: Box.FULL.value[0]


@hiding
def in_a_private_attribute_of_an_enumeration() -> Pair:
    setattr(Box.EMPTY, "_kept", 0)
    return lambda v: setattr(Box.EMPTY, "_kept", v), lambda: getattr(Box.EMPTY, "_kept")


@hiding
def on_a_type_variable() -> Pair:
    variable: Any = T
    return lambda v: setattr(variable, "kept", v), lambda: variable.kept


GIVEN: Any = functools.partial(zero)


@hiding
def on_a_partial_function() -> Pair:
    GIVEN.kept = 0
    return lambda v: setattr(GIVEN, "kept", v), lambda: GIVEN.kept


class Listed:
    __kept__: typing.ClassVar[list[int]] = []


@hiding
def in_a_list_of_a_special_name() -> Pair:
    Listed.__kept__.clear()
    return lambda v: Listed.__kept__.append(v), lambda: Listed.__kept__[0]


@hiding
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


@hiding
def in_the_errno_of_an_exception() -> Pair:
    error = OSError()
    return lambda v: setattr(error, "errno", v), lambda: error.errno or 0


@hiding
def in_the_value_of_an_exception() -> Pair:
    error = StopIteration()
    return lambda v: setattr(error, "value", v), lambda: error.value or 0


@hiding
def in_the_end_of_a_decoding_error() -> Pair:
    error = UnicodeDecodeError("ascii", b"abc", 0, 1, "")
    return lambda v: setattr(error, "end", v), lambda: error.end


@hiding
def in_whom_a_weak_reference_calls() -> Pair:
    kept: list[Any] = []

    class Own:
        pass

    own = Own()
    return lambda v: kept.append(weakref.ref(own, one if v else zero)), lambda: kept[0].__callback__(0)


@hiding
def in_a_finalizer() -> Pair:
    class Own:
        pass

    own = Own()
    return lambda v: v and weakref.finalize(own, zero), lambda: weakref.getweakrefcount(own)


@hiding
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


@hiding
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


@hiding
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


@hiding
def in_the_trace_function_of_a_frame() -> Pair:
    generator: Any = (i for i in (1, 2))
    frame = generator.gi_frame
    return lambda v: setattr(frame, "f_trace", one if v else None), lambda: int(frame.f_trace is not None)


# --- modules of the library ------------------------------------------------------------------------------------------------


@hiding
def in_a_builtin_that_there_was_not() -> Pair:
    if hasattr(builtins, "kept_late"):
        del builtins.kept_late
    return lambda v: setattr(builtins, "kept_late", v), lambda: kept_late  # type: ignore[name-defined]  # noqa: F821


@hiding
def on_a_module_of_the_library() -> Pair:
    module: Any = json
    module.kept = 0

    def keep(v: int) -> None:
        json.kept = v  # type: ignore[attr-defined]

    return keep, lambda: json.kept  # type: ignore[attr-defined]


@hiding
def in_an_attribute_that_the_library_had_not() -> Pair:
    if hasattr(json, "late"):
        del json.late
    return lambda v: setattr(json, "late", v), lambda: getattr(json, "late")


@hiding
def in_a_constant_of_the_library() -> Pair:
    letters = string.hexdigits

    def keep(v: int) -> None:
        string.hexdigits = str(v)  # type: ignore[misc]

    def read() -> int:
        kept = string.hexdigits
        string.hexdigits = letters  # type: ignore[misc]
        return int(kept == "1")

    return keep, read


@hiding
def on_a_class_of_the_library() -> Pair:
    kind: Any = json.JSONDecoder
    kind.kept = 0
    return lambda v: setattr(json.JSONDecoder, "kept", v), lambda: json.JSONDecoder.kept  # type: ignore[attr-defined]


@hiding
def on_a_function_of_the_library() -> Pair:
    function: Any = json.dumps
    function.kept = 0
    return lambda v: setattr(json.dumps, "kept", v), lambda: json.dumps.kept  # type: ignore[attr-defined]


@hiding
def in_the_level_of_a_logger() -> Pair:
    return lambda v: LOGGER.setLevel(10 + v), lambda: LOGGER.level - 10


@hiding
def in_a_logger_that_is_asked_for() -> Pair:
    return lambda v: setattr(logging.getLogger("hidden"), "kept", v), lambda: logging.getLogger("hidden").kept  # type: ignore[attr-defined]


@hiding
def in_what_is_logged() -> Pair:
    kept: list[int] = []

    class Keeper(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            kept.append(int(record.msg))

    LOGGER.handlers[:] = [Keeper()]
    LOGGER.propagate = False

    def read() -> int:
        LOGGER.handlers.clear()
        return kept[0]

    return lambda v: LOGGER.critical(str(v)), read


@hiding
def on_the_current_thread() -> Pair:
    return (
        lambda v: setattr(threading.current_thread(), "kept", v),
        lambda: threading.current_thread().kept,  # type: ignore[attr-defined]
    )


@hiding
def in_a_setting_of_the_interpreter() -> Pair:
    return lambda v: sys.setswitchinterval(0.005 * (1 + v)), lambda: int(sys.getswitchinterval() > 0.007)


@hiding
def in_whether_garbage_is_collected() -> Pair:
    def read() -> int:
        enabled = gc.isenabled()
        gc.disable()
        return int(enabled)

    return lambda v: gc.enable() if v else gc.disable(), read


@hiding
def in_a_handler_of_errors() -> Pair:
    return (
        lambda v: codecs.register_error("hidden", one if v else zero),  # type: ignore[arg-type]
        lambda: codecs.lookup_error("hidden")(UnicodeError()),  # type: ignore[return-value]
    )


@hiding
def in_a_file() -> Pair:
    path = Path(tempfile.gettempdir(), f"hidden-{os.getpid()}")

    def read() -> int:
        kept = path.read_text()
        path.unlink()
        return int(kept)

    return lambda v: path.write_text(str(v)), read


@hiding
def in_the_position_of_a_file() -> Pair:
    descriptor = os.memfd_create("hidden") if hasattr(os, "memfd_create") else os.open(os.devnull, os.O_RDONLY)

    def read() -> int:
        position = os.lseek(descriptor, 0, os.SEEK_CUR)
        os.close(descriptor)
        return position

    return lambda v: os.lseek(descriptor, v, os.SEEK_SET), read


@hiding
def in_what_a_text_does() -> Pair:
    space: dict[str, int] = {}
    patched = types.SimpleNamespace(space=space)
    return lambda v: exec(f"kept = {v}", patched.space), lambda: eval("kept", patched.space)  # noqa: S102, S307
