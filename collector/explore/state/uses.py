"""What a turn of a thread uses of the Python objects around it, told from its code: a static over-approximation.

A *turn* is a step and the Python code that runs on to the thread's next one.  Which instructions that may have been follows
from where the thread's frames stood before and after: all on some path from the one place to the other, in frames that are
gone all behind the place, in new ones all before it.

Whatever a turn uses it has got from a variable that one of these instructions names, or from the evaluation stack.  A
variable's use reaches everything behind its value, unless the instructions that follow say less: an item by a key that does
not change (`held[0]`), an attribute, a store to an item or attribute, a call of `append` or `add`, which only write.

Not modelled.  What is found by other ways than variables: `globals()`, `sys.modules`, `gc`, frames.
"""

from __future__ import annotations

import inspect
import types
from collections import deque
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, NamedTuple

from collector.explore.machine.ports import SteppedPort
from collector.explore.machine.site import module_of, of_explorer
from collector.explore.state.assumptions import contents
from collector.explore.state.bytecode import OPTIMIZED, REFLECTING, analysed
from collector.explore.state.frames import operands_of, thread_frames
from collector.explore.state.interpreter import LAYOUT, NULL, entered_from_c, slots
from collector.explore.state.sharingcapture import STAND_INS
from collector.explore.state.variables import (
    CONSTANT,
    GLOBAL,
    INDEX,
    LOCAL,
    Op,
    assigns,
    between,
    calls,
    made,
    operations,
    use_of,
    uses,
)


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import CodeType, FrameType

    from collector.explore.state.variables import Call, Use

WRITERS: dict[type, frozenset[str]] = {
    list: frozenset({"append"}),
    set: frozenset({"add", "discard"}),
    deque: frozenset({"append", "appendleft"}),
    bytearray: frozenset({"append"}),
}
"""Methods that write and return nothing."""
ITEMS = (list, dict, tuple, deque)
"""Types whose items are got and set by nothing but their own code."""
STEPS = frozenset({
    "load", "store", "cas", "xchg", "xadd", "or8", "hint", "post", "lock", "trylock", "unlock", "sleep", "wake", "choose",
    "spawn", "sysalloc",
})  # fmt: skip
"""Operations of a port that are a step in any case, unless the program has put others in their place."""
DEPTH = 4
"""Calls within calls that are followed."""
NOT_CALLED = (
    inspect.CO_GENERATOR
    | inspect.CO_COROUTINE
    | inspect.CO_ASYNC_GENERATOR
    | inspect.CO_VARARGS
    | inspect.CO_VARKEYWORDS
)
"""Flags of code that does not run when it is called, or does not take each argument by name."""
ONLY_WRITTEN = object()
"""Stands for the slot of an object that something is stored in, in any item, and of which nothing is read."""
ASKED = object()
"""Stands for what is in a set, in whatever order."""
CALLED = "()"
"""Stands for the slot of a function of which only the code and the defaults are used."""


class Standing(NamedTuple):
    """A frame before a turn."""

    frame: FrameType
    at: int
    """Number of its instruction; -1 if it is not known."""
    values: dict[str, object]
    """Of its variables, those that may be read."""
    stack: list[object]


class Used(NamedTuple):
    """An object that a turn has used."""

    value: object
    name: str
    """For people."""
    slot: object = None
    """One item or attribute; None if it is all of it and what it reaches.

    What is stored counts as used: where it was there before, that is due to the order of the turns, too.
    """


def standing(frame: FrameType | None, *, switched: bool) -> list[Standing] | None:
    """The frames of the thread whose innermost is `frame`; None if they cannot be read.

    `switched` is whether its greenlet has been switched away from.
    """
    found = []
    frames = thread_frames(frame)
    for each, inner in zip_longest(frames, frames[1:]):
        own, analysis = of_explorer(each), analysed(each.f_code)
        place = analysis.place(each.f_lasti)
        if place.below < 0 or LAYOUT is None or not each.f_code.co_flags & OPTIMIZED:
            return None
        count = len(analysis.names)
        got = slots(each, [*place.live, *range(count, count + place.below)], count + place.below)
        values = {analysis.names[v]: value for v, value in zip(place.live, got, strict=False)}
        if own:
            values = {name: v for name, v in values.items() if name in each.f_code.co_varnames}
        stack = got[len(place.live) :]
        if inner is not None and not own and entered_from_c(inner, each, switched=switched):
            stack += operands_of(each)  # C code works with them while it calls back
        found.append(Standing(each, analysis.index.get(place.offset, -1), values, stack))
    return found


