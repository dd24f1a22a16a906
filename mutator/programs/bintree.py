"""A binary tree whose subtrees are rebuilt at random, as in the classic allocation benchmark."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mutator.programs.program import Program
from workbuf.machine import WORD


if TYPE_CHECKING:
    from mutator.m import M

LEFT, RIGHT, DEPTH = 0, 1, 2
SIZE, MASK = 3 * WORD, 1 << LEFT | 1 << RIGHT


class BinTree(Program):
    """Root in a global word; a node of depth d holds d; its children are whole trees of depth d - 1."""

    name = "bintree"
    globals = 1
    depth = 8

    def run(self, m: M) -> None:
        """Replace one subtree after another."""
        frame = m.call(self.depth + 2)
        self.build(m, frame, self.depth)
        m.writebarrierptr(self.slot(0), m.port.words[frame])
        while not m.stop_requested():
            m.poll()
            self.replace(m, frame)
        m.ret()

    def replace(self, m: M, frame: int) -> None:
        """Walk down from the root at random and build the subtree found there anew."""
        depth = m.rng.randrange(1, self.depth)
        self.build(m, frame, depth)
        node = m.port.hint(self.slot(0) // WORD)
        for level in range(self.depth, depth, -1):
            self.expect(m, node, DEPTH, level)
            side = m.rng.randrange(2)
            if level == depth + 1:
                m.put(node, side, m.port.words[frame])
            else:
                node = m.get(node, side)
        m.port.words[frame] = 0

    def build(self, m: M, slot: int, depth: int) -> None:
        """A fresh tree of `depth` into the stack slot; the slots behind it hold what is under construction."""
        m.poll()
        node = m.new(SIZE, MASK)
        m.port.post(node // WORD + DEPTH, depth)
        m.port.words[slot] = node
        if depth:
            for side in (LEFT, RIGHT):
                self.build(m, slot + 1, depth - 1)
                # Read again: the poll inside may have been a collection, and only the slot was a root.
                m.put(m.port.words[slot], side, m.port.words[slot + 1])
