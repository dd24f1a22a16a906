"""The mark `race` of the pytest plugin: what it asks for, and what of that cannot be meant.

A mark that is understood otherwise than its author thinks makes a test that passes and shows nothing, so everything in it
is looked at before the body is run: names, strategies, rules, numbers.
"""

from __future__ import annotations

from inspect import Parameter, isasyncgenfunction, iscoroutinefunction, signature
from typing import TYPE_CHECKING, Any

import pytest

from collector.explore.engine import explore, refuse_unknown
from collector.explore.strategies import EXHAUSTING


if TYPE_CHECKING:
    from collections.abc import Iterator


MARK = "race"
OWN = ("examples", "exhaust", "fails", "threads")
"""Options of the mark that are not explore's."""
PASSED_ON = tuple(
    name
    for name in list(signature(explore).parameters)[1:]
    if name not in {"seed", "shrink", "about", "progress", "stop", "workplace"}
)
"""Options of the mark that are."""
LEAST = {"schedules": 1, "preemptions": 0, "depth": 2, "steps": 1, "early": 0}
"""Whole numbers, and the least of each."""


def marked(node: pytest.Item) -> dict[str, Any]:
    """What the marks of `node` say together; the closest wins."""
    options: dict[str, Any] = {}
    for mark in node.iter_markers(MARK):
        options = {**mark.kwargs, **options}
    return options


def asked(node: pytest.Function) -> dict[str, Any]:
    """What they say; fails the test if that cannot be meant."""
    if iscoroutinefunction(node.obj) or isasyncgenfunction(node.obj):
        pytest.fail(
            f"mark {MARK}: the test is async, so nothing of it would be run: a plain function does", pytrace=False
        )
    machine = signature(node.obj).parameters.get("machine")
    if machine is None or machine.kind is Parameter.KEYWORD_ONLY:
        pytest.fail(
            f"mark {MARK}: the test has to take `machine` as an argument that is passed by position", pytrace=False
        )
    options = marked(node)
    positional = any(mark.args for mark in node.iter_markers(MARK))
    for wrong in refused(options, positional=positional):
        pytest.fail(f"mark {MARK}: {wrong}", pytrace=False)
    return options


def refused(options: dict[str, Any], *, positional: bool) -> Iterator[str]:
    """What of the options cannot be meant, a clause each."""
    unknown = [name for name in options if name not in PASSED_ON and name not in OWN]
    if unknown or positional:
        got = f"no option {unknown[0]!r}" if unknown else "options by name only"
        yield f"{got}; there are {', '.join((*PASSED_ON, *OWN))}"
    strategy = options.get("strategy", "dpor" if options.get("exhaust") else "portfolio")
    rules = {name: options[name] for name in ("vehicle", "preemptions", "races") if name in options}
    try:
        refuse_unknown(strategy, **rules)
    except ValueError as error:
        yield str(error)
    if options.get("exhaust") and isinstance(strategy, str) and strategy not in EXHAUSTING:
        yield f"exhaust=True, and {strategy} never has seen everything; {', '.join(EXHAUSTING)} can"
    for name, least in LEAST.items():
        value = options.get(name)
        if value is not None and not (isinstance(value, int) and value >= least):
            yield f"{name}={value!r}: a whole number, {least} or more"
    seconds = options.get("seconds")
    if seconds is not None and not (isinstance(seconds, int | float) and seconds > 0):
        yield f"seconds={seconds!r}: a number greater than 0"
    invariants = options.get("invariants", ())
    if not (isinstance(invariants, list | tuple) and all(map(callable, invariants))):
        yield f"invariants={invariants!r}: a list of functions of the machine"
    examples = options.get("examples", ())
    if not (isinstance(examples, list | tuple) and all(isinstance(token, str) for token in examples)):
        yield f"examples={examples!r}: a list of tokens"
    fails = options.get("fails", "")
    if not isinstance(fails, str):
        yield f"fails={fails!r}: a text that the failure's message has"
    if examples and fails:
        yield f"examples must hold, and fails={fails!r} must not"
