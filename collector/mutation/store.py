"""The rows that are done, in a file of JSON lines: what was run is not run again with the same protocol and interpreter.

A row of an earlier protocol is kept until it is run again, and known as such.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from collector.faults import FAULTS
from collector.mutation.matrix import FaultRow, MutantRow, record
from collector.report.regular import regular


if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

PROTOCOL = "protocol "
BEGINS = f'{{"version": "{PROTOCOL}'
"""Every row does; so does what is left of one that was cut off."""


class Store:
    """Rows by name, kept in memory and, if there is a file, in that.

    Raises ValueError for a file of another kind, which is left as it is, and OSError.
    """

    def __init__(self, path: Path | None, protocol: str, interpreter: str) -> None:
        self.path = path
        self.protocol = protocol
        self.interpreter = interpreter
        self.faults: dict[str, FaultRow] = {}
        self.mutants: dict[str, MutantRow] = {}
        self.earlier: dict[str, str] = {}
        """Of the rows that were run with another protocol and not since: which one, by the row's name."""
        self.ran: dict[str, list[str]] = {}
        """The functions that each race program runs."""
        self.torn: int | None = None
        """Where in the file a line begins that was cut off: the next row replaces it."""
        for number, line in enumerate(self._lines(), 1):
            try:
                self._read(json.loads(line))
            except (ValueError, KeyError, TypeError, AttributeError):
                raise ValueError(f"line {number} is no row of `faults --store`: name a file of its own") from None

    def _lines(self) -> list[bytes]:
        """Those of the file that are whole."""
        if not self.path or not self.path.exists():
            return []
        with open(self.path, "rb", opener=regular) as file:
            content = file.read()
        *lines, rest = content.split(b"\n")
        if rest:
            begins = BEGINS.encode()
            if rest[: len(begins)] != begins[: len(rest)]:
                return [*lines, rest]
            self.torn = len(content) - len(rest)
        return lines

    @property
    def version(self) -> str:
        """What a row that is run now is a row of."""
        return f"{PROTOCOL}{self.protocol}, {self.interpreter}"

    def missing(self, names: Iterable[str]) -> list[str]:
        """Those that were not run with this protocol."""
        return [name for name in names if name in self.earlier or not (name in self.faults or name in self.mutants)]

    def _read(self, line: dict[str, Any]) -> None:
        protocol, _, interpreter = line["version"].removeprefix(PROTOCOL).partition(", ")
        if interpreter != self.interpreter:
            return
        if line["kind"] == "fault":
            if line["row"]["name"] in FAULTS:  # an earlier protocol may have had others
                self._keep(FaultRow.read(line["row"]), protocol)
        elif line["kind"] == "mutant":
            self._keep(MutantRow.read(line["row"]), protocol)
        elif protocol == self.protocol:
            self.ran = line["row"]

    def _keep(self, row: FaultRow | MutantRow, protocol: str) -> None:
        name = row.name if isinstance(row, FaultRow) else row.id
        if protocol == self.protocol:
            self.earlier.pop(name, None)
        elif self.missing([name]):
            self.earlier[name] = protocol
        else:
            return
        if isinstance(row, FaultRow):
            self.faults[name] = row
        else:
            self.mutants[name] = row

    def add(self, row: FaultRow | MutantRow) -> None:
        """Keep a row."""
        self._keep(row, self.protocol)
        self._write("fault" if isinstance(row, FaultRow) else "mutant", record(row))

    def add_ran(self, ran: dict[str, list[str]]) -> None:
        """Keep which functions the race programs run."""
        self.ran = ran
        self._write("ran", ran)

    def _write(self, kind: str, row: object) -> None:
        if self.path:
            with self.path.open("ab") as file:
                if self.torn is not None:
                    file.truncate(self.torn)
                    self.torn = None
                file.write(json.dumps({"version": self.version, "kind": kind, "row": row}).encode() + b"\n")
