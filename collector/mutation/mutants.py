"""The mutants of the protocol's files: found by the operators, named by what they change, planted into a running process."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any

from collector.mutation.operators import changes, functions


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from collector.mutation.operators import Change, Function

ROOT = Path(__file__).parents[2]
FILES = tuple(
    f"{package}/{name}.py"
    for package, names in (
        ("workbuf", "lfstack buffer lists getfull"),
        (
            "collector",
            "drain grey shade harvest parfor stackscan roots helper gc stw cycle checkmark fusedmark memstats",
        ),
        ("mutator", "writebarrier goroutine safepoint alloc chan stack"),
        ("mutator/heap", "malloc central sweep spans specials pages bits sizeclass"),
    )
    for name in names.split()
)
"""The files that answer to Go's code: those of the work buffers first, the heap's last."""


@dataclass(frozen=True)
class Mutant:
    """The protocol with one change of its source."""

    file: str
    function: str
    """Its qualified name."""
    kind: str
    was: str
    """The source that is changed, as Python unparses it."""
    line: int
    """Where the file has it now; no part of the name, so that a judgement outlives a line inserted above."""
    number: int = 1
    """Of the changes that look the same in this function."""

    @property
    def id(self) -> str:
        """Its name, and all that there is to say of it."""
        again = f" #{self.number}" if self.number > 1 else ""
        return f"{self.file} {self.function}: {self.kind} `{self.was}`{again}"

    def plant(self) -> None:
        """Give the function the changed code, in this process, for good."""
        tree = parsed(self.file)
        where = dict(functions(tree))[self.function]
        change = next(change for mutant, change in of_function(self.file, self.function, where) if mutant.id == self.id)
        live = found(self.file, self.function)
        made = change.made()
        # A name of an enclosing scope must stay one, used or not (`super()` uses `__class__`): a function keeps its cells.
        free = [ast.Expr(ast.Name(name, ast.Load())) for name in live.__code__.co_freevars]
        made.body += [ast.If(ast.Constant(value=False), list(free), [])] if free else []
        changed = ast.fix_missing_locations(Planting(where, made).visit(tree))
        live.__code__ = compiled(compile(changed, str(ROOT / self.file), "exec"), live.__code__.co_qualname)


class Planting(ast.NodeTransformer):
    """Puts one function in place of another."""

    def __init__(self, old: Function, new: Function) -> None:
        self.old = old
        self.new = new

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        """The one, if it is the other."""
        return self.new if node is self.old else node


@cache
def digest() -> str:
    """Of the protocol's files: what was found with them holds as long as they are the same."""
    return sha256(b"".join((ROOT / file).read_bytes().replace(b"\r\n", b"\n") for file in FILES)).hexdigest()[:8]


@cache
def mutants(file: str) -> tuple[Mutant, ...]:
    """All mutants of a file, in the order of its functions."""
    return tuple(
        mutant
        for name, function in functions(parsed(file))
        for mutant, _ in of_function(file, name, function)
    )  # fmt: skip


def every(files: Iterable[str] = FILES) -> dict[str, Mutant]:
    """All mutants of these files, by id."""
    return {mutant.id: mutant for file in files for mutant in mutants(file)}


def of_function(file: str, name: str, function: Function) -> Iterator[tuple[Mutant, Change]]:
    """Those of one function, each with its change."""
    seen: dict[tuple[str, str], int] = {}
    for change in changes(function):
        key = change.kind, change.was
        seen[key] = seen.get(key, 0) + 1
        yield Mutant(file, name, change.kind, change.was, change.line, seen[key]), change


def parsed(file: str) -> ast.Module:
    """The tree of a file's source."""
    return ast.parse((ROOT / file).read_text("utf-8"))


def found(file: str, name: str) -> FunctionType:
    """The function of that qualified name, as it is in use."""
    there: Any = import_module(file.removesuffix(".py").replace("/", "."))
    for part in name.split("."):
        there = vars(there)[part]
    for wrapping in ("__wrapped__", "__func__", "fget", "func"):
        there = getattr(there, wrapping, there)
    if not isinstance(there, FunctionType):
        raise TypeError(f"{file} {name} is a {type(there).__name__}")
    return there


def compiled(code: CodeType, name: str) -> CodeType:
    """The code of the function of that qualified name, somewhere inside `code`."""
    inner = [const for const in code.co_consts if isinstance(const, CodeType)]
    for const in inner:
        if const.co_qualname == name:
            return const
    return next(compiled(const, name) for const in inner if name.startswith(f"{const.co_qualname}."))
