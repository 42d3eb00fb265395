"""Losses and metrics of Keras 1 and 2 that no Keras has any more."""

from __future__ import annotations

from typing import Any

from safeload.runtime import detect, keras_module

__all__ = ["mean_cosine_proximity", "negative_cosine_proximity"]

keras: Any = keras_module(detect())


def _normalized(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    if hasattr(keras, "ops"):
        ops = keras.ops
        return ops.normalize(ops.cast(y_true, y_pred.dtype), axis=-1), ops.normalize(y_pred, axis=-1)
    import tensorflow as tf

    return tf.math.l2_normalize(tf.cast(y_true, y_pred.dtype), axis=-1), tf.math.l2_normalize(y_pred, axis=-1)


@keras.utils.register_keras_serializable(package="safeload")
def mean_cosine_proximity(y_true: Any, y_pred: Any) -> Any:
    """`cosine_proximity` of Keras 1: the negative mean over the last axis, where all later ones take the sum."""
    y_true, y_pred = _normalized(y_true, y_pred)
    size = y_pred.shape[-1]
    return negative_cosine_proximity(y_true, y_pred) / float(size)


@keras.utils.register_keras_serializable(package="safeload")
def negative_cosine_proximity(y_true: Any, y_pred: Any) -> Any:
    """`cosine_proximity` as a metric of Keras 2.0 to 2.2: the negative of what later ones report."""
    y_true, y_pred = _normalized(y_true, y_pred)
    if hasattr(keras, "ops"):
        return -keras.ops.sum(y_true * y_pred, axis=-1)
    import tensorflow as tf

    return -tf.reduce_sum(y_true * y_pred, axis=-1)
