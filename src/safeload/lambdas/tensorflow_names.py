"""Which function a name below `tf` was in the TensorFlow that a Lambda was written with.

TensorFlow 1 has its functions under `tf.compat.v1` in TensorFlow 2, where the table of `safeload.operations` has them; what
it called otherwise before 1.0 is here. Read in the release notes of 1.0 and in `python/ops/*.py` of 0.12, 1.0, 1.4, 1.15.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from safeload.operations import Function, function

__all__ = ["Found", "find"]

_BEFORE_1: Mapping[str, tuple[str, Mapping[str, str]]] = {
    # name -> id, and its arguments that have other names since
    "arg_max": ("compat.v1.math.argmax", {}),
    "arg_min": ("compat.v1.math.argmin", {}),
    "batch_cholesky": ("linalg.cholesky", {}),
    "batch_matmul": ("linalg.matmul", {"x": "a", "y": "b", "adj_x": "adjoint_a", "adj_y": "adjoint_b"}),
    "batch_matrix_band_part": ("linalg.band_part", {}),
    "batch_matrix_diag": ("linalg.diag", {}),
    "batch_matrix_inverse": ("linalg.inv", {}),
    "batch_matrix_transpose": ("linalg.matrix_transpose", {}),
    "complex_abs": ("math.abs", {}),
    "div_no_nan": ("math.divide_no_nan", {}),
    "inv": ("math.reciprocal", {}),
    "mul": ("math.multiply", {}),
    "neg": ("math.negative", {}),
    "pack": ("stack", {}),
    "select": ("compat.v1.where", {"t": "x", "e": "y"}),
    "sub": ("math.subtract", {}),
    "unpack": ("unstack", {}),
}
"""What TensorFlow 0.x called otherwise, most of it still there until 1.0 or 1.x."""

_OTHER_IN_2 = frozenset({"image.resize", "image.resize_with_pad", "nn.dropout"})
"""What TensorFlow 2 computes in another way from the same arguments than TensorFlow 1."""

_FIRST_IN_DOUBT = frozenset({"where"})
"""Of which TensorFlow 1's form is right for either: it refuses what only TensorFlow 2 takes (shapes that differ)."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a name is.

    Attributes:
        id: The row of `safeload.operations`.
        renamed: Arguments that have other names in it.
        only_1: Whether there is no such name, or no such argument, in TensorFlow 2: then `tf` is not that.
    """

    id: str
    renamed: Mapping[str, str] = field(default_factory=dict)
    only_1: bool = False


def find(name: str, tensorflow: int | None, count: int, keywords: Collection[str]) -> Found | None:
    """The function that a call by `tf.NAME` meant; None where the table has none, or it could be either of two.

    Args:
        name: Without `tf.`.
        tensorflow: 1 or 2; None where it may be either.
        count: The number of arguments by position.
        keywords: The names of the others.

    Example:
        >>> find("reduce_sum", 1, 1, ["reduction_indices"]).id
        'compat.v1.math.reduce_sum'
    """
    name = name.removeprefix("compat.v2.")
    if name.startswith("compat.v1."):
        row = function(name) or function(name.removeprefix("compat.v1."))
        return Found(row.id) if row is not None else None
    if name in _BEFORE_1:
        old, renamed = _BEFORE_1[name]
        return Found(old, renamed, only_1=True)
    later, earlier = function(name), function(f"compat.v1.{name}")
    if tensorflow == 1 or later is None:
        row = earlier or later
        return Found(row.id, only_1=later is None and _has_other(name)) if row is not None else None
    if earlier is None or earlier.id == later.id:
        return Found(later.id)
    if not _takes(later, count, keywords) and _takes(earlier, count, keywords):
        return Found(earlier.id, only_1=True)
    if tensorflow is None:
        if name in _OTHER_IN_2:
            return None
        if name in _FIRST_IN_DOUBT:
            return Found(earlier.id)
        if not _same_places(later, earlier, count):
            return None
    return Found(later.id)


def _has_other(name: str) -> bool:
    """Whether a name is gone in TensorFlow 2 (`tf.to_float`), not only kept under `compat.v1` in the table (`tf.log`)."""
    row = function(f"compat.v1.{name}")
    return row is not None and row.id.startswith("compat.v1.")


def _takes(row: Function, count: int, keywords: Collection[str]) -> bool:
    named = [p for p in row.parameters if not p.startswith("*")]
    rest = len(named) < len(row.parameters)
    return (rest or count <= len(named)) and all(k in named or k == "name" for k in keywords)


def _same_places(a: Function, b: Function, count: int) -> bool:
    """Whether arguments by position mean the same in both."""
    pairs = zip(a.parameters[:count], b.parameters[:count], strict=False)
    same = {frozenset({"input", "value"}), frozenset({"filter", "filters"})}
    return all(x == y or frozenset({x, y}) in same for x, y in pairs)
