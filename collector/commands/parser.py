"""The argument parser of the command line: complaints of one line, help with examples and exit statuses, completion.

A word that is misspelt is answered with the nearest that there is.
"""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING, NoReturn

from collector.commands.status import BUG, INTERRUPTED, OK, USAGE, WEAKER
from collector.report.streams import oneline


if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

PROGRAM = "collector.run"
RUN = f"python -m {PROGRAM}"
"""How to call it."""
ENDS = {
    OK: "nothing failed",
    USAGE: "bad usage, unreadable input, an output that cannot be written; one line says what",
    BUG: "a fault of this program; what to report is printed",
    INTERRUPTED: "interrupted by Ctrl-C or SIGTERM; what there was is printed and written",
}
"""What the exit statuses of every command mean, unless it says otherwise."""
LESS = {WEAKER: "less was shown than --require asks for"}


class Parser(argparse.ArgumentParser):
    """A parser whose complaint is one line."""

    closing = ""
    """What its help ends with."""
    beside: tuple[str, ...] = ()
    """Options of the whole program that were perhaps meant, where the command was left out."""

    def error(self, message: str) -> NoReturn:
        """Print the line and exit with status 2."""
        self.exit(USAGE, f"{self.prog.removeprefix('python -m ')}: {oneline(message)} (see {self.prog} --help)\n")

    def format_help(self) -> str:
        """The options, then the examples and the exit statuses."""
        return super().format_help() + self.closing

    def parsed(self, words: Sequence[str]) -> argparse.Namespace:
        """What the words say; options may stand before, between and behind the other arguments.  Exits on bad usage."""
        args, unknown = self.parse_known_intermixed_args(words)
        if unknown:
            near = [
                meant(word.partition("=")[0], (*self._option_string_actions, *self.beside))
                if word.startswith("-")
                else self.valued(word, args)
                for word in unknown
            ]
            self.error(f"unrecognized arguments: {' '.join(unknown)}{''.join(near)}")
        return args

    def valued(self, word: str, args: argparse.Namespace) -> str:
        """` (did you mean --OPTION WORD?)` if an option takes that word, where the other arguments are `args`."""
        for action in self._actions:
            completer = getattr(action, "completer", None)
            if action.option_strings and word in (completer(args) if completer else action.choices or ()):
                return f" (did you mean {action.option_strings[-1]} {word}?)"
        return ""


def closing(examples: Mapping[str, str], ends: Mapping[int, str]) -> str:
    """The end of a help text: `examples`, words of the command line and what they are for, and what each status means."""
    lines = ["", "examples:"]
    for words, what in examples.items():
        lines += [*([f"  # {what}"] if what else []), f"  {RUN} {words}".rstrip()]
    lines += ["", "exit status:"]
    lines += [f"  {status:<5}{what}" for status, what in sorted({**ENDS, **ends}.items())]
    return "\n".join([*lines, ""])


def meant(word: str, names: Iterable[str]) -> str:
    """` (did you mean NAME?)` for the name most like `word`, or nothing if none is like it."""
    from difflib import get_close_matches  # noqa: PLC0415  where something is wrong already

    return "".join(f" (did you mean {name}?)" for name in get_close_matches(word, list(names), 1))


def oneof(names: Collection[str]) -> Callable[[str], str]:
    """An argparse type: one of the names."""

    def name(text: str) -> str:
        if text not in names:
            raise argparse.ArgumentTypeError(f"no {text!r}{meant(text, names)}; there are {', '.join(names)}")
        return text

    return name


def completes(action: argparse.Action, names: Callable[[argparse.Namespace], Iterable[str]]) -> None:
    """What a shell may complete the argument with, given those before it: argcomplete looks for it at the action."""

    def completer(parsed_args: argparse.Namespace, **_: object) -> list[str]:
        return list(names(parsed_args))

    action.completer = completer  # type: ignore[attr-defined]


def line() -> list[str]:
    """The words of a shell's line that is to be completed; empty if none is."""
    return os.environ.get("COMP_LINE", "").split() if "_ARGCOMPLETE" in os.environ else []


def complete(parser: argparse.ArgumentParser) -> None:
    """Tell the shell how its line may go on, and exit; returns if no shell asks."""
    if not line():
        return
    import argcomplete  # noqa: PLC0415  only for a shell that asks

    argcomplete.autocomplete(parser)
