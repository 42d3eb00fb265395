"""What is installed here: which tf.keras, which versions. Importing this module imports no TensorFlow.

`tf.keras` is Keras 3 from TensorFlow 2.16 on, tf_keras (Keras 2) when `TF_USE_LEGACY_KERAS` says so, and the Keras 2
inside TensorFlow up to 2.15. safeload follows TensorFlow's own choice and never mixes them.
"""

from __future__ import annotations

import importlib
import os
import sys
from dataclasses import dataclass
from types import ModuleType
from typing import Any

__all__ = ["Runtime", "detect", "keras_module"]

_TENSORFLOW_DISTRIBUTIONS = (
    "tensorflow",
    "tensorflow-cpu",
    "tensorflow-intel",
    "tensorflow-macos",
    "tensorflow-cpu-aws",
    "tf-nightly",
    "tf-nightly-cpu",
)


@dataclass(frozen=True, slots=True)
class Runtime:
    """The Keras that would build a model here.

    Attributes:
        flavour: `keras3` (TF >= 2.16), `keras2` (TF 2.12-2.15) or `tf_keras` (TF_USE_LEGACY_KERAS=1); None where
            TensorFlow is not installed.
        keras: Its version; None where unknown.
        tensorflow: TensorFlow's version; None where it is not installed.
        python: This interpreter's version.
    """

    flavour: str | None
    keras: str | None
    tensorflow: str | None
    python: str

    @property
    def dialect(self) -> str:
        """The dialect of configs that this Keras reads: `keras3` or `keras2`."""
        return "keras2" if self.flavour in ("keras2", "tf_keras") else "keras3"

    @property
    def keras_version(self) -> tuple[int, ...]:
        return tuple(int(p) for p in (self.keras or "0").split(".")[:3] if p.isdigit())

    def to_dict(self) -> dict[str, Any]:
        return {"flavour": self.flavour, "keras": self.keras, "tensorflow": self.tensorflow, "python": self.python}


def _version(*distributions: str) -> str | None:
    try:
        from importlib import metadata
    except ImportError:  # pragma: no cover - always there on Python >= 3.10
        return None
    for name in distributions:
        try:
            return metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return None


def _legacy_asked() -> bool:
    return os.environ.get("TF_USE_LEGACY_KERAS", "").strip().lower() in ("1", "true")


def detect() -> Runtime:
    """What is installed, from the packages' metadata; TensorFlow is not imported.

    Example:
        >>> detect().flavour
        'keras3'
    """
    python = ".".join(str(n) for n in sys.version_info[:3])
    loaded = sys.modules.get("tensorflow")
    tensorflow = getattr(loaded, "__version__", None) or _version(*_TENSORFLOW_DISTRIBUTIONS)
    if tensorflow is None:
        return Runtime(None, _version("keras"), None, python)
    if tuple(int(p) for p in tensorflow.split(".")[:2]) < (2, 16):
        return Runtime("keras2", _version("keras"), tensorflow, python)
    if _legacy_asked():
        return Runtime("tf_keras", _version("tf-keras", "tf-keras-nightly"), tensorflow, python)
    return Runtime("keras3", _version("keras", "keras-nightly"), tensorflow, python)


def keras_module(runtime: Runtime) -> ModuleType:
    """The module that `tf.keras` is; imports TensorFlow.

    Raises:
        MissingDependencyError: TensorFlow (or tf_keras, where it was asked for) can't be imported.
    """
    from safeload.errors import MissingDependencyError

    name = {"keras3": "keras", "tf_keras": "tf_keras", "keras2": "keras"}.get(runtime.flavour or "", "keras")
    package = {"keras": "tensorflow", "tf_keras": "tf-keras"}[name]
    try:
        importlib.import_module("tensorflow")
        return importlib.import_module(name)
    except ImportError as error:
        raise MissingDependencyError(
            f"{package} can't be imported: {error}",
            hint=f'python -m pip install "{package}"',
            packages=(package,),
        ) from error
