"""Ragged tensors as dense ones: `x.to_tensor()` in a functional model of Keras 2."""

from __future__ import annotations

from typing import Any

from safeload.layers.ops import OperationLayer, keras
from safeload.layers.registration import registered

__all__ = ["RaggedToTensor"]


@registered
class RaggedToTensor(OperationLayer):
    """`tf.RaggedTensor.to_tensor`.

    Args:
        default_value: What fills the rows up.
        shape: The shape of the result; None for as much as there is.
    """

    def __init__(self, default_value: Any = None, shape: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.default_value = default_value
        self.shape = shape

    def call(self, inputs: Any) -> Any:
        if not hasattr(inputs, "to_tensor"):  # Keras 3 stands in a dense tensor while it builds
            return inputs
        return inputs.to_tensor(default_value=self.default_value, shape=self.shape)

    def compute_output_shape(self, input_shape: Any) -> Any:
        if self.shape is None:
            return tuple(input_shape)
        return tuple(d if d is not None else i for d, i in zip(self.shape, input_shape))

    def compute_output_spec(self, inputs: Any) -> Any:
        return keras.KerasTensor(self.compute_output_shape(inputs.shape), dtype=inputs.dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "default_value": self.default_value, "shape": self.shape}
