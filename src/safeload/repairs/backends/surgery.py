"""Put layers before or behind a layer of a model: in a Sequential beside it, in a graph with the connections moved."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from safeload.repairs.engine import is_object

__all__ = ["Neighbours", "surround"]

Node = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Neighbours:
    """What a layer becomes.

    Attributes:
        layer: The layer itself, under its name.
        before: Layers that its input goes through first.
        behind: Layers that its output goes through.
    """

    layer: Node
    before: Sequence[Node] = ()
    behind: Sequence[Node] = ()


def surround(model: Node, decide: Callable[[Node], Neighbours | None]) -> Node | None:
    """The model with neighbours put to the layers for which `decide` gives some; None where there are none.

    Args:
        model: A Sequential or functional model in the form of Keras 2.
        decide: What becomes of a layer; None leaves it as it is.
    """
    config = model.get("config")
    listed = config if isinstance(config, list) else config.get("layers") if isinstance(config, Mapping) else None
    if not isinstance(listed, list):
        return None
    layers: list[Any] = []
    moved: dict[str, str] = {}
    for child in listed:
        found = decide(child) if is_object(child) and isinstance(child["config"], Mapping) else None
        if found is None:
            layers.append(child)
            continue
        chain = [*found.before, found.layer, *found.behind]
        if chain[0] is not found.layer:
            chain = _input_first(chain)
        if "inbound_nodes" in child:
            chain = _connected(chain, child["inbound_nodes"])
        layers += chain
        if found.behind:
            moved[_name(found.layer)] = _name(found.behind[-1])
    if len(layers) == len(listed) and all(a is b for a, b in zip(layers, listed, strict=True)):
        return None
    if isinstance(config, list):
        return {**model, "config": layers}
    assert isinstance(config, Mapping)
    changed = {**config, "layers": layers}
    return {**model, "config": _redirected(changed, moved) if moved else changed}


def _name(layer: Node) -> str:
    return str(layer.get("name") or layer["config"].get("name"))


def _input_first(chain: list[Node]) -> list[Node]:
    """The shape of the model's input stands in the config of its first layer."""
    at = next((i for i, layer in enumerate(chain) if "batch_input_shape" in layer["config"]), None)
    if not at:
        return chain
    shape = {k: v for k, v in chain[at]["config"].items() if k in ("batch_input_shape", "dtype")}
    chain[at] = {**chain[at], "config": {k: v for k, v in chain[at]["config"].items() if k != "batch_input_shape"}}
    chain[0] = {**chain[0], "config": {**chain[0]["config"], **shape}}
    return chain


def _connected(chain: Sequence[Node], calls: Sequence[Any]) -> list[Node]:
    """The layers one behind the other, each called as often as the one in whose place they stand."""
    connected: list[Node] = []
    for layer in chain:
        if connected:
            calls = [[[_name(connected[-1]), i, 0, {}]] for i in range(len(calls))]
        connected.append({**layer, "name": _name(layer), "inbound_nodes": list(calls)})
    return connected


def _redirected(config: Mapping[str, Any], moved: Mapping[str, str]) -> dict[str, Any]:
    """The graph with references to a layer that got another behind it led to that one."""

    def walk(value: Any, of: str | None) -> Any:
        if isinstance(value, Mapping):
            return {k: walk(v, of) for k, v in value.items()}
        if not isinstance(value, list | tuple):
            return value
        if len(value) in (3, 4) and isinstance(value[0], str) and isinstance(value[1], int):
            rest = [walk(v, of) for v in value[1:]]
            target = moved.get(value[0])
            return [target if target is not None and _chain_of(of) != value[0] else value[0], *rest]
        return [walk(v, of) for v in value]

    behind = {last: first for first, last in moved.items()}

    def _chain_of(of: str | None) -> str | None:
        return behind.get(of) if of is not None else None

    layers = [
        {**layer, "inbound_nodes": walk(layer["inbound_nodes"], _name(layer))} if "inbound_nodes" in layer else layer
        for layer in config["layers"]
    ]
    ends = {key: walk(config[key], None) for key in ("input_layers", "output_layers") if key in config}
    return {**config, "layers": layers, **ends}
