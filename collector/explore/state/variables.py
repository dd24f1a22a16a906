"""The uses of variables in a piece of code, told from its instructions: which, on what way, and what is taken of them.

Names of instructions are those of all versions of Python; what differs is made the same (`operations`).
"""

from __future__ import annotations

import types
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from collector.explore.state.bytecode import JUMPS, LEAVES, analysed


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import CodeType

SILENT = frozenset({"CACHE", "PRECALL", "NOP", "RESUME", "PUSH_NULL", "EXTENDED_ARG", "NOT_TAKEN"})
ASKING = frozenset({"UNARY_NOT", "TO_BOOL", "CONTAINS_OP"})
SUBSCRIPTS = frozenset({"BINARY_SUBSCR", "BINARY_OP []"})
LOCAL, GLOBAL, CONSTANT = "local", "global", "constant"
INDEX = "index"
"""Of a key: the number of a thread, whose port the variable stands for."""


class Op(NamedTuple):
    """An instruction, or a part of one that loads two variables."""

    at: int
    """Number of the instruction."""
    verb: str
    name: Any = None


class Use(NamedTuple):
    """A variable is read."""

    at: int
    """Number of the instruction."""
    where: str
    """LOCAL or GLOBAL."""
    name: str
    path: tuple[tuple[str, Op | str], ...]
    """What is taken of it: `[` and the key, `.` and the name."""
    then: str
    """What is done with that: "" anything, `[` an item and `.x` an attribute is stored, `x()` a method called, `?` it is
    asked whether there is anything in it, or whether something is."""
    key: Op | None = None
    """Of the item, or all that the method is given, if it is one variable or constant, or a thread's number."""
    entered: bool = False
    """It is what the last instruction on the path calls."""


@cache
def uses(code: CodeType, begin: int, end: int, steps: frozenset[int]) -> tuple[Use, ...]:
    """The uses of variables on the paths of `code` from instruction `begin` to `end`; -1: from its beginning, to anywhere.

    The instructions `steps` are on none: they would have taken a step.
    """
    ops = operations(code)
    on_path = between(code, begin, end, steps)
    stored = stores(code, on_path) | rebound(code)
    called = _called(code, end)
    found = {
        use_of(ops, j, stored)._replace(entered=op.at == called): None
        for j, op in enumerate(ops)
        if op.at in on_path and op.verb in (LOCAL, GLOBAL)
    }
    return (*found,)


@cache
def made(code: CodeType, begin: int, end: int, steps: frozenset[int]) -> tuple[CodeType, ...]:
    """The code of the functions and classes that are made on those paths."""
    constants = (analysed(code).instructions[k].argval for k in sorted(between(code, begin, end, steps)))
    return tuple(constant for constant in constants if isinstance(constant, types.CodeType))


def _called(code: CodeType, end: int) -> int:
    """Number of the instruction that loads what instruction `end` calls; -1 if there is none."""
    analysis = analysed(code)
    if end < 0:
        return -1
    below = analysis.place(analysis.instructions[end].offset).below
    for k in range(end - 1, -1, -1):
        if analysis.depths.get(k) == below:
            return k + (analysis.instructions[k].opname == "PUSH_NULL")
    return -1


def use_of(ops: tuple[Op, ...], j: int, stored: set[str]) -> Use:
    """The use of the variable that operation `j` reads."""
    where, name = ops[j].verb, ops[j].name
    path: list[tuple[str, Op | str]] = []
    nothing = Op(-1, "")

    def at(k: int) -> Op:
        return ops[k] if k < len(ops) else nothing

    def key(k: int) -> tuple[Op | None, int]:
        """The key that is loaded from operation `k` on, None if it is not known before, and which one follows."""
        op, following = at(k), at(k + 1)
        if op.verb == CONSTANT:
            return op._replace(at=-1), k + 1
        if op.verb != LOCAL or op.name in stored:
            return None, k + 1
        if following.verb == "LOAD_ATTR" and following.name == "index":
            return op._replace(at=-1, verb=INDEX), k + 2
        return op._replace(at=-1), k + 1

    k = j + 1
    while True:
        op = at(k)
        item, end = key(k)
        if op.verb == "LOAD_ATTR":
            path.append((".", op.name))
            k += 1
        elif item and at(end).verb in SUBSCRIPTS:
            path.append(("[", item))
            k = end + 1
        else:
            break
    then, given = "", None
    if op.verb == "LOAD_METHOD":
        then = f"{op.name}()"
        argument, end = key(k + 1)
        given = argument if at(end).verb == "CALL" else None
    elif op.verb == "STORE_ATTR":
        then = f".{op.name}"
    elif op.verb in ASKING or ("JUMP" in op.verb and "_IF_" in op.verb):
        then = "?"
    elif op.verb in (CONSTANT, LOCAL) and at(end).verb == "STORE_SUBSCR":
        then, given = "[", item
    return Use(ops[j].at, where, name, (*path,), then, given)


@cache
def assigns(code: CodeType, begin: int, end: int, steps: frozenset[int]) -> tuple[tuple[str, str], ...]:
    """LOCAL or GLOBAL, and the name, of the variables of others that are assigned on those paths."""
    instructions = (analysed(code).instructions[k] for k in sorted(between(code, begin, end, steps)))
    found = (
        (GLOBAL if "GLOBAL" in each.opname else LOCAL, str(each.argval))
        for each in instructions
        if each.opname in ("STORE_DEREF", "DELETE_DEREF", "STORE_GLOBAL", "DELETE_GLOBAL")
    )
    return (*dict.fromkeys(found),)


