"""`keras.ops` of Keras 3 in TensorFlow's functions, for Keras 2: element by element: arithmetic, comparison, logic, conversion.

Each does what `keras/src/backend/tensorflow/{numpy,core,math,linalg}.py` of 3.15 does.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from safeload.layers.ops3_types import as_float, pair

__all__ = ["ARITHMETIC"]


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


def _full_like(x: Any, fill_value: Any, dtype: Any = None) -> Any:
    return tf.fill(tf.shape(x), tf.cast(fill_value, dtype or x.dtype))


def _like(function: Callable[..., Any]) -> Callable[..., Any]:
    def apply(x: Any, dtype: Any = None) -> Any:
        return function(x, dtype=dtype)

    return apply


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


def _saturated(x: Any, dtype: str) -> Any:
    return tf.saturate_cast(x, dtype)


def _cast(x: Any, dtype: str) -> Any:
    return tf.cast(x, dtype)


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


ARITHMETIC: dict[str, Callable[..., Any]] = {
    "Absolute": _absolute,
    "Add": _add,
    "Arccos": _floating(tf.acos),
    "Arccosh": _floating(tf.acosh),
    "Arcsin": _floating(tf.asin),
    "Arcsinh": _floating(tf.asinh),
    "Arctan": _floating(tf.atan),
    "Arctan2": _floating_binary(tf.atan2),
    "Arctanh": _floating(tf.atanh),
    "Cast": _cast,
    "Ceil": _floating(tf.math.ceil),
    "Clip": _clip,
    "Copy": tf.identity,
    "Cos": _floating(tf.cos),
    "Cosh": _floating(tf.cosh),
    "Divide": _divide,
    "DivideNoNan": _floating_binary(tf.math.divide_no_nan),
    "Equal": _binary(tf.equal),
    "Erf": _floating(tf.math.erf),
    "Erfinv": _floating(tf.math.erfinv),
    "Exp": _floating(tf.exp),
    "Expm1": _floating(tf.math.expm1),
    "Floor": _floating(tf.floor),
    "FloorDivide": _integers(tf.math.floordiv),
    "FullLike": _full_like,
    "Greater": _integers(tf.greater),
    "GreaterEqual": _integers(tf.greater_equal),
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
    "Maximum": _binary(tf.maximum),
    "Minimum": _binary(tf.minimum),
    "Mod": _integers(tf.math.floormod),
    "Multiply": _multiply,
    "NanToNum": _nan_to_num,
    "Negative": tf.negative,
    "NotEqual": _binary(tf.not_equal),
    "OnesLike": _like(tf.ones_like),
    "Power": _integers(tf.pow),
    "Reciprocal": _floating(tf.math.reciprocal),
    "Round": _round,
    "Rsqrt": _floating(tf.math.rsqrt),
    "SaturateCast": _saturated,
    "Sign": tf.sign,
    "Sin": _floating(tf.sin),
    "Sinh": _floating(tf.sinh),
    "Sqrt": _sqrt,
    "Square": lambda x: tf.square(tf.cast(x, tf.int32) if x.dtype == tf.bool else x),
    "StopGradient": tf.stop_gradient,
    "Subtract": _integers(tf.subtract),
    "Tan": _floating(tf.tan),
    "Tanh": _floating(tf.tanh),
    "TrueDivide": _divide,
    "Where": _where,
    "ZerosLike": _like(tf.zeros_like),
}
"""Class name of the operation -> what computes it: call arguments, then the options of the config by name."""
