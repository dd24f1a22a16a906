"""Programs whose threads keep what they read outside of themselves: in modules of the library, the interpreter, files.

Each is a pair, as in `hiddenprograms`.
"""

# ruff: noqa: B009, D103  the programs' names say what they are, and this is how they hide things

from __future__ import annotations

import builtins
import codecs
import gc
import json
import logging
import os
import string
import sys
import tempfile
import threading
import types
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.collector.explore.hiddenprograms import one, zero
from tests.collector.explore.kinds import of


if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.collector.explore.keepingprograms import Pair

OUTSIDE: dict[str, Callable[[], Pair]] = {}
LOGGER = logging.getLogger(__name__)


@of(OUTSIDE)
def in_a_builtin_that_there_was_not() -> Pair:
    if hasattr(builtins, "kept_late"):
        del builtins.kept_late
    return lambda v: setattr(builtins, "kept_late", v), lambda: kept_late  # type: ignore[name-defined]  # noqa: F821


@of(OUTSIDE)
def on_a_module_of_the_library() -> Pair:
    module: Any = json
    module.kept = 0

    def keep(v: int) -> None:
        json.kept = v  # type: ignore[attr-defined]

    return keep, lambda: json.kept  # type: ignore[attr-defined]


@of(OUTSIDE)
def in_an_attribute_that_the_library_had_not() -> Pair:
    if hasattr(json, "late"):
        del json.late
    return lambda v: setattr(json, "late", v), lambda: getattr(json, "late")


@of(OUTSIDE)
def in_a_constant_of_the_library() -> Pair:
    letters = string.hexdigits

    def keep(v: int) -> None:
        string.hexdigits = str(v)  # type: ignore[misc]

    def read() -> int:
        kept = string.hexdigits
        string.hexdigits = letters  # type: ignore[misc]
        return int(kept == "1")

    return keep, read


@of(OUTSIDE)
def on_a_class_of_the_library() -> Pair:
    kind: Any = json.JSONDecoder
    kind.kept = 0
    return lambda v: setattr(json.JSONDecoder, "kept", v), lambda: json.JSONDecoder.kept  # type: ignore[attr-defined]


@of(OUTSIDE)
def on_a_function_of_the_library() -> Pair:
    function: Any = json.dumps
    function.kept = 0
    return lambda v: setattr(json.dumps, "kept", v), lambda: json.dumps.kept  # type: ignore[attr-defined]


@of(OUTSIDE)
def in_the_level_of_a_logger() -> Pair:
    return lambda v: LOGGER.setLevel(10 + v), lambda: LOGGER.level - 10


@of(OUTSIDE)
def in_a_logger_that_is_asked_for() -> Pair:
    return lambda v: setattr(logging.getLogger("hidden"), "kept", v), lambda: logging.getLogger("hidden").kept  # type: ignore[attr-defined]


@of(OUTSIDE)
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


@of(OUTSIDE)
def on_the_current_thread() -> Pair:
    return (
        lambda v: setattr(threading.current_thread(), "kept", v),
        lambda: threading.current_thread().kept,  # type: ignore[attr-defined]
    )


@of(OUTSIDE)
def in_a_setting_of_the_interpreter() -> Pair:
    return lambda v: sys.setswitchinterval(0.005 * (1 + v)), lambda: int(sys.getswitchinterval() > 0.007)


@of(OUTSIDE)
def in_whether_garbage_is_collected() -> Pair:
    def read() -> int:
        enabled = gc.isenabled()
        gc.disable()
        return int(enabled)

    return lambda v: gc.enable() if v else gc.disable(), read


@of(OUTSIDE)
def in_a_handler_of_errors() -> Pair:
    return (
        lambda v: codecs.register_error("hidden", one if v else zero),  # type: ignore[arg-type]
        lambda: codecs.lookup_error("hidden")(UnicodeError()),  # type: ignore[return-value]
    )


@of(OUTSIDE)
def in_a_file() -> Pair:
    path = Path(tempfile.gettempdir(), f"hidden-{os.getpid()}")

    def read() -> int:
        kept = path.read_text()
        path.unlink()
        return int(kept)

    return lambda v: path.write_text(str(v)), read


@of(OUTSIDE)
def in_the_position_of_a_file() -> Pair:
    descriptor = os.memfd_create("hidden") if hasattr(os, "memfd_create") else os.open(os.devnull, os.O_RDONLY)

    def read() -> int:
        position = os.lseek(descriptor, 0, os.SEEK_CUR)
        os.close(descriptor)
        return position

    return lambda v: os.lseek(descriptor, v, os.SEEK_SET), read


@of(OUTSIDE)
def in_what_a_text_does() -> Pair:
    space: dict[str, int] = {}
    patched = types.SimpleNamespace(space=space)
    return lambda v: exec(f"kept = {v}", patched.space), lambda: eval("kept", patched.space)  # noqa: S102, S307
