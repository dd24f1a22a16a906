"""The lock-free stack: Treiber's, with a push counter in the head word against ABA.  (Go: lfstack.go, lfstack_amd64.go.)

Theory of operation.  A head is one word: 0, or the packed address and push count of the top node.  A node is two words,
`next` (the PACKED word below it) and `pushcnt`.  push bumps the node's own counter and installs the pair; pop reads the
top node's `next` and installs it if the head has not moved.  Between a pop's reads and its swap the node may be popped,
used and pushed again by others: the address in the head is then the same and the count is not, so the swap fails.

Packing, as on amd64: the address takes 48 bits and its low three are zero, so `addr << 16` leaves 19 bits for the count.
An address is a cell's number times 8, so that number is shifted by 19.

Relied on.  Nodes are type-stable memory that is never unmapped (pop reads `next` of a node it does not own; the value is
then stale and the CAS refuses it); a node is on one list at most; a count does not come round to the same value inside
one pop (O-23: 524,288 pushes of one node).

Not modelled.  Freed nodes (K-19c); the 32-bit and 57-bit packings (K-19b), beyond the throw that a wide address meets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbuf.local import Local
from workbuf.machine import MASK64
from workbuf.throw import Throw, println


if TYPE_CHECKING:
    from workbuf.local import Globals
    from workbuf.machine import Port


ADDR_BITS = 48
CNT_BITS = 64 - ADDR_BITS + 3
"""Bits of a head word that hold the push count: 19."""

LOWER = ADDR_BITS - 1 - 3
"""Bits of a cell's number whose address is in the lower half of the address space, where its sign bit is 0."""

NEXT = 0
PUSHCNT = 1


def pack(node: int, cnt: int, cntbits: int = CNT_BITS) -> int:
    """The head word for the node at byte address `node` and push count `cnt` (its low `cntbits` bits)."""
    return (node << (64 - ADDR_BITS)) & ((1 << 64) - 1) | cnt & ((1 << cntbits) - 1)


def unpack(val: int) -> int:
    """The node's byte address: the word shifted with its sign, so that upper-half addresses survive, low 3 bits zero."""
    if val >> 63:
        val -= 1 << 64
    return (val >> CNT_BITS << 3) & ((1 << 64) - 1)


class Lfstack(Local):
    """push and pop for nodes whose cells are the first of a record.  `cas_attempts` and `cas_failures` count this M's."""

    def __init__(self, port: Port, world: Globals, record: int) -> None:
        super().__init__(port, world, record)
        self.countmask = (1 << world.countbits) - 1
        self.cas_attempts = 0
        self.cas_failures = 0

    def lfstackpush(self, head: int, node: int) -> None:
        """Put the node at cell `node`, which the caller owns, on the stack at cell `head`; it is others' from then on."""
        port = self.port
        words = port.words
        cnt = words[node + PUSHCNT] + 1  # plain: only the owner touches it
        words[node + PUSHCNT] = cnt
        new = node << CNT_BITS & MASK64 | cnt & self.countmask
        # An address in the lower half is packed and unpacked by these shifts; only others can be too wide.
        if node >> LOWER and unpack(new) != node << 3:
            raise Throw("lfstackpush", self._invalid_packing(node << 3, cnt, new))
        post, load, cas = port.post, port.load, port.cas
        while True:
            old = load(head)
            # Before the CAS: afterwards the node is another's, and a popper would read a `next` that is not there yet.
            post(node + NEXT, old)
            self.cas_attempts += 1
            if cas(head, old, new):
                return
            self.cas_failures += 1
            port.check()

    def lfstackpop(self, head: int) -> int:
        """Take the top node off the stack at cell `head`: its cell, now owned by the caller, or 0."""
        port = self.port
        load, cas = port.load, port.cas
        while True:
            old = load(head)
            if old == 0:
                return 0
            node = unpack(old) >> 3 if old >> 63 else old >> CNT_BITS
            # Another thread may own the node by now, and `nxt` be stale; then the head's count has moved and the CAS fails.
            nxt = load(node + NEXT)
            self.cas_attempts += 1
            if cas(head, old, nxt):
                return node
            self.cas_failures += 1
            port.check()

    @staticmethod
    def _invalid_packing(node: int, cnt: int, packed: int) -> str:
        return println(
            *("runtime: lfstackpush invalid packing: node=", hex(node), "cnt=", hex(cnt), "packed=", hex(packed)),
            *("-> node=", hex(unpack(packed))),
        )
