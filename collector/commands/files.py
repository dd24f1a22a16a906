"""Options that name input and output files, and the check that no output overwrites an input or another output.

A command gives its options `type=Input` or `type=Output`; `check` examines all of them before the command begins.
"""

from __future__ import annotations

import errno
import json
import os
import stat
import sys
from contextlib import contextmanager
from math import isfinite
from typing import TYPE_CHECKING, Any, BinaryIO

from collector.commands.usage import UsageError
from collector.report import replace
from collector.report.streams import oneline


if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator


class Input(str):
    """An option that names a file to read, or something that is none."""

    __slots__ = ()


class Output(str):  # noqa: SLOT000  it has attributes
    """An option that names a file to write.  One that cannot be written is said in a line, and `failed`: no more is lost."""

    option = ""
    """Its name; known when `check` has seen it."""
    failed = False

    def writejson(self, value: object) -> None:
        """Write a JSON text."""
        self.writetext(json.dumps(plain(value), indent=2, allow_nan=False) + "\n")

    def writetext(self, text: str) -> None:
        """Write a text, whole or not at all."""
        with self.written() as file:
            file.write(text.encode("utf-8", "backslashreplace"))

    @contextmanager
    def written(self) -> Iterator[BinaryIO]:
        """The file, to write to in the block, whole or not at all."""
        try:
            with replace.replacing(self) as file:
                yield file
        except (OSError, MemoryError) as error:
            self.failed = True
            why = getattr(error, "strerror", None) or str(error) or "out of memory"
            print(oneline(f"{self.option} {self}: cannot write: {why}"), file=sys.stderr)


def plain(value: Any) -> Any:  # noqa: ANN401  JSON values
    """`value` as JSON has it: a blob as SQL writes it, and as text what JSON has no number for."""
    match value:
        case bytes():
            return f"X'{value.hex()}'"
        case float() if not isfinite(value):
            return str(value)
        case dict():
            return {key: plain(inner) for key, inner in value.items()}
        case list() | tuple():
            return [plain(inner) for inner in value]
        case _:
            return value


def unwritten(args: argparse.Namespace) -> bool:
    """Is there an output that could not be written?"""
    return any(isinstance(value, Output) and value.failed for value in vars(args).values())


def check(args: argparse.Namespace) -> None:
    """Raise UsageError for an output that is an input, that is another output, or that cannot be written."""
    given = {name: value for name, value in vars(args).items() if isinstance(value, Input | Output)}
    outputs: dict[str, Output] = {}
    for name, value in given.items():
        if isinstance(value, Output):
            value.option = f"--{name.replace('_', '-')}"
            outputs[value.option] = value
    for name, value in given.items():
        if isinstance(value, Input) and os.path.exists(value):  # noqa: PTH110
            apart(outputs, f"the {name}", [value])
    for i, (option, path) in enumerate(outputs.items()):
        for other in list(outputs)[:i]:
            if same(path, outputs[other]):
                raise UsageError(f"{other} and {option} both name {path}: give each a file of its own")
        try:
            if not path:
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
            replace.check(path)
        except OSError as error:
            raise UsageError(f"{option} {path}: cannot write: {error.strerror}") from None


def apart(outputs: dict[str, Output], what: str, files: Iterable[str | os.PathLike[str]]) -> None:
    """Raise UsageError if one of `outputs`, by option, is one of the `files` that are read."""
    for file in files:
        for option, path in outputs.items():
            if same(path, file):
                raise UsageError(f"{option} {path}: that is {what}, which is read: give the output a file of its own")


def same(one: str | os.PathLike[str], other: str | os.PathLike[str]) -> bool:
    """Are they one regular file, whatever links lead there, or would they be if they were written?"""
    try:
        there = os.stat(one), os.stat(other)  # noqa: PTH116
    except OSError:
        return os.path.realpath(one) == os.path.realpath(other)
    return stat.S_ISREG(there[0].st_mode) and os.path.samestat(*there)
