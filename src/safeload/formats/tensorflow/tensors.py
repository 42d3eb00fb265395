"""Small constants of a graph (`TensorProto`) as Python values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safeload.errors import CorruptedModelError
from safeload.formats.tensorflow.bundle import shape_of
from safeload.formats.tensorflow.protos import DTYPES, TENSOR
from safeload.formats.tensorflow.wire import parse

__all__ = ["elements", "values"]

_LISTS = ("float_val", "double_val", "int_val", "int64_val", "bool_val", "uint32_val", "uint64_val", "half_val")
MAX_ELEMENTS = 50_000_000


def elements(tensor: Mapping[str, Any]) -> int:
    """How many elements a tensor has by its shape; a few stored bytes can stand for many."""
    count = 1
    for size in shape_of(tensor.get("tensor_shape")) or ():
        count *= size or 0
    return count


def values(data: Any, path: str | None, where: str) -> list[Any]:
    """The elements of a constant: numbers or bytes.

    Raises:
        CorruptedModelError: It is damaged, or larger than it may be.
    """
    tensor = parse(data, TENSOR, path=path, where=where)
    count = elements(tensor)
    if count > MAX_ELEMENTS:
        raise CorruptedModelError(f"a constant of {count:,} elements", path=path, where=where)
    dtype = DTYPES.get(tensor.get("dtype", 0), "")
    if dtype == "string":
        return _filled(tensor.get("string_val", []), count)
    content = tensor.get("tensor_content")
    if content is not None and len(content):
        import numpy as np

        try:
            array = np.frombuffer(content, np.dtype(dtype))
        except (TypeError, ValueError) as error:
            raise CorruptedModelError(f"a constant is damaged: {error}", path=path, where=where) from error
        return list(array.tolist()) if array.size == count else []
    return _filled(next((tensor[name] for name in _LISTS if tensor.get(name)), [0]), count)


def _filled(stored: list[Any], count: int) -> list[Any]:
    """The last stored element is repeated (`TensorProto`'s short form)."""
    if len(stored) < count:
        stored = stored + [stored[-1] if stored else b""] * (count - len(stored))
    return stored[:count]
