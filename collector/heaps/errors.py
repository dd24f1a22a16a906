"""The error that all heap readers raise: what was expected, where, and what was found instead.

Whatever is wrong with a heap (missing, truncated, corrupt, too new, too big, a bad SPEC), a reader raises `HeapError`
and nothing else, and its text is one printable line.
"""

from __future__ import annotations


class HeapError(Exception):
    """`SOURCE: byte OFFSET: expected X, found Y`; without the offset where there is no byte to name."""

    def __init__(self, source: str, offset: int | None, expected: str, found: str) -> None:
        where = printable(source) if offset is None else f"{printable(source)}: byte {offset}"
        super().__init__(f"{where}: expected {expected}, found {found}")
        self.source = source
        self.offset = offset


class MismatchError(Exception):
    """Within a reader: what stands at position `at` of the window is not what it should be."""

    def __init__(self, at: int, expected: str, found: str) -> None:
        super().__init__(at, expected, found)
        self.at = at
        self.expected = expected
        self.found = found


def printable(text: str) -> str:
    """`text` on one line, with what a terminal cannot show written as an escape, and its middle left out when long."""
    line = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
    return line if len(line) <= 200 else f"{line[:120]}...{line[-77:]}"
