"""A static check for impure calls (clocks, random numbers, ids): finds them in a program's code without running it.

Starting from the bodies and the check, it follows what code names: globals, closures, defaults, what these hold, the classes
of objects, nested functions.  Where code names a module, class or builtin in IMPURE, its instructions tell which attribute.
An impure function that is held counts as called; so does a module in IMPURE that is passed on, and one that is imported in a
function if that names something impure of it, and a context variable or `threading.local` that was made before the run,
since what it holds lasts from run to run and belongs to a thread.  Code is read once for all explorations; what its names
stand for is looked up every time.

Functions are followed first, then containers and attributes, all as far as MOST objects; C extensions are not.
"""

from __future__ import annotations

import builtins
import dis
from collections import deque
from contextvars import ContextVar
from functools import cache, lru_cache, partial
from itertools import islice
from random import Random
from threading import local
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

from collector.explore.machine.site import LIBRARY, module_of
from collector.explore.state.library import library as standard
from collector.explore.state.library import oracle


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


FILES = frozenset({
    "exists", "getatime", "getctime", "getmtime", "getsize", "isdir", "isfile", "islink", "ismount", "lexists", "samefile",
})  # fmt: skip
"""What `os.path` tells of files, which others write too."""
IMPURE: dict[str, frozenset[str] | None] = {
    "time": None,
    "uuid": frozenset({"uuid1", "uuid4"}),
    "secrets": None,
    "random": frozenset({
        "random", "randrange", "randint", "choice", "choices", "shuffle", "sample", "uniform", "getrandbits", "randbytes",
        "gauss", "SystemRandom", "betavariate", "expovariate", "gammavariate", "lognormvariate", "normalvariate",
        "paretovariate", "triangular", "vonmisesvariate", "weibullvariate", "binomialvariate",
    }),
    "os": frozenset({
        "urandom", "getrandom", "getpid", "times", "stat", "lstat", "fstat", "scandir", "getloadavg", "open", "fork",
        "forkpty", "posix_spawn", "system", "popen",
    }),
    "genericpath": FILES,
    "posixpath": FILES,
    "builtins": frozenset({"id", "__import__"}),
    "importlib": frozenset({"import_module"}),
    "io": frozenset({"open"}),
    "tempfile": None,
    "resource": frozenset({"getrusage"}),
    "gc": frozenset({"get_count", "get_stats", "get_objects"}),
    "sys": frozenset({"getallocatedblocks", "getrefcount"}),
    "threading": frozenset({"get_ident", "get_native_id", "start_new_thread", "Thread", "Timer"}),
    "concurrent": None,
    "multiprocessing": None,
    "subprocess": None,
    "datetime": frozenset({"now", "utcnow", "today"}),
}  # fmt: skip
"""Module to the functions in it; None is all of them."""
MOST = 5_000
"""Objects that are looked at."""
ALIASES = {"posix": "os", "nt": "os", "_io": "io", "_thread": "threading"}
CALLED_BARE = "()"
BEFORE_CALL = ("PRECALL", "PUSH_NULL", "CACHE")
"""Instructions between a function and the call of it without arguments."""
CALLED = (BuiltinFunctionType, MethodType, FunctionType)
HAVING_CODE = (FunctionType, type, MethodType)
METHODS = (FunctionType, staticmethod, classmethod, property, BuiltinFunctionType)
SCALARS = (int, str, bytes, float, type(None))
CONTAINERS = (list, tuple, set, frozenset, deque)


def impure(functions: Iterable[object]) -> str:
    """The first call found, `time.time_ns at FILE:LINE`; empty if there is none."""
    seen: dict[int, object] = {}
    waiting = deque((function, "") for function in functions)
    """Each with where it is named, or what names it."""
    while waiting and len(seen) < MOST:
        value, where = waiting.pop()
        if id(value) in seen or isinstance(value, (*SCALARS, ModuleType)):
            continue
        seen[id(value)] = value
        if found := called(value.__func__ if isinstance(value, staticmethod) else value):
            return f"{found} at {where}"
        function = asked(value, "__func__", value)
        if isinstance(function, FunctionType):
            code = function.__code__
            if library(module_of(function)) or code.co_filename.startswith(LIBRARY):
                continue
            where = f"{code.co_filename}:{code.co_firstlineno}"
            names, mentions = mentioned(code, code.co_filename)
            values = {name: function.__globals__[name] for name in names if name in function.__globals__}
            found = among(mentions, values)
            if found:
                return found
            given = [*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()]
            for each in (*values.values(), *closed_over(function), *given):
                if isinstance(each, HAVING_CODE):
                    waiting.append((each, where))
                else:
                    waiting.appendleft((each, where))
        kind = value if isinstance(value, type) else type(value)
        waiting.extendleft((each, where) for each in islice(held(value), MOST))
        if not library(module_of(kind)):
            if kind is not value and function is value:
                waiting.extendleft((each, where) for each in asked(value, "__dict__", {}).values())
            waiting += [
                (each, where) for base in kind.__mro__ for each in vars(base).values() if isinstance(each, METHODS)
            ]
    return ""


