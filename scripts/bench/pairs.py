"""Compares the speed of two checkouts of the project, workload by workload, run in turn.

Every workload is a process of its own in
each tree, old and new by turns after a warm-up of each, on this interpreter; so a machine that changes its speed changes
both.  A workload says itself how much it did: its rate is that over its own processor time, set-up left out (a mark's
and a run's cycles over wall clock).  Ratios are
of the rates of a pair, new over old, so above 1 is faster.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import sysconfig
from pathlib import Path
from statistics import median
from typing import Any


TREE = Path(__file__).parents[2]

STACK = """
from time import process_time
from collector.explore import explore
NODE = (1 << 32) - 1
def stack(counted):
    # Written out here, so that both trees run the same: a word is a node and, above it, how often a node was pushed.
    def program(machine):
        head = machine.word(0, "head")
        nodes = [machine.alloc(2, f"node{i}") for i in range(3)]
        for pushed, node in enumerate(nodes, 1):
            machine.poke(node, machine.peek(head))
            machine.poke(node + 1, pushed if counted else 0)
            machine.poke(head, node | machine.peek(node + 1) << 32)
        held = [[], []]
        def pop(port):
            while True:
                old = port.load(head)
                if not old:
                    return 0
                new = port.load(old & NODE)
                if port.cas(head, old, new):
                    return old & NODE
        def push(port, node):
            if counted:
                port.words[node + 1] += 3
            new = node | port.words[node + 1] << 32
            while True:
                old = port.load(head)
                port.post(node, old)
                if port.cas(head, old, new):
                    return
        def popper(port):
            held[0].append(pop(port))
        def pusher(port):
            first = pop(port)
            held[1].append(pop(port))
            if first:
                push(port, first)
        machine.spawn(popper, "popper")
        machine.spawn(pusher, "pusher")
        def check():
            linked, word = [], machine.peek(head)
            while word and len(linked) < 4:
                linked.append(word & NODE)
                word = machine.peek(word & NODE)
            assert sorted(linked + [n for mine in held for n in mine if n]) == nodes
        return check
    return program
"""

EXPLORE = """
explore(stack(True), "{strategy}", schedules=50, races={races})
done, begun = 0, process_time()
while process_time() - begun < 2:
    result = explore(stack(True), "{strategy}", schedules=3000, races={races})
    assert not result.failure, result.failure
    done += result.schedules + result.pruned
print(done, process_time() - begun)
"""

PROVE = """
done, begun = 0, process_time()
while process_time() - begun < 1:
    result = explore(stack(True), "dpor")
    assert result.exhausted
    done += 1
print(done, process_time() - begun)
"""

REPLAY = """
from collector.explore import replay
program = stack(False)
token = explore(program, "random", schedules=100_000).failure.schedule
done, begun = 0, process_time()
while process_time() - begun < 2:
    assert replay(token, program).failure
    done += 1
print(done, process_time() - begun)
"""

WIDE = """
from time import process_time
from collector.explore import explore
def program(machine):
    cells = [machine.word(0) for _ in range({threads})]
    def body(port, mine):
        for _ in range({steps}):
            port.xadd(mine, 1)
    for mine in cells:
        machine.spawn(lambda port, mine=mine: body(port, mine))
begun = process_time()
result = explore(program, "dpor", schedules=2, seconds=60, races=False)
print(result.steps, process_time() - begun)
"""

MARK = """
from collector import heaps
from collector.runtime import Config
try:
    from collector.stress.run import Plan
    from collector.stress.survivors import Keep
except ImportError:
    from collector.keep import Keep
    from collector.stress import Plan
graph = heaps.read("synthetic:random,n=20000,m=52000,seed=1")
seconds = 0.0
for _ in range(3):
    plan = Plan(config=Config(mutators=0, helpers=0), programs=(), cycles=2, concurrent=False, patience=600.0)
    seconds += Keep(plan, graph).result(graph).mark_s
print(3 * 20000, seconds)
"""

COMMAND = """
import subprocess, sys, resource
def spent():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
command = [sys.executable, "-m", "collector.run", {arguments}]
subprocess.run(command, check=True, capture_output=True)
begun = spent()
for _ in range(3):
    subprocess.run(command, check=True, capture_output=True)
print(3, spent() - begun)
"""

CYCLES = """
import re, subprocess, sys
command = [sys.executable, "-m", "collector.run", "--quiet", {arguments}]
done = subprocess.run(command, capture_output=True, text=True)
assert done.returncode == 0, done.stdout + done.stderr
cycles, seconds = re.search(r"cycles +(\\d+), ([0-9.]+) s", done.stdout).groups()
# Of the cycles the last one is stopped.
print(int(cycles) - 1, seconds)
"""

WORKLOADS = {
    "three-node stack, random": STACK + EXPLORE.format(strategy="random", races=False),
    "three-node stack, random, watched": STACK + EXPLORE.format(strategy="random", races=True),
    "three-node stack, dpor": STACK + EXPLORE.format(strategy="dpor", races=False),
    "three-node stack, dpor, watched": STACK + EXPLORE.format(strategy="dpor", races=True),
    "three-node stack, stateful": STACK + EXPLORE.format(strategy="stateful", races=False),
    "three-node stack proved": STACK + PROVE,
    "three-node stack replayed": STACK + REPLAY,
    "dpor, 2 threads x 5,000 steps": WIDE.format(threads=2, steps=5000),
    "dpor, 60 threads x 180 steps": WIDE.format(threads=60, steps=180),
    "scenarios": COMMAND.format(arguments='"scenarios"'),
    "--help": COMMAND.format(arguments='"--help"'),
    "one mark, objects": MARK,
    "default run, cycles": CYCLES.format(arguments=""),
    "8 mutators, 4 helpers, cycles": CYCLES.format(arguments='"--mutators", "8", "--helpers", "4", "--seconds", "15"'),
    "heap --mark, 20,000 objects": COMMAND.format(
        arguments='"heap", "synthetic:random,n=20000,m=52000,seed=1", "--mark"'
    ),
}


def rate(tree: Path, workload: str) -> float:
    """Things a second of processor time."""
    done = subprocess.run(
        [sys.executable, "-c", workload],
        check=True,
        capture_output=True,
        text=True,
        cwd=tree,
        env={**os.environ, "PYTHONPATH": str(tree)},
    )
    count, seconds = done.stdout.split()[-2:]
    return float(count) / float(seconds)


def compare(old: Path, times: int, only: str) -> dict[str, Any]:
    """Print the ratios of `times` pairs of each workload whose name has `only` in it; returns the figures."""
    gil = "free-threaded" if sysconfig.get_config_var("Py_GIL_DISABLED") else "GIL"
    print(f"Python {platform.python_version()}, {gil}, {os.cpu_count()} processors, {times} pairs")
    print(f"{'workload':36}{'old /s':>12}{'new /s':>12}{'new / old':>11}   least .. most")
    rows = []
    for name, workload in WORKLOADS.items():
        if only not in name:
            continue
        for tree in (old, TREE):
            rate(tree, workload)
        pairs = [(rate(old, workload), rate(TREE, workload)) for _ in range(times)]
        ratios = [new / before for before, new in pairs]
        before, after = (median(rates) for rates in zip(*pairs, strict=True))
        print(
            f"{name:36}{before:12,.2f}{after:12,.2f}{median(ratios):11.2f}   {min(ratios):.2f} .. {max(ratios):.2f}",
            flush=True,
        )
        rows.append({"workload": name, "old": before, "new": after, "ratios": ratios})
    return {"python": platform.python_version(), "gil": gil, "nproc": os.cpu_count(), "rows": rows}
