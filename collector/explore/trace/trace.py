"""A schedule step by step: a column per thread, the values read and written, names instead of addresses.

Theory of operation.  Exploration records nothing; a schedule that is worth showing is run again on a machine whose ports
are fitted with a `Recorder`.  It notes each step when it is picked and what came of it when it is done, the events that
the protocol sends (`workbuf.events`: who gets and puts which buffer), and after each step what the program's own views say
(`SteppedMachine.view`: the lists' contents, say), where that has changed.

Values print in decimal below 65,536 and in hexadecimal above, unless the program's `formatter` knows better.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from collector.explore.machine import ops
from collector.explore.trace.shorten import shortened
from collector.explore.trace.source import noting
from workbuf.events import FIELDS, LIST_NAMES, Event


if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from collector.explore.machine.machine import SteppedMachine
    from collector.explore.machine.ports import SteppedPort
    from collector.explore.state.fair import Lasso
    from collector.explore.trace.source import Site
    from workbuf.machine import Pause


WIDTH = 34
"""Characters a column has at most, unless one entry needs more."""


@dataclass
class Row:
    """One line: a step (`at` is its place in the trail), or something between steps (`at` is -1)."""

    at: int
    thread: int
    text: Callable[[], str]
    """Deferred, because a cell may get its name later."""
    plain: bool = False
    """A plain access."""
    views: tuple[str, ...] = ()
    """What has changed in the program's views after it."""
    source: tuple[Site, ...] = ()
    """Who did it, the innermost caller first, if the recorder was asked to note that."""
    event: tuple[int, ...] = ()
    """The event's kind and three numbers, if it is one."""


class Recorder:
    """Writes one schedule down; with the source lines of the steps if `sources`."""

    def __init__(self, *, sources: bool = False) -> None:
        self.machine: SteppedMachine
        self.sources = sources
        self.here: dict[int, tuple[Site, ...]] = {}
        self.rows: list[Row] = []
        self.steps: dict[int, Row] = {}
        self.shown: dict[str, str] = {}
        self.first: dict[str, str] = {}
        """What the views showed before anything happened."""

    def fit(self, machine: SteppedMachine, port: SteppedPort) -> None:
        """Make `port` tell of what it does."""
        self.machine = machine
        i = port.index
        name, value = self._name, self._value
        hint, load, store, post, cas, xchg, xadd, or8 = (
            port.hint, port.load, port.store, port.post, port.cas, port.xchg, port.xadd, port.or8,
        )  # fmt: skip
        pause, choose, words = port.pause, port.choose, port.words

        def hint_(a: int) -> int:
            v = hint(a)
            self._done(i, lambda: f"hint {name(a)} = {value(a, v)}")
            return v

        def load_(a: int) -> int:
            v = load(a)
            self._done(i, lambda: f"load {name(a)} = {value(a, v)}")
            return v

        def store_(a: int, v: int) -> None:
            store(a, v)
            self._done(i, lambda: f"store {name(a)} := {value(a, v)}")

        def post_(a: int, v: int) -> None:
            post(a, v)
            self._done(i, lambda: f"post {name(a)} := {value(a, v)}")

        def cas_(a: int, old: int, new: int) -> bool:
            done = cas(a, old, new)
            there = machine.mem[a]
            outcome = f":= {value(a, new)}" if done else f"fails: is {value(a, there)}"
            self._done(i, lambda: f"cas {name(a)} {value(a, old)} {outcome}")
            return done

        def xchg_(a: int, v: int) -> int:
            old = xchg(a, v)
            self._done(i, lambda: f"xchg {name(a)} := {value(a, v)}, was {value(a, old)}")
            return old

        def xadd_(a: int, delta: int) -> int:
            new = xadd(a, delta)
            self._done(i, lambda: f"xadd {name(a)} {delta:+d} = {value(a, new)}")
            return new

        def or8_(byte: int, mask: int) -> None:
            or8(byte, mask)
            self._done(i, lambda: f"or8 {name(byte >> 3)} byte {byte & 7} |= {mask:#x}")

        def pause_(kind: Pause, n: int) -> None:
            pause(kind, n)
            self._between(i, lambda: f"({kind.name.lower()} {n})")

        def choose_(n: int) -> int:
            v = choose(n)
            self._done(i, lambda: f"choose {n} = {v}")
            return v

        port.hint, port.load, port.store, port.post = hint_, load_, store_, post_
        port.hints = lambda a, n: [hint_(cell) for cell in range(a, a + n)]
        port.cas, port.xchg, port.xadd, port.or8, port.pause, port.choose = cas_, xchg_, xadd_, or8_, pause_, choose_
        port.words = RecordedWords(self, i, words)
        port.event = lambda kind, a=0, b=0, c=0: self._event(i, kind, a, b, c)
        if self.sources:
            noting(port, self.here)

    def observe(self, t: int) -> None:
        """Thread `t` is about to take its step."""
        self._look()
        machine = self.machine
        kind, a = machine.kinds[t], machine.addrs[t]
        what = ops.NAMES[kind]
        if kind == ops.KILL:
            victim = machine.names[a]
            row = Row(len(machine.trail), t, lambda: f"kill {victim}")
        else:
            row = Row(len(machine.trail), t, lambda: f"{what} {self._name(a)}" if a else what)
        row.source = self.here.get(t, ())
        self.steps[t] = row
        self.rows.append(row)

    def _done(self, i: int, text: Callable[[], str]) -> None:
        self.steps[i].text = text

    def _between(self, i: int, text: Callable[[], str], *, plain: bool = False, event: tuple[int, ...] = ()) -> None:
        self.rows.append(Row(-1, i, text, plain, source=self.here.get(i, ()), event=event))

    def _event(self, i: int, kind: int, a: int, b: int, c: int) -> None:
        fields = FIELDS[Event(kind)]
        said = [f"{what} {self._number(what, v)}" for what, v in zip(fields, (a, b, c), strict=True) if what]
        self._between(i, lambda: f"[{Event(kind).name.lower()} {', '.join(said)}]", event=(kind, a, b, c))

    def finish(self) -> None:
        """The schedule is over: note what its last step has changed."""
        self._look()

    def _look(self) -> None:
        """Note under the last row that is always shown what has changed in the views since."""
        changed = []
        for what, say in self.machine.views.items():
            now = str(say())
            if self.shown.get(what) != now:
                self.shown[what] = now
                changed.append(f"{what}: {now}")
        last = next((row for row in reversed(self.rows) if not row.plain), None)
        if not self.steps or last is None:
            self.first = dict(self.shown)
        else:
            last.views += tuple(changed)

    def _name(self, a: int) -> str:
        return self.machine.name(a)

    def _number(self, what: str, v: int) -> str:
        """A number that comes with an event."""
        if what == "buffer":
            return self.machine.name(v).partition(".")[0]
        return LIST_NAMES.get(v, str(v)) if what == "list" else str(v)

    def _value(self, a: int, v: int) -> str:
        said = self.machine.formatter(a, v) if self.machine.formatter else None
        return str(said) if said else (str(v) if v < 1 << 16 else f"{v:#x}")

    def text(self, *, plain: bool = False, lasso: Lasso | None = None) -> str:
        """The schedule, shortened if it is long; with the plain accesses if asked for; of a livelock, once round."""
        self.finish()
        rows = [row for row in self.rows if plain or not row.plain]
        return columns(self.machine.names, shortened(rows, lasso))


