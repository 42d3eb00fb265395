"""How Keras 3 promotes types: as JAX does, and not as TensorFlow does, which promotes nothing.

`keras/src/backend/common/dtypes.py` of 3.0-3.15: bool < integers < bfloat16, float16 < float32 < float64; a Python number
takes the other's type where that is of its kind or above.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

__all__ = ["as_float", "cast_all", "dtype_of", "pair", "promoted"]

_SIGNED = ("int8", "int16", "int32", "int64")
_UNSIGNED = ("uint8", "uint16", "uint32", "uint64")
_FLOATS = ("float16", "bfloat16", "float32", "float64")


def _weak(value: Any) -> str | None:
    if isinstance(value, bool):
        return None
    return "int" if isinstance(value, int) else "float" if isinstance(value, float) else None


def dtype_of(value: Any) -> str:
    """The name of a tensor's or number's type."""
    if isinstance(value, bool):
        return "bool"
    kind = _weak(value)
    if kind is not None:
        return kind
    return str(tf.convert_to_tensor(value).dtype.name)


def _join(a: str, b: str) -> str:
    if a == b:
        return a
    for first, second in ((a, b), (b, a)):
        if first == "bool":
            return {"int": "int32", "float": "float32"}.get(second, second)
        if first == "int" and second != "float":
            return second
        if first == "float" and (second in _FLOATS or second == "int"):
            return second if second in _FLOATS else "float32"
    if "float" in (a, b):
        return "float32"
    if a in _FLOATS and b in _FLOATS:
        if {a, b} == {"float16", "bfloat16"}:
            return "float32"
        return a if _FLOATS.index(a) > _FLOATS.index(b) else b
    if a in _FLOATS or b in _FLOATS:
        return a if a in _FLOATS else b
    if a in _SIGNED and b in _SIGNED:
        return a if _SIGNED.index(a) > _SIGNED.index(b) else b
    if a in _UNSIGNED and b in _UNSIGNED:
        return a if _UNSIGNED.index(a) > _UNSIGNED.index(b) else b
    signed, unsigned = (a, b) if a in _SIGNED else (b, a)
    if signed not in _SIGNED or unsigned not in _UNSIGNED:
        raise TypeError(f"Keras 3 has no common type for {a} and {b}")
    needed = _UNSIGNED.index(unsigned) + 1
    return "float32" if needed > 3 else _SIGNED[max(needed, _SIGNED.index(signed))]


def promoted(*values: Any) -> str:
    """The common type of tensors, numbers and names of types."""
    names = [v if isinstance(v, str) else dtype_of(v) for v in values]
    common = names[0]
    for name in names[1:]:
        common = _join(common, name)
    return {"int": "int32", "float": "float32"}.get(common, common)


def cast_all(values: Any, *more: str) -> list[Any]:
    """The values as tensors of their common type."""
    dtype = promoted(*values, *more)
    return [tf.cast(v, dtype) for v in values]


def pair(a: Any, b: Any) -> tuple[Any, Any]:
    """Two values as tensors of their common type."""
    first, second = cast_all([a, b])
    return first, second


def as_float(x: Any) -> Any:
    """A tensor of floats: integers and bool become float32, as `keras.config.floatx()` is by default."""
    x = tf.convert_to_tensor(x)
    return x if x.dtype.is_floating or x.dtype.is_complex else tf.cast(x, tf.float32)
