"""The model itself, from the emitted tree, by Keras' own deserializers."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Any

from safeload.build.emit import Resolver, emit
from safeload.build.foreign import keras_errors
from safeload.document import ModelDocument
from safeload.runtime import Runtime

__all__ = ["build"]


def build(
    document: ModelDocument, resolver: Resolver, runtime: Runtime, keras: ModuleType, *, allow_lambda: bool = False
) -> Any:
    """The model, built but not filled and not compiled. Call it inside `scopes.building`.

    Raises:
        ModelBuildError: Keras raised; its exception is the cause.
        SafeLoadError: Whatever typed error Keras' message stands for.
    """
    plain = runtime.dialect == "keras2"
    tree = emit(document.architecture, resolver, plain=plain, allow_lambda=allow_lambda)
    with keras_errors(document):
        if "module" in tree:
            return _deserialize(keras)(tree)
        return _legacy(keras, tree)


def _deserialize(keras: ModuleType) -> Any:
    saving = getattr(keras, "saving", None)
    if hasattr(saving, "deserialize_keras_object"):
        return saving.deserialize_keras_object  # type: ignore[union-attr]
    return keras.utils.deserialize_keras_object


def _legacy(keras: ModuleType, tree: Mapping[str, Any]) -> Any:
    """Keras 2's form: `{"class_name", "config"}` without a module."""
    return keras.models.model_from_config(tree)
