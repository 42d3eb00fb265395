"""A layer for an operation of Keras 3 (`keras.ops` in a functional model), where Keras 2 is installed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from safeload.layers.ops import OperationLayer, plain
from safeload.layers.ops3_arithmetic import ARITHMETIC
from safeload.layers.ops3_nn import NN
from safeload.layers.ops3_reductions import REDUCTIONS
from safeload.layers.ops3_shapes import SHAPES
from safeload.layers.registration import registered
from safeload.operations.arguments import fill

__all__ = ["Keras3Operation"]

_COMPUTED = {**ARITHMETIC, **REDUCTIONS, **SHAPES, **NN}


@registered
class Keras3Operation(OperationLayer):
    """A call of an operation of Keras 3.

    Args:
        operation: The name of its class.
        options: Its config.
        arguments: A template, see `operations.arguments`; the layer's inputs are its tensors.

    Raises:
        ValueError: There is none of that name.
    """

    def __init__(self, operation: str, options: Mapping[str, Any], arguments: Mapping[str, Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if operation not in _COMPUTED:
            raise ValueError(f"the operation {operation} is not known here")
        self._operation = operation
        self._options = dict(options)
        self._arguments: dict[str, Any] = {"args": list(arguments["args"]), "kwargs": dict(arguments["kwargs"])}

    def compute(self, tensors: list[Any]) -> Any:
        args = [fill(a, tensors.__getitem__, tf.constant) for a in self._arguments["args"]]
        kwargs = {k: fill(v, tensors.__getitem__, tf.constant) for k, v in self._arguments["kwargs"].items()}
        return _COMPUTED[self._operation](*args, **kwargs, **self._options)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "operation": self._operation,
            "options": plain(self._options),
            "arguments": plain(self._arguments),
        }