def used(before: list[Standing], after: list[FrameType], changed: Callable[[object], bool]) -> Iterator[Used]:
    """What a turn has used that began where the frames stood as `before`; `after` are the thread's frames now.

    `changed` tells what the turn has changed of that.
    """
    same = 0
    while same < min(len(before), len(after)) and before[same].frame is after[same]:
        same += 1
    # In those further out a call is still in progress.
    for k, stood in enumerate(before[max(same - 1, 0) :], max(same - 1, 0)):
        frame = stood.frame
        if of_explorer(frame):
            if frame.f_code.co_name == "spawn":  # up to its first step, the new thread ran in this turn
                yield from (Used(v, "the body of a thread") for v in stood.values.values())
        else:
            entered = after[same].f_code if k < same < len(after) else None
            yield from _on_stack(stood.stack)
            code = Code(frame.f_code, stood.values, frame.f_globals, changed)
            yield from code.uses(stood.at, _number(frame) if k < same else -1, entered)
    # What a new frame has, it was given, or it closes over that.
    for k, frame in enumerate(after[same:], same):
        if not of_explorer(frame):
            names = analysed(frame.f_code).names
            values = dict(zip(names, slots(frame, range(len(names)), len(names)), strict=True))
            entered = after[k + 1].f_code if k + 1 < len(after) else None
            yield from Code(frame.f_code, values, frame.f_globals, changed).uses(-1, _number(frame), entered)


def _number(frame: FrameType) -> int:
    """Of the instruction where `frame` stands; -1 if that is not known."""
    analysis = analysed(frame.f_code)
    return analysis.index.get(analysis.place(frame.f_lasti).offset, -1)


def _on_stack(stack: list[object]) -> Iterator[Used]:
    """What lies there is used, but nothing is read of what a method that only writes is about to be called of."""
    previous: object = None
    for v in stack:
        writes = isinstance(previous, types.MethodDescriptorType) and previous.__name__ in WRITERS.get(type(v), ())
        yield Used(v, type(v).__name__, ONLY_WRITTEN if writes else None)
        previous = v


