"""Activations of Keras 3 for Keras 2: functions that it lacks, or that give other numbers there.

Each does what `keras.activations` of Keras 3 does under the same name, in TensorFlow's operations.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from safeload.layers.registration import registered

__all__ = [
    "keras3_celu", "keras3_glu", "keras3_hard_shrink", "keras3_hard_sigmoid", "keras3_hard_silu", "keras3_hard_tanh",
    "keras3_leaky_relu", "keras3_log_sigmoid", "keras3_log_softmax", "keras3_mish", "keras3_relu6", "keras3_soft_shrink",
    "keras3_sparse_plus", "keras3_sparse_sigmoid", "keras3_sparsemax", "keras3_squareplus", "keras3_tanh_shrink",
    "keras3_threshold",
]  # fmt: skip


@registered
def keras3_hard_sigmoid(x: Any) -> Any:
    """`relu6(x + 3) / 6`; Keras 2 has another line of this name."""
    return tf.nn.relu6(x + 3.0) / 6.0


@registered
def keras3_hard_silu(x: Any) -> Any:
    """`x * hard_sigmoid(x)`."""
    return x * keras3_hard_sigmoid(x)


@registered
def keras3_relu6(x: Any) -> Any:
    return tf.nn.relu6(x)


@registered
def keras3_leaky_relu(x: Any, negative_slope: float = 0.2) -> Any:
    return tf.nn.leaky_relu(x, alpha=negative_slope)


@registered
def keras3_celu(x: Any, alpha: float = 1.0) -> Any:
    return tf.maximum(x, 0.0) + alpha * tf.math.expm1(tf.minimum(x, 0.0) / alpha)


@registered
def keras3_glu(x: Any, axis: int = -1) -> Any:
    half, gate = tf.split(x, 2, axis=axis)
    return half * tf.sigmoid(gate)


@registered
def keras3_hard_tanh(x: Any) -> Any:
    return tf.clip_by_value(x, -1.0, 1.0)


@registered
def keras3_hard_shrink(x: Any, threshold: float = 0.5) -> Any:
    return tf.where(tf.abs(x) > threshold, x, tf.zeros_like(x))


@registered
def keras3_soft_shrink(x: Any, threshold: float = 0.5) -> Any:
    return tf.where(x > threshold, x - threshold, tf.where(x < -threshold, x + threshold, tf.zeros_like(x)))


@registered
def keras3_tanh_shrink(x: Any) -> Any:
    return x - tf.tanh(x)


@registered
def keras3_threshold(x: Any, threshold: float, default_value: float) -> Any:
    return tf.where(x > threshold, x, tf.cast(default_value, x.dtype) * tf.ones_like(x))


@registered
def keras3_log_sigmoid(x: Any) -> Any:
    return tf.math.log_sigmoid(x)


@registered
def keras3_log_softmax(x: Any, axis: int = -1) -> Any:
    return tf.nn.log_softmax(x, axis=axis)


@registered
def keras3_mish(x: Any) -> Any:
    return x * tf.tanh(tf.math.softplus(x))


@registered
def keras3_squareplus(x: Any, b: float = 4.0) -> Any:
    return (x + tf.sqrt(x * x + b)) / 2.0


@registered
def keras3_sparse_plus(x: Any) -> Any:
    return tf.where(x <= -1.0, tf.zeros_like(x), tf.where(x < 1.0, 0.25 * tf.square(x + 1.0), x))


@registered
def keras3_sparse_sigmoid(x: Any) -> Any:
    return tf.where(x <= -1.0, tf.zeros_like(x), tf.where(x >= 1.0, tf.ones_like(x), 0.5 * (x + 1.0)))


@registered
def keras3_sparsemax(x: Any, axis: int = -1) -> Any:
    """As Keras 3 computes it: with the sum of the cumulative sums in the threshold (`backend.nn.sparsemax`)."""
    ordered = tf.sort(x, direction="DESCENDING", axis=axis)
    sums = tf.cumsum(ordered, axis=axis)
    shape = [1] * len(x.shape)
    shape[axis] = -1
    ranks = tf.reshape(tf.cast(tf.range(1, tf.shape(x)[axis] + 1), x.dtype), shape)
    support = ordered - (sums - 1.0) / ranks > 0
    size = tf.reduce_sum(tf.cast(support, x.dtype), axis=axis, keepdims=True)
    threshold = (tf.reduce_sum(tf.where(support, sums, tf.zeros_like(sums)), axis=axis, keepdims=True) - 1.0) / size
    return tf.maximum(x - threshold, 0.0)
