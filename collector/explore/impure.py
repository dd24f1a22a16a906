"""A static check for impure calls (clocks, random numbers, ids): finds them in a program's code without running it.

Starting from the bodies and the check, it follows the functions that code names: globals, closures, what these hold, the
classes of objects, nested functions.  Where code names a module, class or builtin in IMPURE, its instructions tell which
attribute.  Code is read once for all explorations; what its names stand for is looked up every time.

Containers and attributes are followed as far as MOST objects; getattr is not, nor are C extensions.
"""

from __future__ import annotations

import dis
import sysconfig
from collections import deque
from functools import cache, lru_cache, partial
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import TYPE_CHECKING, NamedTuple

from collector.explore.state.library import library as standard


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


IMPURE: dict[str, frozenset[str] | None] = {
    "time": None,
    "uuid": frozenset({"uuid1", "uuid4"}),
    "secrets": None,
    "random": frozenset({
        "random", "randrange", "randint", "choice", "choices", "shuffle", "sample", "uniform", "getrandbits", "randbytes",
        "gauss", "SystemRandom",
    }),
    "os": frozenset({"urandom", "getrandom", "getpid", "times"}),
    "builtins": frozenset({"id"}),
    "datetime": frozenset({"now", "utcnow", "today"}),
}  # fmt: skip
"""Module to the functions in it; None is all of them."""
MOST = 5_000
"""Objects that are looked at."""
TRUSTED = ("collector.audit", "collector.linearizability")
"""Of this project: oracles, which use a clock or an id and say the same whatever that gives."""
LIBRARY = sysconfig.get_path("stdlib")
"""Where Python's own source files are."""
ALIASES = {"posix": "os", "nt": "os"}
CALLED = (BuiltinFunctionType, MethodType, FunctionType)
HAVING_CODE = (FunctionType, type, MethodType)
SCALARS = (int, str, bytes, float, type(None))
CONTAINERS = (list, tuple, set, frozenset, deque)


def impure(functions: Iterable[object]) -> str:
    """The first call found, `time.time_ns at FILE:LINE`; empty if there is none."""
    seen: dict[int, object] = {}
    waiting = list(functions)
    while waiting and len(seen) < MOST:
        value = waiting.pop()
        if id(value) in seen or isinstance(value, SCALARS):
            continue
        seen[id(value)] = value
        function = getattr(value, "__func__", value)
        if isinstance(function, FunctionType):
            code = function.__code__
            if library(function.__module__) or code.co_filename.startswith(LIBRARY):
                continue
            names, mentions = mentioned(code, code.co_filename)
            values = {name: function.__globals__[name] for name in names if name in function.__globals__}
            found = among(mentions, values)
            if found:
                return found
            waiting += [each for each in values.values() if isinstance(each, HAVING_CODE)]
            waiting += closed_over(function)
        if isinstance(value, MethodType):
            waiting.append(value.__self__)
        elif isinstance(value, partial):
            waiting += [value.func, *value.args, *value.keywords.values()]
        elif isinstance(value, CONTAINERS):
            waiting += value
        elif isinstance(value, dict):
            waiting += value.values()
        kind = value if isinstance(value, type) else type(value)
        if not library(kind.__module__):
            waiting += getattr(value, "__dict__", {}).values() if kind is not value and function is value else ()
            waiting += [each for base in kind.__mro__ for each in vars(base).values() if isinstance(each, FunctionType)]
    return ""


@cache
def library(module: str | None) -> bool:
    """Python's own, or one of this project that is trusted."""
    name = module or "builtins"
    return standard(name) or name.startswith(TRUSTED)


class Mention(NamedTuple):
    """Code reads a global name."""

    name: str
    attributes: tuple[str, ...]
    """What it takes of it at once: an attribute, and one of that, ..."""
    where: str
    """`file:line`."""


@lru_cache(1000)
def mentioned(code: CodeType, file: str) -> tuple[tuple[str, ...], tuple[Mention, ...]]:
    """All names in `code`, which is of `file`, and in the functions within it; and where it reads global ones."""
    names = dict.fromkeys(code.co_names)
    mentions: list[Mention] = []
    line = code.co_firstlineno
    taking = False
    for instruction in dis.get_instructions(code):
        place = instruction.positions
        line = (place and place.lineno) or line
        where = f"{file}:{line}"
        if taking and instruction.opname in ("LOAD_ATTR", "LOAD_METHOD"):
            name, attributes, _ = mentions.pop()
            mentions.append(Mention(name, (*attributes, str(instruction.argval)), where))
        else:
            taking = instruction.opname in ("LOAD_GLOBAL", "LOAD_NAME")
            if taking:
                mentions.append(Mention(str(instruction.argval), (), where))
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            within = mentioned(constant, file)
            names.update(dict.fromkeys(within[0]))
            mentions += within[1]
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
    for name, attributes, where in mentions:
        value = values.get(name, id if name == "id" else None)
        found = called(value)
        for attribute in attributes:
            if found or not isinstance(value, ModuleType | type):
                break
            value = getattr(value, attribute, None) if library(told(value)) else vars(value).get(attribute)
            found = called(value)
        if found:
            return f"{found} at {where}"
    return ""


def told(value: ModuleType | type) -> str:
    """The name of the module that `value` is, or is of."""
    return value.__name__ if isinstance(value, ModuleType) else value.__module__


def called(value: object) -> str:
    """`module.function` if `value` is an impure one."""
    owner = value if isinstance(value, type) else getattr(value, "__self__", None)
    if not isinstance(value, (*CALLED, type)):
        return ""
    module = owner.__name__ if isinstance(owner, ModuleType) else getattr(value, "__module__", None)
    if isinstance(owner, type) and owner is not value:
        module = owner.__module__
    module = "random" if type(owner).__module__ == "random" else ALIASES.get(str(module), str(module))
    return f"{module}.{value.__name__}" if module in IMPURE and wanted(module, value.__name__) else ""


def wanted(module: str, attribute: str) -> bool:
    """Is it one that gives something else every time?"""
    which = IMPURE[module]
    return which is None or attribute in which