class Code(NamedTuple):
    """Some code that may have run, and what its variables stood for when it began."""

    code: CodeType
    values: Mapping[str, object]
    space: Mapping[str, object]
    """Its globals."""
    changed: Callable[[object], bool]
    """Has that object been changed since?"""

    def value(self, op: Op) -> object:
        """What is loaded by that operation."""
        v = op.name if op.verb == CONSTANT else (self.space if op.verb == GLOBAL else self.values).get(op.name, NULL)
        if isinstance(v, types.CellType):
            return NULL if self.changed(v) else contents(v)
        return v

    def called(self, call: Call) -> Code | None:
        """What is called there, if that is a function, and all is known that it is given."""
        function = self.value(call.function)
        if call.method or call.arguments is None or not isinstance(function, types.FunctionType):
            return None
        code = function.__code__
        if code.co_flags & NOT_CALLED or len(call.arguments) > code.co_argcount:
            return None
        names, defaults = code.co_varnames[: code.co_argcount], function.__defaults__ or ()
        values: dict[str, object] = {**(function.__kwdefaults__ or {})}
        values.update(zip(names[len(names) - len(defaults) :], defaults, strict=True))
        values.update(zip(names, map(self.value, call.arguments), strict=False))
        values.update(zip(code.co_freevars, function.__closure__ or (), strict=True))
        return Code(code, values, function.__globals__, self.changed)

    def steps(self, depth: int = DEPTH) -> frozenset[int]:
        """The calls that take a step of the thread in any case."""
        found = set()
        for call in calls(self.code):
            if call.method:
                port = self.value(call.function)
                if call.method in STEPS and isinstance(port, SteppedPort) and not port.changes:
                    found.add(call.at)
            elif depth:
                inner = self.called(call)
                if inner and not inner.returns(depth - 1):
                    found.add(call.at)
        return frozenset(found)

    def returns(self, depth: int) -> bool:
        """May it return without a step?"""
        instructions = analysed(self.code).instructions
        return any(
            instructions[k].opname.startswith("RETURN_") and instructions[k].opname != "RETURN_GENERATOR"
            for k in between(self.code, -1, -1, self.steps(depth))
        )

    def uses(
        self, begin: int = -1, end: int = -1, entered: CodeType | None = None, depth: int = DEPTH
    ) -> Iterator[Used]:
        """What it has used on its way from instruction `begin` to `end`.

        But for the function whose code was `entered`, and has not returned: what it uses is told from its frame.
        """
        steps = self.steps()
        found = uses(self.code, begin, end, steps)
        told: set[int] = set()
        on_path = {use.at for use in found}
        for call in calls(self.code):
            inner = self.called(call) if depth and call.function.at in on_path and call.at != end else None
            if inner:
                yield Used(self.value(call.function), str(call.function.name), CALLED)
                for op in (call.function, *(call.arguments or ())):
                    yield from self._variable(op.verb, op.name)
                    told.add(op.at)
                yield from inner.uses(depth=depth - 1)
        for use in found:
            if use.at not in told:
                yield from self._used(use, entered)
        for where, variable in assigns(self.code, begin, end, steps):
            yield from self._assigned(where, variable)
        for inner_code in made(self.code, begin, end, steps):
            yield from Code(inner_code, {}, self.space, self.changed).uses(depth=0)

    def _variable(self, where: str, name: Any) -> Iterator[Used]:  # noqa: ANN401  a name, or a constant
        """The variable itself, which others may assign."""
        v = self.values.get(name, NULL) if where == LOCAL else NULL
        if where == GLOBAL:
            yield Used(self.space, name, name)
        elif isinstance(v, types.CellType):
            yield Used(v, name, None if self.changed(v) else 0)

    def _assigned(self, where: str, name: str) -> Iterator[Used]:
        """The variable, which is assigned."""
        v = self.values.get(name, NULL)
        if where == GLOBAL:
            yield Used(self.space, name, name)
        elif isinstance(v, types.CellType):
            yield Used(v, name, 0)

    def _used(self, use: Use, entered: CodeType | None) -> Iterator[Used]:
        name = use.name
        v = (self.space if use.where == GLOBAL else self.values).get(name, NULL)
        yield from self._variable(use.where, name)
        if use.where == GLOBAL and name in REFLECTING:
            yield from (Used(each, variable) for variable, each in self.values.items())
        if isinstance(v, types.CellType):
            v = contents(v)
        if v is NULL:
            return
        if use.entered and isinstance(v, types.FunctionType) and v.__code__ is entered:
            yield Used(v, name, CALLED)
            return
        then = use.then
        for how, key in use.path:
            inner, slot, shown = self._inner(v, how, key)
            if inner is NULL or self.changed(v):
                then = ""
                break
            yield Used(v, name, slot)
            v, name = inner, name + shown
        asked = ASKED if then == "?" and type(v) is set else None
        yield Used(v, name, self._stored(v, then, use.key) if then and _only_writes(v, then) else asked)

    def _inner(self, v: object, how: str, key: Op | str) -> tuple[object, object, str]:
        """The item or attribute of `v`, which of them it is, and how it is written; NULL if that is not certain."""
        if how == "." and isinstance(key, str):
            found = attributes(v).get(key, NULL)
            return found, key, f".{key}"
        index = self._index(v, key) if type(v) in ITEMS and isinstance(key, Op) else None
        if index is None:
            return NULL, None, ""
        try:
            return v[index], index, f"[{index!r}]"  # type: ignore[index]
        except (LookupError, TypeError):
            return NULL, None, ""

    def _index(self, v: Any, key: Op) -> int | str | None:  # noqa: ANN401  an object of any type
        """The item of `v` that `key` stands for; None if it is not known."""
        index: Any = key.name if key.verb == CONSTANT else self.values.get(key.name, NULL)
        if isinstance(index, types.CellType):
            index = NULL if self.changed(index) else contents(index)
        if key.verb == INDEX:
            index = index.index if isinstance(index, SteppedPort) and not index.changes else NULL
        if type(index) is int and index < 0 and type(v) in (list, tuple, deque):
            return None if self.changed(v) else index + len(v)  # counted from its end
        return index if type(index) in (int, str) else None

    def _stored(self, v: object, then: str, key: Op | None) -> object:
        """Which item or attribute of `v` is stored by that."""
        if then.startswith("."):
            return then[1:]
        index = self._index(v, key) if key and type(v) in (list, dict, set) else None
        return ONLY_WRITTEN if index is None else index


