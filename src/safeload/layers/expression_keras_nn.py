"""The part of `keras.backend` that convolves, pools, measures and draws; see `expression_keras`.

All of it for channels_last: a Lambda that says otherwise, or that relied on another default, is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from safeload.layers import ops_keras

__all__ = ["BACKEND_NN"]

FLOATX = "float32"


def _last(data_format: Any) -> None:
    if data_format not in (None, "channels_last", "tf"):
        raise ValueError("a function of K with channels_first")


def _padding(padding: str) -> str:
    if padding not in ("same", "valid"):
        raise ValueError(f"the padding {padding!r}")
    return padding.upper()


def _convolution(rank: int) -> Callable[..., Any]:
    def convolve(
        x: Any, kernel: Any, strides: Any = 1, padding: str = "valid", data_format: Any = None, dilation_rate: Any = 1
    ) -> Any:
        _last(data_format)
        given = [list(v) if isinstance(v, list | tuple) else [v] * rank for v in (strides, dilation_rate)]
        return tf.nn.convolution(x, kernel, strides=given[0], padding=_padding(padding), dilations=given[1])

    return convolve


def conv2d_transpose(
    x: Any, kernel: Any, output_shape: Any, strides: Any = (1, 1), padding: str = "valid", data_format: Any = None
) -> Any:
    _last(data_format)
    shape = tf.stack(list(output_shape)) if isinstance(output_shape, list | tuple) else output_shape
    return tf.nn.conv2d_transpose(x, kernel, shape, [1, *strides, 1], _padding(padding))


def depthwise_conv2d(
    x: Any,
    depthwise_kernel: Any,
    strides: Any = (1, 1),
    padding: str = "valid",
    data_format: Any = None,
    dilation_rate: Any = (1, 1),
) -> Any:
    _last(data_format)
    return tf.nn.depthwise_conv2d(
        x, depthwise_kernel, [1, *strides, 1], _padding(padding), dilations=list(dilation_rate)
    )


def separable_conv2d(
    x: Any,
    depthwise_kernel: Any,
    pointwise_kernel: Any,
    strides: Any = (1, 1),
    padding: str = "valid",
    data_format: Any = None,
    dilation_rate: Any = (1, 1),
) -> Any:
    _last(data_format)
    return tf.nn.separable_conv2d(
        x, depthwise_kernel, pointwise_kernel, [1, *strides, 1], _padding(padding), dilations=list(dilation_rate)
    )


def _pool(rank: int) -> Callable[..., Any]:
    def pool(
        x: Any,
        pool_size: Any,
        strides: Any = None,
        padding: str = "valid",
        data_format: Any = None,
        pool_mode: str = "max",
    ) -> Any:
        _last(data_format)
        if pool_mode not in ("max", "avg"):
            raise ValueError(f"the pooling {pool_mode!r}")
        return tf.nn.pool(x, list(pool_size), pool_mode.upper(), list(strides or [1] * rank), _padding(padding))

    return pool


def batch_normalization(
    x: Any, mean: Any, var: Any, beta: Any, gamma: Any, axis: int = -1, epsilon: float = 1e-3
) -> Any:
    """By the formula; `axis` only chose a kernel."""
    return tf.nn.batch_normalization(x, mean, var, beta, gamma, epsilon)


def ctc_batch_cost(y_true: Any, y_pred: Any, input_length: Any, label_length: Any) -> Any:
    lengths = tf.cast(tf.squeeze(label_length, axis=-1), tf.int32)
    labels = tf.RaggedTensor.from_tensor(tf.cast(y_true, tf.int32), lengths=tf.cast(lengths, tf.int64)).to_sparse()
    inputs = tf.math.log(tf.transpose(y_pred, [1, 0, 2]) + ops_keras.EPSILON)
    times = tf.cast(tf.squeeze(input_length, axis=-1), tf.int32)
    return tf.expand_dims(tf.compat.v1.nn.ctc_loss(labels=labels, inputs=inputs, sequence_length=times), 1)


def dropout(x: Any, level: Any, noise_shape: Any = None, seed: Any = None) -> Any:
    """Drops whenever it is called; a Lambda that does so only in training says `K.in_train_phase`."""
    return tf.nn.dropout(x, rate=level, noise_shape=noise_shape, seed=seed)


def random_binomial(shape: Any, p: float = 0.0, dtype: Any = None, seed: Any = None) -> Any:
    return tf.cast(tf.random.uniform(shape, seed=seed) <= p, dtype or FLOATX)


def slice_(x: Any, start: Sequence[int], size: Sequence[int]) -> Any:
    return tf.slice(x, start, size)


def spatial_3d_padding(x: Any, padding: Any = ((1, 1), (1, 1), (1, 1)), data_format: Any = None) -> Any:
    _last(data_format)
    pairs = [[p, p] if isinstance(p, int) else list(p) for p in padding]
    return tf.pad(x, [[0, 0], *pairs, [0, 0]])


def resize_volumes(x: Any, depth_factor: int, height_factor: int, width_factor: int, data_format: Any) -> Any:
    _last(data_format)
    for axis, times in enumerate((depth_factor, height_factor, width_factor), 1):
        x = tf.repeat(x, times, axis=axis)
    return x


def bias_add(x: Any, bias: Any, data_format: Any = None) -> Any:
    _last(data_format)
    if bias.shape.rank not in (1, x.shape.rank - 1):
        raise ValueError("K.bias_add with a bias of these dimensions")
    return x + bias


BACKEND_NN: Mapping[str, Callable[..., Any]] = {
    "batch_normalization": batch_normalization,
    "bias_add": bias_add,
    "binary_crossentropy": ops_keras.binary_crossentropy,
    "categorical_crossentropy": ops_keras.categorical_crossentropy,
    "conv1d": _convolution(1),
    "conv2d": _convolution(2),
    "conv2d_transpose": conv2d_transpose,
    "conv3d": _convolution(3),
    "ctc_batch_cost": ctc_batch_cost,
    "depthwise_conv2d": depthwise_conv2d,
    "dropout": dropout,
    "dtype": lambda x: x.dtype.name,
    "identity": lambda x, name=None: tf.identity(x),
    "in_top_k": lambda predictions, targets, k: tf.math.in_top_k(targets, predictions, k),
    "pool2d": _pool(2),
    "pool3d": _pool(3),
    "random_bernoulli": random_binomial,
    "random_binomial": random_binomial,
    "resize_volumes": resize_volumes,
    "separable_conv2d": separable_conv2d,
    "slice": slice_,
    "sparse_categorical_crossentropy": ops_keras.sparse_categorical_crossentropy,
    "spatial_3d_padding": spatial_3d_padding,
    "to_dense": lambda tensor: tensor,
    "variable": lambda value, dtype=None, name=None, constraint=None: tf.constant(value, dtype=dtype or FLOATX),
}
