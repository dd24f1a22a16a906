"""Finds classes of the protocol that use nothing of a class they inherit from, by reading the source.

    python -m scripts.bases [DIRECTORY]

A class uses a base if it refers, through `self`, `cls` or `super()`, to a name that this base itself defines: a method,
a class attribute, an attribute that one of its methods sets.  To define such a name anew is to use it as well.  To call
`super().__init__` is not: everything does.  A class without a body only puts parts together and uses all of them.
"""

from __future__ import annotations

import ast
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PROTOCOL = ("workbuf/*.py", "mutator/*.py", "mutator/heap/*.py", "collector/*.py", "collector/audit/audited.py")
"""The files whose classes are parts of an M, under the project's directory."""
RECEIVERS = ("self", "cls")


@dataclass
class Class:
    """One class as its source has it."""

    name: str
    module: str
    bases: list[str]
    """Names as they are written."""
    defines: set[str] = field(default_factory=set)
    uses: set[str] = field(default_factory=set)
    composes: bool = False
    """There is nothing in it but a docstring."""


class Project:
    """The classes of some modules, and who of them inherits from whom."""

    def __init__(self, sources: Iterable[tuple[str, str]]) -> None:
        """`sources` are (module's dotted name, text)."""
        self.classes: dict[tuple[str, str], Class] = {}
        self.imported: dict[tuple[str, str], tuple[str, str]] = {}
        for module, text in sources:
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.ClassDef):
                    self.classes[module, node.name] = read(node, module)
                elif isinstance(node, ast.ImportFrom) and node.module:
                    for alias in node.names:
                        self.imported[module, alias.asname or alias.name] = node.module, alias.name

    def find(self, module: str, name: str) -> Class | None:
        """The class that `name` stands for in `module`, None if it is not one of the project's."""
        at = module, name
        while at not in self.classes and at in self.imported:
            at = self.imported[at]
        return self.classes.get(at)

    def bases(self, c: Class) -> list[Class]:
        """The direct bases of `c` that belong to the project."""
        return [base for name in c.bases if (base := self.find(c.module, name))]

    def ancestors(self, c: Class) -> Iterator[Class]:
        """`c` and everything it inherits from, some of it more than once."""
        yield c
        for base in self.bases(c):
            yield from self.ancestors(base)

    def unused(self) -> list[tuple[Class, Class]]:
        """Every class with a base of which it uses nothing."""
        return [
            (c, base)
            for c in self.classes.values()
            for base in self.bases(c)
            if not c.composes and not self.owned(base) & c.uses
        ]

    def owned(self, c: Class) -> set[str]:
        """The names that `c` brings: its own and not its bases'.  Those of its parts, if it only puts them together."""
        if c.composes:
            return set().union(*(self.owned(base) for base in self.bases(c)))
        return c.defines - set().union(*(above.defines for base in self.bases(c) for above in self.ancestors(base)))

    def twice(self) -> list[tuple[Class, Class]]:
        """Every class with a base that it has already through another one."""
        return [
            (c, base)
            for c in self.classes.values()
            for base in self.bases(c)
            for other in self.bases(c)
            if other is not base and base in self.ancestors(other)
        ]

    def chain(self) -> list[Class]:
        """The longest line of classes of which each inherits from the next."""
        return max((self.longest(c) for c in self.classes.values()), key=len)

    def longest(self, c: Class) -> list[Class]:
        """The longest such line that begins with `c`."""
        return [c, *max((self.longest(base) for base in self.bases(c)), key=len, default=[])]


def read(node: ast.ClassDef, module: str) -> Class:
    """The class at `node`."""
    c = Class(node.name, module, [base.id for base in node.bases if isinstance(base, ast.Name)])
    c.composes = all(isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant) for each in node.body)
    for each in node.body:
        if isinstance(each, ast.FunctionDef):
            c.defines.add(each.name)
        elif isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name):
            c.defines.add(each.target.id)
        elif isinstance(each, ast.Assign):
            c.defines.update(target.id for target in each.targets if isinstance(target, ast.Name))
    for inner in ast.walk(node):
        if isinstance(inner, ast.Attribute) and receiver(inner.value):
            c.uses.add(inner.attr)
            if isinstance(inner.ctx, ast.Store):
                c.defines.add(inner.attr)
    c.defines.discard("__init__")
    c.uses.discard("__init__")
    c.uses |= c.defines
    return c


def receiver(node: ast.expr) -> bool:
    """Does the expression stand for the object itself: `self`, `cls` or `super()`?"""
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id == "super"
    return isinstance(node, ast.Name) and node.id in RECEIVERS


def sources(root: Path, patterns: Iterable[str] = PROTOCOL) -> Iterator[tuple[str, str]]:
    """The modules under `root` that match, by dotted name."""
    for pattern in patterns:
        for path in sorted(root.glob(pattern)):
            parts = path.relative_to(root).with_suffix("").parts
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path.read_text(encoding="utf-8")


def main(root: Path) -> None:
    """Print the counts, and the bases that are not true ones."""
    project = Project(sources(root))
    inheriting = [c for c in project.classes.values() if project.bases(c)]
    unused = project.unused()
    chain = project.chain()
    print(f"{len(inheriting)} classes inherit; {len({c.name for c, _ in unused})} use nothing of a base")
    for c, base in unused:
        print(f"  {c.name} ({c.module}) uses nothing of {base.name}")
    for c, base in project.twice():
        print(f"  {c.name} ({c.module}) names {base.name}, which it has through another base")
    print(f"longest chain: {len(chain)}: {', '.join(c.name for c in chain)}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
