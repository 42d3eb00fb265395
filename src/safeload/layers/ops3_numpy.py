"""`keras.ops` of Keras 3 in TensorFlow's functions, for Keras 2: arithmetic, reductions, shapes.

By the names of the operations' classes, which is how graphs of Keras 3 name them. Each does what
`keras/src/backend/tensorflow/{numpy,core,math,linalg}.py` of 3.15 does.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from safeload.layers.ops3_types import as_float, cast_all, pair, promoted

__all__ = ["NUMPY"]


def _floating(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def apply(x: Any) -> Any:
        return function(as_float(x))

    return apply


def _binary(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def apply(x1: Any, x2: Any) -> Any:
        return function(*pair(x1, x2))

    return apply


def _floating_binary(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def apply(x1: Any, x2: Any) -> Any:
        a, b = pair(x1, x2)
        return function(as_float(a), as_float(b))

    return apply


def _logical(function: Callable[..., Any]) -> Callable[..., Any]:
    def apply(*values: Any) -> Any:
        return function(*(tf.cast(v, tf.bool) for v in values))

    return apply


def _sum_dtype(x: Any) -> Any:
    name = x.dtype.name
    small = {"bool": "int32", "int8": "int32", "int16": "int32", "uint8": "uint32", "uint16": "uint32"}
    return tf.cast(x, small.get(name, name))


def _add(x1: Any, x2: Any) -> Any:
    a, b = pair(x1, x2)
    return tf.logical_or(a, b) if a.dtype == tf.bool else tf.add(a, b)


def _multiply(x1: Any, x2: Any) -> Any:
    a, b = pair(x1, x2)
    return tf.logical_and(a, b) if a.dtype == tf.bool else tf.multiply(a, b)


def _divide(x1: Any, x2: Any) -> Any:
    a, b = pair(x1, x2)
    return tf.divide(as_float(a), as_float(b))


def _integers(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def apply(x1: Any, x2: Any) -> Any:
        a, b = pair(x1, x2)
        return function(tf.cast(a, tf.int32), tf.cast(b, tf.int32)) if a.dtype == tf.bool else function(a, b)

    return apply


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


def _round(x: Any, decimals: int = 0) -> Any:
    x = tf.convert_to_tensor(x)
    if not x.dtype.is_floating:
        return x
    factor = tf.cast(math.pow(10, decimals), x.dtype)
    return tf.round(x * factor) / factor if decimals else tf.round(x)


def _clip(x: Any, x_min: Any, x_max: Any) -> Any:
    x = tf.convert_to_tensor(x)
    return tf.clip_by_value(tf.cast(x, tf.int32) if x.dtype == tf.bool else x, x_min, x_max)


def _where(condition: Any, x1: Any = None, x2: Any = None) -> Any:
    if x1 is None or x2 is None:
        raise ValueError("Where with one argument")
    return tf.where(tf.cast(condition, tf.bool), *pair(x1, x2))


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


def _full_like(x: Any, fill_value: Any, dtype: Any = None) -> Any:
    return tf.fill(tf.shape(x), tf.cast(fill_value, dtype or x.dtype))


def _like(function: Callable[..., Any]) -> Callable[..., Any]:
    def apply(x: Any, dtype: Any = None) -> Any:
        return function(x, dtype=dtype)

    return apply


def _logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return tf.reduce_logsumexp(x, axis=axis, keepdims=keepdims)


def _norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    axes = None if axis is None else axis if isinstance(axis, int) else tuple(axis)
    if ord not in (None, 1, 2, "fro", "inf") or (ord in (1, 2, "inf") and not isinstance(axes, int)):
        raise ValueError(f"Norm with ord={ord!r}")
    kind = {None: "euclidean", "fro": "euclidean", "inf": math.inf}.get(ord, ord)
    return tf.norm(as_float(x), ord=kind, axis=axes, keepdims=keepdims)


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


def _average(x: Any, weights: Any = None, axis: Any = None) -> Any:
    if weights is None:
        return tf.reduce_mean(as_float(x), axis=axis)
    raise ValueError("Average with weights")


def _nan_to_num(x: Any, nan: float = 0.0, posinf: Any = None, neginf: Any = None) -> Any:
    if not x.dtype.is_floating:
        return x
    x = tf.where(tf.math.is_nan(x), tf.constant(nan, x.dtype), x)
    x = tf.where(tf.equal(x, math.inf), tf.constant(x.dtype.max if posinf is None else posinf, x.dtype), x)
    return tf.where(tf.equal(x, -math.inf), tf.constant(x.dtype.min if neginf is None else neginf, x.dtype), x)


def _absolute(x: Any) -> Any:
    return x if x.dtype == tf.bool or x.dtype.is_unsigned else tf.abs(x)


def _sqrt(x: Any) -> Any:
    return tf.sqrt(as_float(x))


def _top_k(x: Any, k: int, sorted: bool = True) -> Any:
    return tuple(tf.math.top_k(x, k, sorted=sorted))


def _unstack(x: Any, num: Any = None, axis: int = 0) -> Any:
    return tf.unstack(x, num=num, axis=axis)


def _saturated(x: Any, dtype: str) -> Any:
    return tf.saturate_cast(x, dtype)


def _cast(x: Any, dtype: str) -> Any:
    return tf.cast(x, dtype)


def _outer(x1: Any, x2: Any) -> Any:
    a, b = pair(x1, x2)
    return tf.reshape(a, [-1, 1]) * tf.reshape(b, [1, -1])


def _stacked(axis: int, rank: int) -> Callable[[Any], Any]:
    def apply(xs: Any) -> Any:
        values = cast_all(xs)
        return tf.concat(values, axis=0 if values[0].shape.rank < rank else axis)

    return apply


def _log_of(base: float) -> Callable[[Any], Any]:
    def apply(x: Any) -> Any:
        x = as_float(x)
        return tf.math.log(x) / tf.math.log(tf.constant(base, x.dtype))

    return apply


def _isclose(x1: Any, x2: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Any:
    a, b = pair(x1, x2)
    if equal_nan:
        raise ValueError("Isclose with equal_nan")
    return tf.abs(a - b) <= atol + rtol * tf.abs(b)


NUMPY: dict[str, Callable[..., Any]] = {
    "Absolute": _absolute,
    "Add": _add,
    "All": _reduced(tf.reduce_all, lambda x: tf.cast(x, tf.bool)),
    "Amax": _extreme(tf.reduce_max, tf.maximum),
    "Amin": _extreme(tf.reduce_min, tf.minimum),
    "Any": _reduced(tf.reduce_any, lambda x: tf.cast(x, tf.bool)),
    "Arccos": _floating(tf.acos),
    "Arccosh": _floating(tf.acosh),
    "Arcsin": _floating(tf.asin),
    "Arcsinh": _floating(tf.asinh),
    "Arctan": _floating(tf.atan),
    "Arctan2": _floating_binary(tf.atan2),
    "Arctanh": _floating(tf.atanh),
    "Argmax": _position(tf.argmax),
    "Argmin": _position(tf.argmin),
    "Argsort": _argsort,
    "Average": _average,
    "BroadcastTo": lambda x, shape: tf.broadcast_to(x, shape),
    "Cast": _cast,
    "Ceil": _floating(tf.math.ceil),
    "Clip": _clip,
    "Concatenate": _concatenate,
    "Copy": tf.identity,
    "Cos": _floating(tf.cos),
    "Cosh": _floating(tf.cosh),
    "CountNonzero": _count_nonzero,
    "Cumprod": _cumulative(tf.math.cumprod),
    "Cumsum": _cumulative(tf.cumsum),
    "Divide": _divide,
    "DivideNoNan": _floating_binary(tf.math.divide_no_nan),
    "Dot": _dot,
    "Einsum": _einsum,
    "Equal": _binary(tf.equal),
    "Erf": _floating(tf.math.erf),
    "Erfinv": _floating(tf.math.erfinv),
    "Exp": _floating(tf.exp),
    "ExpandDims": _expand_dims,
    "Expm1": _floating(tf.math.expm1),
    "Flip": _flip,
    "Floor": _floating(tf.floor),
    "FloorDivide": _integers(tf.math.floordiv),
    "FullLike": _full_like,
    "GetItem": _get_item,
    "Greater": _integers(tf.greater),
    "GreaterEqual": _integers(tf.greater_equal),
    "Hstack": _stacked(1, 2),
    "Isclose": _isclose,
    "Isfinite": _floating(tf.math.is_finite),
    "Isinf": _floating(tf.math.is_inf),
    "Isnan": _floating(tf.math.is_nan),
    "Less": _integers(tf.less),
    "LessEqual": _integers(tf.less_equal),
    "Log": _floating(tf.math.log),
    "Log10": _log_of(10.0),
    "Log1p": _floating(tf.math.log1p),
    "Log2": _log_of(2.0),
    "Logaddexp": _floating_binary(lambda a, b: tf.maximum(a, b) + tf.math.log1p(tf.exp(-tf.abs(a - b)))),
    "LogicalAnd": _logical(tf.logical_and),
    "LogicalNot": _logical(tf.logical_not),
    "LogicalOr": _logical(tf.logical_or),
    "LogicalXor": _logical(tf.math.logical_xor),
    "Logsumexp": _logsumexp,
    "Matmul": _matmul,
    "Max": _extreme(tf.reduce_max, tf.maximum),
    "Maximum": _binary(tf.maximum),
    "Mean": _reduced(tf.reduce_mean, as_float),
    "Min": _extreme(tf.reduce_min, tf.minimum),
    "Minimum": _binary(tf.minimum),
    "Mod": _integers(tf.math.floormod),
    "Moveaxis": _moveaxis,
    "Multiply": _multiply,
    "NanToNum": _nan_to_num,
    "Negative": tf.negative,
    "Norm": _norm,
    "NotEqual": _binary(tf.not_equal),
    "OnesLike": _like(tf.ones_like),
    "Outer": _outer,
    "Pad": _pad,
    "Power": _integers(tf.pow),
    "Prod": _prod,
    "Ravel": lambda x: tf.reshape(x, [-1]),
    "Reciprocal": _floating(tf.math.reciprocal),
    "Repeat": _repeat,
    "Reshape": _reshape,
    "Roll": _roll,
    "Round": _round,
    "Rsqrt": _floating(tf.math.rsqrt),
    "SaturateCast": _saturated,
    "Sign": tf.sign,
    "Sin": _floating(tf.sin),
    "Sinh": _floating(tf.sinh),
    "Size": tf.size,
    "Sort": _sort,
    "Split": _split,
    "Sqrt": _sqrt,
    "Square": lambda x: tf.square(tf.cast(x, tf.int32) if x.dtype == tf.bool else x),
    "Squeeze": _squeeze,
    "Stack": _stack,
    "Std": _moment(tf.math.reduce_std),
    "StopGradient": tf.stop_gradient,
    "Subtract": _integers(tf.subtract),
    "Sum": _reduced(tf.reduce_sum, _sum_dtype),
    "Swapaxes": _swapaxes,
    "Take": _take,
    "Tan": _floating(tf.tan),
    "Tanh": _floating(tf.tanh),
    "Tensordot": _tensordot,
    "Tile": _tile,
    "TopK": _top_k,
    "Transpose": lambda x, axes=None: tf.transpose(x, axes),
    "Tril": _triangle(False),
    "Triu": _triangle(True),
    "TrueDivide": _divide,
    "Unstack": _unstack,
    "Var": _moment(tf.math.reduce_variance),
    "Vstack": _stacked(0, 2),
    "Where": _where,
    "ZerosLike": _like(tf.zeros_like),
}
"""Class name of the operation -> what computes it: call arguments, then the options of the config by name."""
