"""UpSampling2D as TensorFlow 1 interpolated."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from safeload.runtime import detect, keras_module

__all__ = ["UpSampling2D"]

keras: Any = keras_module(detect())


@keras.utils.register_keras_serializable("safeload")
class UpSampling2D(keras.layers.UpSampling2D):
    """Bilinear interpolation that samples at the pixels' corners: `tf.compat.v1.image.resize_bilinear`."""

    def call(self, inputs: Any) -> Any:
        if self.interpolation != "bilinear":
            return super().call(inputs)
        first = self.data_format == "channels_first"
        images = tf.transpose(inputs, (0, 2, 3, 1)) if first else inputs
        size = tf.shape(images)[1:3] * tf.constant(self.size, tf.int32)
        resized = tf.cast(
            tf.compat.v1.image.resize_bilinear(images, size, align_corners=False, half_pixel_centers=False),
            inputs.dtype,
        )
        height, width = (None if n is None else n * k for n, k in zip(images.shape[1:3], self.size))
        resized.set_shape((images.shape[0], height, width, images.shape[3]))
        return tf.transpose(resized, (0, 3, 1, 2)) if first else resized
