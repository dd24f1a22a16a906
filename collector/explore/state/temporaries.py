"""Does a frame keep anything that is in none of its variables?  Asked of the place where it is in a call.

Theory of operation.  What a Python frame keeps outside its variables lies on its evaluation stack: in `f() + g()`, the value
of `f()` while `g` runs; in a `for` loop, the iterator.  How deep that stack is at an instruction is the same whenever it
is reached, and follows from the effects of the instructions on the way there, which `dis` knows.  Take away what the call
itself has put there, and what is left are the temporaries.

Relied on.  Where the way to an instruction is not found (a handler of exceptions), the answer is that there are some.

Not modelled.  What C code keeps that calls back: `map`, `sorted` with a key.
"""

from __future__ import annotations

import dis
from functools import cache
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from types import CodeType, FrameType


RESULTLESS = frozenset({"STORE_SUBSCR", "STORE_ATTR", "DELETE_SUBSCR", "DELETE_ATTR", "STORE_SLICE"})
"""Instructions that call and leave no result; all others that do leave one."""
LEAVES = frozenset({"RETURN_VALUE", "RETURN_CONST", "RAISE_VARARGS", "RERAISE"})
"""Instructions after which the next one is not reached."""
JUMPS = frozenset({"JUMP_FORWARD", "JUMP_BACKWARD", "JUMP_BACKWARD_NO_INTERRUPT"})
"""The same, but another one is."""


def has_temporaries(frame: FrameType) -> bool:
    """Does `frame`, which is in a call, keep anything but its variables?"""
    return _left(frame.f_code).get(frame.f_lasti, 1) > 0


@cache
def _left(code: CodeType) -> dict[int, int]:
    """Offset within the code, caches included, to the depth of the stack while the instruction there calls."""
    instructions = list(dis.get_instructions(code))
    after: dict[int, int] = {}
    """Index to depth behind the instruction."""
    place = {instruction.offset: k for k, instruction in enumerate(instructions)}
    waiting = [(0, 0)]
    reached: set[int] = set()
    while waiting:
        k, depth = waiting.pop()
        while k < len(instructions) and k not in reached:
            reached.add(k)
            instruction = instructions[k]
            target = instruction.argval if instruction.opcode in _JUMPING else None
            if target is not None:
                waiting.append((place[target], depth + _effect(instruction, jump=True)))
            depth += _effect(instruction, jump=False)
            after[k] = depth
            if instruction.opname in LEAVES or instruction.opname in JUMPS:
                break
            k += 1
    left: dict[int, int] = {}
    ends = [instruction.offset for instruction in instructions[1:]] + [len(code.co_code)]
    for k, (instruction, end) in enumerate(zip(instructions, ends, strict=True)):
        if k in after:
            depth = after[k] - (instruction.opname not in RESULTLESS)
            left.update((offset, depth) for offset in range(instruction.offset, end, 2))
    return left


_JUMPING = frozenset({*dis.hasjrel, *dis.hasjabs})


def _effect(instruction: dis.Instruction, *, jump: bool) -> int:
    argument = instruction.arg if instruction.opcode >= dis.HAVE_ARGUMENT else None
    return dis.stack_effect(instruction.opcode, argument, jump=jump)
