"""Tensors in the nodes of a Keras 3 graph."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from safeload.repairs.engine import is_object

__all__ = ["history", "tensors"]


def history(value: Any) -> tuple[str, int, int] | None:
    """`(layer, call, tensor)` of a tensor in a node; None for anything else."""
    if not is_object(value) or value["class_name"] != "__keras_tensor__" or not isinstance(value["config"], Mapping):
        return None
    found = value["config"].get("keras_history")
    if not isinstance(found, list | tuple) or len(found) != 3:
        return None
    name, node, tensor = found
    return str(name), int(node), int(tensor)


def tensors(value: Any) -> Iterator[tuple[str, int, int]]:
    """The places of all tensors below a value."""
    place = history(value)
    if place is not None:
        yield place
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from tensors(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from tensors(item)
