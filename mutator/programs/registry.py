"""The list of all programs, by the names that the command line uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mutator.programs.arguments import Arguments
from mutator.programs.bintree import BinTree
from mutator.programs.channel import Channel
from mutator.programs.finalizerchains import FinalizerChains
from mutator.programs.finalizers import Finalizers
from mutator.programs.hider import Hider
from mutator.programs.latesend import LateSend
from mutator.programs.longlist import LongList
from mutator.programs.pushpop import PushPop
from mutator.programs.rewire import Rewire
from mutator.programs.sizes import Sizes
from mutator.programs.syscalls import Syscalls


if TYPE_CHECKING:
    from collections.abc import Sequence

    from mutator.programs.program import Program
    from mutator.world import World

PROGRAMS: dict[str, type[Program]] = {
    program.name: program
    for program in (
        Rewire,
        PushPop,
        BinTree,
        Hider,
        Channel,
        Finalizers,
        LongList,
        Arguments,
        LateSend,
        Sizes,
        FinalizerChains,
        Syscalls,
    )
}
"""In the order in which a run's mutators take them."""


def bsswords(names: Sequence[str]) -> int:
    """Words of bss that one program for each of `names` wants together."""
    return sum(PROGRAMS[name].globals for name in names)


def assign(world: World, names: Sequence[str]) -> list[Program]:
    """One program for each of `names`, its place in bss assigned and channels paired.  Before any thread runs."""
    programs: list[Program] = []
    senders: dict[str, Channel] = {}
    first = 0
    for at, name in enumerate(names):
        kind = PROGRAMS[name]
        program = kind(world, first, names[:at].count(name), names.count(name))
        first += kind.globals
        if isinstance(program, Channel):
            if program.rank % 2:
                program.pair(senders.pop(name))
            else:
                senders[name] = program
        programs.append(program)
    return programs
