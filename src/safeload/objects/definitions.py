"""Where a name seems to be defined: Python files under the working directory, read as text and never imported."""

from __future__ import annotations

import ast
import os
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Definition", "definitions"]

_MAX_FILES = 2_000
_MAX_BYTES = 1_000_000
_MAX_SECONDS = 0.25
_SKIPPED = frozenset({"node_modules", "site-packages", "__pycache__", "venv", "env", "build", "dist"})


@dataclass(frozen=True, slots=True)
class Definition:
    """A class or function of that name in a file: `MyLayer is defined in train.py:12`."""

    name: str
    file: str
    line: int
    module: str

    def __str__(self) -> str:
        return f"{self.name} is defined in {self.file}:{self.line}"


def definitions(names: Sequence[str]) -> dict[str, tuple[Definition, ...]]:
    """The definitions of some names at the top level of files below the working directory, within bounds of time."""
    wanted = {name for name in names if name.isidentifier()}
    found: dict[str, tuple[Definition, ...]] = {}
    if not wanted:
        return found
    pattern = re.compile(rb"\b(?:class|def)\s+(?:" + b"|".join(re.escape(n.encode()) for n in wanted) + rb")\b")
    stop = time.monotonic() + _MAX_SECONDS
    for path in _files(Path.cwd()):
        if time.monotonic() > stop:
            break
        try:
            data = path.read_bytes() if path.stat().st_size <= _MAX_BYTES else b""
        except OSError:
            continue
        if not pattern.search(data):
            continue
        for definition in _in(path, data, wanted):
            found[definition.name] = (*found.get(definition.name, ()), definition)
    return found


def _files(root: Path) -> Iterator[Path]:
    count = 0
    for folder, subfolders, files in os.walk(root):
        subfolders[:] = sorted(d for d in subfolders if d not in _SKIPPED and not d.startswith("."))
        for name in sorted(files):
            if name.endswith(".py"):
                count += 1
                if count > _MAX_FILES:
                    return
                yield Path(folder, name)


def _in(path: Path, data: bytes, wanted: set[str]) -> Iterator[Definition]:
    try:
        tree = ast.parse(data)
    except (SyntaxError, ValueError, RecursionError):
        return
    relative = path.relative_to(Path.cwd())
    parts = [*relative.parts[:-1], *([] if relative.stem == "__init__" else [relative.stem])]
    if parts and parts[0] == "src":
        parts = parts[1:]
    for node in tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name in wanted:
            yield Definition(node.name, relative.as_posix(), node.lineno, ".".join(parts))
