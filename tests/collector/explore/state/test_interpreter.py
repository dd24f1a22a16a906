"""A frame's memory is read alike by threads that explore at the same time."""

from __future__ import annotations

import sys
from threading import Barrier, Thread

from collector.explore.state.interpreter import slots


def test_threads_read_their_own_frames() -> None:
    """None finds what another one is reading."""
    together = Barrier(4)
    strange: list[object] = []

    def read(number: int) -> None:
        mine = f"of thread {number}"
        frame = sys._getframe()
        slot = [*frame.f_code.co_varnames].index("mine")
        together.wait()
        for _ in range(20_000):
            (found,) = slots(frame, [slot], slot + 1)
            if found is not mine:
                strange.append(found)

    threads = [Thread(target=read, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert strange == []
