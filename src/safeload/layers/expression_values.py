"""What a program computes with: operators over tensors and plain values, and the functions of Python, `math` and NumPy.

Plain values are bounded here: a program may ask for `n ** n ** n` with an `n` that is only known when shapes are.
"""

from __future__ import annotations

import builtins
import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from safeload.operations import elements
from safeload.operations.python import NUMPY_SIZES

__all__ = ["attribute", "binary", "compare", "item", "preprocess_input", "truth", "unary", "value", "value_function"]

_MAX_LENGTH = 1000
_MAX_BITS = 128
_MAX_ELEMENTS = 1 << 20
_BINARY: Mapping[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
    "**": operator.pow,
    "@": operator.matmul,
    "&": operator.and_,
    "|": operator.or_,
    "^": operator.xor,
    "<<": operator.lshift,
    ">>": operator.rshift,
}
_UNARY: Mapping[str, Callable[[Any], Any]] = {"-": operator.neg, "+": operator.pos, "~": operator.invert}
_COMPARE: Mapping[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
    "in": lambda a, b: a in b,
    "not in": lambda a, b: a not in b,
    "is": operator.is_,
    "is not": operator.is_not,
}


def _is_array(x: Any) -> bool:
    return tf.is_tensor(x) or isinstance(x, np.ndarray | np.generic)


def binary(op: str, a: Any, b: Any) -> Any:
    """An operator over tensors, shapes and plain values.

    Raises:
        ValueError: On plain values, it would take much time or memory.
    """
    if op == "div":  # Python 2: of two integers, an integer
        op = "//" if _is_integer(a) and _is_integer(b) else "/"
    if not _is_array(a) and not _is_array(b):
        _bound(op, a, b)
    return _BINARY[op](a, b)


def _is_integer(x: Any) -> bool:
    return bool(x.dtype in (tf.int32, tf.int64, np.int32, np.int64)) if _is_array(x) else isinstance(x, int)


def _bound(op: str, a: Any, b: Any) -> None:
    if isinstance(a, str) or isinstance(b, str):
        raise ValueError(f"{op} on texts")
    integers = isinstance(a, int) and isinstance(b, int)
    if integers and op in ("**", "<<") and (b > _MAX_BITS or a.bit_length() * max(b, 1) > _MAX_BITS):
        raise ValueError("a huge number")
    if op in ("*", "+"):
        length = sum(len(v) for v in (a, b) if isinstance(v, list | tuple))
        times = max([v for v in (a, b) if isinstance(v, int)] or [1]) if op == "*" else 1
        if length * max(times, 1) > _MAX_LENGTH:
            raise ValueError("a long list")


def unary(op: str, a: Any) -> Any:
    if op == "not ":
        return not truth(a)
    return _UNARY[op](a)


def truth(x: Any) -> bool:
    """A condition, which must be known when the model is built.

    Raises:
        ValueError: It is a tensor.
    """
    if tf.is_tensor(x):
        x = tf.get_static_value(x)
        if x is None:
            raise ValueError("a condition is a tensor")
    return bool(x)


def item(owner: Any, key: Any) -> Any:
    """`owner[key]`: of a tensor, a shape, a list."""
    if isinstance(owner, str):
        raise ValueError("a part of a text")
    if isinstance(owner, tf.TensorShape) and isinstance(key, slice) and owner.rank is not None:
        return tf.TensorShape(owner.as_list()[key])
    return owner[key]


def compare(op: str, a: Any, b: Any) -> Any:
    return _COMPARE[op](a, b)


