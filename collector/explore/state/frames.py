"""Finds the stack frames of a thread that belong to its state.

From the thread's body inwards come the program's frames, then those of the port's operation, down to where the step was
announced.  The frames further inwards are the machine's own, and the strategy's; they are not part of the state.

Between two Python frames there may be C code that calls back (`map`, `sorted` with a key), whose state is in no frame.
C code that only passes the call on is harmless: a class, a partial, a method of an operand, a `with`, a loop over a
generator.
"""

from __future__ import annotations

import types
from functools import partial
from typing import TYPE_CHECKING

from collector.explore.machine.site import ROOTS, of_explorer
from collector.explore.state.bytecode import Place, analysed
from collector.explore.state.interpreter import NULL, entered_from_c, slots


if TYPE_CHECKING:
    from types import FrameType


ANNOUNCING = frozenset({"point", "arrive"})
"""Functions of the machine in which a thread waits for its turn."""
GENERATORS = (types.GeneratorType, types.CoroutineType)
EXTENDING = frozenset({"LIST_EXTEND", "SET_UPDATE"})
"""Instructions that go over their operand, and put what they find into what lies below it."""
HEAP = 1 << 9
"""Flag of a class that is no C code's own."""
ON_BEHALF = {
    "BINARY_SUBSCR": ("__getitem__", "__class_getitem__"),
    "STORE_SUBSCR": ("__setitem__",),
    "DELETE_SUBSCR": ("__delitem__",),
    "BEFORE_WITH": ("__enter__",),
    "WITH_EXCEPT_START": ("__exit__",),
    "GET_ITER": ("__iter__",),
}
"""Instructions that call one method of their operand, and which."""


def thread_frames(frame: FrameType | None) -> list[FrameType]:
    """The frames of a thread whose innermost is `frame`, from its body to where it has announced its step."""
    frames: list[FrameType] = []
    while frame is not None:
        if of_explorer(frame):
            if frame.f_code in ROOTS:
                break
            if frame.f_code.co_name in ANNOUNCING:
                frames.clear()
                frame = frame.f_back
                continue
        frames.append(frame)
        frame = frame.f_back
    frames.reverse()
    return frames


def between(caller: FrameType, frame: FrameType, *, switched: bool) -> str:
    """What C code between two frames keeps something that nobody sees; empty if none does."""
    if not entered_from_c(frame, caller, switched=switched):
        return ""
    code, place = frame.f_code, analysed(caller.f_code).place(caller.f_lasti)
    name, verb = code.co_name, place.opname
    if verb in ON_BEHALF:
        return "" if name in ON_BEHALF[verb] else verb.lower()
    if "ATTR" in verb or verb in {"LOAD_METHOD", "LOAD_SPECIAL"}:
        return "" if name not in {"__eq__", "__hash__"} else "a dictionary"
    if place.below < 0:
        return "an unknown call"
    base = len(analysed(caller.f_code).names) + place.below
    if verb in {"FOR_ITER", "SEND"}:
        v = slots(caller, [base - 1], base)[0]
        return "" if _runs(v, frame) or _is_method(v, "__next__", code) else type(v).__name__
    if not _calls(place):
        operands = slots(caller, range(base, base + place.operands), base + place.operands)
        if verb in EXTENDING and _runs(operands[-1], frame):
            return ""
        # A method of one of them has been given the other; and who dies is in nobody's hands.
        return "" if name == "__del__" or any(_is_method(v, name, code) for v in operands) else verb.lower()
    called, *arguments = operands_of(caller) or [NULL]
    # A partial with one argument puts that in its own place while it hands on.
    if (
        not callable(called)
        or _hands_on(called, frame)
        or (_resumes(called) and any(_runs(v, frame) for v in arguments))
    ):
        return ""
    return getattr(called, "__qualname__", None) or type(called).__name__


def operands_of(frame: FrameType) -> list[object]:
    """What the instruction works with where `frame` stands.

    Of a call: what is called, and with what; beyond a class or function written in Python these are no longer there.
    """
    analysis = analysed(frame.f_code)
    place = analysis.place(frame.f_lasti)
    base = len(analysis.names) + place.below
    size = base + place.operands
    for k in range(base, size):
        called = slots(frame, [k], size)[0]
        if called is not NULL:
            own = isinstance(called, type) and not called.__flags__ & HEAP
            if own or isinstance(called, types.MethodDescriptorType | types.BuiltinFunctionType) or not _calls(place):
                return [called, *slots(frame, range(k + 1, size), size)]
            return [called]
    return []


def _calls(place: Place) -> bool:
    return place.opname.startswith("CALL")


def _hands_on(v: object, frame: FrameType) -> bool:
    """Does calling `v` do nothing but run `frame`, and return what that returns?"""
    if isinstance(v, types.FunctionType):
        return v.__code__ is frame.f_code
    if isinstance(v, types.MethodType):
        return _hands_on(v.__func__, frame)
    if type(v) is partial:
        return _hands_on(v.func, frame)
    if isinstance(v, types.BuiltinFunctionType):
        return _runs(v.__self__, frame)
    if isinstance(v, type) and getattr(getattr(v, "__init__", None), "__code__", None) is frame.f_code:
        return True
    # While a bound method is called from C, its object lies where it lay.
    return _is_method(v, "__call__", frame.f_code) or _is_method(v, frame.f_code.co_name, frame.f_code)


def _is_method(v: object, name: str, code: types.CodeType) -> bool:
    method = getattr(type(v), name, None)
    return isinstance(method, types.FunctionType) and method.__code__ is code


def _resumes(v: object) -> bool:
    """Is `v` a C function that keeps nothing but the generator that it resumes?"""
    return any(v is function for function in (next, any, all)) or (
        isinstance(v, types.MethodDescriptorType) and v.__objclass__ in GENERATORS
    )


def _runs(v: object, frame: FrameType) -> bool:
    """Is `v` the generator whose frame is `frame`?"""
    if isinstance(v, types.GeneratorType):
        return v.gi_frame is frame
    return isinstance(v, types.CoroutineType) and v.cr_frame is frame
