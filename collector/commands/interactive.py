"""Interactive simulation in the terminal: choose who goes next, look around, step back, let a strategy go on.

A line names the thread that goes next, by its name or its number; an empty line is the default.  `help` lists the rest.
"""

from __future__ import annotations

import linecache
import signal
import sys
from cmd import Cmd
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from collector.commands.files import STDOUT
from collector.commands.parser import RUN, meant
from collector.commands.tokenfile import tokentext
from collector.commands.usage import UsageError
from collector.explore.machine.carrier import MAIN
from collector.explore.machine.fault import Refused
from collector.explore.simulation import Simulation
from collector.explore.strategies import NAMED
from collector.explore.strategies.base import Options
from collector.explore.strategies.portfolio import Portfolio
from collector.explore.token import Token
from collector.explore.trace.trace import ending, shown, text, trace, viewed
from collector.report.atomicwrite import replacing
from collector.report.schedule.ownership import held
from collector.report.schedule.steps import shortened
from collector.report.streams import unheard
from collector.report.tables import linewidth, table


if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

    from collector.explore.machine.site import Site
    from collector.explore.program import Program
    from collector.explore.simulation import Ahead, Situation
    from collector.explore.strategies.base import Strategy
    from collector.explore.trace.step import Act

AROUND = 4
"""Lines of source shown on either side."""
MOST_CELLS = 40
"""Cells listed at a time."""
LONGEST = 18
"""Digits of a number."""
SAMPLERS = ("random", "pct", "pos", "surw", "urw")
"""Strategies that can go on from anywhere: those that draw each schedule by itself."""
HELP = """\
THREAD         that thread takes its next step: its name or number (for `choose`: = and the value)
               an empty line: who goes by default, marked *
THREAD N       it takes N steps, or as many as it can
default [N]    N steps by default; without N to the end
back [N]       N steps back (1)
to N           to where step N is next
let S [N [SEED]]  strategy S ({strategies}) goes on from here, N times (1) or until one fails
lists          lists, caches, and what is in whose hands
threads        what each thread does next
memory PART    cells in whose names PART occurs
source [THREAD]  the lines around the next step, and its callers
trace          the steps so far
follow TOKEN   to the end of that token's schedule; or of the file that holds it
token [FILE]   the token of what was chosen, and the default behind it
quit           leave (or end of file; Ctrl-C breaks off only what is typed or goes on)
A command may be shortened as far as it stays one: b for back, q for quit.
"""


class BrokenOff(KeyboardInterrupt):
    """Ctrl-C in a terminal: whoever has chosen a hundred steps does not want to lose them with a line."""


def breakoff(_number: int, _frame: FrameType | None) -> None:
    """Handles the signal."""
    raise BrokenOff


