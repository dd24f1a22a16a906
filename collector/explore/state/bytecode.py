"""Bytecode analysis: the depth of a frame's evaluation stack, and which of its variables are live, at each instruction.

The stack depth at an instruction is the same on every path: the sum of the effects of the instructions before it, which
`dis` knows; at an exception handler, what the exception table says.  A variable is *live* if some path from here reads it
before writing it (live variable analysis, backwards to a fixed point; every instruction may raise, so what its handler
reads is live too).  A dead variable does not distinguish two states.

A frame's position is the offset of its instruction: `f_lasti` also depends on whether the interpreter has specialised it.

A frame is examined while it is in a call, or is a suspended generator.  In code that may read its variables in other ways
(`locals`, `eval`, `super()` without arguments, frames) all variables count as live.
"""

from __future__ import annotations

import dis
from functools import cache, cached_property
from typing import TYPE_CHECKING, NamedTuple


if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import CodeType


RESULTLESS = frozenset({
    "STORE_SUBSCR", "STORE_ATTR", "DELETE_SUBSCR", "DELETE_ATTR", "STORE_SLICE", "LIST_EXTEND", "SET_UPDATE", "SET_ADD",
    "MAP_ADD", "DICT_UPDATE", "DICT_MERGE",
})  # fmt: skip
"""Instructions that call and leave no result, or put it into what lies there; all others that do leave one."""
LEAVES = frozenset({"RETURN_VALUE", "RETURN_CONST", "RAISE_VARARGS", "RERAISE"})
"""Instructions after which the next one is not reached."""
JUMPS = frozenset({"JUMP_FORWARD", "JUMP_BACKWARD", "JUMP_BACKWARD_NO_INTERRUPT"})
"""The same, but another one is."""
REFLECTING = frozenset({"locals", "vars", "eval", "exec", "dir", "super"})
"""Builtins by which code may read a variable that no instruction reads."""
FRAMES = frozenset({"_getframe", "currentframe"})
"""Attributes of modules that do so too.  (`locals` as an attribute is pytest's, in an assertion that it has rewritten.)"""
OPTIMIZED = 1
"""Flag of code whose variables lie in slots: all but that of classes and modules."""

_JUMPING = frozenset({*dis.hasjrel, *dis.hasjabs})


class Place(NamedTuple):
    """The position of a frame that is in a call."""

    offset: int
    """Of the instruction that calls."""
    opname: str
    live: tuple[int, ...]
    """Slots of the variables that may be read again."""
    dead: tuple[int, ...]
    below: int
    """Values on the stack below the operands of the call; -1 if that is not known."""
    operands: int
    """Operands of the call, where it has not consumed them yet."""


