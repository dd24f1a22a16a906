"""Options that name input and output files, and the check that no output overwrites an input or another output.

A command gives its options `type=Input` or `type=Output`; `check` examines all of them before the command begins.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from contextlib import ExitStack, contextmanager, redirect_stdout
from io import BytesIO
from math import isfinite
from typing import TYPE_CHECKING, Any, BinaryIO

from collector.commands.usage import UsageError
from collector.report.streams import oneline, withcontrols


if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator
    from typing import TextIO

STDOUT = "-"
"""The name of standard output."""


class Input(str):
    """The value of an option that names a file to read; it may also be a name that stands for no file."""

    __slots__ = ()


class Output(str):  # noqa: SLOT000  it has attributes
    """The value of an option that names a file to write, or `-` for standard output.

    If writing fails, one line says so and `failed` is set.
    """

    option = ""
    """Its name; known when `check` has seen it."""
    command = ""
    """Which it is an option of; known then, too."""
    failed = False
    stream: TextIO | None = None
    """Standard output, if it goes there."""

    def writejson(self, value: object) -> None:
        """Write a JSON text."""
        import json  # noqa: PLC0415  as slow as the rest of this file

        self.writetext(json.dumps(plain(value), indent=2, allow_nan=False) + "\n")

    def writetext(self, text: str) -> None:
        """Write a text, whole or not at all."""
        with self.written() as file:
            file.write(text.encode("utf-8", "backslashreplace"))

    @contextmanager
    def written(self) -> Iterator[BinaryIO]:
        """The file, to write to in the block, whole or not at all."""
        try:
            if self.stream:
                content = BytesIO()
                yield content
                self.stream.write(content.getvalue().decode())
            else:
                with ExitStack() as stack:
                    yield self._opened(stack)
        except (OSError, MemoryError) as error:
            self._fails(error)

    def _opened(self, stack: ExitStack) -> BinaryIO:
        """The file, for as long as the stack lasts; one that goes nowhere if it cannot be opened."""
        from collector.report import atomicwrite  # noqa: PLC0415  for those who write

        try:
            return stack.enter_context(atomicwrite.replacing(self))
        except (OSError, MemoryError) as error:
            self._fails(error)
            return BytesIO()

    def _fails(self, error: OSError | MemoryError) -> None:
        self.failed = True
        why = getattr(error, "strerror", None) or str(error) or "out of memory"
        print(oneline(f"collector.run {self.command}: {self.option} {self}: cannot write: {why}"), file=sys.stderr)


class Named(Output):
    """An output that must be a file, as it is written piece by piece, or in parts."""


def plain(value: Any) -> Any:  # noqa: ANN401  JSON values
    """`value` for JSON: a blob in SQL's notation; NaN and infinity as text."""
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
    """Raise UsageError for an input without a name, or an output that is an input, another output or cannot be written."""
    outputs: dict[str, Output] = {}
    for name, value in vars(args).items():
        if isinstance(value, Output):
            value.option = f"--{name.replace('_', '-')}"
            value.command = args.command
            outputs[value.option] = value
    for name, value in vars(args).items():
        what = f"the {name.replace('_', ' ')}"
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, Input) and not one:
                raise UsageError(f"{what}: the name is empty, name a file")
            if isinstance(one, Input) and os.path.exists(one):  # noqa: PTH110
                apart(outputs, what, [one])
    for i, (option, path) in enumerate(outputs.items()):
        for other in list(outputs)[:i]:
            if same(path, outputs[other]):
                raise UsageError(f"{other} and {option} both name {path}: give each a file of its own")
        try:
            if not path:
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
            if path != STDOUT:
                from collector.report import atomicwrite  # noqa: PLC0415  as above

                atomicwrite.check(path)
            elif isinstance(path, Named):
                raise UsageError(f"{option} {path}: standard output does not do, name a file")
        except OSError as error:
            raise UsageError(f"{option} {path}: cannot write: {error.strerror}") from None


@contextmanager
def aside(args: argparse.Namespace) -> Iterator[None]:
    """While entered, what a command tells people goes to stderr, if one of its outputs is standard output."""
    streamed = [value for value in vars(args).values() if isinstance(value, Output) and value == STDOUT]
    if not streamed:
        yield
        return
    for output in streamed:
        output.stream = withcontrols()
    with redirect_stdout(sys.stderr):
        yield


def apart(outputs: dict[str, Output], what: str, files: Iterable[str | os.PathLike[str]]) -> None:
    """Raise UsageError if one of `outputs`, by option, is one of the `files` that are read."""
    for file in files:
        for option, path in outputs.items():
            if same(path, file):
                raise UsageError(f"{option} {path}: that is {what}, which is read: give the output a file of its own")


def same(one: str | os.PathLike[str], other: str | os.PathLike[str]) -> bool:
    """Are both names of one regular file, through links or not, or would they be if it were written?"""
    try:
        there = os.stat(one), os.stat(other)  # noqa: PTH116
    except OSError:
        return os.path.realpath(one) == os.path.realpath(other)
    return stat.S_ISREG(there[0].st_mode) and os.path.samestat(*there)
