"""Check: everything that is wrong or worth knowing, all at once. One module for each cause of failure.

A module of this package has `check(examination) -> Iterable[Finding]`, declares its rules as rows, imports no
TensorFlow and nothing that the file names, and is listed in `CHECKS`.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from safeload.document import ModelDocument
from safeload.errors import SafeLoadError
from safeload.findings import Finding
from safeload.malformed import DATA_ERRORS, malformed
from safeload.options import Options
from safeload.runtime import Runtime

__all__ = ["CHECKS", "Examination", "run"]

CHECKS: tuple[str, ...] = (
    "completeness",
    "integrity",
    "safety",
    "grammar",
    "calls",
    "budget",
    "op_layers",
    "versions",
    "dependencies",
    "backend",
    "hardware",
    "graph_ops",
    "function_only",
    "custom_objects",
)
"""The checks in the order in which they run."""


@dataclass(frozen=True)
class Examination:
    """What the checks look at.

    Attributes:
        document: As it was read.
        repaired: As it would be built.
        runtime: What is installed.
        scope: Where custom objects may come from.
        resolution: What each name in the repaired config stands for; None where there is no config.
        options: What the caller asked for.
        settled: Whether `repaired` and `resolution` are what they say: no repair refused the document, and every place
            for custom objects could be looked at. Where not, the load stops with that error anyway.
    """

    document: ModelDocument
    repaired: ModelDocument
    runtime: Runtime
    scope: Any
    resolution: Any
    options: Options
    settled: bool = True


def run(examination: Examination) -> Iterator[Finding]:
    """The findings of all checks. A check that raises a typed error has found that error."""
    for name in CHECKS:
        module = importlib.import_module(f"safeload.checks.{name}")
        try:
            yield from module.check(examination)
        except SafeLoadError as error:
            yield Finding.of_error(error)
        except DATA_ERRORS as error:  # a check that could not go through the data has not found it harmless
            yield Finding.of_error(malformed(error, f"check of {name}", examination.document.path))
