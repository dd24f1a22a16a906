"""Go's throw, a fatal error of the runtime, as an exception.

Go prints its diagnostic lines, then `fatal error: ` and the text, and kills the process.  Here the exception carries
both, and the machine that runs the thread aborts all others.  The texts are Go's own, so that a
report can be looked up among Go's issues.
"""

from __future__ import annotations


class Throw(Exception):
    """`text` is what Go's throw says, `printed` the lines that come before it, `buffer` the workbuf concerned or 0."""

    def __init__(self, text: str, *printed: str, buffer: int = 0) -> None:
        super().__init__(text)
        self.text = text
        self.printed = printed
        self.buffer = buffer

    def __str__(self) -> str:
        """All that Go would have printed."""
        return "\n".join((*self.printed, f"fatal error: {self.text}"))


def println(*args: object) -> str:
    """The line that Go's println makes of `args`: one blank between them."""
    return " ".join(str(arg) for arg in args)
