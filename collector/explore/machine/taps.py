"""Taps, which observe or change the operations of a port: race detectors, trace recorder, plain accesses as steps.

A machine applies its taps to each new port in their order, the first one innermost: what a tap does after an operation comes
before what later taps do, and later taps see its words.  Replay uses this order: plain points first, because they make plain
accesses steps; then the race detector, which may end the thread at an access; last the recorder, which notes the outcome.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from collector.explore.machine import ops


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from collector.explore.machine.ops import Op
    from collector.explore.machine.ports import SteppedPort

    After = Callable[..., object]
    """Called with an operation's result and its operands."""


class Tap:
    """Lets all pass; its subclasses say what they look at."""

    machine: Any
    """The SteppedMachine that it is for, which sets it.  (To name the type here would be a circle of imports.)"""

    def begin(self) -> None:
        """The threads of a schedule begin to run."""

    def fit(self, port: SteppedPort) -> None:
        """`port` is new: the tap may put its own `port.words` and `port.event` in place of those that are there."""

    def after(self, port: SteppedPort) -> Mapping[int, After]:  # noqa: ARG002
        """By an operation's code: what is called when the thread of `port` has done it and nobody has taken a step since."""
        return {}

    def spawned(self, parent: int, child: int) -> None:
        """Thread `parent` has spawned thread `child`, which has not begun."""


def fit(taps: Iterable[Tap], port: SteppedPort) -> None:
    """Have `taps` look at what `port` does."""
    for tap in taps:
        tap.fit(port)
        for code, after in tap.after(port).items():
            op = ops.TABLE[code]
            setattr(port, op.name, followed(op, getattr(port, op.name), after))


def followed(op: Op, do: Callable[..., object], after: After) -> Callable[..., object]:
    """The method `do` of a port with `after` behind it.

    Written out by the number of operands: a tuple of them costs a twentieth of all that is watched for races.
    """
    method: Callable[..., object]
    if op.default is not None:

        def method(a: object, b: object = op.default) -> object:
            result = do(a, b)
            after(result, a, b)
            return result

    elif len(op.operands) == 1:

        def method(a: int) -> object:
            result = do(a)
            after(result, a)
            return result

    elif len(op.operands) == 2:

        def method(a: int, v: int) -> object:
            result = do(a, v)
            after(result, a, v)
            return result

    else:

        def method(a: int, v: int, w: int) -> object:
            result = do(a, v, w)
            after(result, a, v, w)
            return result

    method.__qualname__ = do.__qualname__  # for what Python says of a wrong number of operands
    return method