def stores(code: CodeType, among: Iterable[int]) -> set[str]:
    """The variables that those instructions store."""
    instructions = analysed(code).instructions
    return {name for k in among for name in _stored(instructions[k].opname, instructions[k].argval)}


@cache
def rebound(code: CodeType) -> set[str]:
    """The variables of `code`, and of code around it, that functions within it assign."""
    inner = [constant for constant in code.co_consts if isinstance(constant, types.CodeType)]
    return {name for each in inner for name in each.co_freevars if name in stored_anywhere(each) | rebound(each)}


def stored_anywhere(code: CodeType) -> set[str]:
    """The variables that `code` stores."""
    return stores(code, range(len(analysed(code).instructions)))


def _stored(verb: str, names: object) -> tuple[str, ...]:
    """Variables that an instruction stores."""
    if "STORE_FAST" not in verb and verb not in ("STORE_DEREF", "DELETE_FAST", "DELETE_DEREF"):
        return ()
    return names if isinstance(names, tuple) else (str(names),)


@cache
def operations(code: CodeType) -> tuple[Op, ...]:
    """The instructions of `code`, with the same names in all versions of Python."""
    return (*_operations(code),)


def _operations(code: CodeType) -> Iterator[Op]:
    for k, instruction in enumerate(analysed(code).instructions):
        verb, name = instruction.opname, instruction.argval
        if verb in SILENT:
            continue
        if "FAST" in verb:
            names = name if isinstance(name, tuple) else (name,)
            verbs = [part for part in verb.split("_") if part in ("LOAD", "STORE", "DELETE")]
            yield from (Op(k, LOCAL if v == "LOAD" else verb, n) for v, n in zip(verbs, names, strict=False))
        elif verb in ("LOAD_DEREF", "LOAD_CLASSDEREF", "LOAD_CLOSURE", "LOAD_FROM_DICT_OR_DEREF"):
            yield Op(k, LOCAL, name)
        elif verb in ("LOAD_GLOBAL", "LOAD_NAME"):
            yield Op(k, GLOBAL, name)
        elif verb in ("LOAD_CONST", "LOAD_SMALL_INT"):
            yield Op(k, CONSTANT, name if type(name) in (int, str) else None)
        elif verb == "LOAD_ATTR" and _is_method(instruction.arg, instruction.argrepr):
            yield Op(k, "LOAD_METHOD", name)
        elif verb == "BINARY_OP":
            yield Op(k, f"BINARY_OP {instruction.argrepr}")
        else:
            yield Op(k, verb, name)


def _is_method(_arg: int | None, shown: str) -> bool:
    """From 3.12 on a bit says so, and `dis` shows it."""
    return "NULL|self" in shown


class Call(NamedTuple):
    """A call in some code."""

    at: int
    """Number of its instruction."""
    function: Op
    method: str
    """Of what `function` loads, by that name; or "", and it is called itself."""
    arguments: tuple[Op, ...] | None
    """None if they are more than variables and constants."""


@cache
def calls(code: CodeType) -> tuple[Call, ...]:
    """The calls of which it can be told what is called."""
    found = []
    ops, stored = operations(code), stored_anywhere(code) | rebound(code)
    for k, instruction in enumerate(analysed(code).instructions):
        first = _called(code, k) if instruction.opname == "CALL" else -1
        parts = [op for op in ops if first <= op.at < k] if first >= 0 else []
        if parts and parts[0].verb in (LOCAL, GLOBAL) and parts[0].name not in stored:
            function, *rest = parts
            method = rest.pop(0).name if rest and rest[0].verb == "LOAD_METHOD" else ""
            simple = all(op.verb in (LOCAL, GLOBAL, CONSTANT) and op.name not in stored for op in rest)
            found.append(Call(k, function, method, (*rest,) if simple and len(rest) == instruction.arg else None))
    return (*found,)


@cache
def between(code: CodeType, begin: int, end: int, steps: frozenset[int]) -> frozenset[int]:
    """The instructions on the paths."""
    instructions = analysed(code).instructions
    # Who takes a step goes on only by raising something before it.
    forward = [_followers(code, k)[: _handled(code, k) if k in steps else None] for k in range(len(instructions))]
    first = _followers(code, begin) if begin >= 0 else [0]
    ahead = _closure(first, lambda k: [] if k == end else forward[k])
    if end < 0:
        return frozenset(ahead)
    back: list[list[int]] = [[] for _ in instructions]
    for k, followers in enumerate(forward):
        for each in followers:
            back[each].append(k)
    return frozenset(ahead & _closure([end], lambda k: back[k]))


def _handled(code: CodeType, k: int) -> int:
    """1 if an exception of that instruction is handled, else 0."""
    return int(analysed(code).handlers[k][0] >= 0)


def _closure(first: Iterable[int], after: Callable[[int], Iterable[int]]) -> set[int]:
    found: set[int] = set()
    waiting = [*first]
    while waiting:
        k = waiting.pop()
        if k not in found:
            found.add(k)
            waiting += after(k)
    return found


def _followers(code: CodeType, k: int) -> list[int]:
    """The instructions that may come directly after that one."""
    analysis = analysed(code)
    instruction = analysis.instructions[k]
    found = [analysis.handlers[k][0]] if analysis.handlers[k][0] >= 0 else []
    target = analysis.target(instruction)
    if target is not None:
        found.append(target)
    if instruction.opname not in LEAVES and instruction.opname not in JUMPS and k + 1 < len(analysis.instructions):
        found.append(k + 1)
    return found
