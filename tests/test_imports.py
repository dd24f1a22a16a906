"""No two modules import each other, however long the way round: also not for types alone, nor within a function."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).parents[1]
PACKAGES = ("workbuf", "mutator", "collector")

Imports = dict[str, set[str]]


def sources() -> dict[str, str]:
    """Module to its source text."""
    files = (path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
    return {name(path): path.read_text(encoding="utf-8") for path in files}


def name(path: Path) -> str:
    """`collector/audit/__init__.py` is `collector.audit`."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def parsed(text: str) -> ast.Module:
    """The tree of a source text."""
    return ast.parse(text)


def imports(modules: Mapping[str, str]) -> Imports:
    """Module to those of `modules` that it names in an import, wherever that stands."""
    return {module: set(imported(module, parsed(text), modules)) for module, text in modules.items()}


def imported(module: str, tree: ast.AST, modules: Mapping[str, str]) -> Iterator[str]:
    """Those that one module names.  `from a import b` is the module `a.b` if there is one, else `a`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [
                whole if (whole := f"{node.module}.{alias.name}") in modules else node.module for alias in node.names
            ]
        else:
            continue
        yield from (each for each in names if each in modules and each != module)


def circles(graph: Imports) -> list[list[str]]:
    """Sets of modules each of which reaches every other one (Tarjan, 1972), sorted."""
    number: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(module: str) -> None:
        number[module] = low[module] = len(number)
        stack.append(module)
        for other in sorted(graph[module]):
            if other not in number:
                visit(other)
                low[module] = min(low[module], low[other])
            elif other in stack:
                low[module] = min(low[module], number[other])
        if low[module] == number[module]:
            at = stack.index(module)
            found.append(sorted(stack[at:]))
            del stack[at:]

    for module in sorted(graph):
        if module not in number:
            visit(module)
    return sorted(circle for circle in found if len(circle) > 1)


def test_there_are_no_circles() -> None:
    """In the whole project."""
    assert circles(imports(sources())) == []


@pytest.mark.parametrize(
    ("module", "line", "circle"),
    [
        ("workbuf.machine", "from workbuf.hardware import machine", ["workbuf.hardware.machine", "workbuf.machine"]),
        (
            "collector.explore.machine.threads",
            "if TYPE_CHECKING:\n    from collector.explore.machine.execution import Execution",
            ["collector.explore.machine.execution", "collector.explore.machine.threads"],
        ),
        (
            "workbuf.names",
            "def late():\n    import workbuf.hardware.machine",
            ["workbuf.hardware.machine", "workbuf.names"],
        ),
    ],
    ids=["plain", "for types", "in a function"],
)
def test_a_planted_circle_is_found(module: str, line: str, circle: list[str]) -> None:
    """However it is written."""
    modules = sources()
    modules[module] += f"\n{line}\n"

    (found,) = circles(imports(modules))

    assert set(circle) <= set(found)
