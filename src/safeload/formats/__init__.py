"""Read: a model file as a `ModelDocument`. One module for each container; nothing here imports TensorFlow."""

from __future__ import annotations

import importlib

from safeload.document import ModelDocument
from safeload.source import Source

__all__ = ["READERS", "read"]

READERS = {
    "keras": "keras_archive",
    "keras-directory": "keras_archive",
    "hdf5": "hdf5_model",
    "savedmodel": "savedmodel",
    "checkpoint": "checkpoint",
    "json": "architecture",
    "yaml": "architecture",
    "config": "architecture",
    "weights-json": "weight_files",
    "npz": "weight_files",
}
"""The module that reads each format; it has a function `read(source) -> ModelDocument`."""


def read(source: Source) -> ModelDocument:
    """What the file is, as data.

    The source is among its `extras`, for `integrity="full"`.

    Raises:
        CorruptedModelError: It is truncated or damaged.
        SafeLoadError: Whatever else the format's reader finds that keeps it from being read.
    """
    reader = importlib.import_module(f"safeload.formats.{READERS[source.format]}")
    document: ModelDocument = reader.read(source)
    return document.evolve(
        findings=source.findings + document.findings, extras={**document.extras, "sources": (source,)}
    )
