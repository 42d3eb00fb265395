"""What global names in a function mean: modules by the names that everyone gives them, and what may be called in them.

The bytecode says `K.mean`, not what `K` is. Only the usual names are taken: `K` is `keras.backend`, `tf` is TensorFlow, `np`
is NumPy. Functions have ids that begin with their module: `K.mean`, `tf.math.reduce_mean`, `np.sqrt`, `ops.mean`.
"""

from __future__ import annotations

import keyword
from collections.abc import Mapping, Sequence
from typing import Any

from safeload.operations import MAX_ELEMENTS, elements, function
from safeload.operations.python import BUILTINS, KERAS_BACKEND, KERAS_OPS, MATH, NUMPY, NUMPY_VALUES

__all__ = ["allowed", "is_random", "resolve", "size_of"]

_MODULES: Mapping[str, str] = {
    "K": "K",
    "backend": "K",
    "keras.backend": "K",
    "tf.keras.backend": "K",
    "tensorflow.keras.backend": "K",
    "tf": "tf",
    "tensorflow": "tf",
    "np": "np",
    "numpy": "np",
    "math": "math",
    "ops": "ops",
    "keras.ops": "ops",
}
_DTYPES = frozenset("float16 float32 float64 bfloat16 int8 int16 int32 int64 uint8 uint16 uint32 bool".split())
_VALUES: Mapping[str, frozenset[str]] = {
    "tf": _DTYPES,
    "np": frozenset({*NUMPY_VALUES, *_DTYPES}),
    "math": NUMPY_VALUES,
}
_FUNCTIONS: Mapping[str, frozenset[str]] = {
    "K": KERAS_BACKEND,
    "np": NUMPY,
    "math": MATH,
    "ops": KERAS_OPS,
    "builtins": BUILTINS,
}
_ACTIVATIONS = frozenset("elu exponential linear relu selu sigmoid softmax softplus softsign swish tanh".split())
"""Those of `keras.activations` that are what they were (`hard_sigmoid` is another in Keras 3)."""

_OWN_TENSORFLOW = frozenset({"constant"})
"""Functions of TensorFlow that make tensors of constants, which no graph has as a call."""

_OTHER_IN_2 = frozenset({"image.resize", "image.resize_with_pad", "nn.dropout", "nn.moments"})
"""What TensorFlow 2 computes in another way from the same arguments than TensorFlow 1."""


def resolve(path: str, tensorflow: int | None) -> tuple[str, str] | None:
    """The kind (`call` or `value`) and id of a dotted global name; None where no table has it.

    Args:
        path: Such as `tf.nn.relu`.
        tensorflow: 1 or 2: which major version the names are of; None where the file doesn't say.

    Example:
        >>> resolve("keras.backend.mean", 2)
        ('call', 'K.mean')
        >>> resolve("K.tf.io.write_file", 2) is None
        True
    """
    if "." not in path:
        return ("call", f"builtins.{path}") if path in BUILTINS else None
    prefix, _, name = path.rpartition(".")
    if prefix in ("activations", "keras.activations", "tf.keras.activations"):
        return ("call", f"K.{name}") if name in _ACTIVATIONS else None
    module = _MODULES.get(prefix)
    if module is not None and name in _VALUES.get(module, ()):
        return "value", f"{module}.{name}"
    if module == "np" and name in _DTYPES:
        return "value", f"np.{name}"
    if module is not None and name in _FUNCTIONS.get(module, ()):
        return "call", f"{module}.{name}"
    head, _, rest = path.partition(".")
    if _MODULES.get(head) != "tf" or rest.startswith(("keras.", "__operators__.")):
        return None
    if rest in _OWN_TENSORFLOW:
        return "call", f"tf.{rest}"
    later, earlier = function(rest), function(f"compat.v1.{rest}")
    if rest in _OTHER_IN_2 and tensorflow is None:
        return None
    row = earlier or later if tensorflow == 1 else later or earlier
    return ("call", f"tf.{row.id}") if row is not None else None


def allowed(kind: str, name: str) -> bool:
    """Whether an id is one that a table has."""
    module, _, rest = name.partition(".")
    if kind == "value":
        return rest in _VALUES.get(module, ())
    if module == "tf":
        row = function(rest)
        if rest in _OWN_TENSORFLOW:
            return True
        return row is not None and row.id == rest and not rest.startswith("keras.")
    return rest in _FUNCTIONS.get(module, ())


def is_random(name: str) -> bool:
    """Whether two calls of a function differ."""
    module, _, rest = name.partition(".")
    row = function(rest) if module == "tf" else None
    return row.is_random if row is not None else "random" in name or "dropout" in name or "truncated_normal" in name


def size_of(name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> int | None:
    """How many elements a call asks for, if those are too many for a model."""
    module, _, rest = name.partition(".")
    if name == "tf.constant":
        size = elements(("shape",), {"shape": kwargs.get("shape", args[2] if len(args) > 2 else None)})
        return size if size > MAX_ELEMENTS else None
    rows = [function(rest)] if module == "tf" else [function(f"keras.backend.{rest}"), function(rest)]
    for row in rows:
        if row is None or not row.sizes:
            continue
        try:
            size = elements(row.sizes, row.bind(tuple(args), kwargs))
        except TypeError:
            size = elements(("a",), {"a": [*args, *kwargs.values()]})
        if size > MAX_ELEMENTS:
            return size
    return None


def is_word(name: str) -> bool:
    """Whether a name can stand in source text."""
    return name.isidentifier() and not keyword.iskeyword(name)
