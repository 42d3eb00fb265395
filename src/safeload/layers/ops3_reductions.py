"""`keras.ops` of Keras 3 in TensorFlow's functions, for Keras 2: reductions along axes, sums that run along one, and products of matrices.

Each does what `keras/src/backend/tensorflow/{numpy,core,math,linalg}.py` of 3.15 does.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from safeload.layers.ops3_types import as_float, cast_all, pair, promoted

__all__ = ["REDUCTIONS"]


def _sum_dtype(x: Any) -> Any:
    name = x.dtype.name
    small = {"bool": "int32", "int8": "int32", "int16": "int32", "uint8": "uint32", "uint16": "uint32"}
    return tf.cast(x, small.get(name, name))


def _reduced(function: Callable[..., Any], convert: Callable[[Any], Any]) -> Callable[..., Any]:
    def apply(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return function(convert(tf.convert_to_tensor(x)), axis=axis, keepdims=keepdims)

    return apply


def _extreme(function: Callable[..., Any], combine: Callable[..., Any]) -> Callable[..., Any]:
    def apply(x: Any, axis: Any = None, keepdims: bool = False, initial: Any = None) -> Any:
        x = tf.convert_to_tensor(x)
        integers = tf.cast(x, tf.int32) if x.dtype == tf.bool else x
        found = function(integers, axis=axis, keepdims=keepdims)
        if initial is not None:
            found = combine(found, tf.cast(initial, found.dtype))
        return tf.cast(found, x.dtype)

    return apply


def _moment(function: Callable[..., Any]) -> Callable[..., Any]:
    def apply(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        x = tf.convert_to_tensor(x)
        wide = tf.cast(x, promoted(x, "float32"))
        result = x.dtype if x.dtype.is_floating else tf.float32
        return tf.cast(function(wide, axis=axis, keepdims=keepdims), result)

    return apply


def _position(function: Callable[..., Any]) -> Callable[..., Any]:
    def apply(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        x = tf.convert_to_tensor(x)
        x = tf.cast(x, tf.uint8) if x.dtype == tf.bool else x
        rank = x.shape.rank
        flat = x if axis is not None else tf.reshape(x, [-1])
        found = function(flat, axis=axis if axis is not None else 0, output_type=tf.int32)
        if not keepdims:
            return found
        return tf.expand_dims(found, axis) if axis is not None else tf.reshape(found, [1] * rank)

    return apply


def _matmul(x1: Any, x2: Any) -> Any:
    a, b = pair(x1, x2)
    if a.shape.rank == 1 or b.shape.rank == 1:
        return tf.tensordot(a, b, axes=[[-1], [0 if b.shape.rank == 1 else b.shape.rank - 2]])
    return tf.matmul(a, b)


def _dot(x1: Any, x2: Any) -> Any:
    a, b = pair(x1, x2)
    if not a.shape.rank or not b.shape.rank:
        return a * b
    return tf.tensordot(a, b, axes=[[-1], [-1 if b.shape.rank == 1 else -2]])


def _einsum(*operands: Any, subscripts: str) -> Any:
    return tf.einsum(subscripts, *cast_all(operands))


def _tensordot(x1: Any, x2: Any, axes: Any = 2) -> Any:
    return tf.tensordot(*pair(x1, x2), axes=axes)


def _cumulative(function: Callable[..., Any]) -> Callable[..., Any]:
    def apply(x: Any, axis: Any = None, dtype: Any = None) -> Any:
        x = tf.convert_to_tensor(x)
        x = tf.cast(x, dtype or ("int32" if x.dtype == tf.bool else x.dtype))
        return function(tf.reshape(x, [-1]), 0) if axis is None else function(x, axis)

    return apply


def _prod(x: Any, axis: Any = None, keepdims: bool = False, dtype: Any = None) -> Any:
    x = tf.convert_to_tensor(x)
    return tf.reduce_prod(tf.cast(x, dtype) if dtype else _sum_dtype(x), axis=axis, keepdims=keepdims)


def _count_nonzero(x: Any, axis: Any = None) -> Any:
    return tf.math.count_nonzero(x, axis=axis, dtype=tf.int32)


def _logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return tf.reduce_logsumexp(x, axis=axis, keepdims=keepdims)


def _norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    axes = None if axis is None else axis if isinstance(axis, int) else tuple(axis)
    if ord not in (None, 1, 2, "fro", "inf") or (ord in (1, 2, "inf") and not isinstance(axes, int)):
        raise ValueError(f"Norm with ord={ord!r}")
    kind = {None: "euclidean", "fro": "euclidean", "inf": math.inf}.get(ord, ord)
    return tf.norm(as_float(x), ord=kind, axis=axes, keepdims=keepdims)


def _average(x: Any, weights: Any = None, axis: Any = None) -> Any:
    if weights is None:
        return tf.reduce_mean(as_float(x), axis=axis)
    raise ValueError("Average with weights")


def _outer(x1: Any, x2: Any) -> Any:
    a, b = pair(x1, x2)
    return tf.reshape(a, [-1, 1]) * tf.reshape(b, [1, -1])


REDUCTIONS: dict[str, Callable[..., Any]] = {
    "All": _reduced(tf.reduce_all, lambda x: tf.cast(x, tf.bool)),
    "Amax": _extreme(tf.reduce_max, tf.maximum),
    "Amin": _extreme(tf.reduce_min, tf.minimum),
    "Any": _reduced(tf.reduce_any, lambda x: tf.cast(x, tf.bool)),
    "Argmax": _position(tf.argmax),
    "Argmin": _position(tf.argmin),
    "Average": _average,
    "CountNonzero": _count_nonzero,
    "Cumprod": _cumulative(tf.math.cumprod),
    "Cumsum": _cumulative(tf.cumsum),
    "Dot": _dot,
    "Einsum": _einsum,
    "Logsumexp": _logsumexp,
    "Matmul": _matmul,
    "Max": _extreme(tf.reduce_max, tf.maximum),
    "Mean": _reduced(tf.reduce_mean, as_float),
    "Min": _extreme(tf.reduce_min, tf.minimum),
    "Norm": _norm,
    "Outer": _outer,
    "Prod": _prod,
    "Std": _moment(tf.math.reduce_std),
    "Sum": _reduced(tf.reduce_sum, _sum_dtype),
    "Tensordot": _tensordot,
    "Var": _moment(tf.math.reduce_variance),
}
"""Class name of the operation -> what computes it: call arguments, then the options of the config by name."""
