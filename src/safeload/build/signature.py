"""A model over a SavedModel's own function, where its layers can't be built from their configs.

`tf.saved_model.load` gives functions, no model. The one that stands for the model is called by a `keras.Model` that has
its variables, its inputs by name and its outputs in the writer's structure. Nothing is loaded before `checks.graph_ops`
passed every operation, and what is loaded are the bytes that were checked.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from types import ModuleType
from typing import Any

from safeload.build.endpoints import Endpoint, endpoint_of
from safeload.build.foreign import keras_errors
from safeload.build.kernels import check_kernels
from safeload.build.staging import staged
from safeload.checks.graph_ops import needed_modules
from safeload.document import ModelDocument

__all__ = ["signature_model"]


def signature_model(document: ModelDocument, keras: ModuleType, options: Any = None) -> Any:
    """The model over the SavedModel's function, with its values.

    It has `safeload_inference_only = True`, `input_names` and `output_names`. Its variables can be trained where the
    writer stored a function for training (Keras 2 did); its layers are not there any more.

    Args:
        document: A SavedModel whose graphs were checked.
        keras: The Keras that is installed.
        options: `tf.saved_model.LoadOptions`.

    Raises:
        MissingOpError: No device here has a kernel for one of its operations.
        ModelBuildError: TensorFlow can't load it.
    """
    import tensorflow as tf

    with keras_errors(document), staged(document) as folder:
        for module in needed_modules(document.extras["all_graphs"][document.extras["meta_graph"]]):
            importlib.import_module(module)  # the user's own choice: see `graph_ops.Available`
        loaded = tf.saved_model.load(folder, options=options)
        endpoint = endpoint_of(loaded, document)
        check_kernels(endpoint, document)
        model = _model_class(keras)(endpoint, name=_name(document))
    model.safeload_inference_only = True
    return model


def _name(document: ModelDocument) -> str:
    metadata = document.extras.get("keras_metadata") or {}
    name = metadata.get("name")
    return name if isinstance(name, str) and name and "/" not in name else "saved_model"


_classes: dict[str, type] = {}


def _model_class(keras: ModuleType) -> type:
    """The class of such models for a Keras; made once, when TensorFlow is there."""
    if keras.__name__ not in _classes:
        _classes[keras.__name__] = _make_class(keras)
    return _classes[keras.__name__]


def _make_class(keras: Any) -> type:
    class SavedModelFunction(keras.Model):
        """A model whose layers are one function of a SavedModel."""

        def __init__(self, endpoint: Endpoint, name: str) -> None:
            super().__init__(name=name, autocast=False)
            self._endpoint = endpoint
            self.input_names = list(endpoint.input_names)
            self.output_names = list(endpoint.output_names)
            _adopt(self, endpoint.variables, keras)
            self.built = True

        def call(self, inputs: Any, training: bool | None = None) -> Any:
            return self._endpoint(inputs, training)

        def get_config(self) -> dict[str, Any]:
            raise NotImplementedError("a model over a SavedModel's function has no config; use model.export()")

    return SavedModelFunction


def _adopt(model: Any, variables: Sequence[Any], keras: ModuleType) -> None:
    """Make the function's own variables the model's weights: the same memory, so that training changes the function."""
    numeric = [
        v for v in variables if v.dtype.is_floating or v.dtype.is_integer or v.dtype.is_bool or v.dtype.is_complex
    ]
    if not hasattr(keras, "Variable"):  # Keras 2 tracks TensorFlow's variables
        model.function_variables = list(numeric)
        return
    for variable in numeric:
        path = variable.name.split(":")[0]
        held = keras.Variable(
            initializer="zeros",
            shape=(),
            dtype=variable.dtype.base_dtype.name,
            trainable=variable.trainable,
            name=path.rsplit("/", 1)[-1] or "variable",
        )
        _ = held.value  # it has its (scalar) first value now, so that none is given to it later
        held._value = variable
        held._shape = tuple(variable.shape)
        held._ndim = len(variable.shape)
        held._path = path
        model._track_variable(held)
