"""Faults of the lock-free stack."""

from __future__ import annotations

from collector.faults.fault import Fault
from workbuf.lfstack import NEXT, PUSHCNT, Lfstack, pack, unpack


class ConstantCount(Lfstack):
    """Every push installs the same count, so a popper takes a node that came back for one that never left."""

    def lfstackpush(self, head: int, node: int) -> None:
        """Forget how often this node was pushed."""
        self.port.words[node + PUSHCNT] = 0
        super().lfstackpush(head, node)


class NextAfterSwap(Lfstack):
    """A push stores the node's `next` after the node is on the stack, where others already read it."""

    def lfstackpush(self, head: int, node: int) -> None:
        """Swap, then link."""
        port = self.port
        cnt = port.words[node + PUSHCNT] + 1
        port.words[node + PUSHCNT] = cnt
        new = pack(node << 3, cnt & self.countmask)
        while True:
            old = port.load(head)
            if port.cas(head, old, new):
                port.post(node + NEXT, old)
                return
            port.check()


class PushByStore(Lfstack):
    """A push loads the head and stores the new one, so that what others pushed in between is lost."""

    def lfstackpush(self, head: int, node: int) -> None:
        """Two steps where one is needed."""
        port = self.port
        cnt = port.words[node + PUSHCNT] + 1
        port.words[node + PUSHCNT] = cnt
        port.post(node + NEXT, port.load(head))
        port.store(head, pack(node << 3, cnt & self.countmask))


class PopByStore(Lfstack):
    """A pop loads the head and stores the next one, so that two poppers get the same node."""

    def lfstackpop(self, head: int) -> int:
        """Two steps where one is needed."""
        port = self.port
        old = port.load(head)
        if old == 0:
            return 0
        node = unpack(old) >> 3
        port.store(head, port.load(node + NEXT))
        return node


FAULTS = (
    Fault("push-count-constant", ConstantCount, bugs=("O-23",)),
    Fault("push-links-late", NextAfterSwap),
    Fault("push-by-store", PushByStore),
    Fault("pop-by-store", PopByStore),
)
