"""safeload: load Keras models, from any Keras, safely.

    import safeload
    model = safeload.load_model("model.h5")

takes the place of `tf.keras.models.load_model`. Importing this package imports neither TensorFlow nor NumPy; names are
loaded when they are first used (PEP 562).
"""

from __future__ import annotations

import importlib

TYPE_CHECKING = False  # as `typing` has it, without the milliseconds that importing `typing` takes
if TYPE_CHECKING:
    from typing import Any

    from safeload.document import ModelDocument as ModelDocument
    from safeload.errors import AmbiguousCustomObjectError as AmbiguousCustomObjectError
    from safeload.errors import BackendMismatchError as BackendMismatchError
    from safeload.errors import CorruptedModelError as CorruptedModelError
    from safeload.errors import CustomObjectMismatchError as CustomObjectMismatchError
    from safeload.errors import InsufficientMemoryError as InsufficientMemoryError
    from safeload.errors import MissingCustomObjectError as MissingCustomObjectError
    from safeload.errors import MissingDependencyError as MissingDependencyError
    from safeload.errors import MissingOpError as MissingOpError
    from safeload.errors import ModelAccessError as ModelAccessError
    from safeload.errors import ModelBuildError as ModelBuildError
    from safeload.errors import ModelNotFoundError as ModelNotFoundError
    from safeload.errors import SafeLoadError as SafeLoadError
    from safeload.errors import UnsafeModelError as UnsafeModelError
    from safeload.errors import UnsupportedFormatError as UnsupportedFormatError
    from safeload.errors import VersionMismatchError as VersionMismatchError
    from safeload.errors import WeightsMismatchError as WeightsMismatchError
    from safeload.errors import WeightsOnlyError as WeightsOnlyError
    from safeload.events import Event as Event
    from safeload.findings import Finding as Finding
    from safeload.findings import Report as Report
    from safeload.findings import Severity as Severity
    from safeload.loading import check as check
    from safeload.loading import inspect as inspect
    from safeload.loading import load_model as load_model
    from safeload.objects.registry import modules as modules
    from safeload.objects.registry import register_module as register_module
    from safeload.objects.registry import registered_modules as registered_modules
    from safeload.objects.registry import unregister_module as unregister_module
    from safeload.options import SafeLoadWarning as SafeLoadWarning
    from safeload.patching import install as install
    from safeload.patching import patch as patch
    from safeload.patching import uninstall as uninstall

__version__ = "0.1.0.dev0"

_NAMES = {
    "errors": (
        "AmbiguousCustomObjectError",
        "BackendMismatchError",
        "CorruptedModelError",
        "CustomObjectMismatchError",
        "InsufficientMemoryError",
        "MissingCustomObjectError",
        "MissingDependencyError",
        "MissingOpError",
        "ModelAccessError",
        "ModelBuildError",
        "ModelNotFoundError",
        "SafeLoadError",
        "UnsafeModelError",
        "UnsupportedFormatError",
        "VersionMismatchError",
        "WeightsMismatchError",
        "WeightsOnlyError",
    ),
    "document": ("ModelDocument",),
    "events": ("Event",),
    "findings": ("Finding", "Report", "Severity"),
    "loading": ("check", "inspect", "load_model"),
    "objects.registry": ("modules", "register_module", "registered_modules", "unregister_module"),
    "options": ("SafeLoadWarning",),
    "patching": ("install", "patch", "uninstall"),
}
"""The public names, by the module that defines them."""

_HOMES = {name: module for module, names in _NAMES.items() for name in names}

__all__ = sorted([*_HOMES, "__version__"])


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'safeload' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"safeload.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
