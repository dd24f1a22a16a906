"""A static check for impure calls (clocks, random numbers, ids): finds them in a program's code without running it.

Starting from the bodies and the check, it follows the functions that code names: globals, closures, the classes of objects
in closures, nested functions.  Where code names a module or builtin in IMPURE, its instructions tell which attribute.  Code
is read once for all explorations; what its names stand for is looked up every time.

Functions reached through containers, attributes or getattr are not followed, nor are C extensions.
"""

from __future__ import annotations

import dis
import sys
import sysconfig
from functools import cache, lru_cache, partial
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import TYPE_CHECKING, NamedTuple

from collector.explore.machine.site import PACKAGE


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
}  # fmt: skip
"""Module to the functions in it; None is all of them."""
TRUSTED = (PACKAGE, "collector.audit", "collector.linearizability")
"""Of this project: oracles, which use a clock or an id and say the same whatever that gives."""
LIBRARY = sysconfig.get_path("stdlib")
"""Where Python's own source files are."""
ALIASES = {"posix": "os", "nt": "os"}
CALLED = (BuiltinFunctionType, MethodType, FunctionType)
HAVING_CODE = (FunctionType, type, MethodType)


def impure(functions: Iterable[object]) -> str:
    """The first call found, `time.time_ns at FILE:LINE`; empty if there is none."""
    seen: set[int] = set()
    waiting = list(functions)
    while waiting:
        value = waiting.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
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
            waiting += [value.func, *value.args]
        kind = value if isinstance(value, type) else type(value)
        if not library(kind.__module__):
            waiting += [each for base in kind.__mro__ for each in vars(base).values() if isinstance(each, FunctionType)]
    return ""


@cache
def library(module: str | None) -> bool:
    """Python's own, or one of this project that is trusted."""
    name = module or "builtins"
    return name.partition(".")[0] in sys.stdlib_module_names or name.startswith(TRUSTED)


class Mention(NamedTuple):
    """Code reads a global name."""

    name: str
    attribute: str
    """What it takes of it at once."""
    where: str
    """`file:line`."""


@lru_cache(1000)
def mentioned(code: CodeType, file: str) -> tuple[tuple[str, ...], tuple[Mention, ...]]:
    """All names in `code`, which is of `file`, and in the functions within it; and where it reads global ones."""
    names, mentions = dict.fromkeys(code.co_names), []
    name, line = "", code.co_firstlineno
    for instruction in dis.get_instructions(code):
        place = instruction.positions
        line = (place and place.lineno) or line
        if instruction.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
            name = str(instruction.argval)
            mentions.append(Mention(name, "", f"{file}:{line}"))
        elif name and instruction.opname in ("LOAD_ATTR", "LOAD_METHOD"):
            mentions.append(Mention(name, str(instruction.argval), f"{file}:{line}"))
            name = ""
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
    suspects = {name: suspect for name, value in values.items() if (suspect := suspected(value))}
    if "id" not in values:
        suspects["id"] = ("builtins", "id")
    for name, attribute, where in mentions:
        module, called = suspects.get(name, ("", ""))
        if called or (module and attribute and wanted(module, attribute)):
            return f"{module}.{called or attribute} at {where}"
    return ""


def suspected(value: object) -> tuple[str, str] | None:
    """The impure module that `value` is, or is a function of, with that one's name."""
    if isinstance(value, ModuleType):
        return (value.__name__, "") if value.__name__ in IMPURE else None
    if isinstance(value, CALLED):
        owner = getattr(value, "__self__", None)
        module = owner.__name__ if isinstance(owner, ModuleType) else getattr(value, "__module__", None)
        module = "random" if type(owner).__module__ == "random" else ALIASES.get(str(module), str(module))
        return (module, value.__name__) if module in IMPURE and wanted(module, value.__name__) else None
    return None


def wanted(module: str, attribute: str) -> bool:
    """Is it one that gives something else every time?"""
    which = IMPURE[module]
    return which is None or attribute in which
