"""What a step of a trace did to memory: its text, read back.

The texts are those of `collector.explore.trace.trace`; `FORMS` is their grammar.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Operation:
    """One access.  Values are as the trace prints them; an empty one: there is none."""

    op: str
    cell: str = ""
    saw: str = ""
    """The value read."""
    wrote: str = ""
    """The value that is there now."""
    expected: str = ""
    """What a compare-and-swap was to replace."""
    operand: str = ""
    """What an xadd added, an or8 set, a choose chose from."""

    @property
    def now(self) -> str:
        """The value of the cell after it, if that is known."""
        return self.wrote or self.saw


FORMS = [
    re.compile(form)
    for form in (
        r"(?P<op>load|hint) (?P<cell>.+?) = (?P<saw>.+)",
        r"(?P<op>store|post) (?P<cell>.+?) := (?P<wrote>.+)",
        r"(?P<op>cas) (?P<cell>.+?) (?P<expected>\S+) := (?P<wrote>\S+)",
        r"(?P<op>cas) (?P<cell>.+?) (?P<expected>\S+) fails: is (?P<saw>\S+)",
        r"(?P<op>xchg) (?P<cell>.+?) := (?P<wrote>\S+), was (?P<saw>\S+)",
        r"(?P<op>xadd) (?P<cell>.+?) (?P<operand>[+-]\d+) = (?P<wrote>\S+)",
        r"(?P<op>or8) (?P<cell>.+?) byte \d \|= (?P<operand>\S+)",
        r"(?P<op>choose) (?P<operand>\d+) = (?P<saw>\d+)",
        r"(?P<op>\.) (?P<cell>.+?) = (?P<saw>\S+)",
        r"(?P<op>\.) (?P<cell>.+?) := (?P<wrote>\S+)",
        r"(?P<op>[a-z]\w*)(?: (?P<cell>.+))?",
    )
]
"""In order: the first that fits the whole text is meant.  A dot is a plain access."""


def operation(text: str) -> Operation:
    """The operation that a step's text tells of; a text that tells of none has an empty `op`."""
    for form in FORMS:
        found = form.fullmatch(text)
        if found:
            return Operation(**{name: value or "" for name, value in found.groupdict().items()})
    return Operation("")
