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

__all__ = ["attribute", "binary", "compare", "unary", "value", "value_function"]

_MAX_LENGTH = 1000
_MAX_BITS = 128
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
        raise ValueError("a condition is a tensor")
    return bool(x)


def compare(op: str, a: Any, b: Any) -> Any:
    return _COMPARE[op](a, b)


def attribute(owner: Any, name: str) -> Any:
    """An attribute of a tensor or a shape: what `program.ATTRIBUTES` allows, as TensorFlow 1 and 2 had it."""
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
        return tf.dtypes.as_dtype(rest)
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


_PYTHON: Mapping[str, Callable[..., Any]] = {
    **{name: getattr(builtins, name) for name in "abs bool float int len list max min round slice tuple".split()},
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
        return _small(function(*args, **kwargs))

    return call


def _small(found: Any) -> Any:
    if isinstance(found, np.ndarray) and found.size > 1 << 20:
        raise ValueError("a large array")
    return found
