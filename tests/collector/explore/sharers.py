"""Arbitrary small programs whose threads share Python objects of all kinds, as source, and what may be said of them.

Two or three threads take steps on cells of their own or on shared ones, under a lock or not, and between them do something
to one or two of `sharedthings`.  What they find there, and what is left, is the outcome.  Plain depth-first search sees all
outcomes; who claims that one of them does not occur, claims too much.
"""

from __future__ import annotations

import re
import sys
import types
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple
from zlib import crc32

from collector.explore import explore
from collector.explore.claim import Kind
from collector.explore.machine.fault import Refused
from tests.collector.explore.sharedthings import THINGS
from tests.collector.explore.traces import TooMany, executions


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from collector.explore import SteppedMachine

    Outcome = tuple[int, ...]
    Program = Callable[[SteppedMachine], Callable[[], Outcome]]

STRATEGIES = (("dpor", None), ("dpor", 9), ("stateful", None), ("portfolio", None), ("exhaustive", None))
"""Each with its bound on preemptions."""
OUTCOMES = 3
"""Of one program, those that are tried, the rarest first."""
READS = 0.45
"""Of all statements, those that find something."""
NUMBERS = (*(0, 1, 2, 3) * 2, "port.index", "port.load(x)", "n", "len(r)", "(n + 1)")
STEPS = (*("port.load(mine)",) * 2, "port.load(x)", "port.xadd(x, 1)", "port.store(x + 1, 1)", "port.lock(lock)")
NUMBER = re.compile(r"(?<![\w.'])[ab](?![\w=])")
NAME = re.compile(r"\b([a-z]\w*) = |\bdef (\w+)|\bclass (\w+)")
ASSIGNED = re.compile(r"^ *(v|v_2) [-+*|^&]?= ", re.MULTILINE)
IMPORTS = "array, collections, contextlib, dataclasses, enum, functools, io, itertools, operator, random, types"


class Drawn:
    """A program's source, drawn from a seed."""

    def __init__(self, seed: int) -> None:
        rng = self.rng = Random(seed)
        self.named = rng.sample([*THINGS], rng.choice((1, 1, 2)))
        self.threads = rng.choice((2, 2, 2, 3))
        things = [THINGS[name] for name in self.named]
        left = ", ".join(self._of(k, thing.left) for k, thing in enumerate(things))
        outside = dict.fromkeys(thing.outside for thing in things)
        out = self.threads
        self.source = "\n".join([
            f"import {IMPORTS}",
            "from tests.collector.explore.sharers import said",
            *outside,
            "def program(machine):",
            f"    x, cells, lock = machine.alloc(2, 'x'), machine.alloc({out}, 'cell'), machine.word(0, 'lock')",
            f"    out, words = machine.alloc({out + 1}, 'out'), machine.memory.plain",
            *(line for k, thing in enumerate(things) for line in within(self._of(k, thing.make))),
            *(line for t in range(out) for line in within(*self._thread(t))),
            *(f"    machine.spawn(t{t})" for t in range(out)),
            "    def check():",
            f"        words[out + {out}] = said([{left}])",
            f"        return tuple(words[out : out + {out + 1}])",
            "    return check",
        ])  # fmt: skip

    def _of(self, k: int, text: str) -> str:
        """The names of the second thing are others."""
        if k == 0:
            return text
        own = {name for names in NAME.findall(THINGS[self.named[k]].make) for name in names if name}
        return re.sub(r"(?<![\w.'])[a-z]\w*", lambda found: f"{found[0]}_2" if found[0] in own else found[0], text)

    def _one(self, k: int, lines: str) -> str:
        """One of those lines of the thing, with its numbers."""
        drawn = {name: str(self.rng.choice(NUMBERS)) for name in "ab"}
        return NUMBER.sub(lambda found: drawn[found[0]], self._of(k, self.rng.choice(lines.split("\n"))))

    def _thread(self, t: int) -> Iterator[str]:
        """One thread's function."""
        lines = [f"mine, r, n = cells + {t}, [], 0"]
        for _ in range(self.rng.choice((1, 1, 2, 2, 3) if self.threads == 2 else (1, 1, 2))):
            step = self.rng.choice(STEPS)
            tried = ["try:", *within(*self._statement()), "except Exception as error: r.append(said(type(error)))"]
            lines += [step, *tried, *["port.unlock(lock)"] * ("unlock" in step.replace("lock", "unlock", 1))]
        lines += ["port.load(mine)"] * self.rng.randrange(2)
        lines.append(f"words[out + {t}] = said([*map(said, r)])")
        yield f"def t{t}(port):"
        yield from within(*(f"nonlocal {name}" for name in outer(lines)), *lines)

    def _statement(self) -> list[str]:
        """Something done to a thing, or found in it, in one of many ways."""
        k = self.rng.randrange(len(self.named))
        thing = THINGS[self.named[k]]
        if self.rng.random() < READS:
            return self.rng.choice([*self._finding(self._one(k, thing.finds))])
        return self.rng.choice([*self._doing(self._one(k, thing.does), self._one(k, thing.finds))])

    @staticmethod
    def _doing(line: str, asked: str) -> Iterator[list[str]]:
        yield from ([line],) * 3
        yield ["def do():", *within(*(f"nonlocal {name}" for name in outer([line])), line), "do()"]
        yield ["for n in range(2):", *within(line)]
        yield ["while True:", *within(line, "break")]
        yield [f"if {asked}:", *within(line)]
        yield ["if port.load(x):", *within(line)]
        yield ["with contextlib.suppress(Exception):", *within(line)]
        yield [line, "port.load(mine)", line]
        yield ["if r:", *within(line)]

    def _finding(self, line: str) -> Iterator[list[str]]:
        yield [f"r.append(said({line}))"]
        yield [f"n = said({line}) % 3", "r.append(n)"]
        yield [f"ask = lambda: {line}", "r.append(said(ask()))"]
        yield ["def ask(n=1):", f"    return {line}", "r.append(said(ask()))"]
        yield [f"r += [said({line}) for n in range(2)]"]
        yield [f"ask = lambda n=2: {line}", "port.load(mine)", "r += map(said, [ask()])"]
        yield [line if "port" in line else f"port.spawn(lambda its: its.store(mine, said({line})))"]
        yield [f"port.store(mine, said({line}))"]
        yield [f"r.append(port.load(x) + said({line}))"]
        yield [f"got = {line}", "port.load(mine)", "r.append(said(got))"]
        yield [f"if {line}: port.store(x, {self.rng.randrange(4)})"]


