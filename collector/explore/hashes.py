"""Finds what depends on the process: the order of a set of texts or objects, a hash of a text, an address in a text.

Theory of operation.  Hashes of texts are drawn anew in every process (`PYTHONHASHSEED`), and those of objects come from
where they lie, so all runs in this process may agree, and another process do something else.  One run is traced, instruction
by instruction: what is about to be gone through, called or made a text lies on the evaluation stack (`state.interpreter`).

What asks only for members, numbers of them, or sorts them is harmless.  So are sets of numbers.

Not modelled.  Other branches than those of that run; what Python's library does later with a set that it was given.
"""

from __future__ import annotations

import sys
import types
from collections import deque
from typing import TYPE_CHECKING, Any, Self

from collector.explore.machine.site import LIBRARY, of_explorer
from collector.explore.state.bytecode import OPTIMIZED, analysed
from collector.explore.state.interpreter import LAYOUT, NULL, slots
from collector.explore.state.library import oracle


if TYPE_CHECKING:
    from types import FrameType

GOES_THROUGH = frozenset({"GET_ITER", "UNPACK_SEQUENCE", "UNPACK_EX", "LIST_EXTEND"})
"""Instructions that go through what is on top of the stack."""
TELLS = frozenset({"FORMAT_VALUE", "FORMAT_SIMPLE", "CONVERT_VALUE", "FORMAT_WITH_SPEC"})
"""Instructions that make a text of it."""
TEXTS: tuple[object, ...] = (repr, str, format, ascii)
"""Make a text of what they are called with."""
ADDRESSED = (types.FunctionType, types.MethodType, types.GeneratorType, types.CodeType, types.CellType, types.FrameType)
"""Types that tell the addresses of their objects."""
LISTED = (list, tuple, dict, deque)
HARMLESS: frozenset[object] = frozenset({
    sorted, len, set, frozenset, min, max, sum, any, all, bool, isinstance, issubclass, type, id, callable,
})  # fmt: skip
"""What may be called with a set: the order makes no difference."""
KEYED = (sorted, min, max)
NUMBERS = (int, float, complex)
MOST = 300_000
"""Instructions that are traced."""


class Hashes:
    """Traces the program's code in a `with` statement."""

    def __init__(self) -> None:
        self.found = ""
        """The first thing, as a clause, and where."""
        self.left = MOST
        self.before: Any = None

    def __enter__(self) -> Self:
        self.before = sys.gettrace()
        if LAYOUT is not None:
            sys.settrace(self.called)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(self.before)

    def called(self, frame: FrameType, _event: str, _given: object) -> Any:  # noqa: ANN401  what `settrace` wants
        """A function is called: trace it, if it is the program's."""
        code = frame.f_code
        if self.found or self.left < 0 or code.co_name in ("__hash__", "__eq__"):
            return None
        if code.co_filename.startswith(LIBRARY) or of_explorer(frame) or oracle(frame.f_globals.get("__name__") or ""):
            return None
        if not code.co_flags & OPTIMIZED:
            return None
        frame.f_trace = self.instruction  # from 3.13 on, before the next
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        return self.instruction

    def instruction(self, frame: FrameType, event: str, _given: object) -> Any:  # noqa: ANN401  as above
        """An instruction is about to be executed."""
        if event == "opcode":
            self.left -= 1
            if self.found or self.left < 0:
                return None
            analysis = analysed(frame.f_code)
            k = analysis.index.get(frame.f_lasti)
            if k is not None and k in analysis.depths:
                verb = analysis.instructions[k].opname
                if verb in GOES_THROUGH or verb in TELLS or verb in ("CALL", "CALL_KW"):
                    what = self._look(frame, k, verb)
                    if what:
                        self.found = f"{what} at {frame.f_code.co_filename}:{frame.f_lineno}"
        return self.instruction

    def _look(self, frame: FrameType, k: int, verb: str) -> str:
        """What that instruction makes of a hash."""
        analysis = analysed(frame.f_code)
        count, depth = len(analysis.names), analysis.depths[k]
        if not verb.startswith("CALL"):
            top = slots(frame, [count + depth - 1], count + depth)[0]
            return told(top) if verb in TELLS else gone_through(top)
        place = analysis.place(frame.f_lasti)
        base, size = count + place.below, count + place.below + place.operands
        operands = [v for v in slots(frame, range(base, size), size) if v is not NULL]
        return by_call(operands[0], operands[1:]) if operands else ""


def by_call(called: object, given: list[object]) -> str:
    """What a call makes of a hash."""
    name = getattr(called, "__name__", "")
    if called is hash:
        return "" if all(map(numbers, given)) else "hash(), which differs from process to process,"
    if called in TEXTS:
        return next(filter(None, map(told, given)), "")
    if any(each is text for each in given for text in TEXTS):
        return next((told(v) for each in given if isinstance(each, LISTED) for v in each if told(v)), "")
    if any(each is hash for each in given):
        return "hash(), which differs from process to process,"
    if isinstance(called, types.MethodDescriptorType | types.BuiltinFunctionType):
        owner = getattr(called, "__self__", None)
        owner = given[0] if isinstance(called, types.MethodDescriptorType) and given else owner
        if isinstance(owner, set | frozenset):
            return gone_through(owner) if name == "pop" else ""
    if name == "__hash__" and isinstance(called, types.MethodWrapperType | types.WrapperDescriptorType):
        return "" if all(map(numbers, given or [owned(called)])) else "hash(), which differs from process to process,"
    if traced(called):
        return ""
    # With a key, whichever of those comes first to which it gives the same.
    if any(called is each for each in HARMLESS) and not (called in KEYED and any(map(callable, given[1:]))):
        return ""
    if isinstance(called, type) and traced(vars(called).get("__init__")):
        return ""
    return next(filter(None, map(gone_through, given)), "")


def traced(called: object) -> bool:
    """Is it a function of the program, in Python, so that what it does is seen by itself?"""
    function = called.__func__ if isinstance(called, types.MethodType) else called
    return isinstance(function, types.FunctionType) and not function.__code__.co_filename.startswith(LIBRARY)


def owned(called: object) -> object:
    """Of which object that is a method."""
    return getattr(called, "__self__", None)


def gone_through(v: object) -> str:
    """Is the order of `v` a matter of hashes?"""
    if isinstance(v, set | frozenset) and len(v) > 1 and not all(map(numbers, v)):
        return "the order of a set, which differs from process to process,"
    return ""


def told(v: object) -> str:
    """Does a text that is made of `v`, or of what it lists, depend on hashes or addresses?"""
    listed = list(v) if isinstance(v, LISTED) else []
    listed += v.values() if isinstance(v, dict) else []
    return next(filter(None, map(_told, [v, *listed])), "")


def _told(v: object) -> str:
    if isinstance(v, ADDRESSED) or (type(v).__repr__ is object.__repr__ and type(v).__str__ is object.__str__):
        return "the address of an object"
    return gone_through(v)


def numbers(v: object) -> bool:
    """Is `v` a number, or made of such?"""
    return isinstance(v, NUMBERS) or (isinstance(v, tuple | frozenset) and all(map(numbers, v)))