class Code:
    """The analysis of one code object; beyond its instructions, what is asked for."""

    def __init__(self, code: CodeType) -> None:
        self.names = list(dict.fromkeys((*code.co_varnames, *code.co_cellvars, *code.co_freevars)))
        """Of the variables, by slot."""
        self.code = code
        self.instructions = list(dis.get_instructions(code))
        self.index = {instruction.offset: k for k, instruction in enumerate(self.instructions)}

    @cached_property
    def places(self) -> dict[int, Place]:
        """By `f_lasti`."""
        return dict(self._places())

    @cached_property
    def handlers(self) -> list[tuple[int, int]]:
        """Per instruction, that of its exception handler and how deep the stack is there; -1 without one."""
        handlers = [(-1, 0)] * len(self.instructions)
        for entry in dis._parse_exception_table(self.code):  # type: ignore[attr-defined]  # noqa: SLF001
            for k, instruction in enumerate(self.instructions):
                if entry.start <= instruction.offset < entry.end:
                    # What has been raised is pushed, and where, if the handler asks for it.
                    handlers[k] = self.index[entry.target], entry.depth + entry.lasti + 1
        return handlers

    def cleans_up(self, lasti: int) -> bool:
        """May code of its own run when a generator is closed that stands at `lasti`, or anywhere if that is -1?"""
        at = self.index.get(lasti, -1)
        handlers = {handler for handler, _ in (self.handlers if at < 0 else self.handlers[at : at + 1])}
        while handlers - {-1}:
            handler = max(handlers)
            handlers.remove(handler)
            instruction = self.instructions[handler]
            if instruction.opname == "CLEANUP_THROW":  # of a generator that is delegated to: raised again
                handlers.add(self.handlers[handler][0])
            elif "STOPITERATION" not in instruction.argrepr:  # from 3.12 on around every generator: raised again, too
                return True
        return False

    def target(self, instruction: dis.Instruction) -> int | None:
        return self.index[instruction.argval] if instruction.opcode in _JUMPING else None

    @cached_property
    def depths(self) -> dict[int, int]:
        """Of the stack before each instruction that is reached."""
        before: dict[int, int] = {}
        waiting = [(0, 0), *sorted(set(self.handlers), reverse=True)]
        while waiting:
            k, depth = waiting.pop(0)
            while 0 <= k < len(self.instructions) and k not in before:
                before[k] = depth
                instruction = self.instructions[k]
                target = self.target(instruction)
                if target is not None:
                    waiting.insert(0, (target, depth + _effect(instruction, jump=True)))
                depth += _effect(instruction, jump=False)
                if instruction.opname in LEAVES or instruction.opname in JUMPS:
                    break
                k += 1
        return before

    def _live(self) -> list[int]:
        """Per instruction, the slots that may be read after it, as bits."""
        everything = (1 << len(self.names)) - 1
        n = len(self.instructions)
        if any(map(_reflects, self.instructions)):
            return [everything] * n
        # The object that a class's __init__ works on is given to whoever made it, by C code.
        always = int(self.code.co_name == "__init__" and self.code.co_argcount > 0)
        reads, writes = zip(*map(self._accesses, self.instructions), strict=True)
        entering = [0] * (n + 1)
        leaving = [0] * n
        changed = True
        while changed:
            changed = False
            for k in range(n - 1, -1, -1):
                instruction = self.instructions[k]
                out = always
                target = self.target(instruction)
                if target is not None:
                    out |= entering[target]
                if instruction.opname not in LEAVES and instruction.opname not in JUMPS:
                    out |= entering[k + 1]
                handler = self.handlers[k][0]
                raised = entering[handler] if handler >= 0 else 0
                leaving[k] = out | raised
                into = reads[k] | out & ~writes[k] | raised
                if into != entering[k]:
                    entering[k], changed = into, True
        return leaving

    def _accesses(self, instruction: dis.Instruction) -> tuple[int, int]:
        """Slots that an instruction reads, and those that it writes, as bits.

        Writing to a cell counts as reading it: which cell it is matters.
        """
        name = instruction.opname
        if "FAST" in name:
            parts = instruction.argval if isinstance(instruction.argval, tuple) else (instruction.argval,)
            verbs = [part for part in name.split("_") if part in {"LOAD", "STORE", "DELETE"}]
            reads = writes = 0
            for verb, variable in zip(verbs, parts, strict=False):
                bit = 1 << self.names.index(variable)
                if verb != "STORE":
                    reads |= bit & ~writes  # deleting asks whether there is anything
                if verb != "LOAD":
                    writes |= bit
            return reads, writes | (reads if name.endswith("AND_CLEAR") else 0)
        if "DEREF" in name or name == "LOAD_CLOSURE":
            return 1 << self.names.index(instruction.argval), 0
        return 0, 0

    def _places(self) -> Iterator[tuple[int, Place]]:
        n = len(self.names)
        before = self.depths
        live = self._live()
        ends = [instruction.offset for instruction in self.instructions[1:]] + [len(self.code.co_code)]
        for k, (begun, end) in enumerate(zip(self.instructions, ends, strict=True)):
            # In 3.11 a call is two instructions, and the first may be the one that calls.
            at = k + 1 if begun.opname == "PRECALL" else k
            instruction = self.instructions[at]
            first = k - 1 if k and self.instructions[k - 1].opname == "PRECALL" else k
            left = instruction.opname not in RESULTLESS
            below = before[at] + _effect(instruction, jump=False) - left if at in before else -1
            if first in before:
                below = min(below, before[first])  # what is unpacked is more than there was
            if k and self.instructions[k - 1].opname == "RETURN_GENERATOR":
                below = 0  # from 3.13 on, where a generator stands that has not begun: before it drops what it is sent
            bits = live[at]
            place = Place(
                instruction.offset,
                instruction.opname,
                tuple(v for v in range(n) if bits >> v & 1),
                tuple(v for v in range(n) if not bits >> v & 1),
                below,
                max(before[first] - below, 0) if first in before else 0,
            )
            for offset in range(begun.offset, end, 2):
                yield offset, place

    def place(self, lasti: int) -> Place:
        """Where a frame of this code stands."""
        return self.places.get(lasti) or Place(lasti, "", tuple(range(len(self.names))), (), -1, 0)


def _reflects(instruction: dis.Instruction) -> bool:
    if instruction.opname in {"LOAD_GLOBAL", "LOAD_NAME"}:
        return instruction.argval in REFLECTING | FRAMES
    return instruction.opname in {"LOAD_ATTR", "LOAD_METHOD"} and instruction.argval in FRAMES


def _effect(instruction: dis.Instruction, *, jump: bool) -> int:
    if instruction.opname == "RETURN_GENERATOR":
        return 1  # what the generator is first sent; dis of 3.11 says 0
    argument = instruction.arg if instruction.opcode >= dis.HAVE_ARGUMENT else None
    return dis.stack_effect(instruction.opcode, argument, jump=jump)


@cache
def analysed(code: CodeType) -> Code:
    """The analysis of `code`, made once."""
    return Code(code)
