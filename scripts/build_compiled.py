"""Builds the compiled binding to the atomics (`workbuf/hardware/compiled.c`); an installation without a compiler skips it.

    python scripts/build_compiled.py

As hatchling's build hook it does the same for `pip install`.  A wheel with the binding fits this interpreter and machine
only; one without it fits all.
"""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any


try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface as Hook
except ImportError:  # run by hand
    Hook = object

SOURCE = Path(__file__).parents[1] / "workbuf" / "hardware" / "compiled.c"


def build() -> Path | None:
    """The file that was built for this interpreter; None, with a line on stderr that says why, if none could be."""
    compiler = shlex.split(sysconfig.get_config_var("CC") or "cc")
    if not shutil.which(compiler[0]):
        compiler = ["cc"]
    include = sysconfig.get_path("include")
    if not shutil.which(compiler[0]) or not (Path(include) / "Python.h").exists():
        print("compiled binding: left out, no C compiler or no Python.h here", file=sys.stderr)
        return None
    target = SOURCE.with_name(f"compiled{sysconfig.get_config_var('EXT_SUFFIX')}")
    command = [*compiler, "-O2", "-Wall", "-Wextra", "-fPIC", "-shared", f"-I{include}", str(SOURCE), "-o", str(target)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"compiled binding: left out, {shlex.join(command)} failed:\n{done.stderr}", file=sys.stderr)
        return None
    return target


class CompiledBinding(Hook):  # type: ignore[misc]  # what that is depends on who runs this
    """The hook that hatchling calls."""

    def initialize(self, _version: str, build_data: dict[str, Any]) -> None:
        """Add the binding to what is built."""
        if self.target_name != "wheel":
            return
        built = build()
        if built:
            build_data["artifacts"].append(str(built.relative_to(SOURCE.parents[2])))
            build_data["pure_python"] = False
            build_data["infer_tag"] = True


if __name__ == "__main__":
    built = build()
    print(built or "not built")
    sys.exit(built is None)
