"""The arguments of a call as plain data: which are tensors, which are slices, which are constants.

A template is `{"args": [...], "kwargs": {...}}` in which `{"tensor": 2}` stands for the third tensor of the call,
`{"slice": [start, stop, step]}` for a slice, `{"ellipsis": true}` for `...`, `{"array": [...]}` for a constant that was an
array or a tensor (elsewhere lists may have been either), with its `"dtype"` where that is known. Everything else is itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["ELLIPSIS", "fill", "literals"]

ELLIPSIS = {"ellipsis": True}


def _same(value: Any, dtype: str | None = None) -> Any:
    return value


def fill(template: Any, tensor: Callable[[int], Any], array: Callable[..., Any] = _same) -> Any:
    """The template with tensors, slices, ellipses and arrays in their places.

    Raises:
        ValueError: It holds an object that is none of these.
    """
    if isinstance(template, list | tuple):
        return [fill(item, tensor, array) for item in template]
    if not isinstance(template, Mapping):
        return template
    if set(template) == {"array", "dtype"}:
        return array(template["array"], template["dtype"])
    if len(template) == 1:
        key, value = next(iter(template.items()))
        if key == "tensor" and isinstance(value, int):
            return tensor(value)
        if key == "slice" and isinstance(value, list | tuple) and len(value) == 3:
            return slice(*(fill(part, tensor, array) for part in value))
        if key == "array":
            return array(value)
        if key == "ellipsis":
            return Ellipsis
    raise ValueError(f"an argument is {str(dict(template))[:80]}")


def literals(template: Mapping[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Its args and kwargs with None in the place of each tensor."""
    args, kwargs = template.get("args", ()), template.get("kwargs", {})
    return (
        tuple(fill(a, lambda _: None) for a in args),
        {str(k): fill(v, lambda _: None) for k, v in kwargs.items()},
    )
