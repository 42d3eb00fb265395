"""The walls of the house: one direction of imports, and nothing of TensorFlow before `build`."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

SOURCES = Path(__file__).parents[1] / "src" / "safeload"

LEVELS = (
    {"errors", "bytesource", "events"},
    {"findings", "limits", "malformed", "strictjson", "trees"},
    {
        "source",
        "budgets",
        "document",
        "runtime",
        "options",
        "containers",
        "environments",
        "naming",
        "operations",
        "optimizers",
    },
    {"formats"},
    {"lambdas"},
    {"objects"},
    {"repairs"},
    {"checks"},
    {"layers"},
    {"build", "fill", "verify"},
    {"construction"},
    {"loading"},
    {"patching"},
)
"""Modules and packages from the ground up; each imports only what stands on its own level or below."""

AFTER_BUILD = {"layers", "build", "fill", "verify", "construction", "patching"}
"""Where TensorFlow and Keras may be imported; `runtime.keras_module` is the door."""


def imports(path: Path, *, top_level_only: bool = False) -> Iterator[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = tree.body if top_level_only else ast.walk(tree)
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def modules() -> Iterator[tuple[str, Path]]:
    for path in sorted(SOURCES.rglob("*.py")):
        yield path.relative_to(SOURCES).parts[0].removesuffix(".py"), path


@pytest.mark.core
def test_every_module_has_a_level() -> None:
    known = set().union(*LEVELS)
    assert {name for name, _ in modules()} - {"__init__", "__main__", "cli"} <= known


@pytest.mark.core
@pytest.mark.parametrize(("name", "path"), [pytest.param(n, p, id=str(p.relative_to(SOURCES))) for n, p in modules()])
def test_imports_go_one_way(name: str, path: Path) -> None:
    if name in ("__init__", "__main__", "cli"):
        return
    level = next(i for i, names in enumerate(LEVELS) if name in names)
    above = set().union(*LEVELS[level + 1 :])
    taken = {m.split(".")[1] for m in imports(path, top_level_only=True) if m.startswith("safeload.")}
    assert not taken & above, f"{path} imports from above: {sorted(taken & above)}"


@pytest.mark.core
def test_only_build_and_fill_import_tensorflow() -> None:
    for name, path in modules():
        if name in AFTER_BUILD:
            continue
        taken = {m.split(".")[0] for m in imports(path)}
        assert not taken & {"tensorflow", "keras", "tf_keras"}, path


@pytest.mark.core
def test_looking_imports_no_tensorflow(run_python: Callable[..., str], fixtures: Path) -> None:
    program = """
import sys, pathlib, safeload
for path in sorted(pathlib.Path(sys.argv[1]).rglob("*")):
    if path.suffix in (".h5", ".keras", ".json"):
        safeload.check(str(path))
heavy = {"tensorflow", "keras", "tf_keras"} & set(sys.modules)
assert not heavy, heavy
"""
    run_python(program, str(fixtures))


@pytest.mark.core
def test_import_is_instant(run_python: Callable[..., str]) -> None:
    program = """
import sys
before = set(sys.modules)
import safeload
added = set(sys.modules) - before
assert not {"numpy", "h5py", "tensorflow", "keras"} & added
print(len(added))
"""
    assert int(run_python(program)) < 60
