"""Loads a program, or a module, from a file that the user names."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from importlib.util import module_from_spec, spec_from_file_location
from typing import TYPE_CHECKING, NamedTuple

from collector.commands.parser import meant
from collector.commands.usage import UsageError


if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from collector.explore.program import Program


class Named(NamedTuple):
    """`FILE.py:function`, taken apart."""

    file: str
    function: str


def named(word: str) -> Named | None:
    """What the word names, if it is of that form."""
    file, colon, function = word.rpartition(":")
    return Named(file, function) if colon and file.endswith(".py") and function.isidentifier() else None


def module(file: str) -> ModuleType:
    """The file, executed as a module; what lies in its folder can be imported.  Raises UsageError."""
    from pathlib import Path  # noqa: PLC0415  not for the help

    path = Path(file)
    if not path.is_file():
        raise UsageError(f"{file}: no such file")
    folder = str(path.resolve().parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    spec = spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise UsageError(f"{file}: no Python file")
    made = module_from_spec(spec)
    try:
        spec.loader.exec_module(made)
    except SyntaxError as error:
        raise UsageError(f"{file}:{error.lineno}: {error.msg}") from None
    except SystemExit:
        raise UsageError(f'{file} exits when it is loaded: keep that behind `if __name__ == "__main__":`') from None
    except Exception as error:  # noqa: BLE001  whatever the file raises is its own
        import traceback  # noqa: PLC0415  where something is wrong already

        places = reversed(traceback.extract_tb(error.__traceback__))
        line = next((place.lineno for place in places if Path(place.filename).resolve() == path.resolve()), None)
        raise UsageError(f"{file}:{line or 1}: {type(error).__name__}: {error}") from None
    return made


def program(word: Named) -> Program:
    """The function of the file; raises UsageError."""
    made = module(word.file)
    functions = [name for name, value in vars(made).items() if callable(value) and not name.startswith("_")]
    if word.function not in functions:
        near = meant(word.function, functions)
        raise UsageError(
            f"{word.file} has no function {word.function!r}{near}; it has {', '.join(functions) or 'none'}"
        )
    found: Program = getattr(made, word.function)
    return found


@contextmanager
def set_ups(word: Named | None) -> Iterator[None]:
    """Raises UsageError for what the set-up of the program that `word` names has raised."""
    try:
        yield
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt | SystemExit):
            raise
        from collector.explore.program import raised_in_set_up  # noqa: PLC0415  it brings the explorer

        raised = raised_in_set_up(error) if word else ""
        if raised:
            raise UsageError(raised) from None
        raise
