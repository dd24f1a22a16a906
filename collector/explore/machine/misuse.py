"""Classifies an exception of a body, a set-up, a check or an invariant: a failure, a misuse of the machine, or ours.

The innermost frame of the traceback decides.  In the program's code, the program raised it.  In a port's operation that
the program called, the arguments were wrong.  In a stand-in of a module of the standard library, it is what that raises.
Anywhere else in this package, the package is at fault.
"""

from __future__ import annotations

import re
from inspect import Parameter, isasyncgen, iscoroutine, isgenerator, signature
from pathlib import Path
from traceback import walk_tb
from typing import TYPE_CHECKING

from greenlet import GreenletExit

from collector.explore.machine.fault import Refused
from collector.explore.machine.site import LIBRARY, ROOTS, of_explorer, of_function
from workbuf.machine import Bound, Pause, Port
from workbuf.throw import Throw


if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

HERE = Path(__file__).parent
OPERATIONS = frozenset(
    map(
        str,
        (
            *(
                HERE / f"{name}.py"
                for name in ("operations", "ports", "memory", "observed", "plainnoted", "plainpoints")
            ),
            HERE.parent / "races/fasttrack.py",
        ),
    )
)
"""Files of the operations that a program calls."""


OPERANDS = re.compile(r"make_port\.<locals>\.(\w+)\(\) (?:missing|takes|got)")
"""What Python says of operands that an operation does not take."""
STANDINS = "collector.explore.stdlib"
"""The package in whose name `threading` and `queue` are stood in for."""
RAISED = RuntimeError, ValueError, AttributeError, TypeError, OverflowError
"""What our own raise as the library does, of arguments too, and of functions that they cannot call as they were told."""
SCHEDULER = str(HERE / "execution.py")
"""A program's code calls it to come to a step, and for nothing else."""


class Stuck(BaseException):
    """Raised in a thread that has come to no step for long."""


class Hung(RuntimeError):
    """The explorer itself has come to no step for long."""


LEAVING = frozenset({"Skipped", "Exit", "XFailed"})
"""The exceptions by which pytest leaves a test that has not failed."""


def ends_program(error: BaseException) -> bool:
    """Is `error` for the program to have raised?  An interrupt, say, belongs to whoever called the explorer."""
    others = KeyboardInterrupt, SystemExit, GreenletExit, Stuck, Refused
    return not isinstance(error, others) and type(error).__name__ not in LEAVING


def never_run(returned: object) -> bool:
    """Is what a body has returned something that has still to be run?"""
    if iscoroutine(returned) or isgenerator(returned):
        returned.close()
        return True
    return isasyncgen(returned)


def miscalled(error: Exception) -> str:
    """How a port is called instead, if `error` is Python's word about an operation it does not have or other operands."""
    if isinstance(error, AttributeError) and isinstance(error.obj, Bound) and not hasattr(Port, error.name or ""):
        names = ", ".join(name for name in vars(Port) if not name.startswith("_"))
        return f"a port has no {error.name}; it has {names}"
    found = OPERANDS.match(str(error)) if isinstance(error, TypeError) else None
    method = getattr(Port, found[1], None) if found else None
    if found is None or method is None:
        return ""
    _, *operands = (
        str(operand.replace(annotation=Parameter.empty)) for operand in signature(method).parameters.values()
    )
    kinds = f", with a kind of {Pause.__module__}.Pause" if found[1] == "pause" else ""
    return f"{found[1]} is called as port.{found[1]}({', '.join(operands)}){kinds}"


def of_library(frame: FrameType) -> bool:
    """Is it Python's own?"""
    return (
        frame.f_code.co_filename.startswith(("<frozen ", LIBRARY)) and "site-packages" not in frame.f_code.co_filename
    )


def of_standin(frame: FrameType, error: Exception) -> bool:
    """Was it raised by a stand-in as the standard library would: by the library's own code, or as ours does in its place?"""
    if frame.f_globals.get("__package__") != STANDINS:
        return False
    ours = Path(frame.f_code.co_filename).parent == HERE.parent / "stdlib"
    return not ours or isinstance(error, RAISED)


def misused(
    error: BaseException, function: Callable[..., object], what: str = "body", *, ended: bool = False
) -> BaseException | None:
    """What to end the exploration with instead of a fault of the program; None if the program has raised `error`.

    `error` comes out of `function`, which is the program's `what`; the schedule was over if `ended`.
    """
    if isinstance(error, Throw | AssertionError):
        return None
    trace = [(frame, line) for frame, line in walk_tb(error.__traceback__)]
    outside = [k for k, (frame, _) in enumerate(trace) if not of_explorer(frame)]
    own = [k for k in outside if not of_library(trace[k][0])] or outside
    where = f"{trace[own[-1]][0].f_code.co_filename}:{trace[own[-1]][1]}" if own else of_function(function)
    if isinstance(error, SystemExit):
        return Refused(f"sys.exit in a {what}: a {what} returns, or raises what is wrong", where)
    if isinstance(error, Stuck):
        last, line = trace[-1]
        if any(
            frame.f_code.co_filename == SCHEDULER and frame.f_code not in ROOTS
            for frame, _ in trace[outside[-1] + 1 if outside else 0 :]
        ):
            return Hung(f"no step for seconds, at {last.f_code.co_filename}:{line}: the explorer is at fault")
        if ended:
            return Refused(
                "no step for seconds: an `except` of everything swallows the exception by which the machine ends a thread; "
                "catch Exception",
                where,
            )
        return Refused(
            "no step for seconds: a loop in a thread that waits has to call its port, others have to end", where
        )
    if not isinstance(error, Exception):
        return None
    if isinstance(error, RecursionError):
        # It may be raised in whatever library the explorer calls: the program's line is the one that called the explorer.
        calls = [k for k in outside if k + 1 < len(trace) and of_explorer(trace[k + 1][0])]
        if calls:
            where = f"{trace[calls[0]][0].f_code.co_filename}:{trace[calls[0]][1]}"
        return Refused("deeper than Python's limit of recursion: a function that calls itself has to end", where)
    if not outside:
        if len(trace) > 1 and of_standin(trace[-1][0], error):  # the body of a Thread
            return None
        if isinstance(error, TypeError) and len(trace) == 1:
            taken = " with a port" if what == "body" else ""
            return Refused(f"the {what} cannot be called{taken}: {error}", where)
        return error
    inside = trace[outside[-1] + 1 :]
    if not inside:
        wrong = miscalled(error)
        return Refused(wrong, where) if wrong else None
    if of_standin(inside[-1][0], error):
        return None
    codes = [frame.f_code for frame, _ in inside]
    if codes[-1].co_filename in OPERATIONS:
        operation = next(code.co_name for code in codes if code.co_filename in OPERATIONS)
        return Refused(f"{operation}: {error}; a word is an integer, an address one of a cell", where)
    return error
