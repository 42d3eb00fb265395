"""Operations of Keras 3 (`keras.ops` on symbolic tensors) as layers of ours, where Keras 2 is installed.

Keras 3 stores them among the layers: `{"module": "keras.src.ops.numpy", "class_name": "Add", "config": {...}}`, with the
constants of the call in the inbound node. Up to 3.4 the config lacks the name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safeload.operations.arguments import ELLIPSIS
from safeload.operations.keras3 import OPERATIONS
from safeload.repairs.engine import Context, is_object
from safeload.repairs.keras3_to_2.own import class_of
from safeload.repairs.refusal import refusal
from safeload.repairs.tensors import history, is_operation

__all__ = ["as_layer"]

_OURS = "safeload>Keras3Operation"


def as_layer(layer: Any, context: Context) -> Any:
    """An operation among the layers of a graph as a layer; everything else as it is."""
    if not isinstance(layer, Mapping) or not is_object(layer) or not is_operation(layer):
        return layer
    name = class_of(layer)
    if name not in OPERATIONS:
        raise refusal(context, f"the model computes keras.ops {name} ({layer.get('name')!r})")
    templates = []
    nodes = []
    for node in layer.get("inbound_nodes") or ():
        call = _Call(layer, context)
        args = [call.template(a) for a in node.get("args") or ()]
        kwargs = {k: call.template(v) for k, v in (node.get("kwargs") or {}).items()}
        templates.append({"args": args, "kwargs": kwargs})
        nodes.append({"args": [call.tensors if len(call.tensors) > 1 else call.tensors[0]], "kwargs": {}})
    if not templates or any(template != templates[0] for template in templates):
        raise refusal(context, f"the operation {layer.get('name')!r} was called twice with different arguments")
    config = layer["config"] if isinstance(layer["config"], Mapping) else {}
    options = {k: _plain(v) for k, v in config.items() if k not in ("name", "trainable")}
    named = str(layer.get("name") or config.get("name"))
    return {
        "class_name": _OURS,
        "registered_name": _OURS,
        "config": {"name": named, "operation": name, "options": options, "arguments": templates[0]},
        "name": named,
        "inbound_nodes": nodes,
    }


def _plain(value: Any) -> Any:
    """An option without the wrappers that JSON needs."""
    if isinstance(value, Mapping) and value.get("class_name") == "__tuple__":
        return [_plain(v) for v in value.get("config", value).get("items", ())]
    return [_plain(v) for v in value] if isinstance(value, list | tuple) else value


class _Call:
    def __init__(self, layer: Mapping[str, Any], context: Context) -> None:
        self.layer = layer
        self.context = context
        self.tensors: list[Any] = []
        self.places: list[tuple[str, int, int]] = []

    def template(self, value: Any) -> Any:
        place = history(value)
        if place is not None:
            if place not in self.places:
                self.places.append(place)
                self.tensors.append(value)
            return {"tensor": self.places.index(place)}
        if isinstance(value, list | tuple):
            return [self.template(item) for item in value]
        return self.mapping(value) if isinstance(value, Mapping) else value

    def mapping(self, value: Mapping[str, Any]) -> Any:
        kind, config = value.get("class_name"), value.get("config")
        if kind == "__ellipsis__":
            return dict(ELLIPSIS)
        if isinstance(config, Mapping):
            if kind == "__slice__":
                return {"slice": [self.template(config.get(part)) for part in ("start", "stop", "step")]}
            if kind in ("__numpy__", "__tensor__"):
                return {"array": config.get("value"), "dtype": str(config.get("dtype"))}
            if kind == "__tuple__":
                return [self.template(item) for item in config.get("items", ())]
        raise refusal(self.context, f"the operation {self.layer.get('name')!r} was called with a {str(kind)[:60]}")
