"""Scenario: what each ownership check catches that nothing else does.  (O-14, K-32; S23.)

Each check is left out in turn, one thread makes the mistake that the check is there for, and the run goes on as usual:

    logput         a buffer put twice is noticed by logget, when it is got for the second time
    logget         a buffer pushed without logput is noticed by nothing, and nothing is wrong but the flag
    checkempty     a filled buffer on empty is noticed by the audit after the mark only; its entry is lost until then
    checknonempty  an empty buffer on full is noticed by nothing: the marker takes an entry that is not there
    nobj           so it does from a buffer that claims more than it can hold

Modelled.  One thread; "as usual" takes whatever is on full, two empty buffers at once, puts all back, and is audited.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.audit import buffers
from collector.fixtures.pool import SMALL
from collector.fixtures.show import show
from collector.scenarios.ownership import miscounts, putsdrained, putsfilled, putstwice
from collector.scenarios.scenario import Scenario, Variant
from workbuf.boot import BootPort, BootWords
from workbuf.buffer import INUSE, NOBJ, capacity
from workbuf.lists import Lists
from workbuf.local import MLOCAL, Globals


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine
    from collector.explore.program import Program
    from workbuf.machine import Port


class WithoutLogput(Lists):
    """Does not ask whether the buffer is in use."""

    def logput(self, b: int, entry: int) -> None:
        self.port.words[b + INUSE] = 0
        self._shift(b, entry)


class WithoutLogget(Lists):
    """Does not ask whether the buffer is free."""

    def logget(self, b: int, entry: int) -> None:
        self.port.words[b + INUSE] = 1
        self._shift(b, entry)


class WithoutCheckempty(Lists):
    """Takes any buffer for an empty one."""

    def checkempty(self, b: int) -> None:
        """Nothing."""


class WithoutChecknonempty(Lists):
    """Takes any buffer for a filled one."""

    def checknonempty(self, b: int) -> None:
        """Nothing."""


class WithoutCount(Lists):
    """Takes a buffer that claims more than it can hold for a full one."""

    def putpartial(self, b: int, entry: int) -> None:
        self.putfull(b, entry)


def pushesunlogged(me: Lists, b: int) -> None:
    """It counts as in use."""
    me.lfstackpush(me.work_empty, b)


def goeson(me: Lists) -> None:
    """Drain what is on full, then use two buffers at once."""
    words = me.port.words
    while b := me.trygetfull(545):
        while True:
            assert 0 < words[b + NOBJ] <= capacity(SMALL), "an entry is taken that is not there"
            words[b + NOBJ] -= 1
            if words[b + NOBJ] == 0:
                break
        me.putempty(b, 544)
    one, other = me.getempty(915), me.getempty(915)
    me.putempty(one, 496)
    me.putempty(other, 496)


def without(m: type[Lists], makes: Callable[[Lists, int], object]) -> Program:
    """A buffer, the mistake, and what comes after it."""

    def program(machine: SteppedMachine) -> Callable[[], object]:
        world = Globals.allocate(machine, wbufsize=SMALL)
        world.persistentchunk = 1024
        record = MLOCAL.allocate(machine, "m0")
        boot = Lists(BootPort(machine), world, record)
        for b in [boot.getempty(359) for _ in range(3)]:
            boot.putempty(b, 496)
        show(machine, world, ms=[record])

        def body(port: Port) -> None:
            me = m(port, world, record)
            makes(me, me.getempty(1181))
            goeson(me)

        machine.spawn(body, "m0")

        def check() -> None:
            buffers.check(world, BootWords(machine), [record])

        return check

    return program


SCENARIO = Scenario(
    name="checks",
    title="What each ownership check catches that nothing else does",
    bugs=("S23", "O-14", "K-32"),
    variants={
        "failing": Variant(without(WithoutLogput, putstwice), fails="logget: get not legal"),
        "failing-checkempty": Variant(
            without(WithoutCheckempty, putsfilled), fails="a buffer on empty holds 1 entries"
        ),
        "failing-checknonempty": Variant(without(WithoutChecknonempty, putsdrained), fails="an entry is taken"),
        "failing-count": Variant(without(WithoutCount, miscounts), fails="an entry is taken"),
        "fixed": Variant(without(WithoutLogget, pushesunlogged)),
    },
)
