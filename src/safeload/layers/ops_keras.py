"""Functions of `keras.backend`, `keras.losses`, `keras.metrics` and `keras.activations` as tf.keras 2.4-2.15 had them.

Only those that ended up in files: most functions of `keras.backend` are recorded as the TensorFlow functions that they
call. What is recorded under its own name is what inspects its arguments before it calls TensorFlow.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

__all__ = ["KERAS"]

EPSILON = 1e-7
"""`keras.backend.epsilon()` at its default; a changed one is not in the file."""


def batch_flatten(x: Any) -> Any:
    return tf.reshape(x, tf.stack([-1, tf.reduce_prod(tf.shape(x)[1:])]))


def _clipped(output: Any) -> Any:
    epsilon = tf.constant(EPSILON, output.dtype)
    return tf.clip_by_value(output, epsilon, 1.0 - epsilon)


def binary_crossentropy(target: Any, output: Any, from_logits: bool = False) -> Any:
    target, output = tf.convert_to_tensor(target), tf.convert_to_tensor(output)
    if from_logits:
        return tf.nn.sigmoid_cross_entropy_with_logits(labels=target, logits=output)
    output = _clipped(output)
    result = target * tf.math.log(output + EPSILON)
    result += (1 - target) * tf.math.log(1 - output + EPSILON)
    return -result


def categorical_crossentropy(target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> Any:
    target, output = tf.convert_to_tensor(target), tf.convert_to_tensor(output)
    if from_logits:
        return tf.nn.softmax_cross_entropy_with_logits(labels=target, logits=output, axis=axis)
    output = output / tf.reduce_sum(output, axis, True)
    return -tf.reduce_sum(target * tf.math.log(_clipped(output)), axis)


def sparse_categorical_crossentropy(
    target: Any, output: Any, from_logits: bool = False, axis: int = -1, ignore_class: int | None = None
) -> Any:
    if ignore_class is not None:
        raise ValueError("sparse_categorical_crossentropy with ignore_class")
    target, output = tf.cast(target, tf.int64), tf.convert_to_tensor(output)
    if not from_logits:
        output = tf.math.log(_clipped(output))
    rank = output.shape.rank
    if axis not in (-1, rank - 1):
        output = tf.transpose(output, [i for i in range(rank) if i != axis % rank] + [axis % rank])
    shape = tf.shape(output)
    flat = tf.nn.sparse_softmax_cross_entropy_with_logits(
        labels=tf.reshape(target, [-1]), logits=tf.reshape(output, [-1, output.shape[-1]])
    )
    return tf.reshape(flat, shape[:-1]) if rank >= 3 else flat


def hinge(y_true: Any, y_pred: Any) -> Any:
    y_pred = tf.convert_to_tensor(y_pred)
    y_true = tf.cast(y_true, y_pred.dtype)
    binary = tf.reduce_all(tf.logical_or(tf.equal(y_true, 0), tf.equal(y_true, 1)))
    y_true = tf.cond(binary, lambda: 2.0 * y_true - 1.0, lambda: y_true)
    return tf.reduce_mean(tf.maximum(1.0 - y_true * y_pred, 0.0), axis=-1)


def squared_hinge(y_true: Any, y_pred: Any) -> Any:
    y_pred = tf.convert_to_tensor(y_pred)
    y_true = tf.cast(y_true, y_pred.dtype)
    binary = tf.reduce_all(tf.logical_or(tf.equal(y_true, 0), tf.equal(y_true, 1)))
    y_true = tf.cond(binary, lambda: 2.0 * y_true - 1.0, lambda: y_true)
    return tf.reduce_mean(tf.square(tf.maximum(1.0 - y_true * y_pred, 0.0)), axis=-1)


def softmax(x: Any, axis: int = -1) -> Any:
    return tf.nn.softmax(x, axis=axis)


def hard_sigmoid(x: Any) -> Any:
    return tf.clip_by_value(0.2 * x + 0.5, 0.0, 1.0)


def bias_add(x: Any, bias: Any, data_format: str | None = None) -> Any:
    if data_format == "channels_first":
        raise ValueError("bias_add with channels_first")
    return x + bias


def resize_images(
    x: Any, height_factor: int, width_factor: int, data_format: str, interpolation: str = "nearest"
) -> Any:
    if data_format != "channels_last":
        raise ValueError("resize_images with channels_first")
    size = tf.shape(x)[1:3] * tf.constant([height_factor, width_factor], tf.int32)
    return tf.image.resize(x, size, method=interpolation)


KERAS: dict[str, Callable[..., Any]] = {
    "keras.activations.hard_sigmoid": hard_sigmoid,
    "keras.activations.softmax": softmax,
    "keras.backend.batch_flatten": batch_flatten,
    "keras.backend.bias_add": bias_add,
    "keras.backend.binary_crossentropy": binary_crossentropy,
    "keras.backend.categorical_crossentropy": categorical_crossentropy,
    "keras.backend.hard_sigmoid": hard_sigmoid,
    "keras.backend.resize_images": resize_images,
    "keras.backend.sparse_categorical_crossentropy": sparse_categorical_crossentropy,
    "keras.metrics.hinge": hinge,
    "keras.metrics.squared_hinge": squared_hinge,
}
