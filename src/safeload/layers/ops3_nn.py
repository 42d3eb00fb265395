"""`keras.ops` of Keras 3 in TensorFlow's functions, for Keras 2: `keras.ops.nn` and `keras.ops.image`.

Each does what `keras/src/backend/tensorflow/{nn,image}.py` of 3.15 does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from safeload.layers import keras3_activations as activations
from safeload.layers.ops3_types import as_float

__all__ = ["NN"]


def _softmax(x: Any, axis: Any = -1) -> Any:
    if axis is None:
        return tf.reshape(tf.nn.softmax(tf.reshape(x, [-1])), tf.shape(x))
    return tf.nn.softmax(x, axis=axis)


def _log_softmax(x: Any, axis: Any = -1) -> Any:
    if axis is None:
        return tf.reshape(tf.nn.log_softmax(tf.reshape(x, [-1])), tf.shape(x))
    return tf.nn.log_softmax(x, axis=axis)


def _elu(x: Any, alpha: float = 1.0) -> Any:
    result = tf.nn.elu(x)
    return result if alpha == 1 else tf.where(x > 0, result, alpha * result)


def _gelu(x: Any, approximate: bool = True) -> Any:
    return tf.nn.gelu(as_float(x), approximate=approximate)


def _leaky_relu(x: Any, negative_slope: float = 0.2) -> Any:
    return tf.nn.leaky_relu(x, alpha=negative_slope)


def _one_hot(x: Any, num_classes: int, axis: int = -1, dtype: Any = None, sparse: bool = False) -> Any:
    if sparse:
        raise ValueError("OneHot with sparse=True")
    dtype = dtype or "float32"
    on = tf.cast(1, dtype)
    return tf.one_hot(
        tf.cast(x, tf.int32), num_classes, on_value=on, off_value=tf.cast(0, dtype), axis=axis, dtype=dtype
    )


def _pool(kind: str) -> Callable[..., Any]:
    def apply(inputs: Any, pool_size: Any, strides: Any = None, padding: str = "valid", data_format: Any = None) -> Any:
        if data_format == "channels_first":
            raise ValueError("pooling with channels_first")
        spatial = inputs.shape.rank - 2
        size = [pool_size] * spatial if isinstance(pool_size, int) else list(pool_size)
        steps = size if strides is None else [strides] * spatial if isinstance(strides, int) else list(strides)
        return tf.nn.pool(inputs, size, kind, strides=steps, padding=padding.upper())

    return apply


def _moments(x: Any, axes: Any, keepdims: bool = False, synchronized: bool = False) -> Any:
    wide = tf.cast(x, tf.float32) if x.dtype in (tf.float16, tf.bfloat16) else x
    mean = tf.reduce_mean(wide, axis=axes, keepdims=True)
    variance = tf.reduce_mean(tf.square(wide), axis=axes, keepdims=True) - tf.square(mean)
    if not keepdims:
        mean, variance = tf.squeeze(mean, axes), tf.squeeze(variance, axes)
    return tf.cast(mean, x.dtype), tf.cast(variance, x.dtype)


def _normalize(x: Any, axis: Any = -1, order: Any = 2, epsilon: Any = None) -> Any:
    if order != 2:
        raise ValueError(f"Normalize with order={order!r}")
    smallest = 1e-7 if epsilon is None else epsilon
    squares = tf.reduce_sum(tf.square(x), axis=axis, keepdims=True)
    return x * tf.math.rsqrt(tf.maximum(squares, smallest * smallest))


def _resize(
    images: Any,
    size: Any,
    interpolation: str = "bilinear",
    antialias: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    fill_mode: str = "constant",
    fill_value: float = 0.0,
    data_format: Any = None,
) -> Any:
    if crop_to_aspect_ratio or pad_to_aspect_ratio or data_format == "channels_first":
        raise ValueError("Resize that crops, pads or has channels first")
    return tf.cast(tf.image.resize(images, size, method=interpolation, antialias=antialias), images.dtype)


NN: dict[str, Callable[..., Any]] = {
    "AveragePool": _pool("AVG"),
    "Celu": activations.keras3_celu,
    "Elu": _elu,
    "Gelu": _gelu,
    "Glu": activations.keras3_glu,
    "HardShrink": activations.keras3_hard_shrink,
    "HardSigmoid": activations.keras3_hard_sigmoid,
    "HardSilu": activations.keras3_hard_silu,
    "HardTanh": activations.keras3_hard_tanh,
    "LeakyRelu": _leaky_relu,
    "LogSigmoid": lambda x: tf.math.log_sigmoid(as_float(x)),
    "LogSoftmax": _log_softmax,
    "MaxPool": _pool("MAX"),
    "Moments": _moments,
    "Normalize": _normalize,
    "OneHot": _one_hot,
    "Relu": tf.nn.relu,
    "Relu6": tf.nn.relu6,
    "Resize": _resize,
    "Selu": tf.nn.selu,
    "Sigmoid": lambda x: tf.nn.sigmoid(as_float(x)),
    "Silu": lambda x: tf.nn.silu(as_float(x)),
    "SoftShrink": activations.keras3_soft_shrink,
    "Softmax": _softmax,
    "Softplus": lambda x: tf.math.softplus(as_float(x)),
    "Softsign": tf.nn.softsign,
    "SparsePlus": activations.keras3_sparse_plus,
    "SparseSigmoid": activations.keras3_sparse_sigmoid,
    "Sparsemax": activations.keras3_sparsemax,
    "Squareplus": activations.keras3_squareplus,
    "TanhShrink": activations.keras3_tanh_shrink,
    "Threshold": activations.keras3_threshold,
}
"""Class name of the operation -> what computes it."""
