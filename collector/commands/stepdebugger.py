"""A debugger for schedules: `pdb`, in front of a step, in the thread that is about to take it.

The threads stand still meanwhile, so their frames are looked at and not stepped through: `step`, `next` and `until` go by
the steps of the schedule.  Nothing is traced.
"""

from __future__ import annotations

import sys
from pdb import Pdb
from typing import TYPE_CHECKING

from collector.explore.machine.site import program_frames
from collector.explore.trace.trace import shown, text
from collector.report.streams import unheard
from collector.report.tables import table


if TYPE_CHECKING:
    from types import FrameType, TracebackType

    from collector.explore.machine.machine import SteppedMachine
    from collector.explore.trace.recorder import Recorder

MOST_CELLS = 40
"""Cells listed at a time."""
NEVER = sys.maxsize
"""Behind the last step."""


class StepDebugger(Pdb):
    """`before` is called in front of every step; it stops in front of step `first`."""

    machine: SteppedMachine
    recorder: Recorder
    thread: int
    number: int
    """The step that comes next."""

    def __init__(self, first: int) -> None:
        super().__init__(nosigint=True, readrc=False)
        self.until = first
        """Do not stop before that step."""
        self.only: int | None = None
        """Stop in this thread only."""
        self.stopped = False

    def before(self, machine: SteppedMachine, recorder: Recorder, t: int) -> None:
        """Thread `t` is about to take the step that was recorded last."""
        self.machine, self.recorder, self.thread = machine, recorder, t
        self.number = recorder.steps[-1].number
        if self.number < self.until or (self.only is not None and self.only != t):
            return
        self.stopped = True
        frame: FrameType | None = machine.frame(t) or sys._getframe(1)  # noqa: SLF001  it runs itself
        print(f"step {self.number}: {machine.names[t]}: {text(recorder.ahead(t), machine.names)}")
        self.reset()
        self.interaction(frame, None)

    def get_stack(self, f: FrameType | None, t: TracebackType | None) -> tuple[list[tuple[FrameType, int]], int]:
        """The program's frames, the innermost last."""
        each = f
        while each is not None:
            if each.f_code is StepDebugger.before.__code__:  # the thread runs itself: its own are outside of this one
                f = each.f_back
                break
            each = each.f_back
        frames = list(program_frames(f))
        if not frames:
            return super().get_stack(f, t)
        stack = [(frame, frame.f_lineno) for frame in reversed(frames)]
        return stack, len(stack) - 1

    def precmd(self, line: str) -> str:
        """Where nobody types, the line is printed, so that what is printed is the whole conversation."""
        if not sys.stdin.isatty() and not line.startswith("_pdbcmd"):  # pdb's own, from 3.14 on
            print("" if line == "EOF" else line)
        return super().precmd("continue" if unheard() else line)

    def onecmd(self, line: str) -> bool:
        """What goes wrong in a command is told here, and is no failure of the program, in whose thread it is."""
        try:
            return super().onecmd(line)
        except Exception as error:  # noqa: BLE001  whatever a command raises
            self.error(f"{type(error).__name__}: {error}")
            return False

    def _on(self, until: int, only: int | None = None) -> bool:
        self.until, self.only = until, only
        return True

    # Where to stop next.

    def do_step(self, arg: str) -> bool:  # noqa: ARG002  as pdb has it
        """s(tep)

        Stop in front of the next step, whoever takes it.
        """
        return self._on(self.number + 1)

    def do_next(self, arg: str) -> bool:  # noqa: ARG002  as pdb has it
        """n(ext)

        Stop in front of the next step of this thread.
        """
        return self._on(self.number + 1, self.thread)

    def do_until(self, arg: str) -> bool | None:
        """unt(il) N

        Stop in front of step N.
        """
        if arg.isdecimal() and int(arg) > self.number:
            return self._on(int(arg))
        self.error(f"until N: a step behind {self.number}")
        return None

    def do_continue(self, arg: str) -> bool:  # noqa: ARG002  as pdb has it
        """c(ont(inue))

        Go on to the end of the schedule.
        """
        return self._on(NEVER)

    def do_untraced(self, arg: str, temporary: object = 0) -> bool | None:  # noqa: ARG002  as pdb has it
        """Not here: the threads stand still, and go from step to step."""
        self.error("not in a schedule: step, next, until N and continue go by its steps")
        return None

    do_s, do_n, do_unt, do_c = do_step, do_next, do_until, do_continue
    do_cont = do_q = do_quit = do_exit = do_EOF = do_continue  # noqa: N815  as pdb names it
    do_return = do_r = do_jump = do_j = do_break = do_b = do_tbreak = do_run = do_restart = do_debug = do_untraced

    # What to look at.

    def do_memory(self, arg: str) -> None:
        """m(emory) PART

        The cells in whose names PART occurs, with what is in them.
        """
        found = list(self.recorder.cells(self.machine.memory.words, arg.strip()))
        rows = [(name, shown(value)) for name, value in found[:MOST_CELLS]]
        self.message(table(rows) if rows else f"no cell is called {arg!r}")
        if len(found) > MOST_CELLS:
            self.message(f"and {len(found) - MOST_CELLS} more: say more of their names")

    def do_threads(self, _arg: str) -> None:
        """Threads

        What each thread is about to do.
        """
        machine, rows = self.machine, []
        for t, name in enumerate(machine.names):
            does = "has ended" if machine.has_ended(t) else text(self.recorder.ahead(t), machine.names)
            rows.append(("*" if t == self.thread else "", name, does))
        self.message(table(rows))

    do_m = do_memory
