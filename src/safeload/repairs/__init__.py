"""Repair: the document in the dialect of the Keras that is installed. Pure functions on data; a row for each repair.

A boundary is a package here (`keras1_to_2`, `keras2_to_3`, `keras3_to_2`, `devices`, `training` ...) whose `ROWS` lists
its repairs in the order in which they run. The chain for a document is made of the boundaries between its dialect and
the runtime's. Everything that a repair changes is a finding, so that the user can see it.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable

from safeload.document import ModelDocument
from safeload.repairs.engine import DocumentRepair, LayerRepair, run
from safeload.runtime import Runtime

__all__ = ["BOUNDARIES", "chain", "repair", "rows"]

BOUNDARIES: tuple[tuple[str, str, str], ...] = (
    # (package, from dialect, to dialect); "" is any
    ("containers", "", ""),
    ("keras1_to_2", "keras1", "keras2"),
    ("lambdas", "", ""),
    ("keras2", "keras2", "keras2"),
    ("backends", "keras2", "keras2"),
    ("keras2_to_3", "keras2", "keras3"),
    ("keras3", "keras3", "keras3"),
    ("keras3_to_2", "keras3", "keras2"),
    ("devices", "", ""),
    ("training", "", ""),
)
"""Boundaries in the order of the chain. One whose two dialects are the same mends drift inside that dialect."""

_ORDER = {"keras1": 1, "keras2": 2, "keras3": 3}


def chain(source: str | None, target: str) -> tuple[str, ...]:
    """The boundaries that a document of a dialect crosses, in order."""
    if source is None:
        return ("containers",)
    low, high = sorted((_ORDER[source], _ORDER[target]))
    backwards = _ORDER[source] > _ORDER[target]
    crossed = []
    for package, start, end in BOUNDARIES:
        if not start:
            crossed.append(package)
            continue
        a, b = _ORDER[start], _ORDER[end]
        inside = low <= min(a, b) and max(a, b) <= high
        if inside and (a == b or (a > b) == backwards):
            crossed.append(package)
    return tuple(crossed)


def rows(package: str) -> tuple[LayerRepair | DocumentRepair, ...]:
    """The repairs of a boundary."""
    module = importlib.import_module(f"safeload.repairs.{package}")
    found: tuple[LayerRepair | DocumentRepair, ...] = module.ROWS
    return found


def repair(
    document: ModelDocument,
    runtime: Runtime,
    *,
    saved_backend: str | None = None,
    device: str = "auto",
    replacements: Iterable[str] = (),
    only: Iterable[str] | None = None,
) -> ModelDocument:
    """The document as the installed Keras can build it.

    Args:
        document: As it was read.
        runtime: What is installed.
        saved_backend: What the caller says wrote the file, for files that don't say.
        device: `auto` or `cpu`.
        replacements: Names of `custom_objects`, which may be those of Lambda layers.
        only: Boundaries to cross; all that lie between by default.

    Returns:
        A document in the runtime's dialect, with a finding for each repair and weight transforms by layer.

    Raises:
        BackendMismatchError: The backend decides what the numbers mean and the file doesn't say which it was.
        VersionMismatchError: Something in it has no equivalent here.
    """
    for package in chain(document.dialect, runtime.dialect):
        if only is None or package in only:
            document = run(
                rows(package),
                document,
                runtime,
                saved_backend=saved_backend,
                device=device,
                replacements=frozenset(replacements),
            )
    return document.evolve(dialect=runtime.dialect if document.dialect else None)
