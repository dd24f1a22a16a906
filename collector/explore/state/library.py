"""The standard library as a part of a program's state: which of its functions keep something that no capture can see.

Most of its modules keep nothing but caches, or lend what they keep (`os.environ`).  The others have settings, registries
and files behind their functions: a program whose code names one of those is not looked into completely.  So is one that
names what no capture records, such as a traceback, or stores what none does, such as the name of a function.
"""

from __future__ import annotations

import sys
import sysconfig
import types
from functools import cache
from operator import is_
from typing import TYPE_CHECKING, Any

from collector.explore.machine.site import PACKAGE, module_of


if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

LIBRARY = sys.stdlib_module_names | {"greenlet", "pytest", "_pytest", "pluggy"}
"""Modules whose own globals decide nothing."""
ORACLES = ("collector.audit", "collector.linearizability")
PURE = frozenset({
    "abc", "array", "ast", "base64", "binascii", "bisect", "calendar", "cmath", "collections", "colorsys", "contextlib",
    "copy", "dataclasses", "datetime", "difflib", "dis", "enum", "errno", "fnmatch", "fractions", "functools", "genericpath",
    "graphlib", "greenlet", "hashlib", "heapq", "hmac", "html", "inspect", "itertools", "json", "keyword", "marshal", "math",
    "numbers", "opcode", "operator", "pluggy", "pprint", "pytest", "random", "re", "reprlib", "secrets", "sre", "stat",
    "statistics", "string", "struct", "textwrap", "time", "token", "tokenize", "types", "typing", "unicodedata", "unittest",
    "uuid", "zlib",
})  # fmt: skip
"""Modules that keep nothing that another function of theirs tells."""
OBJECTS = frozenset({
    "builtins", "contextvars", "ctypes", "decimal", "io", "logging", "queue", "sys", "thread", "threading", "weakref",
})  # fmt: skip
"""Modules whose classes keep what they keep in their objects, and whose functions do not."""
HARMLESS = frozenset({
    "ctypes.byref", "ctypes.sizeof", "os.cpu_count", "os.fsdecode", "os.fsencode", "os.fspath", "os.getenv", "os.getpid",
    "os.getrandom", "os.strerror", "os.urandom", "posixpath.basename", "posixpath.commonpath", "posixpath.commonprefix",
    "posixpath.dirname", "posixpath.isabs", "posixpath.join", "posixpath.normpath", "posixpath.relpath", "posixpath.split",
    "posixpath.splitext", "sys._getframe", "sys.exc_info", "sys.exception", "sys.exit", "sys.intern", "thread.RLock",
    "thread.allocate_lock", "thread.get_ident", "threading.RLock", "threading.get_ident", "weakref.proxy", "weakref.ref",
})  # fmt: skip
"""Functions of other modules that keep nothing."""
KEEPING = frozenset({
    "builtins.__import__", "builtins.breakpoint", "builtins.eval", "builtins.exec", "builtins.globals", "builtins.input",
    "builtins.open",
    "contextlib.chdir", "contextlib.redirect_stderr", "contextlib.redirect_stdout", "contextvars.copy_context",
    "unittest.patch", "weakref.finalize",
})  # fmt: skip
"""What keeps something although its module is one of the others, runs code that nobody can look at, or finds a global by
a name that is computed."""
UNSEEN = frozenset({
    "__traceback__", "tb_frame", "tb_next", "f_trace", "f_locals", "f_globals", "__globals__", "gi_frame", "cr_frame",
    "ag_frame", "__annotations__", "__doc__", "__sizeof__", "__callback__", "__dataclass_fields__", "__setstate__",
    "__subclasses__", "cache_info", "getsizeof", "getrefcount", "getweakrefcount", "getweakrefs", "get_type_hints",
    "addHandler", "removeHandler", "addFilter", "removeFilter", "setLevel",
})  # fmt: skip
"""Attributes that are in no state, so nothing can be known of a program that looks at them."""
STORED = frozenset({
    "__bases__", "__cause__", "__class__", "__code__", "__context__", "__defaults__", "__dict__", "__kwdefaults__",
    "__notes__", "__suppress_context__", "__wrapped__",
})  # fmt: skip
"""Attributes of that kind of name that are in a state, also if a program stores them."""

