"""A static check for impure calls (clocks, random numbers, ids): finds them in a program's code without running it.

Starting from the bodies and the check, it follows the functions that code names: globals, closures, the classes of objects
in closures, nested functions.  Where code names a module or builtin in IMPURE, its instructions tell which attribute.

Functions reached through containers, attributes or getattr are not followed, nor are C extensions.
"""

from __future__ import annotations

import dis
import sys
import sysconfig
from functools import partial
from types import BuiltinFunctionType, BuiltinMethodType, CodeType, FunctionType, MethodType, ModuleType
from typing import TYPE_CHECKING

from collector.explore.machine.site import PACKAGE


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


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
            if library(function.__module__) or function.__code__.co_filename.startswith(LIBRARY):
                continue
            found = in_code(function.__code__, function.__globals__)
            if found:
                return found
            waiting += reached(function)
        if isinstance(value, MethodType):
            waiting.append(value.__self__)
        elif isinstance(value, partial):
            waiting += [value.func, *value.args]
        kind = value if isinstance(value, type) else type(value)
        if not library(kind.__module__):
            waiting += [each for base in kind.__mro__ for each in vars(base).values() if isinstance(each, FunctionType)]
    return ""


def library(module: str | None) -> bool:
    """Python's own, or one of this project that is trusted."""
    name = module or "builtins"
    return name.partition(".")[0] in sys.stdlib_module_names or name.startswith(TRUSTED)


def codes(code: CodeType) -> Iterator[CodeType]:
    """`code` and those of the functions within it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from codes(constant)


def reached(function: FunctionType) -> Iterator[object]:
    """What a function closes over or names, that has code."""
    for cell in function.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:
            continue
    for code in codes(function.__code__):
        for name in code.co_names:
            value = function.__globals__.get(name)
            if isinstance(value, FunctionType | type | MethodType):
                yield value


def in_code(code: CodeType, names: dict[str, object]) -> str:
    """The first impure call in a function's code."""
    for each in codes(code):
        if not any(named(names, name) for name in each.co_names):
            continue
        module, line = "", code.co_firstlineno
        for instruction in dis.get_instructions(each):
            place = instruction.positions
            line = (place and place.lineno) or line
            if instruction.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
                module, attribute = named(names, str(instruction.argval)) or ("", "")
                if attribute:
                    return f"{module}.{attribute} at {each.co_filename}:{line}"
            elif module and instruction.opname in ("LOAD_ATTR", "LOAD_METHOD"):
                attribute = str(instruction.argval)
                if wanted(module, attribute):
                    return f"{module}.{attribute} at {each.co_filename}:{line}"
                module = ""
    return ""


def named(names: dict[str, object], name: str) -> tuple[str, str] | None:
    """The impure module that a global name stands for, with the function if it stands for one."""
    value = names.get(name, id if name == "id" else None)
    if isinstance(value, ModuleType):
        return (value.__name__, "") if value.__name__ in IMPURE else None
    if isinstance(value, BuiltinFunctionType | BuiltinMethodType | MethodType | FunctionType):
        owner = getattr(value, "__self__", None)
        module = owner.__name__ if isinstance(owner, ModuleType) else getattr(value, "__module__", None)
        module = (
            "random"
            if type(owner).__module__ == "random"
            else {"posix": "os", "nt": "os"}.get(str(module), str(module))
        )
        return (module, value.__name__) if module in IMPURE and wanted(module, value.__name__) else None
    return None


def wanted(module: str, attribute: str) -> bool:
    """Is it one that gives something else every time?"""
    which = IMPURE[module]
    return which is None or attribute in which
