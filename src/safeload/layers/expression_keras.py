"""`keras.backend` of Keras 1 and 2, as functions of TensorFlow: what `K.mean` in a Lambda meant.

Read in `backend/tensorflow_backend.py` of 1.2.2, 2.0.8, 2.2.4 and 2.3.1 and in `keras/backend.py` of tf.keras 2.1-2.15. Names
of arguments that Keras 1 had are in `OLD_NAMES`. What differs between the versions in its numbers raises `ValueError`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from safeload.layers.expression_keras_nn import BACKEND_NN

__all__ = ["BACKEND", "OLD_NAMES"]

FLOATX = "float32"
EPSILON = 1e-7
"""`K.epsilon()` at its default (`10e-8` in Keras 1); a changed one is not in the file."""

OLD_NAMES: Mapping[str, str] = {
    "dim": "axis",
    "n_repeat": "n",
    "nb_classes": "num_classes",
    "std": "stddev",
    "dim_ordering": "data_format",
    "border_mode": "padding",
    "X": "x",
}
"""Argument of Keras 1 -> of Keras 2."""


def _tensor(x: Any) -> Any:
    return x if tf.is_tensor(x) else tf.convert_to_tensor(x)


def _axes(axis: Any) -> Any:
    return list(axis) if isinstance(axis, tuple) else axis


def _reduced(function: Callable[..., Any], cast: str = "") -> Callable[..., Any]:
    def reduce(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        x = _tensor(x)
        if cast == "bool" or (cast and x.dtype == tf.bool):
            x = tf.cast(x, cast)
        return function(x, _axes(axis), keepdims)

    return reduce


def clip(x: Any, min_value: Any, max_value: Any) -> Any:
    x = _tensor(x)
    low = -float("inf") if min_value is None else min_value
    high = float("inf") if max_value is None else max_value
    if not tf.is_tensor(low) and not tf.is_tensor(high) and high < low:
        high = low
    return tf.clip_by_value(x, tf.cast(low, x.dtype), tf.cast(high, x.dtype))


def batch_dot(x: Any, y: Any, axes: Any = None) -> Any:
    """A dot product for each sample over one axis of each; for three dimensions at most, where all versions agree."""
    ranks = (x.shape.rank, y.shape.rank)
    if None in ranks or max(ranks) > 3 or min(ranks) < 2:
        raise ValueError("K.batch_dot of these dimensions differs between the versions")
    if axes is None:
        if ranks[1] == 2:
            raise ValueError("K.batch_dot without axes differs between the versions")
        axes = (ranks[0] - 1, ranks[1] - 2)
    first, second = (axes, axes) if isinstance(axes, int) else axes
    letters = ["abc"[: ranks[0]], "ade"[: ranks[1]]]
    first, second = first % ranks[0], second % ranks[1]
    if not first or not second:
        raise ValueError("K.batch_dot over the axis of the samples")
    shared = letters[0][first]
    right = letters[1].replace(letters[1][second], shared)
    result = letters[0].replace(shared, "") + right[1:].replace(shared, "")
    found = tf.einsum(f"{letters[0]},{right}->{result}", x, y)
    return tf.expand_dims(found, 1) if found.shape.rank == 1 else found


def dot(x: Any, y: Any) -> Any:
    """Over the last axis of x and the last but one of y."""
    rank = y.shape.rank
    return tf.tensordot(x, y, [[x.shape.rank - 1], [max(rank - 2, 0)]]) if rank != 1 else tf.tensordot(x, y, 1)


def relu(x: Any, alpha: Any = 0.0, max_value: Any = None, threshold: Any = 0.0) -> Any:
    x = _tensor(x)
    above = x * tf.cast(x > threshold, x.dtype) if threshold else tf.nn.relu(x)
    if max_value is not None:
        above = tf.minimum(above, tf.cast(max_value, x.dtype))
    return above + alpha * (tf.minimum(x, threshold) - threshold) if alpha else above


def switch(condition: Any, then_expression: Any, else_expression: Any) -> Any:
    yes, no = (_tensor(v() if callable(v) else v) for v in (then_expression, else_expression))
    condition = tf.cast(condition, "bool")
    while 0 < condition.shape.rank < yes.shape.rank:
        condition = tf.expand_dims(condition, -1)
    return tf.where(condition, yes, no)


def resize_images(
    x: Any, height_factor: int, width_factor: int, data_format: Any, interpolation: str = "nearest"
) -> Any:
    """Nearest is the same in all versions; bilinear is that of tf.keras 2, whose half pixels `lambdas.calls` asks for."""
    if data_format not in ("channels_last", "tf") or interpolation not in ("nearest", "bilinear"):
        raise ValueError("K.resize_images differs between the versions but for channels_last")
    if interpolation == "bilinear":
        size = tf.shape(x)[1:3] * tf.constant([height_factor, width_factor], tf.int32)
        return tf.image.resize(x, size, method="bilinear")
    return tf.repeat(tf.repeat(x, height_factor, axis=1), width_factor, axis=2)


def _no_channels_first(data_format: Any) -> None:
    if data_format not in (None, "channels_last", "tf"):
        raise ValueError("K.spatial_2d_padding with channels_first")


def spatial_2d_padding(x: Any, padding: Any = ((1, 1), (1, 1)), data_format: Any = None) -> Any:
    _no_channels_first(data_format)
    pairs = [[p, p] if isinstance(p, int) else list(p) for p in padding]
    return tf.pad(x, [[0, 0], *pairs, [0, 0]])


def temporal_padding(x: Any, padding: Any = (1, 1)) -> Any:
    pair = [padding, padding] if isinstance(padding, int) else list(padding)
    return tf.pad(x, [[0, 0], pair, [0, 0]])


def arange(start: Any, stop: Any = None, step: Any = 1, dtype: str = "int32") -> Any:
    if stop is None:
        start, stop = 0, start
    return tf.cast(tf.range(start, limit=stop, delta=step), dtype)


def constant(value: Any, dtype: Any = None, shape: Any = None, name: Any = None) -> Any:
    return tf.constant(value, dtype=dtype or FLOATX, shape=shape)


def int_shape(x: Any) -> tuple[int | None, ...] | None:
    return tuple(x.shape.as_list()) if x.shape.rank is not None else None


def repeat(x: Any, n: int) -> Any:
    if x.shape.rank != 2:
        raise ValueError("K.repeat takes two dimensions")
    return tf.tile(tf.expand_dims(x, 1), [1, n, 1])


def _random(function: Callable[..., Any], names: Sequence[str], defaults: Sequence[Any]) -> Callable[..., Any]:
    def draw(shape: Any, *args: Any, dtype: Any = None, seed: Any = None, **named: Any) -> Any:
        values = {**dict(zip(names, defaults)), **dict(zip(names, args)), **named}
        return function(shape, *(values[n] for n in names), dtype=dtype or FLOATX, seed=seed)

    return draw


def _many(value: Any) -> Any:
    return [value] if isinstance(value, int) else value


def _variance(x: Any, axis: Any, keepdims: bool) -> Any:
    return tf.math.reduce_variance(x, axis, keepdims)


def _deviation(x: Any, axis: Any, keepdims: bool) -> Any:
    return tf.math.sqrt(tf.math.reduce_variance(x, axis, keepdims))


BACKEND: Mapping[str, Callable[..., Any]] = {
    **BACKEND_NN,
    "abs": lambda x: tf.abs(x),
    "all": _reduced(tf.reduce_all, "bool"),
    "any": _reduced(tf.reduce_any, "bool"),
    "arange": arange,
    "argmax": lambda x, axis=-1: tf.argmax(x, axis),
    "argmin": lambda x, axis=-1: tf.argmin(x, axis),
    "batch_dot": batch_dot,
    "batch_flatten": lambda x: tf.reshape(x, tf.stack([-1, tf.reduce_prod(tf.shape(x)[1:])])),
    "cast": lambda x, dtype: tf.cast(x, dtype),
    "cast_to_floatx": lambda x: tf.cast(x, FLOATX),
    "clip": clip,
    "concatenate": lambda tensors, axis=-1: tf.concat(list(tensors), axis),
    "constant": constant,
    "cos": lambda x: tf.cos(x),
    "cumprod": lambda x, axis=0: tf.math.cumprod(x, axis=axis),
    "cumsum": lambda x, axis=0: tf.cumsum(x, axis=axis),
    "dot": dot,
    "elu": lambda x, alpha=1.0: tf.nn.elu(x) if alpha == 1 else tf.where(x > 0, x, alpha * tf.nn.elu(x)),
    "epsilon": lambda: EPSILON,
    "equal": lambda x, y: tf.equal(x, y),
    "exp": lambda x: tf.exp(x),
    "exponential": lambda x: tf.exp(x),
    "expand_dims": lambda x, axis=-1: tf.expand_dims(x, axis),
    "eye": lambda size, dtype=None: tf.eye(size, dtype=dtype or FLOATX),
    "flatten": lambda x: tf.reshape(x, [-1]),
    "floatx": lambda: FLOATX,
    "gather": lambda reference, indices: tf.gather(reference, indices),
    "greater": lambda x, y: tf.greater(x, y),
    "greater_equal": lambda x, y: tf.greater_equal(x, y),
    "hard_sigmoid": lambda x: tf.clip_by_value(0.2 * x + 0.5, 0.0, 1.0),
    "int_shape": int_shape,
    "l2_normalize": lambda x, axis=None: tf.math.l2_normalize(x, axis=_axes(axis)),
    "less": lambda x, y: tf.less(x, y),
    "less_equal": lambda x, y: tf.less_equal(x, y),
    "linear": lambda x: x,
    "log": lambda x: tf.math.log(x),
    "logsumexp": _reduced(tf.reduce_logsumexp),
    "max": _reduced(tf.reduce_max),
    "maximum": lambda x, y: tf.maximum(x, y),
    "mean": _reduced(tf.reduce_mean, FLOATX),
    "min": _reduced(tf.reduce_min),
    "minimum": lambda x, y: tf.minimum(x, y),
    "ndim": lambda x: x.shape.rank,
    "not_equal": lambda x, y: tf.not_equal(x, y),
    "one_hot": lambda indices, num_classes: tf.one_hot(indices, num_classes, axis=-1),
    "ones": lambda shape, dtype=None, name=None: tf.ones(shape, dtype or FLOATX),
    "ones_like": lambda x, dtype=None, name=None: tf.ones_like(x, dtype),
    "permute_dimensions": lambda x, pattern: tf.transpose(x, pattern),
    "pow": lambda x, a: tf.pow(x, a),
    "prod": _reduced(tf.reduce_prod),
    "random_normal": _random(tf.random.normal, ("mean", "stddev"), (0.0, 1.0)),
    "random_uniform": _random(tf.random.uniform, ("minval", "maxval"), (0.0, 1.0)),
    "relu": relu,
    "repeat": repeat,
    "repeat_elements": lambda x, rep, axis: tf.repeat(x, rep, axis=axis),
    "reshape": lambda x, shape: tf.reshape(x, shape),
    "resize_images": resize_images,
    "reverse": lambda x, axes: tf.reverse(x, _many(axes)),
    "round": lambda x: tf.round(x),
    "selu": lambda x: tf.nn.selu(x),
    "shape": lambda x: tf.shape(x),
    "sigmoid": lambda x: tf.nn.sigmoid(x),
    "sign": lambda x: tf.sign(x),
    "sin": lambda x: tf.sin(x),
    "softmax": lambda x, axis=-1: tf.nn.softmax(x, axis=axis),
    "softplus": lambda x: tf.nn.softplus(x),
    "softsign": lambda x: tf.nn.softsign(x),
    "spatial_2d_padding": spatial_2d_padding,
    "sqrt": lambda x: tf.sqrt(tf.clip_by_value(_tensor(x), tf.cast(0.0, _tensor(x).dtype), _tensor(x).dtype.max)),
    "square": lambda x: tf.square(x),
    "squeeze": lambda x, axis: tf.squeeze(x, [axis]),
    "stack": lambda x, axis=0: tf.stack(list(x), axis=axis),
    "std": _reduced(_deviation, FLOATX),
    "stop_gradient": lambda variables: tf.nest.map_structure(tf.stop_gradient, variables),
    "sum": _reduced(tf.reduce_sum),
    "swish": lambda x: x * tf.nn.sigmoid(x),
    "switch": switch,
    "tanh": lambda x: tf.nn.tanh(x),
    "temporal_padding": temporal_padding,
    "tile": lambda x, n: tf.tile(x, _many(n)),
    "transpose": lambda x: tf.transpose(x),
    "truncated_normal": _random(tf.random.truncated_normal, ("mean", "stddev"), (0.0, 1.0)),
    "var": _reduced(_variance, FLOATX),
    "zeros": lambda shape, dtype=None, name=None: tf.zeros(shape, dtype or FLOATX),
    "zeros_like": lambda x, dtype=None, name=None: tf.zeros_like(x, dtype),
}
