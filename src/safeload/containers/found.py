"""What opening a container gives: the value that `source.Source` is made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from safeload.bytesource import ByteRange
from safeload.findings import Finding

__all__ = ["FORMATS", "KERAS_WEIGHTS", "Found", "is_keras_member", "is_saved_model_member"]

FORMATS = {
    "keras": "Keras v3 archive (.keras)",
    "keras-directory": "Keras v3 archive, unzipped",
    "hdf5": "HDF5 file",
    "savedmodel": "TensorFlow SavedModel",
    "checkpoint": "TensorFlow checkpoint",
    "json": "architecture as JSON",
    "yaml": "architecture as YAML",
    "weights-json": "sharded Keras weights",
    "npz": "NumPy archive",
    "config": "architecture as a dict",
}

KERAS_WEIGHTS = ("model.weights.h5", "model.weights.json", "model.weights.npz")


@dataclass(frozen=True)
class Found:
    """See `source.Source`."""

    format: str
    size: int
    data: ByteRange | None = None
    members: Mapping[str, ByteRange] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    verifiers: Mapping[str, Callable[[], None]] = field(default_factory=dict)
    closing: tuple[Callable[[], None], ...] = ()


def is_keras_member(name: str) -> bool:
    """Whether a Keras v3 archive has a member of that name (`saving_lib.py`); all others are left alone."""
    return name in ("config.json", "metadata.json") or name.startswith("assets/") or (
        "/" not in name and name.startswith("model") and ".weights." in name
    )  # fmt: skip


def is_saved_model_member(name: str) -> bool:
    """Whether a SavedModel has a member of that name."""
    return name in ("saved_model.pb", "keras_metadata.pb", "fingerprint.pb") or name.startswith(
        ("variables/", "assets/")
    )
