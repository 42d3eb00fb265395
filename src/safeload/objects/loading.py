"""Modules that may hold custom objects: imported when a file needs something, or read as text by `check`."""

from __future__ import annotations

import ast
import importlib
import importlib.machinery
import importlib.util
import pkgutil
import re
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from safeload.errors import MissingCustomObjectError, MissingDependencyError
from safeload.options import SafeLoadWarning

__all__ = ["PLUGIN", "Static", "modules_of"]

PLUGIN = "entry point"
_MAX_SUBMODULES = 2_000
_MAX_BYTES = 4_000_000


@dataclass(frozen=True, slots=True)
class Static:
    """A class or function that a module's text defines at its top level; the module was not imported."""

    name: str
    module: str


def modules_of(
    module: ModuleType | str, source: str, names: frozenset[str], *, may_import: bool
) -> Iterator[tuple[str, ModuleType | Mapping[str, Static]]]:
    """A module and the modules below it that have one of the names: themselves, or what their text defines.

    Raises:
        MissingCustomObjectError: It can't be imported; its exception is the cause. A plugin that can't is a warning.
        MissingDependencyError: Because a package that it imports is not installed.
    """
    name = module if isinstance(module, str) else module.__name__
    found = module if isinstance(module, ModuleType) else sys.modules.get(name)
    if found is None and may_import:
        found = _import(name, source)
        if found is None:
            return
    if found is not None:
        yield name, found
        path: Sequence[str] = list(getattr(found, "__path__", ()))
    else:
        spec = _spec(name)
        if spec is None:
            return
        yield name, _defined(spec.origin, name)
        path = spec.submodule_search_locations or ()
    pattern = re.compile(r"\b(?:" + "|".join(map(re.escape, sorted(names))) + r")\b") if names else None
    for below, file in _below(name, path):
        loaded = sys.modules.get(below)
        if loaded is not None:
            yield below, loaded
        elif pattern is not None and pattern.search(_text(file)):
            if not may_import:
                yield below, _defined(file, below)
            elif (imported := _import(below, source)) is not None:
                yield below, imported


def _below(name: str, path: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The modules below a package and their files, without importing any."""
    stack = [(name, list(path))]
    count = 0
    while stack:
        package, places = stack.pop()
        for info in pkgutil.iter_modules(places):
            count += 1
            if count > _MAX_SUBMODULES:
                return
            if info.name == "__main__":
                continue
            spec = info.module_finder.find_spec(info.name, None)
            if spec is None:
                continue
            full = f"{package}.{info.name}"
            yield full, spec.origin or ""
            if info.ispkg and spec.submodule_search_locations:
                stack.append((full, list(spec.submodule_search_locations)))


def _spec(name: str) -> importlib.machinery.ModuleSpec | None:
    """Where a module lies. `importlib.util.find_spec` would import the packages above it."""
    path: Sequence[str] | None = None
    spec = None
    for at, _ in enumerate(parts := name.split(".")):
        full = ".".join(parts[: at + 1])
        try:
            spec = importlib.machinery.PathFinder.find_spec(full, path)
        except (ImportError, ValueError):
            return None
        if spec is None:
            return None
        path = list(spec.submodule_search_locations or ())
    return spec


def _text(file: str | None) -> str:
    try:
        path = Path(file or "")
        return path.read_text(encoding="utf-8", errors="replace") if path.stat().st_size <= _MAX_BYTES else ""
    except (OSError, ValueError):
        return ""


def _defined(file: str | None, module: str) -> dict[str, Static]:
    """What a module's text defines at its top level, or imports by name from a module beside it."""
    try:
        tree = ast.parse(_text(file))
    except (SyntaxError, ValueError, RecursionError):
        return {}
    found: dict[str, Static] = {}
    for node in tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            found[node.name] = Static(node.name, module)
            registered = _registered(node)
            if registered is not None:
                found[registered] = found[node.name]
        elif isinstance(node, ast.ImportFrom) and (node.level or (node.module or "").startswith(module.split(".")[0])):
            for alias in node.names:
                found[alias.asname or alias.name] = Static(alias.name, module)
    return found


def _registered(node: ast.ClassDef | ast.FunctionDef) -> str | None:
    """The name under which a decorator registers it with Keras (`register_keras_serializable(package, name)`)."""
    for decorator in node.decorator_list:
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func).endswith("register_keras_serializable"):
            given = dict(zip(("package", "name"), decorator.args, strict=False))
            given |= {k.arg: k.value for k in decorator.keywords if k.arg}
            texts = {k: v.value for k, v in given.items() if isinstance(v, ast.Constant) and isinstance(v.value, str)}
            return f"{texts.get('package', 'Custom')}>{texts.get('name', node.name)}"
    return None


def _import(name: str, source: str) -> ModuleType | None:
    try:
        return importlib.import_module(name)
    except Exception as error:  # a user's module may raise anything; a broken plugin must not stop a load
        if source == PLUGIN:
            warnings.warn(f"the plugin {name} can't be imported: {error!r}", SafeLoadWarning, stacklevel=2)
            return None
        absent = error.name if isinstance(error, ModuleNotFoundError) else None
        top = (absent or "").split(".")[0]
        if absent and top != name.split(".")[0]:
            raise MissingDependencyError(
                f"the {source} {name} needs {top}, which is not installed",
                hint=f"python -m pip install {top}",
                packages=(top,),
            ) from error
        raise MissingCustomObjectError(
            f"the {source} {name} can't be imported: {type(error).__name__}: {error}",
            hint=f"python -c 'import {name}' shows why",
        ) from error
