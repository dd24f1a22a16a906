"""Executes a module's source with other modules in place of some that it imports."""

from __future__ import annotations

import builtins
import sys
from functools import lru_cache
from importlib.util import find_spec, resolve_name
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple


if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import CodeType, ModuleType


class Source(NamedTuple):
    """A module's file, as it was when it was asked for first."""

    file: str
    package: str
    code: CodeType


@lru_cache(1000)
def source(name: str) -> Source:
    """The source of a module; raises ModuleNotFoundError if there is none."""
    spec = find_spec(name)
    if spec is None or not spec.has_location or spec.origin is None:
        raise ModuleNotFoundError(f"no source of a module {name!r}", name=name)
    code = compile(Path(spec.origin).read_bytes(), spec.origin, "exec", dont_inherit=True)
    return Source(spec.origin, spec.parent or "", code)


def execute(source: Source, module: ModuleType, instead: Mapping[str, ModuleType]) -> None:
    """Run a source as `module`; where it imports a name of `instead`, now or later, it gets that."""

    def importing(
        name: str,
        names: Mapping[str, object] | None = None,
        locals_: Mapping[str, object] | None = None,
        fromlist: tuple[str, ...] = (),
        level: int = 0,
    ) -> ModuleType:
        absolute = name
        if level:
            absolute = resolve_name("." * level + name, str((names or {}).get("__package__") or ""))
        if absolute in instead and (fromlist or "." not in absolute):
            return instead[absolute]
        return builtins.__import__(name, names, locals_, fromlist, level)

    vars(module)["__builtins__"] = {**vars(builtins), "__import__": importing}
    module.__file__, module.__package__ = source.file, source.package
    # Whoever looks for the module by its name while it is executed (dataclasses do) finds this one.
    before = sys.modules.get(module.__name__)
    sys.modules[module.__name__] = module
    try:
        exec(source.code, vars(module))  # noqa: S102  the program's own source
    finally:
        if before is None:
            del sys.modules[module.__name__]
        else:
            sys.modules[module.__name__] = before
