"""`keras.ops` of Keras 3 in TensorFlow's functions, for Keras 2: shapes, order, and parts of arrays.

Each does what `keras/src/backend/tensorflow/{numpy,core,math,linalg}.py` of 3.15 does.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from safeload.layers.ops3_types import cast_all

__all__ = ["SHAPES"]


def _reshape(x: Any, newshape: Any) -> Any:
    return tf.reshape(x, [newshape] if isinstance(newshape, int) else newshape)


def _expand_dims(x: Any, axis: Any) -> Any:
    if isinstance(axis, int):
        return tf.expand_dims(x, axis)
    rank = x.shape.rank + len(axis)
    for place in sorted(a % rank for a in axis):
        x = tf.expand_dims(x, place)
    return x


def _squeeze(x: Any, axis: Any = None) -> Any:
    return tf.squeeze(x, axis=axis)


def _swapaxes(x: Any, axis1: int, axis2: int) -> Any:
    order = list(range(x.shape.rank))
    order[axis1], order[axis2] = order[axis2], order[axis1]
    return tf.transpose(x, order)


def _moveaxis(x: Any, source: Any, destination: Any) -> Any:
    rank = x.shape.rank
    sources = [s % rank for s in ([source] if isinstance(source, int) else source)]
    targets = [d % rank for d in ([destination] if isinstance(destination, int) else destination)]
    order = [i for i in range(rank) if i not in sources]
    for target, place in sorted(zip(targets, sources)):
        order.insert(target, place)
    return tf.transpose(x, order)


def _split(x: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    if isinstance(indices_or_sections, int):
        return tf.split(x, indices_or_sections, axis=axis)
    starts = [0, *indices_or_sections]
    sizes = [b - a for a, b in itertools.pairwise(starts)]
    return tf.split(x, [*sizes, -1], axis=axis)


def _pad(x: Any, pad_width: Any, mode: str = "constant", constant_values: Any = None) -> Any:
    x = tf.convert_to_tensor(x)
    if isinstance(pad_width, int):
        pad_width = [[pad_width, pad_width]] * x.shape.rank
    elif isinstance(pad_width[0], int):
        pad_width = [list(pad_width)] * x.shape.rank
    elif len(pad_width) == 1:
        pad_width = list(pad_width) * x.shape.rank
    if mode == "constant":
        value = tf.cast(0 if constant_values is None else constant_values, x.dtype)
        return tf.pad(x, pad_width, "CONSTANT", constant_values=value)
    return tf.pad(x, pad_width, mode.upper())


def _flip(x: Any, axis: Any = None) -> Any:
    return tf.reverse(x, list(range(x.shape.rank)) if axis is None else [axis] if isinstance(axis, int) else axis)


def _roll(x: Any, shift: Any, axis: Any = None) -> Any:
    if axis is None:
        return tf.reshape(tf.roll(tf.reshape(x, [-1]), shift, 0), tf.shape(x))
    return tf.roll(x, shift, axis)


def _repeat(x: Any, repeats: Any, axis: Any = None) -> Any:
    return tf.repeat(x, repeats, axis=axis)


def _tile(x: Any, repeats: Any) -> Any:
    rank = x.shape.rank
    times = [repeats] if isinstance(repeats, int) else list(repeats)
    for _ in range(len(times) - rank):
        x = tf.expand_dims(x, 0)
    return tf.tile(x, [1] * (x.shape.rank - len(times)) + times)


def _take(x: Any, indices: Any, axis: Any = None) -> Any:
    x, indices = tf.convert_to_tensor(x), tf.cast(indices, tf.int32)
    if axis is None:
        x, axis = tf.reshape(x, [-1]), 0
    indices = tf.where(indices < 0, indices + tf.shape(x)[axis], indices)
    return tf.gather(x, indices, axis=axis)


def _triangle(upper: bool) -> Callable[..., Any]:
    def apply(x: Any, k: int = 0) -> Any:
        rows = tf.range(tf.shape(x)[-2])[:, tf.newaxis]
        columns = tf.range(tf.shape(x)[-1])[tf.newaxis, :]
        kept = columns - rows >= k if upper else columns - rows <= k
        return tf.where(kept, x, tf.zeros_like(x))

    return apply


def _sort(x: Any, axis: int = -1) -> Any:
    return tf.sort(tf.cast(x, tf.int8), axis=axis) if x.dtype == tf.bool else tf.sort(x, axis=axis)


def _argsort(x: Any, axis: Any = -1) -> Any:
    return tf.argsort(tf.reshape(x, [-1]) if axis is None else x, axis=-1 if axis is None else axis, stable=True)


def _get_item(x: Any, key: Any) -> Any:
    return x[tuple(key) if isinstance(key, list) else key]


def _concatenate(xs: Any, axis: int = 0) -> Any:
    return tf.concat(cast_all(xs), axis=axis)


def _stack(x: Any, axis: int = 0) -> Any:
    return tf.stack(cast_all(x), axis=axis)


def _top_k(x: Any, k: int, sorted: bool = True) -> Any:
    return tuple(tf.math.top_k(x, k, sorted=sorted))


def _unstack(x: Any, num: Any = None, axis: int = 0) -> Any:
    return tf.unstack(x, num=num, axis=axis)


def _stacked(axis: int, rank: int) -> Callable[[Any], Any]:
    def apply(xs: Any) -> Any:
        values = cast_all(xs)
        return tf.concat(values, axis=0 if values[0].shape.rank < rank else axis)

    return apply


SHAPES: dict[str, Callable[..., Any]] = {
    "Argsort": _argsort,
    "BroadcastTo": lambda x, shape: tf.broadcast_to(x, shape),
    "Concatenate": _concatenate,
    "ExpandDims": _expand_dims,
    "Flip": _flip,
    "GetItem": _get_item,
    "Hstack": _stacked(1, 2),
    "Moveaxis": _moveaxis,
    "Pad": _pad,
    "Ravel": lambda x: tf.reshape(x, [-1]),
    "Repeat": _repeat,
    "Reshape": _reshape,
    "Roll": _roll,
    "Size": tf.size,
    "Sort": _sort,
    "Split": _split,
    "Squeeze": _squeeze,
    "Stack": _stack,
    "Swapaxes": _swapaxes,
    "Take": _take,
    "Tile": _tile,
    "TopK": _top_k,
    "Transpose": lambda x, axes=None: tf.transpose(x, axes),
    "Tril": _triangle(False),
    "Triu": _triangle(True),
    "Unstack": _unstack,
    "Vstack": _stacked(0, 2),
}
"""Class name of the operation -> what computes it: call arguments, then the options of the config by name."""
