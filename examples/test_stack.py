"""A file to start from: a lock-free stack of one's own and its race tests.  Run it with `python -m pytest test_stack.py`.

Put your own structure in place of `Stack`, and its sequential model in place of `models.Stack`.  What each operation of a
port is, and what a test may ask for, is in `python -m collector.run guide testing`.
"""

from __future__ import annotations

import pytest

from collector.linearizability import models
from collector.linearizability.recorder import Recorder


class Stack:
    """Treiber's stack.  A node is a cell that holds the address of the node below; `top` holds that of the first."""

    def __init__(self, machine):
        self.top = machine.word(0, "top")

    def push(self, port, node):
        """Put a node that is the caller's on the stack."""
        while True:
            top = port.load(self.top)
            port.post(node, top)
            if port.cas(self.top, top, node):
                return

    def pop(self, port):
        """Take the top node, or None."""
        while True:
            top = port.load(self.top)
            if not top:
                return None
            below = port.hint(top)
            if port.cas(self.top, top, below):
                return top


class Hasty(Stack):
    """A planted fault, to see that the test would notice: the compare-and-swap is a store."""

    def push(self, port, node):
        port.post(node, port.load(self.top))
        port.store(self.top, node)


def push_then_pop(machine, stack):
    """Each of two threads pushes a node and then pops one; every history has to be one of a stack."""
    recorder = Recorder(machine)

    def body(port, node):
        with recorder.operation(port, "push", node):
            stack.push(port, node)
        with recorder.operation(port, "pop") as op:
            op.returns(stack.pop(port))

    for name in "ab":
        node = machine.alloc(1, name)
        machine.spawn(lambda port, node=node: body(port, node), f"thread {name}")
    return recorder.check(models.Stack())


@pytest.mark.race(exhaust=True)
def test_linearizable(machine):
    """Every inequivalent interleaving is run."""
    return push_then_pop(machine, Stack(machine))


@pytest.mark.race(fails="linearizable")
def test_a_hasty_push_is_noticed(machine):
    """Without a failure like this one the test above would show nothing."""
    return push_then_pop(machine, Hasty(machine))