class Interactive(Cmd):
    """The commands; `choices` is all that is kept between them."""

    def __init__(self, program: Program, rules: Token) -> None:
        super().__init__()
        self.program = program
        self.simulation = Simulation(rules, program)
        self.now: Situation = self.simulation.at(())

    def run(self) -> Situation:
        """Ask until there is no more to ask; returns where it ended."""
        self._look()
        self._prompt()
        if not sys.stdin.isatty():
            self.cmdloop()
            return self.now
        before = signal.signal(signal.SIGINT, breakoff)
        try:
            while self._broken():
                print("\nbroken off; quit leaves")
        finally:
            signal.signal(signal.SIGINT, before)
        return self.now

    def _broken(self) -> bool:
        """Ask until there is no more to ask; true if Ctrl-C came first."""
        try:
            self.cmdloop()
        except BrokenOff:
            return True
        return False

    @property
    def made(self) -> str:
        """The token of what was chosen, and the default behind it."""
        return self.simulation.token(self.now.choices).encode()

    # How a line becomes a command.

    def precmd(self, line: str) -> str:
        """Where nobody types, print the line: what is printed is the whole conversation.  Ctrl-D leaves its line open."""
        if line == "EOF" or not sys.stdin.isatty():
            print("" if line == "EOF" else line)
        return line

    def onecmd(self, line: str) -> bool:
        """Carry out a line; what is wrong with it is one line."""
        try:
            return bool(super().onecmd(line))
        except (ValueError, UsageError) as error:
            print(error)
        except Refused as refused:
            print(f"the program breaks a rule of the machine: {refused}")
        return False

    def parseline(self, line: str) -> tuple[str | None, str | None, str]:
        """Commands may be shortened, as in debuggers, unless a thread is called so."""
        command, rest, line = super().parseline(line)
        if command and not self._named(line):
            longer = [each for each in self._commands() if each.startswith(command)]
            if len(longer) == 1:
                return longer[0], rest, line
        return command, rest, line

    def postcmd(self, stop: bool, line: str) -> bool:  # noqa: ARG002, FBT001  as Cmd has it
        """Ask for the next one, if anybody listens."""
        self._prompt()
        return stop or unheard()

    def emptyline(self) -> bool:
        """The default."""
        if not self.now.over:
            self._go(self.now.usual)
        self._look()
        return False

    def default(self, line: str) -> None:
        """A thread's name or number, and how many steps."""
        who = self._named(line) or line.partition(" ")[0]
        choice, left = self._choice(who), number(line[len(who) :], 1)
        while left and choice in self.now.able:
            self._go(choice)
            left -= 1
        self._look()

    def completenames(self, text: str, *ignored: object) -> list[str]:
        """Commands and threads."""
        return [*super().completenames(text, *ignored), *(n for n in self._names() if n.startswith(text))]

    # The commands.

    def do_default(self, line: str) -> None:
        """N steps by default, or to the end."""
        if not line:
            self._goto(self.simulation.complete(self.now.choices)[0])
            return
        for _ in range(number(line, 1)):
            if self.now.over:
                break
            self._go(self.now.usual)
        self._look()

    def do_back(self, line: str) -> None:
        """N steps back."""
        steps = self.now.schedule.steps
        wanted = max(len(steps) - 1 - number(line, 1), 0)
        self._goto(self.now.choices[: self._place(wanted)])

    def do_to(self, line: str) -> None:
        """In front of step N, back or on by default."""
        wanted = number(line, None)
        while not self.now.over and len(self.now.schedule.steps) - 1 < wanted:
            self._go(self.now.usual)
        self._goto(self.now.choices[: self._place(wanted)])

    def do_let(self, line: str) -> None:
        """A strategy goes on from here."""
        name, times, seed = (*line.split(), "", "", "")[:3]
        if name not in SAMPLERS:
            raise ValueError(f"let: a strategy of {', '.join(SAMPLERS)}{meant(name, SAMPLERS)}")
        most = number(times, 1)
        if self.now.over:
            raise ValueError("the schedule is over: step back first")
        trail, fault, runs = self.simulation.complete(self.now.choices, sampler(name, most, number(seed, 1)), most)
        print(f"{name}: run {runs} fails" if fault else f"{name}: no failure in {runs} run{'s' * (runs > 1)}")
        if fault or most == 1:
            self._goto(trail)

    def do_lists(self, _line: str) -> None:
        """All views and hands."""
        self._lists(empty=True)

    def do_memory(self, line: str) -> None:
        """Cells by name."""
        found = self.now.cells(line.strip())
        print(table([(name, shown(value)) for name, value in found[:MOST_CELLS]]) or f"no cell is called {line!r}")
        if len(found) > MOST_CELLS:
            print(f"and {len(found) - MOST_CELLS} more: say more of their names")

    def do_source(self, line: str) -> None:
        """The lines around a thread's next step."""
        t = self._choice(line.strip()) if line.strip() else self.now.usual
        acts = {one.thread: one.act for one in self.now.ahead}
        act = acts.get(t) or self.now.schedule.steps[-1]
        if not act.sites:
            raise ValueError("no source: it is the machine's own")
        print(listing(act.sites[0]))
        for site in act.sites[1:]:
            print(f"  from {site.function}, {shortened(site.file)}:{site.line}")

    def do_threads(self, _line: str) -> None:
        """What each thread does next."""
        self._threads()

    def do_trace(self, _line: str) -> None:
        """The steps so far."""
        print(trace(self.now.schedule, linewidth()))

    def do_follow(self, line: str) -> None:
        """To the end of a token's schedule."""
        if not line:
            raise ValueError("follow: a token, or the file that holds it")
        token = Token.decode(tokentext(line))
        self.simulation = Simulation(token, self.program)
        self._goto(self.simulation.choices(token))
        left = [*(self._names()[t] for t in token.muted), *(f"optional item {n}" for n in token.left_out)]
        if left:
            print(f"left out from here on, as in the token, steps back too: {', '.join(left)}")

    def do_token(self, line: str) -> None:
        """Print or write the token."""
        if line.strip() == STDOUT:
            raise ValueError("token: without a name it is printed; with one it is written to that file")
        token = self.simulation.token(self.now.choices)
        made = token.encode()
        if not self.now.over:
            last = len(self.now.schedule.steps) - 2
            where = f"behind step {last}" if last >= 0 else "from the beginning"
            print(f"{where} it goes on by default, to step {token.steps - 1}")
        if line:
            try:
                with replacing(line.strip()) as file:
                    file.write(f"{made}\n".encode())
            except OSError as error:
                raise ValueError(f"{line}: cannot write: {error.strerror}") from None
        print(f"replay it with: {RUN} replay {quote(line.strip() or made)}")

    def do_help(self, _line: str) -> None:
        """The commands."""
        print(HELP.format(strategies=", ".join(SAMPLERS)), end="")

    def do_quit(self, _line: str) -> bool:
        """Leave."""
        return True

    do_EOF = do_quit  # noqa: N815  as Cmd names it

    # Where it stands.

    def _names(self) -> tuple[str, ...]:
        return self.now.schedule.threads

    def _commands(self) -> list[str]:
        return [each.removeprefix("do_") for each in self.get_names() if each.startswith("do_")]

    def _named(self, line: str) -> str:
        """The thread's name or number that the line begins with; a name may have blanks in it."""
        names = self._names()
        words = (*names, *map(str, range(len(names))))
        return next((word for word in words if line == word or line.startswith(f"{word} ")), "")

    def _choice(self, word: str) -> int:
        """The choice that the word names; raises ValueError if it cannot be made."""
        now = self.now
        if now.over:
            raise ValueError("the schedule is over: step back, or quit")
        if now.values:
            value = word.removeprefix("=")
            if not value.isdecimal() or int(value) >= now.values:
                raise ValueError(f"a value is to be chosen: =0 to ={now.values - 1}")
            return ~1 - int(value)
        names = self._names()
        t = int(word) if word.isdecimal() else names.index(word) if word in names else MAIN
        if not 0 <= t < len(names):
            commands = self._commands()
            shortened = [each for each in commands if each.startswith(word)]
            why = f": it may be {' or '.join(shortened)}" if shortened else meant(word, [*names, *commands])
            raise ValueError(f"no thread and no command {word!r}{why}; help lists them")
        if now.ahead[t].waits:
            raise ValueError(f"{names[t]} cannot go: it {now.ahead[t].waits}")
        return t

    def _go(self, choice: int) -> None:
        """One choice more."""
        self.now = self.simulation.at([*self.now.choices, choice])

    def _goto(self, choices: Sequence[int]) -> None:
        """Where these choices lead, and say so."""
        self.now = self.simulation.at(choices)
        self._look()

    def _place(self, wanted: int) -> int:
        """How many choices lead to where the step of that number is next."""
        steps = self.now.schedule.steps[1:]
        return steps[wanted].place if wanted < len(steps) else len(self.now.choices)

    def _prompt(self) -> None:
        self.prompt = f"({len(self.now.schedule.steps) - 1}) "

    def _look(self) -> None:
        """The last step, the lists, and what each thread does next."""
        now, threads = self.now, self._names()
        last = now.schedule.steps[-1]
        if last.number >= 0:
            print(f"step {last.number}: {threads[last.thread]}: {text(last, threads)}")
        for note in last.told:
            print(f"  {threads[note.thread]}: {text(note, threads)}")
        self._lists()
        self._threads()

    def _threads(self) -> None:
        """What each thread does next, or how it ended."""
        now = self.now
        if now.over:
            print(*ending(now.schedule) or ["all threads have ended, and nothing failed"], sep="\n")
        elif now.values:
            print(f"{self._names()[now.schedule.steps[-1].thread]} chooses: =0 to ={now.values - 1} (=0)")
        else:
            print(table([self._row(one) for one in now.ahead]))

    def _lists(self, *, empty: bool = False) -> None:
        """What the views show, and what is in whose hands."""
        steps = self.now.schedule.steps
        for name, view in {**steps[-1].views, **held(self.now.schedule)[-1]}.items():
            shows = viewed(view)
            if empty or (shows and shows != "-"):
                print(f"  {name}: {shows}")

    def _row(self, one: Ahead) -> tuple[str, ...]:
        """A thread: may it go, what does it do next, and where in the source."""
        if one.act is None:
            return "", "", one.name, one.waits, ""
        number = "-" if one.waits else str(one.thread)
        does = one.waits or text(one.act, self._names())
        return "*" if one.thread == self.now.usual else "", number, one.name, does, place(one.act)


def place(act: Act) -> str:
    """Where in the source, and what stands there."""
    if not act.sites:
        return ""
    site = act.sites[0]
    return f"{Path(site.file).name}:{site.line}  {linecache.getline(site.file, site.line).strip()}"


def listing(site: Site) -> str:
    """The lines around one."""
    source = linecache.getlines(site.file)
    first, last = max(site.line - AROUND, 1), min(site.line + AROUND, len(source))
    lines = [f"{'>' if n == site.line else ' '}{n:5d}  {source[n - 1].rstrip()}" for n in range(first, last + 1)]
    return "\n".join([f"{site.function}, {shortened(site.file)}", *lines])


def number(word: str, usual: int | None) -> int:
    """A whole number, 0 or more; raises ValueError."""
    word = word.strip()
    if not word and usual is not None:
        return usual
    if not word.isdecimal() or len(word) > LONGEST:
        raise ValueError(f"{word[:80]!r} is not a whole number")
    return int(word)


def sampler(name: str, times: int, seed: int) -> Strategy:
    """The strategy of that name, one of SAMPLERS."""
    made = NAMED[name](Options(seed, times))
    if isinstance(made, Portfolio):
        raise TypeError(f"{name} does not draw each schedule by itself")
    return made
