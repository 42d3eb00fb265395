"""Where a name seems to be defined: sources read as text (ast), never imported, within bounds of time.

Looked through are the files below the working directory and below the other places that Python imports a project from,
then installed packages that work with Keras. The answers go into hints: they are for the reader, and nothing is loaded
because of them.
"""

from __future__ import annotations

import ast
import json
import os
import re
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from safeload.objects.installed import Likely, likely

__all__ = ["Definition", "Search", "search"]

_MAX_BYTES = 1_000_000
_MAX_ENTRIES = 20_000
_MAX_NAMES = 5_000
_CPU_SECONDS, _SECONDS = 0.1, 0.5
"""For the user's sources, and again for installed packages: of this process, so that a busy machine finds as much, and of
the clock, for disks that are slow."""
_SKIPPED = frozenset({"node_modules", "site-packages", "dist-packages", "__pycache__", "venv", "env", "build", "dist"})
_ANY = re.compile(rb"^(?:class|def)[ \t]+(\w+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Definition:
    """A class or function of that name in a file: `MyLayer is defined in train.py:12`.

    Attributes:
        name: As the model file has it.
        file: Relative to the working directory where it lies below that.
        line: The line; for a notebook, the number of the cell.
        module: What `register_module` takes.
        within: The function that makes it (`def focal_loss(gamma): def loss(...)`), None where it stands by itself.
        package: The installed package that it is in; None in the user's own sources.
        missing_root: The folder that has to be on `sys.path` for the module to be imported; None where it can be.
    """

    name: str
    file: str
    line: int
    module: str
    within: str | None = None
    package: str | None = None
    missing_root: str | None = None

    def __str__(self) -> str:
        place = f"cell {self.line} of {self.file}" if self.file.endswith(".ipynb") else f"{self.file}:{self.line}"
        inside = f", by {self.within}()" if self.within else ""
        of = f"the installed package {self.package}, " if self.package else ""
        return f"{self.name} is defined in {of}{place}{inside}"

    @property
    def remedy(self) -> str:
        """The line that makes it known."""
        if self.file.endswith(".ipynb"):
            return f"run that cell before you load the model, or move {self.name} into a module"
        if self.within:
            return f"call it and pass what it gives: custom_objects={{{self.name!r}: {self.within}(...)}}"
        if self.file == _main():
            return "it is in the script that runs, below the call: load the model after it"
        root = f", with {self.missing_root!r} on sys.path" if self.missing_root is not None else ""
        return f'safeload.register_module("{self.module}"){root}'


@dataclass(frozen=True)
class Search:
    """What was found: by name, the definitions, those of the user's own sources first; and names that come near."""

    definitions: dict[str, tuple[Definition, ...]] = field(default_factory=dict)
    seen: tuple[str, ...] = ()


class _Clock:
    def __init__(self) -> None:
        self._cpu, self._clock, self.entries = time.thread_time(), time.monotonic(), 0

    @property
    def over(self) -> bool:
        spent, passed = time.thread_time() - self._cpu, time.monotonic() - self._clock
        return spent > _CPU_SECONDS or passed > _SECONDS or self.entries > _MAX_ENTRIES


def search(names: Iterable[str], packages: Iterable[str] = ()) -> Search:
    """Look for the definitions of some names.

    Args:
        names: Names of classes and functions; registered ones (`package>Name`) count by their last part.
        packages: Modules to look through, if installed, beside those that say themselves that they need Keras.
    """
    wanted = {plain for name in names if (plain := name.rpartition(">")[2]).isidentifier()}
    try:
        Path.cwd()
    except OSError:  # it was removed
        return Search()
    if not wanted:
        return Search()
    encoded = sorted(n.encode() for n in wanted)
    any_of = b"|".join(re.escape(n) for n in encoded)
    pattern = re.compile(
        rb"\b(?:class|def)[ \t]+(?:"
        + any_of
        + rb")\b|^[ \t]*(?:"
        + any_of
        + rb")[ \t]*=|[\"'](?:"
        + any_of
        + rb")[\"']",
        re.MULTILINE,
    )
    clock, found, seen = _Clock(), dict[str, list[Definition]](), dict[str, None]()
    for root in _roots():
        if wanted <= found.keys():  # what lies nearer is what was meant
            break
        for path in _files(root, clock, (".py", ".ipynb")):
            data = _read(path)
            if len(seen) < _MAX_NAMES:
                seen.update(dict.fromkeys(n.decode() for n in _ANY.findall(data)))
            if any(n in data for n in encoded) and pattern.search(data):
                for definition in _in_file(path, data, wanted):
                    found.setdefault(definition.name, []).append(definition)
    left = wanted - found.keys()
    clock = _Clock()
    for package in likely(frozenset(packages)) if left else ():
        for path in _files(package.place, clock, (".py",), depth=3):
            data = _read(path)
            if any(n in data for n in encoded) and pattern.search(data):
                for definition in _in_package(package, path, data, left):
                    found.setdefault(definition.name, []).append(definition)
    return Search({name: tuple(dict.fromkeys(places)) for name, places in found.items()}, tuple(seen))


def _roots() -> list[Path]:
    """The working directory, and the folders that Python imports a project from; none inside another."""
    roots: list[Path] = []
    ours = Path(__file__).resolve().parents[2]
    for entry in (".", *sys.path):
        try:
            place = Path(entry or ".").resolve()
        except OSError:
            continue
        installed = any(part in ("site-packages", "dist-packages") for part in place.parts)
        own = any(place.is_relative_to(p) for p in {Path(sys.prefix).resolve(), Path(sys.base_prefix).resolve()})
        if (
            (roots and (installed or own or place == ours))
            or any(place.is_relative_to(r) for r in roots)
            or not place.is_dir()
        ):
            continue
        roots.append(place)
    return roots


def _files(root: Path, clock: _Clock, endings: tuple[str, ...], depth: int = 8) -> Iterator[Path]:
    """Files below a folder, those near it first; the file itself where it is one."""
    if root.is_file():
        yield root
        return
    level = [root]
    for _ in range(depth):
        following: list[Path] = []
        for folder in level:
            try:
                entries = sorted(os.scandir(folder), key=lambda e: e.name)
            except OSError:
                continue
            clock.entries += len(entries)
            for entry in entries:
                if clock.over:
                    return
                if entry.name.endswith(endings):
                    yield Path(entry.path)
                elif entry.name not in _SKIPPED and entry.name[0] != "." and entry.is_dir(follow_symlinks=False):
                    following.append(Path(entry.path))
        level = following


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes() if path.stat().st_size <= _MAX_BYTES else b""
    except OSError:
        return b""


def _in_file(path: Path, data: bytes, wanted: set[str]) -> Iterator[Definition]:
    shown = _shown(path)
    if path.suffix == ".ipynb":
        for number, text in enumerate(_cells(data), 1):
            for name, _, within in _defined(text, wanted):
                yield Definition(name, shown, number, "", within)
        return
    module, root = _module(path)
    for name, line, within in _defined(data, wanted):
        yield Definition(name, shown, line, module, within, missing_root=root)


def _in_package(package: Likely, path: Path, data: bytes, wanted: set[str]) -> Iterator[Definition]:
    shown = path.relative_to(package.place.parent).as_posix()
    for name, line, within in _defined(data, wanted):
        yield Definition(name, shown, line, package.module, within, package.name)


def _shown(path: Path) -> str:
    try:
        return path.relative_to(Path.cwd().resolve()).as_posix()
    except (ValueError, OSError):
        return str(path)


def _module(path: Path) -> tuple[str, str | None]:
    """The name under which Python imports a file, and the folder that has to be on `sys.path` first, if any."""
    inside = [p for p in (Path(entry or ".").resolve() for entry in sys.path) if path.is_relative_to(p)]
    here = Path.cwd().resolve()
    root = max(inside, key=lambda p: len(p.parts), default=None)
    missing = None
    if root is None or (root == here and path.relative_to(here).parts[0] == "src"):
        root = here if path.is_relative_to(here) else path.parent
        if path.relative_to(root).parts[0] == "src":
            root = root / "src"
        missing = _shown(root)
    relative = path.relative_to(root)
    parts = [*relative.parts[:-1], *([] if relative.stem == "__init__" else [relative.stem])]
    return ".".join(parts), missing


def _main() -> str | None:
    file = getattr(sys.modules.get("__main__"), "__file__", None)
    return _shown(Path(file).resolve()) if file else None


def _cells(data: bytes) -> Iterator[bytes]:
    """The code cells of a notebook, without the lines that only IPython understands."""
    try:
        cells = json.loads(data)["cells"]
        for cell in cells:
            source = cell["source"] if cell["cell_type"] == "code" else ""
            lines = "".join(source).splitlines()
            yield "\n".join(line for line in lines if not line.lstrip().startswith(("%", "!"))).encode()
    except (ValueError, KeyError, TypeError, RecursionError):
        return


def _defined(data: bytes, wanted: set[str]) -> Iterator[tuple[str, int, str | None]]:
    """Name, line and the function around it, of what a text defines; methods are none."""
    try:
        tree = ast.parse(data)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    stack: list[tuple[Sequence[ast.stmt], str | None]] = [(tree.body, None)]
    while stack:
        body, within = stack.pop()
        for node in body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                for name in _names(node) & wanted:
                    yield name, node.lineno, within
                if not isinstance(node, ast.ClassDef):
                    stack.append((node.body, node.name))
            elif isinstance(node, ast.Assign) and within is None:
                for target in node.targets:
                    if isinstance(target, ast.Name) and target.id in wanted:
                        yield target.id, node.lineno, None
            elif isinstance(node, ast.If | ast.Try | ast.With):
                handlers = [s for h in getattr(node, "handlers", ()) for s in h.body]
                stack.append(([*node.body, *getattr(node, "orelse", ()), *handlers], within))


def _names(node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    """Its name, and the one under which a decorator registers it with Keras."""
    found = {node.name}
    for decorator in node.decorator_list:
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func).endswith("register_keras_serializable"):
            given = [*decorator.args[1:2], *(k.value for k in decorator.keywords if k.arg == "name")]
            found |= {v.value for v in given if isinstance(v, ast.Constant) and isinstance(v.value, str)}
    return found
