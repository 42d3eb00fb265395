"""A layer for each call of a TensorFlow function: what `TFOpLambda` and its relatives of Keras 2 were.

Keras 3 has no such layers, and its own operations promote types in another way (`float16 * 2.0`, `int / int`), so the
function that the model was written with is called.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf

from safeload.layers.ops_functions import implementation
from safeload.layers.registration import registered
from safeload.operations import MAX_ELEMENTS
from safeload.operations.arguments import fill
from safeload.runtime import detect, keras_module

__all__ = ["OperationLayer", "TensorFlowFunction", "bounded", "plain"]

keras: Any = keras_module(detect())

DTYPES = frozenset({"dtype", "out_type", "output_type", "index_type", "row_splits_dtype", "type"})
"""Parameters that take a dtype, which configs hold by name."""


def bounded(outputs: Sequence[Any]) -> Sequence[Any]:
    """The outputs, if their sizes are what a model may have.

    Raises:
        ValueError: One is known to have more than `operations.MAX_ELEMENTS` elements for one sample.
    """
    for output in outputs:
        shape = getattr(output, "shape", None)
        dimensions = shape.as_list() if shape is not None and shape.rank is not None else []
        elements = 1
        for dimension in dimensions:
            elements *= dimension if dimension is not None else 1
        if elements > MAX_ELEMENTS:
            raise ValueError(f"an operation gives {elements} elements, more than {MAX_ELEMENTS}")
    return outputs


class OperationLayer(keras.layers.Layer):
    """A layer that computes something without variables: no cast of its inputs, and masks end here, as in Keras 2."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(autocast=False, **kwargs)
        self.supports_masking = True  # or Keras 3 warns that the mask ends
        self._convert_input_args = False

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> None:
        return None

    def call(self, inputs: Any) -> Any:
        tensors = list(inputs) if isinstance(inputs, list | tuple) else [inputs]
        outputs = bounded(tf.nest.flatten(self.compute(tensors)))
        return outputs[0] if len(outputs) == 1 else list(outputs)

    def compute(self, tensors: list[Any]) -> Any:
        """What the layer gives for its inputs; each kind of operation says how."""
        raise NotImplementedError


@registered
class TensorFlowFunction(OperationLayer):
    """A call of a pure TensorFlow function.

    Args:
        function: Its id in `safeload.operations`.
        arguments: A template, see `operations.arguments`; the layer's inputs are its tensors.

    Raises:
        ValueError: The id is not in the table.
    """

    def __init__(self, function: str, arguments: Mapping[str, Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._call_function = implementation(function)
        self._function = function
        self._arguments: dict[str, Any] = {"args": list(arguments["args"]), "kwargs": dict(arguments["kwargs"])}

    def compute(self, tensors: list[Any]) -> Any:
        args = [fill(a, tensors.__getitem__, tf.constant) for a in self._arguments["args"]]
        kwargs = {k: fill(v, tensors.__getitem__, tf.constant) for k, v in self._arguments["kwargs"].items()}
        for name in DTYPES & kwargs.keys():
            if isinstance(kwargs[name], str):  # some functions look for attributes of a DType
                kwargs[name] = tf.dtypes.as_dtype(kwargs[name])
        return self._call_function(*args, **kwargs)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "function": self._function, "arguments": plain(self._arguments)}


def plain(value: Any) -> Any:
    """A copy without the wrappers that Keras 2 puts around attributes."""
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    return value
