"""Random changes to the loaded heap: follows pointers, then stores one elsewhere or deletes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mutator.programs.program import Program
from workbuf.machine import Pause


if TYPE_CHECKING:
    from mutator.m import M


class Rewire(Program):
    """Keeps a few objects on its stack, reached from the data segment, and moves pointers between them."""

    name = "rewire"
    globals = 4
    held = 6
    """Objects held on the stack."""

    def run(self, m: M) -> None:
        """Walk and rewire; now and then go into a system call."""
        frame = m.call(self.held)
        data = self.world.data
        while not m.stop_requested():
            m.poll()
            words, rng = m.port.words, m.rng
            at = frame + rng.randrange(self.held)
            choice = rng.random()
            if choice < 0.15 or words[at] == 0:
                words[at] = m.port.hint(data.base + rng.randrange(data.n)) if data.n else 0
            elif choice < 0.65:
                words[at] = self.step(m, words[at])
            elif choice < 0.95:
                self.rewire(m, words[at], words[frame + rng.randrange(self.held)])
            elif choice < 0.99:
                m.writebarrierptr(self.slot(rng.randrange(self.globals)), words[at])
            else:
                m.entersyscall()
                m.port.pause(Pause.USLEEP, 200)
                m.exitsyscall()
        m.ret()

    def step(self, m: M, obj: int) -> int:
        """One of the objects that `obj` points to, or `obj` itself."""
        base, slots = m.pointerslots(obj)
        if slots:
            child = m.get(base, m.rng.choice(slots))
            if m.inheap(child):
                return child
        return obj

    def rewire(self, m: M, obj: int, value: int) -> None:
        """Store `value` in one of the pointer slots of `obj`, or now and then nil."""
        base, slots = m.pointerslots(obj)
        if slots:
            m.put(base, m.rng.choice(slots), 0 if m.rng.random() < 0.1 else value)
