"""The model itself, from the emitted tree, by Keras' own deserializers."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Any

from safeload.build.emit import Resolver, emit
from safeload.build.foreign import keras_errors
from safeload.build.inputs import ensure_built
from safeload.document import ModelDocument
from safeload.runtime import Runtime

__all__ = ["build", "deserializer"]


def build(
    document: ModelDocument,
    resolver: Resolver,
    runtime: Runtime,
    keras: ModuleType,
    *,
    allow_lambda: bool = False,
    options: Any = None,
) -> Any:
    """The model, built but not filled and not compiled. Call it inside `scopes.building`.

    Raises:
        ModelBuildError: Keras raised; its exception is the cause.
        SafeLoadError: Whatever typed error Keras' message stands for.
    """
    if document.architecture is None and document.format == "savedmodel":
        from safeload.build.signature import signature_model

        return signature_model(document, keras, options)
    plain = runtime.dialect == "keras2"
    tree = emit(document.architecture, resolver, plain=plain, allow_lambda=allow_lambda)
    with keras_errors(document):
        model = deserializer(keras)(tree) if "module" in tree else _legacy(keras, tree)
        ensure_built(model, document)
    return model


def deserializer(keras: ModuleType) -> Any:
    """What builds an object from the form that has its module; Keras 2.12 doesn't export it yet."""
    saving: Any = getattr(keras, "saving", None)
    for home in (saving, getattr(saving, "serialization_lib", None)):
        if home is not None and hasattr(home, "deserialize_keras_object"):
            return home.deserialize_keras_object
    return keras.utils.deserialize_keras_object


def _legacy(keras: ModuleType, tree: Mapping[str, Any]) -> Any:
    """Keras 2's form: `{"class_name", "config"}` without a module."""
    return keras.models.model_from_config(tree)
