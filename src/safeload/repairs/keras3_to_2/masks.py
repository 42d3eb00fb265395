"""Masks that Keras 3 wrote down as tensors and Keras 2 hands on by itself.

In Keras 3 a mask is computed by operations that become part of the graph: `Embedding(mask_zero=True)` leaves a
`NotEqual`, `Masking` a `NotEqual` and an `Any`, and the layers behind are called with `mask=` those tensors. In Keras 2
the same layers attach the mask to their output, and the layers behind take it from there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from safeload.repairs.keras3_to_2.own import class_of
from safeload.repairs.tensors import history, is_operation, tensors

__all__ = ["without_implicit_masks"]

_MASKS = ("mask", "query_mask", "value_mask", "key_mask")


def without_implicit_masks(layers: Sequence[Any], ends: Any) -> list[Any]:
    """The layers of a graph without those masks that Keras 2 hands on by itself, and without what computed them.

    Args:
        layers: The layers' configs, with inbound nodes in Keras 3's form.
        ends: The model's inputs and outputs, which are never dropped.
    """
    sources = _sources(layers)
    if not sources:
        return list(layers)
    stripped = [_stripped(layer, sources) for layer in layers]
    wanted = {place[0] for place in _places(ends)}
    while True:
        used = wanted.union(*({t[0] for t in tensors(_calls(layer))} for layer in stripped))
        kept = [layer for layer in stripped if _name(layer) not in sources or _name(layer) in used]
        if len(kept) == len(stripped):
            return kept
        stripped = kept


def _name(layer: Any) -> str:
    return str(layer.get("name")) if isinstance(layer, Mapping) else ""


def _calls(layer: Any) -> list[Mapping[str, Any]]:
    nodes = layer.get("inbound_nodes") if isinstance(layer, Mapping) else None
    return [n for n in nodes or () if isinstance(n, Mapping) and "args" in n]


def _sources(layers: Sequence[Any]) -> set[str]:
    """The operations that compute the mask of an Embedding or a Masking layer."""
    masked: dict[tuple[str, int, int], Any] = {}
    for layer in layers:
        config = layer.get("config") if isinstance(layer, Mapping) else None
        if not isinstance(config, Mapping):
            continue
        zero = class_of(layer) == "Embedding" and config.get("mask_zero")
        if zero or class_of(layer) == "Masking":
            for node in _calls(layer):
                place = history(node["args"][0]) if node["args"] else None
                if place is not None:
                    masked[place] = 0 if zero else config.get("mask_value", 0.0)
    found: set[str] = set()
    for layer in layers:
        for node in _calls(layer) if masked and is_operation(layer) and class_of(layer) == "NotEqual" else ():
            operands = list(node["args"])
            place = history(operands[0]) if len(operands) == 2 else None
            if place in masked and operands[1] == masked[place]:
                found.add(_name(layer))
    for layer in layers:
        for node in _calls(layer) if found and is_operation(layer) and class_of(layer) == "Any" else ():
            place = history(node["args"][0]) if node["args"] else None
            if place is not None and place[0] in found:
                found.add(_name(layer))
    return found


def _stripped(layer: Any, sources: set[str]) -> Any:
    nodes = layer.get("inbound_nodes") if isinstance(layer, Mapping) else None
    if not isinstance(nodes, list):
        return layer
    changed = []
    for node in nodes:
        if isinstance(node, Mapping) and isinstance(node.get("kwargs"), Mapping):
            kwargs = {k: v for k, v in node["kwargs"].items() if not (k in _MASKS and _is_implicit(v, sources))}
            node = {**node, "kwargs": kwargs}
        changed.append(node)
    return {**layer, "inbound_nodes": changed}


def _is_implicit(value: Any, sources: set[str]) -> bool:
    places = [history(v) for v in (value if isinstance(value, list) else [value]) if v is not None]
    return bool(places) and all(place is not None and place[0] in sources for place in places)


def _places(value: Any) -> list[Any]:
    if isinstance(value, list | tuple) and len(value) == 3 and isinstance(value[0], str):
        return [value]
    if isinstance(value, Mapping):
        value = list(value.values())
    return [place for item in value for place in _places(item)] if isinstance(value, list | tuple) else []
