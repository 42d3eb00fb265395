"""ThresholdedReLU, which Keras 3 does not have."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from safeload.runtime import detect, keras_module

__all__ = ["ThresholdedReLU"]

keras: Any = keras_module(detect())


@keras.utils.register_keras_serializable("safeload")
class ThresholdedReLU(keras.layers.Layer):
    """`x where x > theta, else 0` (Keras 1 and 2)."""

    def __init__(self, theta: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        self.theta = float(theta)

    def call(self, inputs: Any) -> Any:
        return inputs * tf.cast(tf.greater(inputs, tf.cast(self.theta, inputs.dtype)), inputs.dtype)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "theta": self.theta}
