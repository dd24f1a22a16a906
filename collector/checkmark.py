"""The checkmark, a verifying mark: mark again from the same roots, and throw at an object that the first mark missed.

(Go: gccheckmark_m, startcheckmarks, initCheckmarks, mgc.go.)

In the stopped world, before anything is swept, gc() runs a second time with a mark bit of its own;
greyobject throws where it reaches an object that the first mark did not.  Both marks use the protocol, so this finds
objects lost to a race, but not those that the protocol itself overlooks; the audit's traversal finds these (I14).

What the default corrects.  The seed's form checks only what roots point at directly: its test is inverted (K-10), stacks
are skipped as already scanned (K-11, and K-13 for any second mark), and the span snapshot is stale (K-12).  Here every
goroutine's gcscanvalid is cleared first, the snapshot is taken again, and an object is queued the first time it is reached.
"""

from __future__ import annotations

from collector.gc import MarkTermination
from mutator.world import RUNTIME, G
from workbuf.throw import Throw


class Checkmark(MarkTermination):
    """gccheckmark_m; off unless `checkmark_enabled`."""

    def gccheckmark_m(self, *, eager: bool = False) -> None:
        """Verify the mark just made, then let the sweeper have the heap.  The world is stopped."""
        if not self.checkmark_enabled:
            return
        words = self.port.words
        phase = self.runtime + RUNTIME.checkmarkphase
        if words[phase]:
            raise Throw("gccheckmark_m, entered with checkmarkphase already true")
        words[phase] = 1
        for gp in self.allgs():
            self.port.post(gp + G.gcscanvalid, 0)
        self.gc_m(eager=eager)  # and there the phase ends, before the sweep begins
        self.readcheckmark()

    def gc_m(self, *, eager: bool = False) -> None:
        """Run gc() for this M's goroutine."""
        raise NotImplementedError