def attributes(v: object) -> dict[str, Any]:
    """The attributes that are got from the dictionary of `v`, and nowhere else."""
    kind = type(v)
    if kind is not types.SimpleNamespace and (kind.__dictoffset__ == 0 or isinstance(v, type) or not plainly_got(kind)):
        return {}
    return {name: x for name, x in vars(v).items() if not ruled(kind, name)}


def plainly_got(kind: type) -> bool:
    """Are attributes got as those of `object`?  If they are words of the machine, they are as well."""
    get: Any = kind.__getattribute__
    default = object.__getattribute__
    return get is default or (module_of(get).startswith(STAND_INS) and getattr(get, "__wrapped__", None) is default)


def ruled(kind: type, name: str) -> bool:
    """Has the class something by that name that goes before what its objects have?"""
    found = type(of_class(kind, name))
    return hasattr(found, "__set__") or hasattr(found, "__delete__")


def of_class(kind: type, name: str) -> object:
    """What the class has by that name."""
    return next((vars(cls)[name] for cls in kind.__mro__ if name in vars(cls)), None)


def _only_writes(v: object, then: str) -> bool:
    """Does what is done with `v` read nothing of it?"""
    kind = type(v)
    if then == "?":
        return False
    if then == "[":
        return kind in ITEMS
    if then.endswith("()"):
        return then[:-2] in WRITERS.get(kind, ())
    plain = kind is types.SimpleNamespace or (kind.__setattr__ is object.__setattr__ and kind is not types.ModuleType)
    name = then[1:]
    return plain and (not ruled(kind, name) or isinstance(of_class(kind, name), types.MemberDescriptorType))


def reads(code: CodeType, name: str, value: object) -> bool:
    """May `code`, or code within it, read what is in the variable `name` that stands for `value`?

    To add to it is no reading, and to count it up is none.
    """
    if name in code.co_names + code.co_freevars + code.co_cellvars + code.co_varnames:
        ops = operations(code)
        for j, op in enumerate(ops):
            if op.verb not in (LOCAL, GLOBAL) or op.name != name or _closes_over(code, op):
                continue
            then = [(each.verb, each.name) for each in ops[j + 1 : j + 4]]
            counts = len(then) == 3 and then[0][0] == CONSTANT and then[1][0].endswith("=") and then[2][1] == name
            use = use_of(ops, j, set())
            if not counts and (use.path or not use.then or not _only_writes(value, use.then)):
                return True
    return any(reads(inner, name, value) for inner in code.co_consts if isinstance(inner, types.CodeType))


def _closes_over(code: CodeType, op: Op) -> bool:
    """Is a variable not read there, but handed to a function that is made?"""
    instruction = analysed(code).instructions[op.at]
    if instruction.opname == "LOAD_CLOSURE":
        return True
    return "FAST" in instruction.opname and op.name in code.co_cellvars + code.co_freevars
