"""A layer that hands its input on without the mask that hangs on it."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from safeload.runtime import detect, keras_module

__all__ = ["NoMask"]

keras: Any = keras_module(detect())


@keras.utils.register_keras_serializable("safeload")
class NoMask(keras.layers.Layer):
    """The identity, after which there is no mask: the layer behind had none where the model was written."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        return tf.identity(inputs)  # a copy: masks hang on the tensors

    def compute_mask(self, inputs: Any, mask: Any = None) -> None:
        return None

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape
