"""Arbitrary small programs, drawn from a seed: what DPOR and plain depth-first search have to agree on."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, NamedTuple

from tests.collector.explore.lines import Line, Lines, Mind


if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from collector.explore import SteppedMachine
    from tests.collector.explore.programs import Program
    from workbuf.machine import Port


VOCABULARIES = {
    "words": "load store xadd post hint",
    "compare and swap": "load cas cas xchg if store",
    "locks": "load store lock lock try xadd",
    "unlocks": "load lock unlock xadd cas",
    "locks that others write": "lock seize free lock try load",
    "notes": "load store sleep wake xadd",
    "notes that others write": "nap raise lower nap load pause",
    "pauses": "load store pause pause lock xadd",
    "pauses before waits": "yield yield lock linger doze wake sleep xadd",
    "pauses before waits and kills": "yield yield lock doze raise lower nap kill",
    "exchanges": "load xchg xchg or8 store pause",
    "exchanges and nothing added": "xchg or8 nothing pause cas post",
    "swap locks": "load swap swap xchg pause or8",
    "waits in locks": "linger doze lock try wake lower store sleep",
    "waits in locks and kills": "linger doze lock raise lower store kill",
    "waits": "await poll store store xadd xchg",
    "waits and locks": "await spin spin store lock",
    "waits and pauses": "await poll pause store xadd",
    "waits and kills": "await poll store cas kill",
    "waits for nobody": "await patient rest flip store load",
    "threads": "load cas spawn xadd lock",
    "choices": "load cas xadd choose lock",
    "allocation": "load store alloc alloc cas kill",
    "kills": "load store xadd kill lock",
    "kills of waiting": "load cas kill wake sleep pause",
    "kills before locks": "store pause pause lock lock try kill",
    "kills before writes of locks": "lock seize free nap raise lower kill",
    "kills before exchanges": "xchg or8 store pause pause kill",
    "everything": "load cas xchg pause lock spawn kill wake sleep store",
}
"""What the lines of a program are drawn from."""
MINDS = {
    "kept": "load store xadd remember remember recall count spend",
    "keeps and waits": "store xadd backoff backoff pause recall remember",
    "calls back": "store xadd any total mapped next next",
    "shared": "store xadd write write read remember recall",
    "everything kept": "load store cas remember recall count spend backoff any next lock choose",
}
"""The same, for what threads keep in Python objects; where these are `shared`, DPOR may prove nothing."""


class Shape(NamedTuple):
    """A program: a list of lines per thread, one for threads that are spawned, and whether the first is killed."""

    words: int
    threads: list[list[Line]]
    child: list[Line]
    kill: bool


def shape(seed: int, vocabulary: Sequence[str]) -> Shape:
    """Two or three threads of one to four lines over one or two words."""
    rng = Random(seed)
    words = rng.choice((1, 2, 2))
    lines = [word for word in vocabulary if word != "kill"]

    def line(among: Sequence[str] = lines) -> Line:
        return Line(rng.choice(among), rng.randrange(words), rng.randrange(3), rng.randrange(3))

    threads = rng.choice((2, 2, 3))
    longest = 4 if threads == 2 else 3
    bodies = [[line() for _ in range(rng.randint(1, longest))] for _ in range(threads)]
    if "await" in vocabulary:
        finishing = [Line(do, 0, rng.randrange(3), 0) for do in ("patient", "finish") if do in (*vocabulary, "finish")]
        bodies = [body[:2] for body in bodies[:2]] + [finishing]
    return Shape(words, bodies, [line(("load", "store", "xadd"))], "kill" in vocabulary and rng.random() < 0.5)


class Scene(NamedTuple):
    """Where something is planted in a program."""

    machine: SteppedMachine
    port: Port
    x: int
    """The first of the shared words."""
    words: int


class Plant(NamedTuple):
    """Something that a thread does before one of its lines, or after the last."""

    thread: int
    line: int
    do: Callable[[Scene], object]


def program_of(form: Shape, plant: Plant | None = None) -> Program:
    """The program; what its threads have read is part of the memory it leaves."""

    def program(machine: SteppedMachine) -> None:
        shared = machine.alloc(form.words, "x")
        lock, note = machine.word(0, "lock"), machine.word(0, "note")
        board: list[int] = []
        logs, words = machine.alloc(32, "log"), machine.memory.plain  # which no DPOR takes for shared

        def body(lines: list[Line], own: int = -1) -> Callable[[Port], None]:
            def planted(port: Port, at: int) -> None:
                if plant and (own, at) == plant[:2]:
                    plant.do(Scene(machine, port, shared, form.words))

            def run(port: Port) -> None:
                log = 0
                mind = Mind(port, shared, form.words)
                for at, line in enumerate(lines):
                    planted(port, at)
                    doing = Lines(port, shared, form.words, lock, note, body(form.child), mind, board)
                    log = log * 7 + doing.run(line) + 1
                planted(port, len(lines))
                words[logs + port.index] = log

            return run

        for own, lines in enumerate(form.threads):
            machine.spawn(body(lines, own))
        if form.kill:
            machine.kill("t0")

    return program
