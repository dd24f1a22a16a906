"""A soak test of the lock-free stack: real threads push and pop on two stacks, and no node may be lost or doubled.

    python -m scripts.soak_lists [--operations 100000000] [--threads 4] [--nodes 64]

Each thread pops a node off one of the two stacks, by turns of a seeded draw, and pushes it on one of them; a node that two
threads hold at once is seen at once, by a mark of its holder that is swapped.  At the end both stacks are emptied: every
node has come out exactly once, or the exit status is 1.  Prints the operations, the failed compare-and-swaps, the seconds.
"""

from __future__ import annotations

import argparse
import platform
import sys
import sysconfig
from functools import partial
from itertools import islice
from random import Random, SystemRandom
from time import monotonic
from typing import TYPE_CHECKING

from workbuf.hardware.machine import HardwareMachine
from workbuf.lfstack import Lfstack
from workbuf.local import MLOCAL, Globals


if TYPE_CHECKING:
    from workbuf.machine import Port

HOLDER = 2
"""Offset of a node's mark, behind the two words of the stack's own."""
SHOWN_S = 30.0


class TwiceError(Exception):
    """Two threads hold one node."""


class Soak:
    """One machine, two heads, and the nodes between them."""

    def __init__(self, nodes: int, threads: int, operations: int, seed: int, stack: type[Lfstack] = Lfstack) -> None:
        self.stack = stack
        self.machine = HardwareMachine(words=1 << 16, seed=seed)
        self.world = Globals.allocate(self.machine)
        self.heads = [self.machine.alloc(8, name, align=8) for name in ("one", "other")]
        self.nodes = [self.machine.alloc(8, f"node{i}", align=8) for i in range(nodes)]
        self.records = [MLOCAL.allocate(self.machine, f"m{i}") for i in range(threads)]
        self.share = operations // (2 * threads)
        self.done = [0] * threads
        self.failed = [0] * threads
        boot = Lfstack(self.machine.boot(), self.world, self.records[0])
        for i, node in enumerate(self.nodes):
            boot.lfstackpush(self.heads[i % 2], node)
        for i in range(threads):
            self.machine.spawn(self.body, f"m{i}")

    def body(self, port: Port) -> None:
        """Pop, mark, push, again and again."""
        me, mine = port.index, self.stack(port, self.world, self.records[port.index])
        draw, heads, mark = Random(port.seed).getrandbits, self.heads, me + 1
        push, pop, xchg = mine.lfstackpush, mine.lfstackpop, port.xchg
        turns = 0
        while turns < self.share:
            port.check()
            for _ in range(1024):
                bits = draw(2)
                node = pop(heads[bits & 1])
                if node:
                    other = xchg(node + HOLDER, mark)
                    if other or xchg(node + HOLDER, 0) != mark:
                        raise TwiceError(f"node {node} is held by thread {me} and by thread {other - 1}")
                    push(heads[bits >> 1], node)
                    turns += 1
            self.done[me] = 2 * turns
            self.failed[me] = mine.cas_failures

    def lost(self) -> int:
        """How many nodes are missing or doubled when both stacks are emptied."""
        boot = Lfstack(self.machine.boot(), self.world, self.records[0])
        # A broken stack may be a ring: of each no more is popped than there are nodes, and one that came twice.
        most = len(self.nodes) + 1
        found = [node for head in self.heads for node in islice(iter(partial(boot.lfstackpop, head), 0), most)]
        return len(set(self.nodes) ^ set(found)) + len(found) - len(set(found))


def main() -> int:
    """Run and judge; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--operations", type=int, default=10**8, help="pushes and pops (100000000)")
    parser.add_argument("--threads", type=int, default=4, help="(4)")
    parser.add_argument("--nodes", type=int, default=64, help="(64)")
    parser.add_argument("--seed", type=int, default=SystemRandom().getrandbits(32), help="(drawn)")
    args = parser.parse_args()
    gil = "GIL off" if sysconfig.get_config_var("Py_GIL_DISABLED") else "GIL on"
    sys.setswitchinterval(1e-4)
    soak = Soak(args.nodes, args.threads, args.operations, args.seed)
    began = shown = monotonic()

    def tick() -> None:
        nonlocal shown
        if monotonic() - shown > SHOWN_S:
            shown = monotonic()
            print(f"{sum(soak.done):,} after {shown - began:.0f} s", flush=True)

    soak.machine.run(tick)
    lost = soak.lost()
    print(
        f"Python {platform.python_version()}, {gil}, atomics {soak.machine.binding}, {args.threads} threads, "
        f"seed {args.seed}: {sum(soak.done):,} pushes and pops, {sum(soak.failed):,} compare-and-swaps failed, "
        f"{monotonic() - began:.0f} s, {lost} of {args.nodes} nodes lost or twice"
    )
    return int(lost > 0)


if __name__ == "__main__":
    sys.exit(main())
