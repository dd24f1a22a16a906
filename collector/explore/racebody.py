"""The body of a race test as the explorer's program."""

from __future__ import annotations

from dis import get_instructions
from functools import partial
from inspect import signature
from types import MethodType
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from types import CodeType

    import pytest

    from collector.explore.program import Check


LOOKING = frozenset({"_getframe", "currentframe", "dir", "eval", "exec", "locals", "vars"})
"""What may look at a variable that is not named."""


def body(test: pytest.Function) -> partial[Check | None]:
    """The function of `test` with its fixtures, but for the machine, which is the argument left over.

    It is a partial and nothing else, which hides nothing of the test from the explorer: that asks what a program keeps from
    run to run, whether it calls what says something else every time, and where it begins.  A method that does not look at
    its object is given none: what other tests its class has is not that test's business.
    """
    parameters = signature(test.obj).parameters
    names = [*parameters]
    fixtures = {name: test.funcargs[name] for name in names if name in test.funcargs}
    before = [fixtures.pop(name) for name in names[: names.index("machine")]]
    del fixtures["machine"]
    if isinstance(test.obj, MethodType) and not looks_at_first(test.obj.__func__.__code__):
        return partial(test.obj.__func__, None, *before, **fixtures)
    return partial(test.obj, *before, **fixtures)


def looks_at_first(code: CodeType) -> bool:
    """Does a function of that code use its first argument?"""
    first = code.co_varnames[0]
    if first in code.co_cellvars or "__class__" in code.co_freevars:  # of `super()`
        return True
    if not LOOKING.isdisjoint(code.co_names):
        return True
    return any(
        first in (each.argval if isinstance(each.argval, tuple) else (each.argval,)) for each in get_instructions(code)
    )
