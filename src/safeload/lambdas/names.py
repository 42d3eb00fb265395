"""What global names in a function mean: modules by the names that everyone gives them, and what may be called in them.

The bytecode says `K.mean`, not what `K` is. Only the usual names are taken: `K` is `keras.backend`, `tf` is TensorFlow, `np`
is NumPy. Functions have ids that begin with their module: `K.mean`, `tf.math.reduce_mean`, `np.sqrt`, `ops.mean`.
"""

from __future__ import annotations

import keyword
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from safeload.lambdas.setting import Setting
from safeload.lambdas.tensorflow_names import find
from safeload.operations import MAX_ELEMENTS, elements, function
from safeload.operations.python import (
    APPLICATIONS,
    BUILTINS,
    KERAS_BACKEND,
    KERAS_OPS,
    MATH,
    NUMPY,
    NUMPY_SIZES,
    NUMPY_VALUES,
)

__all__ = ["IMPORTABLE", "Meaning", "allowed", "is_random", "resolve", "size_of"]

IMPORTABLE = frozenset({"keras", "keras_applications", "tensorflow", "numpy", "math"})
"""Packages whose modules a function may import: their names are those of the tables, wherever they come from."""

_PREFIXES: tuple[tuple[str, str], ...] = (
    *((f"{alias}.backend.", "K.") for alias in ("kr", "ks", "tfk")),
    # how a module may be written, and what it is here; applied one after the other
    ("tensorflow.", "tf."),
    ("K.tf.", "tf."),
    ("K.tensorflow_backend.tf.", "tf."),
    ("tf.compat.v1.keras.", "tf.keras."),
    ("tf.compat.v2.", "tf."),
    ("tf.contrib.keras.", "tf.keras."),
    ("tf.python.keras.", "tf.keras."),
    ("tf.keras.", "keras."),
    ("keras.src.", "keras."),
    ("keras.api.", "keras."),
    ("keras.legacy.", "keras."),
    ("keras.tf.", "tf."),
    ("keras_applications.", "applications."),
    ("keras.applications.", "applications."),
    ("keras.activations.", "activations."),
    ("keras.backend.tf.", "tf."),
    ("keras.backend.", "K."),
    *((f"{alias}.", "K.") for alias in ("backend", "k", "kb", "Kb", "KB", "KTF")),
    ("K.tensorflow_backend.", "K."),
    ("keras.ops.", "ops."),
    ("numpy.", "np."),
)
_DTYPES = frozenset(
    "float16 float32 float64 bfloat16 int8 int16 int32 int64 uint8 uint16 uint32 bool complex64 complex128".split()
)
_VALUES: Mapping[str, frozenset[str]] = {
    "tf": _DTYPES | {"newaxis", "string"},
    "np": frozenset({*NUMPY_VALUES, *_DTYPES} - {"bfloat16"}),
    "math": NUMPY_VALUES,
}
_FUNCTIONS: Mapping[str, frozenset[str]] = {
    "K": KERAS_BACKEND,
    "np": NUMPY,
    "math": MATH,
    "ops": KERAS_OPS,
    "builtins": BUILTINS,
    "applications": frozenset({"preprocess_input"}),
}
_ACTIVATIONS = frozenset("elu exponential linear relu selu sigmoid softmax softplus softsign swish tanh".split())
"""Those of `keras.activations` that are what they were (`hard_sigmoid` is another in Keras 3)."""

_OWN_TENSORFLOW = frozenset({"constant", "cond"})
"""Functions of TensorFlow that are computed here, because no graph has them as one call."""

_CALLING = {
    **{f"K.{n}": f"K.{n}" for n in "in_test_phase in_train_phase map_fn switch".split()},
    **{f"tf.{n}": f"tf.{n}" for n in "cond map_fn vectorized_map concat split".split()},
    **{f"tf.compat.v1.{n}": f"tf.{n}" for n in "cond map_fn concat split".split()},
    **{f"K.{n}": f"K.{n}" for n in "backend image_data_format image_dim_ordering learning_phase resize_images".split()},
    "applications.imagenet_utils.preprocess_input": "applications.imagenet_utils",
    "applications.imagenet_utils._preprocess_symbolic_input": "applications.imagenet_utils",
    "imagenet_utils.preprocess_input": "applications.imagenet_utils",
}
"""What is no call of a table: functions that call functions, and those whose meaning depends on the writer (`calls`)."""

_RESIZING = {
    name: (number, text)
    for number, (name, text) in enumerate(
        {
            "BILINEAR": "bilinear",
            "NEAREST_NEIGHBOR": "nearest",
            "BICUBIC": "bicubic",
            "AREA": "area",
        }.items()
    )
}
"""`tf.image.ResizeMethod`: numbers in TensorFlow 1 (`image_ops_impl.py`), texts in TensorFlow 2."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a dotted global name is.

    Attributes:
        kind: `call` (a function of a table), `value` (a constant or type of a module), `constant` (plain data), or
            `calling` (a row of `calls`).
        id: Its id in the tables.
        value: Of a constant.
        renamed: Arguments with other names in the table.
        only_1: Whether TensorFlow 2 has no such name.
    """

    kind: str
    id: str
    value: Any = None
    renamed: Mapping[str, str] = field(default_factory=dict)
    only_1: bool = False


def resolve(path: str, setting: Setting, count: int = 0, keywords: Collection[str] = ()) -> Meaning | None:
    """What a dotted global name is; None where no table has it.

    Args:
        path: Such as `tf.nn.relu`.
        setting: Where it was written.
        count: If it is called, the number of arguments by position.
        keywords: If it is called, the names of the other arguments.

    Example:
        >>> resolve("keras.backend.mean", Setting(2)).id
        'K.mean'
        >>> resolve("K.tf.io.write_file", Setting(2)) is None
        True
    """
    if "." not in path:
        return Meaning("call", f"builtins.{path}") if path in BUILTINS else None
    path = _normal(path)
    if path in _CALLING:
        return Meaning("calling", _CALLING[path])
    prefix, _, name = path.rpartition(".")
    if prefix == "activations":
        return Meaning("call", f"K.{name}") if name in _ACTIVATIONS else None
    if name == "preprocess_input" and prefix.removeprefix("applications.") in APPLICATIONS:
        return Meaning("calling", prefix.removeprefix("applications."))
    if prefix in ("tf.image.ResizeMethod", "tf.compat.v1.image.ResizeMethod") and name in _RESIZING:
        first = setting.tensorflow == 1 or "v1" in prefix
        return None if setting.tensorflow is None else Meaning("constant", path, _RESIZING[name][0 if first else 1])
    if prefix == "tf.dtypes" or (prefix == "tf.compat.v1" and name in _DTYPES):
        prefix = "tf" if name in _DTYPES else prefix
    if name in _VALUES.get(prefix, ()):
        return Meaning("value", f"{prefix}.{name}")
    if name in _FUNCTIONS.get(prefix, ()):
        return Meaning("call", f"{prefix}.{name}")
    head, _, rest = path.partition(".")
    if head != "tf" or rest.startswith(("keras.", "__operators__.")):
        return None
    if rest.removeprefix("compat.v1.") == "constant":
        return Meaning("call", "tf.constant")
    found = find(rest, setting.tensorflow, count, keywords)
    return Meaning("call", f"tf.{found.id}", None, found.renamed, found.only_1) if found is not None else None


def _normal(path: str) -> str:
    for written, here in _PREFIXES:
        if path.startswith(written):
            path = here + path[len(written) :]
    return path


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
    if module == "np" and rest in NUMPY_SIZES:
        size = elements(("a",), {"a": [*args, *kwargs.values()]})
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