def within(*lines: str) -> list[str]:
    """The lines of a block."""
    return [f"    {part}" for line in lines for part in line.split("\n")]


def outer(lines: list[str]) -> list[str]:
    """Variables of the program that those lines assign."""
    return sorted({*ASSIGNED.findall("\n".join(lines))})


def said(v: Any) -> int:  # noqa: ANN401
    """A number for whatever was found."""
    try:
        text = v.__name__ if isinstance(v, type) else repr(v)
    except Exception as error:  # noqa: BLE001
        text = repr(type(error))
    return crc32(text.partition(" at 0x")[0].encode()) & 0xFFFF


class Judged(NamedTuple):
    """What came of a program."""

    wrong: str
    """Who claims too much, and the source; empty if nobody does."""
    runs: int
    """Explorations."""


def made(source: str, name: str) -> Program:
    """The program of that source, in a module of its own."""
    module = sys.modules[name] = types.ModuleType(name)
    exec(compile(source, f"<{name}>", "exec"), vars(module))  # noqa: S102
    found: Program = vars(module)["program"]
    return found


def judged(seed: int, most: int) -> Judged:
    """The program of that seed, which has at most so many schedules.

    Raises TooMany, also if the program fails by itself, or breaks a rule.
    """
    drawn, name = Drawn(seed), f"shared{seed}"
    try:
        return _judged(drawn, made(drawn.source, name), most)
    finally:
        sys.modules.pop(name, None)


def _judged(drawn: Drawn, program: Program, most: int) -> Judged:
    outcomes: list[Outcome] = []

    def noted(machine: SteppedMachine) -> Callable[[], None]:
        check = program(machine)
        return lambda: outcomes.append(check())

    try:
        if any(run.fault for run in executions(noted, "dfs", most)):
            raise TooMany
    except Refused as error:
        raise TooMany from error
    runs = 0
    for never in sorted({*outcomes}, key=outcomes.count)[:OUTCOMES]:

        def denying(machine: SteppedMachine, never: Outcome = never) -> Callable[[], None]:
            check = program(machine)

            def deny() -> None:
                assert check() != never

            return deny

        for strategy, preemptions in STRATEGIES:
            runs += 1
            result = explore(denying, strategy, shrink=False, preemptions=preemptions, schedules=20 * most)
            if result.claim.kind in (Kind.PROVED, Kind.BOUNDED):
                times = outcomes.count(never), len(outcomes)
                bound = "" if preemptions is None else f", preemptions={preemptions}"
                said_of = f"{strategy}{bound} claims that {never} never comes, as it did {times[0]} of {times[1]} times"
                return Judged(f"{said_of} ({' and '.join(drawn.named)})\n{drawn.source}", runs)
    return Judged("", runs)