STANDARD = tuple(sysconfig.get_path(name) for name in ("stdlib", "platstdlib"))
"""Where Python's own source files are."""
IMMUTABLE = 1 << 8
"""Flag of a class that nothing can be hung on."""


@cache
def library(module: str) -> bool:
    """Is the module of that name none of the program's?"""
    top = module.partition(".")[0]
    return module.startswith(PACKAGE) or (top in LIBRARY and not impostor(top))


def oracle(module: str) -> bool:
    """Is it one of this project that only judges what others do, and says the same whatever a clock or an id gives?"""
    return module.startswith(ORACLES)


def impostor(module: str) -> bool:
    """Is it a program's own, of the same name as one of the standard library?"""
    file = getattr(sys.modules.get(module), "__file__", None)
    return module in sys.stdlib_module_names and file is not None and not file.startswith(STANDARD)


def keeping(v: object) -> str:
    """The name of the library's function or class `v` if it keeps something elsewhere; empty if it does not."""
    if not isinstance(v, types.FunctionType | types.BuiltinFunctionType | type):
        return ""
    if isinstance(v, types.BuiltinFunctionType) and not isinstance(v.__self__, types.ModuleType | None):
        return ""
    module = module_of(v) or "builtins"
    if not library(module) or module.startswith(PACKAGE):
        return ""
    module = module.partition(".")[0].lstrip("_")
    module = "os" if module in {"posix", "nt"} else module
    name = f"{module}.{v.__name__}"
    kept = module not in PURE and not (module in OBJECTS and (isinstance(v, type) or module == "builtins"))
    return name if name in KEEPING or (kept and name not in HARMLESS and not error(v)) else ""


class Lent:
    """The library's modules, classes and functions that a program names, which are to stay as they are.

    A program may hang something on one, or replace what is there: of that, those names are watched that its code stores.
    """

    def __init__(self) -> None:
        self.held: dict[int, tuple[Any, list[str], list[object]]] = {}
        """By id: itself, the names, how many attributes it had, and what those of the names were."""
        self.late = 0

    def add(self, v: object, stored: Collection[str]) -> None:
        """From now on `v` is watched."""
        self._add(v, stored)

    def _add(self, v: Any, stored: Collection[str]) -> None:  # noqa: ANN401  a module, a class, a function
        space = getattr(v, "__dict__", None)
        # An object may have attributes and no dictionary to be seen: then any name may come to be one.
        names = [name for name in (stored if space is None else space) if name in stored]
        self.held[id(v)] = v, names, attributes(v, names)

    def changed(self, stored: Collection[str]) -> Iterator[str]:
        """What is no longer what it was.  `stored` is what there is now of it."""
        for v, names, before in self.held.values():
            now = attributes(v, names)
            if now[0] != before[0] or not all(map(is_, now[1:], before[1:])):
                yield f"what is changed in {getattr(v, '__name__', v)}"
        if len(stored) != self.late:
            self.late = len(stored)
            for v, _, _ in [*self.held.values()]:
                self._add(v, stored)


def attributes(v: object, names: Iterable[str]) -> list[object]:
    """How many attributes `v` has, and what those are that have `names`."""
    space = getattr(v, "__dict__", None)
    if space is None:
        return [0, *(getattr(v, name, None) for name in names)]
    return [len(space), *(space.get(name) for name in names)]


def changeable(v: object) -> bool:
    """Is `v` something of the library that a program can change?"""
    if isinstance(v, types.ModuleType):
        return library(v.__name__)
    if isinstance(v, type):
        return not v.__flags__ & IMMUTABLE and library(module_of(v))
    return isinstance(v, types.FunctionType) and library(module_of(v))


def error(v: object) -> bool:
    """Is it the class of an exception?"""
    return isinstance(v, type) and issubclass(v, BaseException)


def unseen(named: set[str], stored: set[str]) -> list[str]:
    """Of the attributes that code names and stores, those that are in no state."""
    dunder = {name for name in stored - STORED if name.startswith("__") and name.endswith("__") and name.strip("_")}
    return sorted((named & UNSEEN) | dunder)