def asked(value: object, name: str, otherwise: Any) -> Any:  # noqa: ANN401  an attribute
    """That attribute of `value`, whatever a `__getattr__` of the program does."""
    try:
        return getattr(value, name, otherwise)
    except Exception:  # noqa: BLE001  whatever it raises
        return otherwise


def held(value: object) -> Iterable[object]:
    """What `value`, an object of the library's, holds."""
    if isinstance(value, MethodType):
        return [value.__self__]
    if isinstance(value, partial):
        return [value.func, *value.args, *value.keywords.values()]
    if isinstance(value, property):
        return [value.fget]
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, CONTAINERS) else ()


@cache
def library(module: str | None) -> bool:
    """Python's own, or an oracle of this project."""
    name = module or "builtins"
    return standard(name) or oracle(name)


class Mention(NamedTuple):
    """Code reads a global name."""

    name: str
    attributes: tuple[str, ...]
    """What it takes of it at once: an attribute, and one of that, ...; CALLED_BARE if it calls that without arguments."""
    where: str
    """`file:line`."""
    imported: bool = False
    """It imports the module `name`, and names `attributes` somewhere."""


@lru_cache(1000)
def mentioned(code: CodeType, file: str) -> tuple[tuple[str, ...], tuple[Mention, ...]]:
    """All names in `code`, which is of `file`, and in the functions within it; and where it reads global ones."""
    names = dict.fromkeys(code.co_names)
    mentions: list[Mention] = []
    imports: list[tuple[str, str]] = []
    line = code.co_firstlineno
    taking = False
    for instruction in dis.get_instructions(code):
        place = instruction.positions
        line = (place and place.lineno) or line
        where = f"{file}:{line}"
        verb = instruction.opname
        if verb == "IMPORT_NAME":
            imports.append((str(instruction.argval).partition(".")[0], where))
        bare = verb == "CALL" and instruction.arg == 0
        if taking and (bare or verb in ("LOAD_ATTR", "LOAD_METHOD")):
            name, attributes, *_ = mentions.pop()
            mentions.append(Mention(name, (*attributes, CALLED_BARE if bare else str(instruction.argval)), where))
        elif not taking or verb not in BEFORE_CALL:
            taking = verb in ("LOAD_GLOBAL", "LOAD_NAME")
            if taking:
                mentions.append(Mention(str(instruction.argval), (), where))
        taking = taking and not bare
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            within = mentioned(constant, file)
            names.update(dict.fromkeys(within[0]))
            mentions += within[1]
    mentions += [Mention(module, tuple(names), where, imported=True) for module, where in imports]
    return tuple(names), tuple(mentions)


def closed_over(function: FunctionType) -> Iterator[object]:
    """What it closes over."""
    for cell in function.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:
            continue


def among(mentions: Iterable[Mention], values: Mapping[str, object]) -> str:
    """The first impure call among `mentions`, whose names stand for `values`."""
    for name, attributes, where, is_import in mentions:
        if is_import:
            found = imported(ALIASES.get(name, name), attributes)
        else:
            found = taken(values.get(name, vars(builtins).get(name)), attributes)
        if found:
            return f"{found} at {where}"
    return ""


def imported(module: str, names: Iterable[str]) -> str:
    """The first impure function of that module by one of the `names`."""
    if module not in IMPURE:
        return ""
    return next((f"{module}.{name}" for name in names if wanted(module, name)), "")


def taken(value: object, attributes: Iterable[str]) -> str:
    """The impure function that is found by `attributes` of `value`, or the module in IMPURE that is passed on."""
    found = called(value)
    for attribute in attributes:
        if found or not isinstance(value, ModuleType | type):
            return found
        if attribute == CALLED_BARE:
            return "random.Random()" if value is Random else ""
        value = getattr(value, attribute, None) if library(told(value)) else vars(value).get(attribute)
        found = called(value)
    return value.__name__ if isinstance(value, ModuleType) and value.__name__ in IMPURE else found


def told(value: ModuleType | type) -> str:
    """The name of the module that `value` is, or is of."""
    return value.__name__ if isinstance(value, ModuleType) else module_of(value)


def called(value: object) -> str:
    """`module.function` if `value` is an impure one."""
    if isinstance(value, ContextVar):
        return "contextvars.ContextVar.get"
    if isinstance(value, local):
        return "threading.local"
    owner = value if isinstance(value, type) else asked(value, "__self__", None)
    if not isinstance(value, (*CALLED, type)):
        return ""
    module = owner.__name__ if isinstance(owner, ModuleType) else module_of(value)
    if isinstance(owner, type) and owner is not value:
        module = module_of(owner)
    module = "random" if module_of(type(owner)) == "random" else ALIASES.get(module, module)
    return f"{module}.{value.__name__}" if module in IMPURE and wanted(module, value.__name__) else ""


def wanted(module: str, attribute: str) -> bool:
    """Is it one that gives something else every time?"""
    which = IMPURE[module]
    return which is None or attribute in which
