"""What the ids of `safeload.operations` stand for: TensorFlow's functions, and those of `keras.backend` written out.

The functions of `keras.*` are not those of Keras 3 of the same name: what tf.keras 2.4-2.15 computed is computed here
(`keras/backend.py`, `keras/losses.py`, `keras/activations.py` of 2.4 and 2.15).
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from safeload.layers.ops_keras import KERAS
from safeload.operations import function

__all__ = ["implementation"]


def _add(x: Any, y: Any) -> Any:
    """`+`: a constant on the left has the type of the tensor on the right, as `2 + x` had."""
    return tf.__operators__.add(x if tf.is_tensor(x) else tf.convert_to_tensor(x, y.dtype), y)


def _equal(self: Any, other: Any) -> Any:
    return self == other


def _not_equal(self: Any, other: Any) -> Any:
    return self != other


OPERATORS: dict[str, Callable[..., Any]] = {
    "__operators__.add": _add,
    "__operators__.eq": _equal,
    "__operators__.ne": _not_equal,
}
"""Operators whose public form takes no constants, or takes its arguments by other names in some versions."""


def implementation(name: str) -> Callable[..., Any]:
    """The function that an id stands for.

    Raises:
        ValueError: The table has no such id, or this TensorFlow has no such function.
    """
    row = function(name)
    if row is None or row.id != name:
        raise ValueError(f"{name} is not in the table of pure functions")
    found: Any = KERAS.get(name) or OPERATORS.get(name)
    if found is None and not name.startswith("keras."):
        try:
            found = functools.reduce(getattr, name.split("."), tf)
        except AttributeError:
            found = None
    if found is None:
        raise ValueError(f"{name} can't be computed here")
    computes: Callable[..., Any] = found
    return computes