class RecordedWords:
    """`port.words` that tells of its stores and loads."""

    def __init__(self, recorder: Recorder, i: int, words: object) -> None:
        self.recorder = recorder
        self.index = i
        self.words = words

    def __getitem__(self, a: int) -> int:
        v: int = self.words[a]  # type: ignore[index]
        say = self.recorder
        say._between(self.index, lambda: f". {say._name(a)} = {say._value(a, v)}", plain=True)  # noqa: SLF001
        return v

    def __setitem__(self, a: int, v: int) -> None:
        self.words[a] = v  # type: ignore[index]
        say = self.recorder
        say._between(self.index, lambda: f". {say._name(a)} := {say._value(a, v)}", plain=True)  # noqa: SLF001


def columns(names: Sequence[str], story: Sequence[Row | str]) -> str:
    """The rows of `story` side by side, a column per thread that has any, under the threads' names."""
    texts = [line if isinstance(line, str) else line.text() for line in story]
    widths: dict[int, int] = {}
    for line, text in zip(story, texts, strict=True):
        if not isinstance(line, str):
            widths[line.thread] = max(widths.get(line.thread, len(names[line.thread])), len(text))
    starts: dict[int, int] = {}
    at = 0
    for t in sorted(widths):
        starts[t] = at
        at += min(widths[t], WIDTH) + 2
    lines = ["step  " + "".join(names[t].ljust(min(widths[t], WIDTH) + 2) for t in starts).rstrip()]
    for line, text in zip(story, texts, strict=True):
        if isinstance(line, str):
            lines.append(text)
            continue
        number = f"{line.at:4d}" if line.at >= 0 else "    "
        lines.append(f"{number}  {' ' * starts[line.thread]}{text}")
        lines.extend(f"      {' ' * at}{view}" for view in line.views)
    return "\n".join(lines)