def attribute(owner: Any, name: str) -> Any:
    """An attribute of a tensor or a shape: what `program.ATTRIBUTES` allows, as TensorFlow 1 and 2 had it."""
    if name in ("values", "indices"):  # of `tf.nn.top_k`
        if name not in getattr(owner, "_fields", ()):
            raise ValueError(f"the attribute {name} of a value that has none")
        return getattr(owner, name)
    if name == "name":  # of a type
        if not isinstance(owner, tf.DType):
            raise ValueError("the name of something that is no type")
        return owner.name
    if name == "value":  # of a dimension of TensorFlow 1, which are plain numbers here
        if owner is not None and not isinstance(owner, int):
            raise ValueError("the attribute value of something that is no dimension")
        return owner
    if name == "_keras_shape":
        return tuple(owner.shape.as_list())
    if name in ("ndim", "ndims", "rank"):
        return owner.rank if isinstance(owner, tf.TensorShape) else owner.shape.rank
    if name == "T":
        return tf.transpose(owner)
    return {"shape": lambda: owner.shape, "dtype": lambda: owner.dtype}[name]()


def value(name: str) -> Any:
    """A constant or a type: `np.pi`, `tf.float32`."""
    module, _, rest = name.partition(".")
    if module == "tf":
        return None if rest == "newaxis" else tf.dtypes.as_dtype(rest)
    return (
        {"pi": math.pi, "e": math.e, "inf": math.inf, "newaxis": None}[rest] if rest in _PLAIN else np.dtype(rest).type
    )


_PLAIN = ("pi", "e", "inf", "newaxis")


def _sum(items: Any, start: Any = 0) -> Any:
    total = start
    for item in items:
        total = binary("+", total, item)
    return total


def _power(base: Any, exponent: Any) -> Any:
    return binary("**", base, exponent)


def _len(x: Any) -> int:
    return int(x.rank) if isinstance(x, tf.TensorShape) else len(x)


_PYTHON: Mapping[str, Callable[..., Any]] = {
    **{name: getattr(builtins, name) for name in "abs bool divmod float int list max min round slice tuple".split()},
    "len": _len,
    "pow": _power,
    "sum": _sum,
}


def value_function(module: str, name: str) -> Callable[..., Any]:
    """A function of `builtins`, `math` or NumPy; those of the latter two take no tensors."""
    if module == "builtins":
        return _PYTHON[name]
    source: Any = math if module == "math" else np
    function = getattr(source, name)

    def call(*args: Any, **kwargs: Any) -> Any:
        if any(tf.is_tensor(v) for v in tf.nest.flatten([args, kwargs])):
            raise ValueError(f"{module}.{name} of a tensor")
        if module == "np":
            _bound_numbers(name, args, kwargs)
        return _small(function(*args, **kwargs))

    return call


def _bound_numbers(name: str, args: Any, kwargs: Any) -> None:
    if name in NUMPY_SIZES and elements(("a",), {"a": _numbers([args, list(kwargs.values())])}) > _MAX_ELEMENTS:
        raise ValueError("a large array")


def _numbers(value: Any) -> Any:
    """Numbers and lists of them; of an array, how many it has."""
    if isinstance(value, np.ndarray):
        return int(value.size)
    if isinstance(value, list | tuple | tf.TensorShape):
        return [_numbers(v) for v in value]
    return value


def preprocess_input(x: Any, mode: str) -> Any:
    """`imagenet_utils._preprocess_symbolic_input` for channels_last (Keras 2.15, keras_applications 1.0.8)."""
    x = tf.cast(x, tf.float32) if not x.dtype.is_floating else x
    if mode == "tf":
        return x / 127.5 - 1.0
    if mode == "torch":
        mean, deviation = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
        return (x / 255.0 - tf.constant(mean, x.dtype)) / tf.constant(deviation, x.dtype)
    if mode == "caffe":  # from RGB to BGR
        return x[..., ::-1] - tf.constant([103.939, 116.779, 123.68], x.dtype)
    raise ValueError(f"preprocess_input with the mode {mode!r}")


def _small(found: Any) -> Any:
    if isinstance(found, np.ndarray) and found.size > _MAX_ELEMENTS:
        raise ValueError("a large array")
    return found
