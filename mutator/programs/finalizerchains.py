"""Finalizers in chains: each object with one names the next, so a collection frees a single link of each chain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mutator.programs.finalizers import MASK, NUMBER, OURS, REFERENT, SIZE, TAG, Finalizers
from mutator.world import RUNTIME
from workbuf.machine import WORD, Pause
from workbuf.throw import Throw, println


if TYPE_CHECKING:
    from mutator.m import M
    from mutator.world import World


class FinalizerChains(Finalizers):
    """Chains of `links` objects, dropped at once; the finalizer of a link must run before that of the next one.

    A link that waits for its finalizer keeps all behind it alive.  So the chain is eaten up from its head, and what is
    behind must be whole.
    """

    name = "finalizerchains"
    links = 4
    pending_max = 60
    """Chains."""

    def __init__(self, world: World, first: int, rank: int, peers: int) -> None:
        super().__init__(world, first, rank, peers)
        self.gone: dict[int, tuple[int, int]] = {}
        """Per chain that has begun to go, how many links have, and the collections there had been when it was made."""

    def make(self, m: M, number: int) -> None:
        """A chain reachable from nowhere; its links are numbered on from `number`.  No safepoint inside."""
        behind = 0
        for link in reversed(range(self.links)):
            obj, closure = m.new(SIZE, MASK), m.new(SIZE, MASK)
            for each in (obj, closure):
                m.port.post(each // WORD + NUMBER, number * self.links + link)
                m.port.post(each // WORD + TAG, OURS)
            m.put(obj, REFERENT, behind)
            m.setfinalizer(obj, closure)
            behind = obj

    def whole(self, m: M, obj: int, number: int) -> None:
        """The link behind is still there."""
        behind = m.get(obj, REFERENT)
        if behind:
            self.expect(m, behind, NUMBER, number + 1)

    def ran(self, m: M, number: int, pending: dict[int, int]) -> None:
        """Link after link of a chain; only a program that is alone can know the order."""
        chain, link = divmod(number, self.links)
        if chain not in pending:
            if self.peers == 1:
                raise Throw("finalizer ran twice", println("runtime: chain", chain, "link", link))
            return
        since = pending.pop(chain)
        gone, made = self.gone.pop(chain, (0, since))
        if self.peers == 1 and link != gone:
            line = println("runtime: chain", chain, "link", link, "after", gone, "links")
            raise Throw("finalizers of a chain ran out of order", line)
        if link + 1 == self.links:
            self.over(m, made)
            return
        # The next link is dead from here on: it is due so many collections after this one.
        pending[chain] = m.port.hint(m.runtime + RUNTIME.numgc)
        self.gone[chain] = link + 1, made

    def overdue(self, m: M, pending: dict[int, int], now: int) -> None:
        """Nothing is queued: let the sweeper have the queue's lock, and look whether the oldest link is overdue."""
        m.port.pause(Pause.OSYIELD, 1)
        super().overdue(m, pending, now)
