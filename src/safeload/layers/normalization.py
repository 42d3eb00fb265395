"""BatchNormalization over several axes, which Keras 3 does not have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from safeload.runtime import detect, keras_module

__all__ = ["BatchNormalization"]

keras: Any = keras_module(detect())


@keras.utils.register_keras_serializable("safeload")
class BatchNormalization(keras.layers.BatchNormalization):
    """Statistics over all axes but `axis`. The weights have the input's rank, as in tf.keras 1.8 to 2.15."""

    def __init__(self, axis: Sequence[int] = (-1,), **kwargs: Any) -> None:
        super().__init__(axis=-1, **kwargs)
        self.axis = [int(a) for a in axis]

    def build(self, input_shape: Any) -> None:
        rank = len(input_shape)
        kept = sorted(a % rank for a in self.axis)
        self._reduced = [a for a in range(rank) if a not in kept]
        shape = tuple(input_shape[a] if a in kept else 1 for a in range(rank))
        made: dict[str, Any] = {"gamma": None, "beta": None}
        for name, wanted in (("gamma", self.scale), ("beta", self.center)):
            if wanted:
                made[name] = self.add_weight(
                    shape=shape,
                    name=name,
                    initializer=getattr(self, f"{name}_initializer"),
                    regularizer=getattr(self, f"{name}_regularizer"),
                    constraint=getattr(self, f"{name}_constraint"),
                )
        self.gamma, self.beta = made["gamma"], made["beta"]
        for name in ("moving_mean", "moving_variance"):
            initializer = getattr(self, f"{name}_initializer")
            setattr(self, name, self.add_weight(shape=shape, name=name, initializer=initializer, trainable=False))
        self.built = True

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        x = tf.cast(inputs, tf.float32) if inputs.dtype in (tf.float16, tf.bfloat16) else inputs
        if training and self.trainable:
            mean, variance = tf.nn.moments(x, self._reduced, keepdims=True)
            for moving, now in ((self.moving_mean, mean), (self.moving_variance, variance)):
                moving.assign(moving * self.momentum + now * (1.0 - self.momentum))
        else:
            mean, variance = tf.convert_to_tensor(self.moving_mean), tf.convert_to_tensor(self.moving_variance)
        gamma = None if self.gamma is None else tf.cast(self.gamma, x.dtype)
        beta = None if self.beta is None else tf.cast(self.beta, x.dtype)
        mean, variance = tf.cast(mean, x.dtype), tf.cast(variance, x.dtype)
        return tf.cast(tf.nn.batch_normalization(x, mean, variance, beta, gamma, self.epsilon), inputs.dtype)
