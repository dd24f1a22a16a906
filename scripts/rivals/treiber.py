"""The Treiber stack of three nodes, written for two other interleaving explorers; run by scripts/bench_explore.py.

    python treiber.py frontrun|interleave STRATEGY SCHEDULES

One thread pops; the other pops twice and pushes the first node back.  The head carries a version, so no schedule fails.
Prints the schedules run and the seconds they took.
"""

from __future__ import annotations

import sys
import threading
from time import perf_counter


class Stack:
    """Nodes 1 -> 2 -> 3, linked by index; the compare-and-swap is a lock around a comparison."""

    def __init__(self) -> None:
        self.head = (1, 0)
        self.next = {1: 2, 2: 3, 3: 0}
        self.lock = threading.Lock()
        self.held: list[int] = []

    def cas(self, old: tuple[int, int], new: tuple[int, int]) -> bool:
        """Store `new` if `old` is there."""
        with self.lock:
            if self.head == old:
                self.head = new
                return True
            return False

    def pop(self) -> int:
        """The top node, 0 if there is none."""
        while True:
            old = self.head
            if not old[0]:
                return 0
            if self.cas(old, (self.next[old[0]], old[1] + 1)):
                return old[0]

    def push(self, node: int) -> None:
        """Put `node` on top."""
        while True:
            old = self.head
            self.next[node] = old[0]
            if self.cas(old, (node, old[1] + 1)):
                return

    def popper(self) -> None:
        """The first thread."""
        self.held.append(self.pop())

    def pusher(self) -> None:
        """The second thread."""
        first = self.pop()
        self.held.append(self.pop())
        if first:
            self.push(first)

    def whole(self) -> bool:
        """Every node is linked or held, once."""
        nodes = [node for node in self.held if node]
        at = self.head[0]
        while at and len(nodes) < 9:
            nodes.append(at)
            at = self.next[at]
        return sorted(nodes) == [1, 2, 3]


def frontrun(strategy: str, schedules: int) -> int:
    """Schedules that frontrun ran."""
    import frontrun as tool  # noqa: PLC0415

    limits = (
        {"max_attempts": schedules} if strategy == "random" else {"max_executions": schedules, "stop_on_first": False}
    )
    result = tool.explore(Stack, [Stack.popper, Stack.pusher], Stack.whole, strategy=strategy, **limits)
    assert result.property_holds
    return int(result.num_explored)


def interleave(strategy: str, schedules: int) -> int:
    """Schedules that interleave-test ran."""
    import interleave_test as tool  # noqa: PLC0415

    def model() -> None:
        stack = Stack()
        threads = [threading.Thread(target=body) for body in (stack.popper, stack.pusher)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert stack.whole()

    result = tool.explore(
        model, iterations=schedules, strategy=strategy, granularity="line", seed=1, raise_on_failure=False
    )
    assert result.failure is None
    return int(result.schedules_run)


if __name__ == "__main__":
    which, how, many = sys.argv[1], sys.argv[2], int(sys.argv[3])
    begun = perf_counter()
    ran = {"frontrun": frontrun, "interleave": interleave}[which](how, many)
    print(ran, perf_counter() - begun)
