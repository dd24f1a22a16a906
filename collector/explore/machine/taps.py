"""Taps: the one way to look at what a port does, or to change it.

A machine fits its taps to each port when that is made, in their order, the first one innermost: what a tap puts behind an
operation is done before what later taps put there, and its words are those that later ones look through.  The order that
replay uses: plain points first, since these make steps of plain accesses; then whoever keeps the clocks, who may end the
thread at an access; the recorder last, who notes what has come of all that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.explore.machine import ops


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from collector.explore.machine.machine import SteppedMachine
    from collector.explore.machine.ops import Op
    from collector.explore.machine.ports import SteppedPort

    After = Callable[..., object]
    """Called with an operation's result and its operands."""


class Tap:
    """Lets all pass; its subclasses say what they look at."""

    machine: SteppedMachine
    """Set by the machine that it is for."""

    def begin(self) -> None:
        """The threads of a schedule begin to run."""

    def fit(self, port: SteppedPort) -> None:
        """`port` is new: the tap may put its own `port.words` and `port.event` in place of those that are there."""

    def after(self, port: SteppedPort, op: Op) -> After | None:
        """What is to be called when the thread of `port` has done `op`, and nobody has taken a step since."""

    def spawned(self, parent: int, child: int) -> None:
        """Thread `parent` has spawned thread `child`, which has not begun."""


def fit(taps: Iterable[Tap], port: SteppedPort) -> None:
    """Have `taps` look at what `port` does."""
    for tap in taps:
        tap.fit(port)
        for op in ops.METHODS:
            after = tap.after(port, op)
            if after:
                setattr(port, op.name, followed(op, getattr(port, op.name), after))


def followed(op: Op, do: Callable[..., object], after: After) -> Callable[..., object]:
    """The method `do` of a port with `after` behind it.

    A function for each number of operands, and no tuple of them: this is the hot path of all that watches for races.
    """

    def one(a: int) -> object:
        result = do(a)
        after(result, a)
        return result

    def two(a: int, v: int) -> object:
        result = do(a, v)
        after(result, a, v)
        return result

    def three(a: int, v: int, w: int) -> object:
        result = do(a, v, w)
        after(result, a, v, w)
        return result

    def one_or_two(a: object, b: object = op.default) -> object:
        result = do(a, b)
        after(result, a, b)
        return result

    method: Callable[..., object] = (one, two, three)[len(op.operands) - 1] if op.default is None else one_or_two
    method.__qualname__ = do.__qualname__  # for what Python says of a wrong number of operands
    return method
